"""Quotes made of the live feed: the feed's numbers over a quote that was asked for once.

The feed tells prices, volume, depth and the bars of the day, but no circuit limits, no 52-week range and no open
interest of yesterday: those come from the underlying quote, which is renewed now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import isfinite
from threading import Lock
from typing import Any

from services.domain.clock import Clock, from_epoch_ms, ist_date
from services.domain.errors import MalformedPayload
from services.domain.quote_row import Depth, QuoteRow
from services.domain.quotes import FROM_FEED, DepthLevel, DepthSide
from services.feed.board import Board
from services.feed.snapshot import Snapshot
from services.running_time import running_ns
from services.wire.feed.details import RawLevel, find_bar, raw_levels
from services.wire.feed.rows import FIRST_LEVEL, MARKET

_instant = lru_cache(maxsize=4096)(from_epoch_ms)
"""Rows of one frame, and trades of one moment, have their instants in common."""
UNDERLYING_GOOD_FOR = timedelta(minutes=10)
"""Circuit limits widen during the day, and the feed does not tell."""


class LiveRows:
    """Rows of the board over underlying ones. Any thread; nothing here waits but for arithmetic.

    `serves` tells which of some keys the feed keeps current; `want` takes a lease on keys for so many seconds.
    A row that did not change is the same object as before.
    """

    def __init__(
        self,
        *,
        board: Board,
        serves: Callable[[Iterable[str]], set[str]],
        want: Callable[[Collection[str], float], None],
        clock: Clock,
        source: Callable[[], str],
        speed: Callable[[], float] = lambda: 1.0,
        monotonic_ns: Callable[[], int] = running_ns,
    ) -> None:
        self.serves = serves
        self.want = want
        self._board = board
        self._clock = clock
        self._source = source
        self._speed = speed
        self._monotonic_ns = monotonic_ns
        self._guard = Lock()  # guards the one below
        self._made: dict[str, tuple[int, QuoteRow, QuoteRow, bool]] = {}
        """Version on the board, what it was made over, the row, and whether it is the newer of the two."""

    def over(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        """`underlying` with the feed's row in place of each that the feed has told something newer of. Where a request
        told something newer of what the feed serves, nothing has happened since, and the feed answers for that row."""
        rows = dict(underlying)
        if not (rows and len(self._board)):
            return rows
        snapshot = self._board.snapshot(list(rows))
        older: dict[str, object] = {}
        with self._guard:
            self._make_what_changed(snapshot, underlying)
            get = self._made.get
            for key in underlying:
                if (made := get(key)) is None:
                    continue
                if made[3]:
                    rows[key] = made[2]
                else:
                    older[key] = made
            if len(self._made) > 2 * len(self._board) + 1000:
                self._made = {key: made for key, made in self._made.items() if key in self._board}
        if older:
            served = self.serves(older)  # it has a lock of its own: never two at once
            with self._guard:
                for key in served:
                    now = self._made.get(key)
                    if now is older[key]:
                        rows[key] = self._vouched(key, underlying[key])
                    elif now is not None and now[1] is underlying[key] and now[3]:
                        rows[key] = now[2]  # another thread was quicker
        return rows

    def _make_what_changed(self, snapshot: Snapshot, underlying: Mapping[str, QuoteRow]) -> None:
        """Rows for what the feed has told, where they are not made yet. Forgets those of which it has told nothing."""
        made, changed = self._made, []
        for place, (key, version) in enumerate(zip(snapshot.keys, snapshot.rows["version"].tolist(), strict=True)):
            if not version:
                made.pop(key, None)  # let go, and asked for anew
            elif (known := made.get(key)) is None or known[0] != version or known[1] is not underlying[key]:
                changed.append(place)
        if not changed:
            return
        maker = _Maker(snapshot, self._clock.now(), self._monotonic_ns(), speed=self._speed(), source=self._source())
        for place, cells in zip(changed, snapshot.rows.take(changed).tolist(), strict=True):
            key = snapshot.keys[place]
            under = underlying[key]
            row = maker.row(place, cells, under)
            made[key] = (cells[0], under, row, row["received_at"] >= under["received_at"])

    def current(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        """Rows of those keys that the feed keeps current, where the underlying quote is good enough to stand on."""
        good = {key: underlying[key] for key in self.keeps(underlying)}
        return {key: row for key, row in self.over(good).items() if row["api_version"] == FROM_FEED}

    def keeps(self, underlying: Mapping[str, QuoteRow]) -> set[str]:
        """Those of `underlying` of which `current` has rows, without making them."""
        served, now = self.serves(underlying), self._clock.now()
        return {key for key in served if _still_good(underlying[key]["received_at"], now)}

    def _vouched(self, key: str, under: QuoteRow) -> QuoteRow:
        """`under`, for which the feed answers from now on."""
        row = QuoteRow({**under, "source": self._source(), "api_version": FROM_FEED})
        self._made[key] = (self._made[key][0], under, row, True)
        return row


class _Maker:
    """Rows out of one snapshot. Screens ask for hundreds of them, many times a second."""

    def __init__(self, snapshot: Snapshot, now: datetime, now_ns: int, *, speed: float, source: str) -> None:
        self._snapshot = snapshot
        self._now = now
        self._now_ns = now_ns
        self._speed = speed
        self._source = source
        self._received: dict[int, datetime] = {}

    def row(self, place: int, cells: tuple[Any, ...], under: QuoteRow) -> QuoteRow:  # Any: numbers, in the order of ROW
        """The row at `place` of the snapshot, whose columns are `cells`."""
        _, received_ns, at_ms, kind, _, ltp, ltt_ms, _, prev_close, _, volume, oi, _, atp, buys, sells, *_ = cells
        if (received_at := self._received.get(received_ns)) is None:  # the same for all rows of a frame
            ago = (self._now_ns - received_ns) / 1e9 * self._speed
            received_at = self._received[received_ns] = self._now - timedelta(seconds=ago)
        row: dict[str, Any] = {  # Any: members of several types, as in `QuoteRow`
            **under,
            "last_trade_time": _instant(ltt_ms) if ltt_ms else under["last_trade_time"],
            "exchange_time": _instant(at_ms) if at_ms else None,
            "received_at": received_at,
            "source": self._source,
            "api_version": FROM_FEED,
            "ltp": ltp,
        }
        if prev_close := prev_close or under["prev_close"]:
            change = ltp - prev_close
            row["prev_close"] = prev_close
            row["change"] = round(change, 4)
            row["change_percent"] = round(change / prev_close * 100, 4)
        if (raw := self._snapshot.raw_bars[place]) is not None:
            row |= _day(raw, under)
        if kind == MARKET:
            row["volume"] = volume
            row["average_price"] = _known(atp) or None
            row["total_buy_quantity"] = _whole(buys)
            row["total_sell_quantity"] = _whole(sells)
            row["depth"] = _depth(self._snapshot.raw_depth[place])
        if kind in (MARKET, FIRST_LEVEL) and under["oi"] is not None:
            row |= _open_interest(_known(oi), under)
        return QuoteRow(row)


def _still_good(at: datetime, now: datetime) -> bool:
    return ist_date(at) == ist_date(now) and now - at < UNDERLYING_GOOD_FOR


def _known(figure: float) -> float | None:
    """The broker may send what is no number."""
    return figure if isfinite(figure) else None


def _whole(figure: float) -> int | None:
    return int(figure) if isfinite(figure) else None


def _day(raw: bytes, under: QuoteRow) -> dict[str, float | None]:
    """Open, high and low of the day, where the feed tells its bar."""
    try:
        day = find_bar(raw, "1d")
    except MalformedPayload:
        return {}
    if day is None:
        return {}
    return {"open": day.open or under["open"], "high": day.high or under["high"], "low": day.low or under["low"]}


class _Book:
    """The levels of one row, read when somebody looks, and once: each pass of the push channel makes hundreds of rows
    and wants no more than the best price of both sides."""

    __slots__ = ("_levels", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._levels: Sequence[RawLevel] | None = None

    def levels(self) -> Sequence[RawLevel]:
        """Raises `MalformedPayload`: what cannot be read is no book in which nobody is."""
        if self._levels is None:
            self._levels = raw_levels(self._raw)
        return self._levels


class _Bids(DepthSide):
    """The buyers of a book. The feed does not count orders; where it tells zeros nobody is there."""

    __slots__ = ("_book",)

    def __init__(self, book: _Book) -> None:
        super().__init__(())
        self._book = book

    def best(self) -> float | None:
        for level in self._book.levels():
            if level.bidQ:
                return level.bidP
        return None

    def _read(self) -> Iterator[DepthLevel]:
        return (DepthLevel(level.bidP, level.bidQ, None) for level in self._book.levels() if level.bidQ)

    def __reduce__(self) -> tuple[type[DepthSide], tuple[tuple[DepthLevel, ...]]]:
        return DepthSide, (self.levels(),)


class _Asks(_Bids):
    """The sellers of a book."""

    __slots__ = ()

    def best(self) -> float | None:
        for level in self._book.levels():
            if level.askQ:
                return level.askP
        return None

    def _read(self) -> Iterator[DepthLevel]:
        return (DepthLevel(level.askP, level.askQ, None) for level in self._book.levels() if level.askQ)


def _depth(raw: bytes | None) -> Depth:
    if raw is None:
        return Depth({"buy": (), "sell": ()})
    book = _Book(raw)
    return Depth({"buy": _Bids(book), "sell": _Asks(book)})


def _open_interest(oi: float | None, under: QuoteRow) -> dict[str, float | None]:
    if oi is None:
        return {}
    highest, lowest = under["oi_day_high"], under["oi_day_low"]
    return {
        "oi": oi,
        "oi_day_high": None if highest is None else max(highest, oi),
        "oi_day_low": None if lowest is None else min(lowest, oi),
    }
