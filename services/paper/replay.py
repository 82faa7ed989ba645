"""Real days in the practice market: which recorded day drives a day of the broker's clock, and how its candles become
a path.

A candle folder drives the days it holds. A replay plays its days whatever the clock's date: that very day if it is
recorded, else the recorded days in turn. Where every segment is open all day, the recorded session is stretched over
the practice day: each price is real, the hours are not.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.domain.clock import IST, from_epoch_ms
from services.paper.candles import CandleDay, CandleStore
from services.paper.hours import Group, Hours, Session

Floats = NDArray[np.float64]

_TICKS = (0.05, 0.01)
_STALE = timedelta(days=10)
"""An earlier close older than this is not "the previous close" of a day."""
_MOST_OF_A_YEAR = 220
"""Trading days."""
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

    def through(self, grid: Floats) -> Floats:
        """The simulated minute edges `grid` bent so that they go the real way."""
        if self.knots is not None:
            return np.append(self.knots[:, 0], self.knots[-1, 3])
        return _bent(grid, self.bar, self.settle_minute, self.last_minute)

    def tick(self, usual: float) -> float:
        """The coarsest tick that holds every real price: ticks were other ones in earlier years."""
        prices = np.array([self.bar.open, self.bar.high, self.bar.low, self.bar.close])
        if self.knots is not None and self.bar.minutes is not None:
            prices = np.append(prices, self.bar.minutes.prices)
        for tick in (usual, *(tick for tick in _TICKS if tick < usual)):
            steps = prices / tick
            if np.abs(steps - np.rint(steps)).max() < 1e-4:
                return tick
        return min(usual, _TICKS[-1])


class RealDays(Protocol):
    """Recorded closes and paths, by root and by day of the broker's clock."""

    def close(self, root: str, day: date) -> float | None: ...

    def previous_close(self, root: str, day: date) -> float | None: ...

    def anchor(self, root: str, day: date) -> tuple[date, float] | None: ...

    def year(self, root: str, day: date) -> tuple[float, float] | None: ...

    def path(self, root: str, session: Session, *, auction: bool) -> RealPath | None:
        """`auction`: the close of this root is found in the closing auction, if the session has one."""

    def played(self, day: date) -> date | None:
        """The recorded day that a replay plays on `day`."""


class CandleDays:
    """Real days on their own dates; `replayed`: on any date."""

    def __init__(self, store: CandleStore, *, replayed: bool = False) -> None:
        self._store = store
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

    def close(self, root: str, day: date) -> float | None:
        found = self._day(root, day)
        return found.close if found else None

    def previous_close(self, root: str, day: date) -> float | None:
        found = self._day(root, day)
        if found is None:
            return None
        if found.previous_close is not None:
            return found.previous_close
        order = self._order[root]
        at = bisect.bisect_left(order, found.day) - 1
        if at >= 0 and found.day - order[at] <= _STALE:
            return self._store.days[root][order[at]].close
        return found.open  # the first recorded day: nothing better is known

    def anchor(self, root: str, day: date) -> tuple[date, float] | None:
        order = self._order.get(root)
        if not order or self._replayed:
            return None
        nearest = order[max(bisect.bisect_right(order, day) - 1, 0)]
        return nearest, self._store.days[root][nearest].close

    def year(self, root: str, day: date) -> tuple[float, float] | None:
        order, last = self._order.get(root, []), self.played(day) or day
        days = order[bisect.bisect_left(order, last - timedelta(days=365)) : bisect.bisect_left(order, last)]
        if len(days) < _MOST_OF_A_YEAR:
            return None
        bars = [self._store.days[root][known] for known in days]
        return min(bar.low for bar in bars), max(bar.high for bar in bars)

    def path(self, root: str, session: Session, *, auction: bool) -> RealPath | None:
        found = self._day(root, session.day)
        return None if found is None else real_path(found, session, auction=auction)

    def _day(self, root: str, day: date) -> CandleDay | None:
        return self._store.days.get(root, {}).get(self.played(day) or day)


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


def _bent(grid: Floats, bar: CandleDay, settle: int, last: int) -> Floats:
    """A simulated path made to open, turn and close where the real day did; its wanderings are kept in between. The
    day's high and low are reached by the minute `last`: later ones a closing auction would hide."""
    bent = np.log(grid)
    opened, close, low, high = (float(np.log(price)) for price in (bar.open, bar.close, bar.low, bar.high))
    done = np.minimum(np.arange(grid.size) / settle, 1.0)
    bent += (opened - bent[0]) * (1 - done) + (close - bent[settle]) * done
    bottom, top = min(opened, close), max(opened, close)
    trading = bent[: last + 1]
    _reach(trading, low, bottom, -1.0)
    _reach(trading, high, top, 1.0)
    lowest, highest = float(trading.min()), float(trading.max())
    marks, goals = [bottom], [bottom]
    if top > bottom:
        marks, goals = [bottom, top], [bottom, top]
    if low < bottom:
        marks, goals = [lowest, *marks], [low, *goals]
    if high > top:
        marks, goals = [*marks, highest], [*goals, high]
    return np.exp(np.interp(bent, marks, goals))


def _reach(path: Floats, goal: float, end: float, sign: float) -> None:
    """Where the real day went beyond both its ends and the simulated one hardly did, lead the path out there."""
    room = sign * (goal - end)
    if room <= 0:
        return
    minutes = np.arange(path.size)
    furthest = int(np.argmax(sign * path))
    peak = int(np.clip(furthest, 0.08 * path.size, 0.92 * path.size))
    missing = sign * (end - path[peak]) + 0.3 * room
    if missing > 0:
        hill = np.exp(-(((minutes - peak) / (0.07 * path.size)) ** 2)) * np.sin(np.pi * minutes / (path.size - 1))
        path += sign * missing * hill / hill[peak]
