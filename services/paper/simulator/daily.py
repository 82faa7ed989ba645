"""Daily bars of every root: a seeded walk through the real closes of `ANCHOR_DAY`, for any day without storing it.

A day's return is market factor + sector factor + the root's own noise, each fading slowly, so that prices stay near
their anchor for years. Open, high and low come from the day's turns. Real days of a candle folder, where there are
any, go first: their closes become anchors, and the walk is led from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.paper.bending import DayBar
from services.paper.hours import Group
from services.paper.seeds import stream
from services.paper.simulator.trading_days import DAYS, FIRST_DAY, LAST_DAY, TradingDays
from services.paper.simulator.turns import Turns
from services.paper.specs import ANCHOR_DAY, MARKET_VOLATILITY, Root, daily_volatility, sector_volatility

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LIMIT = 3.2
"""Daily draws are cut at this many standard deviations."""
_ROOM = 0.8
"""A day's close uses at most this part of the circuit band."""
_YEAR = 365


class RealBar(Protocol):
    """A recorded day, in rupees."""

    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...


class RealBars(Protocol):
    """Days that somebody recorded."""

    def holds(self, root: str) -> bool:
        """Is any day of `root` recorded?"""

    def bar(self, root: str, day: date) -> RealBar | None:
        """The recorded day that drives `day`."""

    def previous_close(self, root: str, day: date) -> float | None:
        """The previous close that the recording itself states."""

    def anchors(self, root: str) -> Mapping[date, float]:
        """Known closes by date."""


@dataclass(frozen=True, slots=True)
class DayMove:
    """One root on one day. `market`, `sector`, `own`: the parts of the log return from `previous` to the close."""

    previous: float
    bar: DayBar
    market: float
    sector: float
    own: float
    year_high: float
    year_low: float


@dataclass(frozen=True, slots=True)
class RootDays:
    """The trading days of one root in one calendar year, one entry a day, ascending. Rupees in whole ticks."""

    ordinal: Ints
    previous: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    market: Floats
    sector: Floats
    own: Floats


class DailyBars:
    """Days of `roots` under `seed`; pure, but for caches. Not safe for several threads by itself."""

    def __init__(self, seed: int, days: TradingDays, roots: Mapping[str, Root], real: RealBars, turns: Turns) -> None:
        self._seed = seed
        self._days = days
        self._roots = roots
        self._real = real
        self._turns = turns
        self._factors: dict[tuple[Group, str], Floats] = {}
        self._walk: Callable[[str], _Walk] = lru_cache(maxsize=8)(self._walked)
        self.year: Callable[[str, int], RootDays] = lru_cache(maxsize=64)(self._made_year)
        """The days of a root in a year."""

    def move(self, name: str, day: date) -> DayMove:
        """The move of `name` on `day`, which is a trading day."""
        year = self.year(name, day.year)
        at = int(np.searchsorted(year.ordinal, day.toordinal()))
        before = self.year(name, day.year - 1)
        first = day.toordinal() - _YEAR
        recent = slice(int(np.searchsorted(before.ordinal, first)), None)
        previous = float(year.previous[at])
        return DayMove(
            previous=previous,
            bar=DayBar(*(float(column[at]) for column in (year.open, year.high, year.low, year.close))),
            market=float(year.market[at]),
            sector=float(year.sector[at]),
            own=float(year.own[at]),
            year_high=float(max(before.high[recent].max(initial=previous), year.high[:at].max(initial=previous))),
            year_low=float(min(before.low[recent].min(initial=previous), year.low[:at].min(initial=previous))),
        )

    def close(self, name: str, day: date) -> float:
        """The close of `day`, in rupees and whole ticks (the last one before, where `day` does not trade)."""
        return float(self._walk(name).closes[self._days.place(self._roots[name].group, day)])

    def ranges(self, name: str, first: date, last: date) -> tuple[float, float]:
        """The lowest and the highest close from `first` to `last`, both included."""
        group = self._roots[name].group
        closes = self._walk(name).closes[self._days.place(group, first) : self._days.place(group, last) + 1]
        return float(closes.min()), float(closes.max())

    def _made_year(self, name: str, year: int) -> RootDays:
        root, walk = self._roots[name], self._walk(name)
        ordinals = self._days.ordinals(root.group)
        first, end = np.searchsorted(ordinals, [date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()])
        places, ordinal = np.arange(first, end) + 1, ordinals[first:end]
        close, previous = walk.closes[places], walk.closes[places - 1]
        real = {}
        if self._real.holds(name):
            days = map(date.fromordinal, ordinal.tolist())
            real = {at: (day, bar) for at, day in enumerate(days) if (bar := self._real.bar(name, day)) is not None}
            previous = previous.copy()
            for at, (day, _) in real.items():
                previous[at] = self._real.previous_close(name, day) or previous[at]
        market, sector = walk.market[places], walk.sector[places]
        own = np.log(close / previous) - root.beta * market - root.sector_load * sector
        of_year = ordinal - date(year, 1, 1).toordinal()
        marks = self._turns.of_days(f"own {name}", year, of_year, own, root.noise)
        for load, factor, steps, volatility in _loads(root, market, sector):
            marks = marks + load * self._turns.of_days(f"{root.group} {factor}", year, of_year, steps, volatility)
        reach = self._turns.reaches(f"own {name}", year, of_year, marks, daily_volatility(root))
        # the close itself is exact; what the marks make of it may be off by the last bits of a float
        opened, high, low = (_whole(previous * np.exp(part), root) for part in (marks[:, 0], *reach))
        floor, roof = _whole(previous * (1.0 - root.band), root), _whole(previous * (1.0 + root.band), root)
        opened = np.clip(opened, floor, roof)
        high = np.maximum(np.minimum(high, roof), np.maximum(opened, close))
        low = np.minimum(np.maximum(low, floor), np.minimum(opened, close))
        for at, (_, bar) in real.items():
            opened[at], high[at], low[at] = bar.open, bar.high, bar.low
        return RootDays(ordinal, previous, opened, high, low, close, market, sector, own)

    def _walked(self, name: str) -> _Walk:
        root = self._roots[name]
        ordinals = self._days.ordinals(root.group)
        equity = root.group is Group.EQUITY
        market = self._factor(root.group, "market", MARKET_VOLATILITY if equity and root.beta else 0.0)
        sector = self._factor(root.group, f"sector {root.sector}", sector_volatility(root.sector))
        own = _steps(stream(self._seed, "own days", root.name), root.noise, root.memory)
        total = root.beta * market + root.sector_load * sector + own
        limit = np.log1p(_ROOM * root.band)
        walk = np.cumsum(np.clip(total, -limit, limit))[: ordinals.size + 1]
        known = {day: close for day, close in self._real.anchors(name).items() if FIRST_DAY <= day <= LAST_DAY}
        anchors = {self._days.place(root.group, day): close for day, close in sorted(known.items())}
        anchors = anchors or {self._days.place(root.group, ANCHOR_DAY): root.anchor}
        places, levels = np.array(list(anchors)), np.array(list(anchors.values()))
        lead = np.interp(np.arange(walk.size), places, np.log(levels) - walk[places])
        closes = _whole(np.exp(walk + lead), root)
        closes[places] = levels
        if not known and self._real.holds(name):  # a replay: every day is a recorded one
            for place, ordinal in enumerate(ordinals.tolist(), 1):
                bar = self._real.bar(name, date.fromordinal(ordinal))
                closes[place] = bar.close if bar is not None else closes[place]
        return _Walk(closes, market, sector)

    def _factor(self, group: Group, name: str, volatility: float) -> Floats:
        key = group, name
        if key not in self._factors:
            if volatility:
                steps = _steps(stream(self._seed, "factor days", group, name), volatility, 250.0)
            else:
                steps = np.zeros(DAYS + 1)
            self._factors[key] = steps
        return self._factors[key]


@dataclass(frozen=True, slots=True)
class _Walk:
    """By place among the trading days: the close, and the steps of the two factors behind it."""

    closes: Floats
    market: Floats
    sector: Floats


def _loads(root: Root, market: Floats, sector: Floats) -> list[tuple[float, str, Floats, float]]:
    """The factors that move `root`: load, name, steps, daily standard deviation."""
    found = [(root.beta, "market", market, MARKET_VOLATILITY)] if root.beta else []
    if root.sector:
        found.append((root.sector_load, f"sector {root.sector}", sector, sector_volatility(root.sector)))
    return found


def _whole(prices: Floats, root: Root) -> Floats:
    """In whole ticks, one at least."""
    found: Floats = np.maximum(np.rint(prices / root.tick), 1.0) * root.tick
    return found


def _steps(draws: np.random.Generator, volatility: float, memory: float) -> Floats:
    """Daily steps of a process that fades to 1/e in `memory` days and starts in its long-run spread."""
    shocks = np.clip(draws.standard_normal(DAYS + 1), -_LIMIT, _LIMIT) * volatility
    fade = np.exp(-1.0 / memory)
    shocks[0] /= np.sqrt(1.0 - fade**2)
    # x[t] = fade x[t-1] + shock[t], solved in blocks so that the powers of `fade` stay in range
    level = np.empty_like(shocks)
    state = 0.0
    block = int(min(20 * memory, DAYS + 1))
    for start in range(0, shocks.size, block):
        part = shocks[start : start + block]
        powers = fade ** np.arange(1, part.size + 1)
        level[start : start + block] = powers * (state + np.cumsum(part / powers))
        state = level[start + part.size - 1]
    return np.diff(level, prepend=0.0)
