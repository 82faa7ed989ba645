"""Minutes made of the live feed's ticks, from the moment somebody looks at an instrument: the bars between the broker's
last answer and now, and the one that forms. A minute that is over is the exchange's own bar where the feed tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.candles.deriving import MINUTE_MS
from services.domain.clock import Clock, epoch_ms
from services.feed.board import Board
from services.feed.snapshot import Snapshot
from services.wire.candle_columns import CandleColumns, columns_of, joined

Tick = tuple[str, float, int, int, int | None]
"""Instrument key, last price in rupees, time of the last trade (ms), its quantity, volume of the day so far (`None`:
the feed tells none, as of an index)."""

MOST_OF_A_DAY_MS = 18 * 60 * MINUTE_MS
UNWATCHED_MS = 15 * MINUTE_MS
"""Who has not been asked for so long is not followed any more."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveBars:
    """What the feed told of one instrument since `since_ms`, without a gap."""

    since_ms: int
    minutes: CandleColumns
    whole: NDArray[np.bool_]
    """Of each minute: was all of it heard, or told by the exchange when it was over?"""
    day: tuple[float, float, float, float, int] | None
    """Open, high, low, last price and volume of the day; `None`: the feed does not tell it in this mode."""
    oi: int


class Live(Protocol):
    """The live feed's side of candles. Nothing here waits."""

    def heard(self, key: str) -> LiveBars | None:
        """What was told of `key` since it is followed, which this call begins; `None`: the feed does not serve it."""


@dataclass(slots=True)
class _Followed:
    since_ms: int
    connection: int
    asked_ms: int
    volume: int | None = None
    bars: dict[int, list[float]] = field(default_factory=dict)
    """Start: open, high, low, close, volume of the day before it and in it."""
    told: set[int] = field(default_factory=set)
    """Starts of minutes that the exchange has told when they were over."""

    def correct(self, bar: np.void) -> None:
        """The exchange's own bar of a minute that is over takes the place of what was made of ticks."""
        start, prices = int(bar["start_ms"]), [float(bar[name]) for name in ("open", "high", "low", "close")]
        if start % MINUTE_MS == 0 and start + MINUTE_MS > self.since_ms and all(price > 0 for price in prices):
            self.bars[start] = [*prices, 0, max(0, int(bar["volume"]))]
            self.told.add(start)

    def let_go(self, before_ms: int) -> None:
        """Forget minutes of yesterday."""
        for start in [start for start in self.bars if start < before_ms]:
            del self.bars[start]
            self.told.discard(start)

    def add(self, price: float, at_ms: int, quantity: int, volume: int | None) -> None:
        if at_ms < self.since_ms:  # the snapshot that a subscription begins with: an older trade
            self.volume = volume
            return
        total = volume or 0
        start = at_ms - at_ms % MINUTE_MS
        bar = self.bars.get(start)
        if start in self.told:
            pass  # a straggler, counted already
        elif bar is None:
            before = self.volume if self.volume is not None else total - quantity if volume is not None else 0
            self.bars[start] = [price, price, price, price, before, total]
        else:
            if price > bar[1]:
                bar[1] = price
            elif price < bar[2]:
                bar[2] = price
            bar[3], bar[5] = price, total
        self.volume = volume


class FormingMinutes:
    """Follows instruments on the feed. `put` is called on the feed's thread, all else from any; one short lock guards
    the bars. While nobody is followed, `put` looks at nothing.

    `serves` tells which keys the feed keeps current now, `connection` a number that changes with every connection: what
    was said between two of them nobody heard.
    """

    def __init__(
        self,
        *,
        serves: Callable[[Iterable[str]], set[str]],
        connection: Callable[[], int],
        board: Board,
        clock: Clock,
    ) -> None:
        self._serves = serves
        self._connection = connection
        self._board = board
        self._clock = clock
        self._guard = Lock()  # guards the one below
        self._followed: dict[str, _Followed] = {}

    def put(self, received_ms: int, ticks: Sequence[Tick]) -> None:
        """Take over ticks. Neither waits nor raises."""
        followed = self._followed
        if not followed:
            return
        with self._guard:
            for key, price, traded_ms, quantity, volume in ticks:
                one = followed.get(key)
                if one is None:
                    continue
                if received_ms - one.asked_ms > UNWATCHED_MS:
                    del followed[key]
                else:
                    one.add(price, traded_ms or received_ms, quantity, volume)

    def heard(self, key: str) -> LiveBars | None:
        """See `Live`."""
        now, connection = epoch_ms(self._clock.now()), self._connection()
        if not self._serves((key,)):
            with self._guard:
                self._followed.pop(key, None)
            return None
        snapshot = self._board.snapshot([key])
        minute = snapshot.bars("I1")[0]
        with self._guard:
            one = self._followed.get(key)
            if one is None or one.connection != connection:
                one = self._followed[key] = _Followed(now, connection, now)
            one.asked_ms = now
            for other in [known for known, old in self._followed.items() if now - old.asked_ms > UNWATCHED_MS]:
                del self._followed[other]  # of these not even a tick has come
            one.correct(minute)
            one.let_go(now - MOST_OF_A_DAY_MS)
            bars, since = [(start, *bar) for start, bar in sorted(one.bars.items())], one.since_ms
            whole = [start >= since or start in one.told for start in sorted(one.bars)]
        day, oi = _of_day(snapshot)
        rows = [(start, o, h, low, c, max(0, now - old), oi) for start, o, h, low, c, old, now in bars]
        minutes = columns_of(list(zip(*rows, strict=True)) or [[]] * 7)
        return LiveBars(since, minutes, np.array(whole, bool), day, oi)


def _of_day(snapshot: Snapshot) -> tuple[tuple[float, float, float, float, int] | None, int]:
    """The bar of the day, with the last price as its close; and the open interest."""
    row, day = snapshot.rows[0], snapshot.bars("1d")[0]
    oi = float(row["oi"])
    units = int(oi) if np.isfinite(oi) else 0
    ltp, opened = float(row["ltp"]), float(day["open"])
    if not np.isfinite(ltp) or not np.isfinite(opened) or opened <= 0:
        return None, units
    volume = max(int(row["volume"]), int(day["volume"]), 0)
    return (opened, max(float(day["high"]), ltp), min(float(day["low"]), ltp), ltp, volume), units


def with_live(told: CandleColumns, told_ms: int, live: LiveBars) -> CandleColumns:
    """The broker's minutes as told at `told_ms`, and what the feed has told since. The minute that was running then is
    the feed's if it heard all of it, else both together."""
    over = told.start_ms + MINUTE_MS <= told_ms
    if over.all():
        running = told.take(slice(len(told), None))
    else:
        running, told = told.take(~over), told.take(over)
    later = live.minutes.start_ms + MINUTE_MS > told_ms
    minutes, whole = live.minutes.take(later), live.whole[later]
    parts = [told, running, minutes.take(whole)]
    if not whole.all():
        half = minutes.take(~whole)
        parts.insert(2, _together(running, half))
    return joined(parts)


def _together(running: CandleColumns, half: CandleColumns) -> CandleColumns:
    """The first part of a minute as the broker told it, and the rest of it as the feed did."""
    same = running.start_ms == half.start_ms[0] if len(half) == 1 else np.zeros(0, bool)
    if not same.any():
        return half
    first = running.take(same)
    return CandleColumns(
        half.start_ms,
        first.open,
        np.maximum(first.high, half.high),
        np.minimum(first.low, half.low),
        half.close,
        first.volume + half.volume,
        half.oi,
    )
