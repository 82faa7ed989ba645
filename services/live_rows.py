"""Quotes made of the live feed: the feed's numbers over a quote that was asked for once.

The feed tells prices, volume, depth and the bars of the day, but no circuit limits, no 52-week range and no open
interest of yesterday: those come from the underlying quote, which is renewed now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from math import isfinite
from threading import Lock
from typing import Any

from services.domain.clock import Clock, from_epoch_ms, ist_date
from services.domain.errors import MalformedPayload
from services.domain.quote_row import Depth, QuoteRow
from services.domain.quotes import FROM_FEED, DepthLevel
from services.feed.board import Board
from services.feed.snapshot import Snapshot
from services.wire.feed.details import find_bar
from services.wire.feed.rows import FIRST_LEVEL, MARKET

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
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.serves = serves
        self.want = want
        self._board = board
        self._clock = clock
        self._source = source
        self._speed = speed
        self._monotonic_ns = monotonic_ns
        self._guard = Lock()  # guards the one below
        self._made: dict[str, tuple[int, QuoteRow, QuoteRow]] = {}

    def over(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        """`underlying` with the feed's row in place of each that the feed has told something newer of."""
        keys = [key for key in underlying if key in self._board]
        if not keys:
            return dict(underlying)
        snapshot = self._board.snapshot(keys)
        rows = dict(underlying)
        with self._guard:
            for place, (key, version) in enumerate(zip(keys, snapshot.rows["version"].tolist(), strict=True)):
                if not version:
                    continue
                made = self._made.get(key)
                if made is None or made[0] != version or made[1] is not underlying[key]:
                    made = (version, underlying[key], self._row(snapshot, place, underlying[key]))
                    self._made[key] = made
                if made[2]["received_at"] >= underlying[key]["received_at"]:
                    rows[key] = made[2]
            if len(self._made) > 2 * len(self._board) + 1000:
                self._made = {key: made for key, made in self._made.items() if key in self._board}
        return rows

    def current(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        """Rows of those keys that the feed keeps current, where the underlying quote is good enough to stand on."""
        served = self.serves(underlying)
        if not served:
            return {}
        now = self._clock.now()
        good = {key: underlying[key] for key in served if _still_good(underlying[key]["received_at"], now)}
        return {key: row for key, row in self.over(good).items() if row["api_version"] == FROM_FEED}

    def _row(self, snapshot: Snapshot, place: int, under: QuoteRow) -> QuoteRow:
        cells = dict(zip(snapshot.rows.dtype.names or (), snapshot.rows[place].tolist(), strict=True))
        ago = (self._monotonic_ns() - cells["received_ns"]) / 1e9 * self._speed()
        row: dict[str, Any] = dict(under)  # Any: members of several types, as in `QuoteRow`
        row |= _price(cells["ltp"], cells["prev_close"] or under["prev_close"])
        row |= _day(snapshot, place, under)
        if cells["kind"] == MARKET:
            row |= {
                "volume": cells["volume"],
                "average_price": _known(cells["atp"]) or None,
                "total_buy_quantity": _whole(cells["buy_quantity"]),
                "total_sell_quantity": _whole(cells["sell_quantity"]),
                "depth": _depth(snapshot, place),
            }
        if cells["kind"] in (MARKET, FIRST_LEVEL) and under["oi"] is not None:
            row |= _open_interest(_known(cells["oi"]), under)
        row["last_trade_time"] = from_epoch_ms(cells["ltt_ms"]) if cells["ltt_ms"] else under["last_trade_time"]
        row["exchange_time"] = from_epoch_ms(cells["at_ms"]) if cells["at_ms"] else None
        row["received_at"] = self._clock.now() - timedelta(seconds=ago)
        row["source"] = self._source()
        row["api_version"] = FROM_FEED
        return QuoteRow(row)


def _still_good(at: datetime, now: datetime) -> bool:
    return ist_date(at) == ist_date(now) and now - at < UNDERLYING_GOOD_FOR


def _known(figure: float) -> float | None:
    """The broker may send what is no number."""
    return figure if isfinite(figure) else None


def _whole(figure: float) -> int | None:
    return int(figure) if isfinite(figure) else None


def _price(ltp: float, prev_close: float | None) -> dict[str, float | None]:
    if not prev_close:
        return {"ltp": ltp}
    change = ltp - prev_close
    return {
        "ltp": ltp,
        "prev_close": prev_close,
        "change": round(change, 4),
        "change_percent": round(change / prev_close * 100, 4),
    }


def _day(snapshot: Snapshot, place: int, under: QuoteRow) -> dict[str, float | None]:
    """Open, high and low of the day, where the feed tells its bar."""
    raw = snapshot.raw_bars[place]
    try:
        day = None if raw is None else find_bar(raw, "1d")
    except MalformedPayload:
        return {}
    return {} if day is None else {name: getattr(day, name) or under[name] for name in ("open", "high", "low")}


def _depth(snapshot: Snapshot, place: int) -> Depth:
    """The book. The feed does not count orders."""
    try:
        levels = snapshot.book(place) or []
    except MalformedPayload:
        levels = []
    return Depth(
        {
            "buy": tuple(DepthLevel(one.bid_price, one.bid_quantity, None) for one in levels if one.bid_quantity),
            "sell": tuple(DepthLevel(one.ask_price, one.ask_quantity, None) for one in levels if one.ask_quantity),
        }
    )


def _open_interest(oi: float | None, under: QuoteRow) -> dict[str, float | None]:
    if oi is None:
        return {}
    highest, lowest = under["oi_day_high"], under["oi_day_low"]
    return {
        "oi": oi,
        "oi_day_high": None if highest is None else max(highest, oi),
        "oi_day_low": None if lowest is None else min(lowest, oi),
    }
