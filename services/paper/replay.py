"""Real days in the practice market: which recorded day drives a day of the broker's clock, and how its candles become
a path.

A candle folder drives the days it holds. A replay plays its days whatever the clock's date: that very day if it is
recorded, else the recorded days in turn. Where every segment is open all day, the recorded session is stretched over
the practice day: each price is real, the hours are not.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.domain.clock import IST, from_epoch_ms
from services.paper.bending import DayBar, bent
from services.paper.candles import CandleDay, CandleStore
from services.paper.hours import Group, Hours, Session

Floats = NDArray[np.float64]

_TICKS = (0.05, 0.01)
_STALE = timedelta(days=10)
"""An earlier close older than this is not "the previous close" of a replayed day."""
_SAMPLES = 8
_REAL_HOURS = Hours(practice=False)


@dataclass(frozen=True, slots=True)
class RealPath:
    """A real day laid over a session of `minutes`. Rupees."""

    bar: CandleDay
    knots: Floats | None
    """(minutes, 4): open, first turn, second turn, close of each minute; `None` for a day known by its bar only."""
    volume: NDArray[np.int64] | None
    """(minutes,): shares traded in each minute."""
    settle_minute: int
    last_minute: int
    """Where continuous trading ends: before `settle_minute` if there is a closing auction between."""

    def through(self, grid: Floats, pause: tuple[int, int] | None = None) -> Floats:
        """The simulated minute edges `grid` bent so that they go the real way. `pause` as in `bent`."""
        if self.knots is not None:
            return np.append(self.knots[:, 0], self.knots[-1, 3])
        bar = DayBar(self.bar.open, self.bar.high, self.bar.low, self.bar.close)
        return bent(grid, bar, self.settle_minute, self.last_minute, pause)


class RealDays(Protocol):
    """Recorded closes and paths, by root and by day of the broker's clock."""

    def holds(self, root: str) -> bool:
        """Is any day of `root` recorded?"""

    def bar(self, root: str, day: date) -> CandleDay | None:
        """The recorded day that drives `day` (in a replay another one), if there is one."""

    def previous_close(self, root: str, day: date) -> float | None:
        """The previous close that the recording itself states for `day`."""

    def anchors(self, root: str) -> Mapping[date, float]:
        """Known closes by date, those before a recorded day too; none in a replay, which has no dates of its own."""

    def path(self, root: str, session: Session, *, auction: bool) -> RealPath | None:
        """`auction`: the close of this root is found in the closing auction, if the session has one."""

    def played(self, day: date) -> date | None:
        """The recorded day that a replay plays on `day`."""


class CandleDays:
    """Real days on their own dates; `replayed`: on any date."""

    def __init__(self, store: CandleStore, *, replayed: bool = False) -> None:
        self._store = store
        self._hours = Hours(practice=False, extra_days=store.all_days())
        self._order = {root: sorted(days) for root, days in store.days.items()}
        self._all = frozenset(store.all_days())
        self._replayed = store.all_days() if replayed else []

    def played(self, day: date) -> date | None:
        if not self._replayed:
            return None
        if day in self._replayed:
            return day
        return self._replayed[day.toordinal() % len(self._replayed)]

    def recorded(self, day: date) -> date | None:
        """The recorded day that prices follow on `day`, if any do."""
        return self.played(day) or (day if day in self._all else None)

    def covers(self, recorded: date, roots: Iterable[str]) -> bool:
        """Are there minutes of that recorded day for each of `roots`?"""
        of_day = (self._store.days.get(root, {}).get(recorded) for root in roots)
        return all(found is not None and found.minutes is not None for found in of_day)

    def holds(self, root: str) -> bool:
        return root in self._order

    def span(self, root: str) -> tuple[date, date] | None:
        """The first and the last recorded day of `root`, where recorded days stand on their own dates."""
        order = self._order.get(root)
        return (order[0], order[-1]) if order and not self._replayed else None

    def anchors(self, root: str) -> Mapping[date, float]:
        if self._replayed:
            return {}
        days = self._store.days.get(root, {})
        before = {
            self._hours.previous(Group.EQUITY, day): found.previous_close
            for day, found in days.items()
            if found.previous_close is not None
        }
        return {**before, **{day: found.close for day, found in days.items()}}

    def previous_close(self, root: str, day: date) -> float | None:
        found = self.bar(root, day)
        if found is None:
            return None
        if found.previous_close is not None or not self._replayed:
            return found.previous_close
        order = self._order[root]
        at = bisect.bisect_left(order, found.day) - 1
        if at >= 0 and found.day - order[at] <= _STALE:
            return self._store.days[root][order[at]].close
        return found.open  # the first recorded day: nothing better is known

    def bar(self, root: str, day: date) -> CandleDay | None:
        return self._store.days.get(root, {}).get(self.played(day) or day)

    def path(self, root: str, session: Session, *, auction: bool) -> RealPath | None:
        found = self.bar(root, session.day)
        return None if found is None else real_path(found, session, auction=auction)


def coarsest_tick(found: CandleDay, usual: float) -> float:
    """The coarsest tick, `usual` or a finer one, that holds every price of the day: ticks were other ones in earlier
    years."""
    prices = np.array([found.open, found.high, found.low, found.close])
    if found.minutes is not None:
        prices = np.append(prices, found.minutes.prices)
    for tick in (usual, *(tick for tick in _TICKS if tick < usual)):
        steps = prices / tick
        if np.abs(steps - np.rint(steps)).max() < 1e-4:
            return tick
    return min(usual, _TICKS[-1])


def real_path(found: CandleDay, session: Session, *, auction: bool = False) -> RealPath:
    """The day `found` laid over `session`; `auction` as in `RealDays.path`."""
    settle = session.settles(auction=auction)
    last = session.auction.first_minute if auction and session.auction else settle
    if found.minutes is None:
        return RealPath(found, None, None, settle, last)
    recorded = _REAL_HOURS.session(Group.EQUITY, found.day)
    same_hours = session.minutes < 24 * 60
    length = session.minutes if same_hours else recorded.settle_minute
    start = from_epoch_ms(session.start_ms if same_hours else recorded.start_ms).astimezone(IST)
    knots, volume = _knots(found, start.hour * 60 + start.minute, length)
    if not same_hours:
        knots, volume = _stretched(knots, volume, session.minutes)
    return RealPath(found, knots, volume, settle, last)


def _knots(found: CandleDay, first_minute: int, length: int) -> tuple[Floats, NDArray[np.int64]]:
    """Knots and volume of each minute; a minute without a bar stands at the last close."""
    assert found.minutes is not None
    bars = found.minutes
    inside = (bars.start >= first_minute) & (bars.start < first_minute + length)
    at = bars.start[inside] - first_minute
    prices = bars.prices[inside]
    volume = np.zeros(length, dtype=np.int64)
    knots = np.full((length, 4), found.open)
    if at.size:
        volume[at] = bars.volume[inside]
        last = np.maximum.accumulate(np.where(np.isin(np.arange(length), at), np.arange(length), -1))
        slot = np.searchsorted(at, last)
        stands = prices[np.minimum(slot, at.size - 1), 3]
        knots[:] = np.where(last < 0, found.open, stands)[:, None]
        knots[at] = _ordered(prices)
    return knots, volume


def _ordered(prices: Floats) -> Floats:
    """Open, high, low, close -> open, first turn, second turn, close: a rising bar visits its low first."""
    opened, high, low, close = prices.T
    rising = close >= opened
    return np.column_stack([opened, np.where(rising, low, high), np.where(rising, high, low), close])


def _stretched(knots: Floats, volume: NDArray[np.int64], minutes: int) -> tuple[Floats, NDArray[np.int64]]:
    """A recorded session over a longer one; every turn of the recording is kept."""
    length = len(knots)
    times = (np.arange(length)[:, None] + np.array([0.0, 0.3, 0.7, 0.999])).ravel() / length
    values = knots.ravel()
    edges = np.linspace(0.0, 1.0, minutes * _SAMPLES + 1)
    path = np.interp(edges, times, values)
    parts = path[:-1].reshape(minutes, _SAMPLES)
    high, low = parts.max(axis=1), parts.min(axis=1)
    slots = np.minimum((times * minutes).astype(int), minutes - 1)
    np.maximum.at(high, slots, values)
    np.minimum.at(low, slots, values)
    opened, close = path[:-1:_SAMPLES], path[_SAMPLES::_SAMPLES]
    high, low = np.maximum(high, np.maximum(opened, close)), np.minimum(low, np.minimum(opened, close))
    done = np.append(0, np.cumsum(volume))
    at_edges = np.interp(np.linspace(0.0, length, minutes + 1), np.arange(length + 1), done).astype(np.int64)
    return _ordered(np.column_stack([opened, high, low, close])), np.diff(at_edges)
