"""Daily closes of every root: a seeded walk through the real closes of `ANCHOR_DAY`, for any day without storing it.

A day's return is market factor + sector factor + the root's own noise, each fading slowly, so that prices stay near
their anchor for years. Real closes of a candle folder, where there are any, become anchors themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.paper.hours import Group, Hours
from services.paper.seeds import stream
from services.paper.specs import ANCHOR_DAY, MARKET_VOLATILITY, Root, sector_volatility

Floats = NDArray[np.float64]

FIRST_DAY = date(2015, 1, 1)
LAST_DAY = date(2032, 12, 31)
_DAYS = (LAST_DAY - FIRST_DAY).days + 1
_LIMIT = 3.2
"""Daily draws are cut at this many standard deviations."""
_ROOM = 0.8
"""A day's close uses at most this part of the circuit band."""
_YEAR = 365


class RealCloses(Protocol):
    """Closes that somebody recorded."""

    def close(self, root: str, day: date) -> float | None:
        """The official close of `root` on `day`, if it is known."""

    def previous_close(self, root: str, day: date) -> float | None:
        """The previous close that was valid on `day`, if it is known."""

    def anchor(self, root: str, day: date) -> tuple[date, float] | None:
        """The known close nearest before `day` (else the first one after it)."""

    def year(self, root: str, day: date) -> tuple[float, float] | None:
        """Low and high of the year before `day`, if most of it is known."""


@dataclass(frozen=True, slots=True)
class DayMove:
    """One root on one day. `market`, `sector`, `own`: the parts of the log return from `previous` to `close`."""

    previous: float
    close: float
    market: float
    sector: float
    own: float
    year_high: float
    year_low: float


class DailyCloses:
    """Closes of `roots` under `seed`; pure, but for a cache of the factors."""

    def __init__(self, seed: int, hours: Hours, roots: Mapping[str, Root], real: RealCloses) -> None:
        self._seed = seed
        self._hours = hours
        self._roots = roots
        self._real = real
        self._positions: dict[Group, NDArray[np.int64]] = {}
        self._factors: dict[tuple[Group, str], Floats] = {}
        self._walks: tuple[str, Floats] | None = None

    def move(self, name: str, day: date) -> DayMove:
        """The move of `name` on `day`, which is a trading day."""
        root = self._roots[name]
        walk, market, sector = self._walk(root)
        today, before = self._index(root.group, day), self._index(root.group, day) - 1
        close = self._close(root, walk, day)
        previous = self._real.previous_close(name, day)
        if previous is None:
            previous = self._close(root, walk, self._hours.previous(root.group, day))
        step = np.log(close / previous)
        shared = root.beta * market[today], root.sector_load * sector[today]
        year = walk[max(before - _YEAR, 0) : before + 1]
        level = previous / np.exp(walk[before])
        low, high = self._real.year(name, day) or (level * np.exp(year.min()), level * np.exp(year.max()))
        return DayMove(
            previous=previous,
            close=close,
            market=float(market[today]),
            sector=float(sector[today]),
            own=float(step - sum(shared)),
            year_high=float(high),
            year_low=float(low),
        )

    def close(self, name: str, day: date) -> float:
        """The close of `day`, in rupees and whole ticks (the last one before, where `day` does not trade)."""
        root = self._roots[name]
        return self._close(root, self._walk(root)[0], day)

    def ranges(self, name: str, first: date, last: date) -> tuple[float, float]:
        """The lowest and the highest close from `first` to `last`, both included."""
        root = self._roots[name]
        walk = self._walk(root)[0]
        closes = [self._close(root, walk, first + timedelta(days=n)) for n in range((last - first).days + 1)]
        return min(closes), max(closes)

    def _close(self, root: Root, walk: Floats, day: date) -> float:
        real = self._real.close(root.name, day)
        if real is not None:
            return real
        anchor_day, anchor = self._real.anchor(root.name, day) or (ANCHOR_DAY, root.anchor)
        at, of = self._index(root.group, day), self._index(root.group, anchor_day)
        if at == of:
            return anchor
        price = anchor * float(np.exp(walk[at] - walk[of]))
        return max(round(price / root.tick), 1) * root.tick

    def _index(self, group: Group, day: date) -> int:
        """How many trading days there are from `FIRST_DAY` to `day`."""
        if group not in self._positions:
            open_days = [self._hours.trades(group, FIRST_DAY + timedelta(days=n)) for n in range(_DAYS)]
            self._positions[group] = np.cumsum(open_days)
        return int(self._positions[group][min(max((day - FIRST_DAY).days, 0), _DAYS - 1)])

    def _walk(self, root: Root) -> tuple[Floats, Floats, Floats]:
        """Cumulated log returns by day index, and the steps of the two factors behind them."""
        equity = root.group is Group.EQUITY
        market = self._factor(root.group, "market", MARKET_VOLATILITY if equity and root.beta else 0.0)
        sector = self._factor(root.group, f"sector {root.sector}", sector_volatility(root.sector))
        if self._walks is None or self._walks[0] != root.name:
            own = _steps(stream(self._seed, "own days", root.name), root.noise, root.memory)
            total = root.beta * market + root.sector_load * sector + own
            limit = np.log1p(_ROOM * root.band)
            self._walks = root.name, np.cumsum(np.clip(total, -limit, limit))
        return self._walks[1], market, sector

    def _factor(self, group: Group, name: str, volatility: float) -> Floats:
        key = group, name
        if key not in self._factors:
            if volatility:
                steps = _steps(stream(self._seed, "factor days", group, name), volatility, 250.0)
            else:
                steps = np.zeros(_DAYS + 1)
            self._factors[key] = steps
        return self._factors[key]


def _steps(draws: np.random.Generator, volatility: float, memory: float) -> Floats:
    """Daily steps of a process that fades to 1/e in `memory` days and starts in its long-run spread."""
    shocks = np.clip(draws.standard_normal(_DAYS + 1), -_LIMIT, _LIMIT) * volatility
    fade = np.exp(-1.0 / memory)
    shocks[0] /= np.sqrt(1.0 - fade**2)
    # x[t] = fade x[t-1] + shock[t], solved in blocks so that the powers of `fade` stay in range
    level = np.empty_like(shocks)
    state = 0.0
    block = int(min(20 * memory, _DAYS + 1))
    for start in range(0, shocks.size, block):
        part = shocks[start : start + block]
        powers = fade ** np.arange(1, part.size + 1)
        level[start : start + block] = powers * (state + np.cumsum(part / powers))
        state = level[start + part.size - 1]
    return np.diff(level, prepend=0.0)
