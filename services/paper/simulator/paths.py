"""The path of every root through one day, minute by minute: from yesterday's close to today's, never stored for long.

Market and sector factors run through the day as bridges with the usual shape (lively at the open and the close); each
root adds its own bridge. Where a real day is at hand it goes first: real minutes are passed through, a real daily bar
is honoured in open, high, low and close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.paper.hours import Group, Hours, Session
from services.paper.replay import RealDays, RealPath
from services.paper.seeds import stream
from services.paper.simulator.daily import DailyCloses, DayMove
from services.paper.simulator.texture import SHAPES, Texture
from services.paper.specs import MARKET_VOLATILITY, Root, daily_volatility, sector_volatility

Floats = NDArray[np.float64]

_GAP = 0.18
"""Part of a day's variance that falls between yesterday's close and today's open."""
_PRACTICE_GAP = 0.01


@dataclass(frozen=True, slots=True)
class RootPath:
    """One root on one day. Prices in rupees, `minutes` = the length of its session."""

    root: Root
    move: DayMove
    grid: Floats
    """(minutes + 1,): price at each minute's edge."""
    spread: NDArray[np.float32]
    """(minutes,): standard deviation of a minute's own move, a fraction of the price."""
    shape: NDArray[np.uint16]
    """(minutes,): which shape of the texture the minute takes."""
    real: RealPath | None
    """What was really traded, where a folder or file has it."""

    def price(self, minute: int, second: int, texture: Texture) -> float:
        """The price at a second, before it is rounded to a tick."""
        shape = int(self.shape[minute])
        if self.real is not None and self.real.knots is not None:
            return float(self.real.knots[minute] @ texture.knots[shape, :, second])
        start, end = self.grid[minute], self.grid[minute + 1]
        wave = self.spread[minute] * start * texture.wave[shape, second]
        return float(start + (end - start) * texture.progress[0, second] + wave)


class Paths:
    """Makes root paths; keeps those of the last few days asked for."""

    def __init__(self, seed: int, hours: Hours, roots: Mapping[str, Root], daily: DailyCloses, real: RealDays) -> None:
        self._seed = seed
        self._hours = hours
        self._roots = roots
        self._daily = daily
        self._real = real
        self._days: dict[tuple[Group, date], _Day] = {}

    def path(self, name: str, session: Session) -> RootPath:
        """The path of root `name` through `session`."""
        root = self._roots[name]
        key = root.group, session.day
        if key not in self._days:
            while len(self._days) > 3:
                del self._days[next(iter(self._days))]
            self._days[key] = _Day(self._seed, session, _PRACTICE_GAP if self._hours.practice else _GAP)
        day = self._days[key]
        if name not in day.paths:
            day.paths[name] = self._make(root, session, day)
        return day.paths[name]

    def _make(self, root: Root, session: Session, day: _Day) -> RootPath:
        move = self._daily.move(root.name, session.day)
        draws = stream(self._seed, "own minutes", root.name, session.day)
        settle = session.settles(auction=root.auction)
        steps = root.beta * day.factor("market", move.market, MARKET_VOLATILITY, settle)
        if root.sector:
            steps = steps + root.sector_load * day.factor(
                f"sector {root.sector}", move.sector, sector_volatility(root.sector), settle
            )
        steps = steps + day.bridge(draws, move.own, root.noise, settle)
        grid = move.previous * np.exp(steps)
        spread = (daily_volatility(root) * np.sqrt(day.weights)).astype(np.float32)
        shape = draws.integers(0, SHAPES, session.minutes, dtype=np.uint16)
        real = self._real.path(root.name, session, auction=root.auction)
        if real is not None:
            grid = real.through(grid)
            spread = spread if real.knots is None else np.zeros_like(spread)
        return RootPath(root, move, grid, spread, shape, real)


class _Day:
    """The clockwork of one session: how variance is spread over its minutes, and the factors' paths."""

    def __init__(self, seed: int, session: Session, gap: float) -> None:
        self._seed = seed
        self._session = session
        self._gap = gap
        self._factors: dict[tuple[str, int], Floats] = {}
        self.weights = (1.0 - gap) * _activity(session, 0.75)
        self._spread = np.sqrt(self.weights)
        self._progress = np.append(0.0, np.cumsum(self.weights))
        self.paths: dict[str, RootPath] = {}

    def factor(self, name: str, total: float, volatility: float, settle: int) -> Floats:
        """The path (minutes + 1,) of a factor that moves by `total` in the day. `settle` as in `bridge`."""
        key = name, settle
        if key not in self._factors:
            draws = stream(self._seed, "factor minutes", name, self._session.day)
            self._factors[key] = self.bridge(draws, total, volatility, settle)
        return self._factors[key]

    def bridge(self, draws: np.random.Generator, total: float, volatility: float, settle: int) -> Floats:
        """A path (minutes + 1,) that opens with a gap, is at `total` in the minute `settle` (when the closing price is
        fixed) and at the end, and wanders between."""
        gap = self._gap * total + np.sqrt(self._gap * (1.0 - self._gap)) * volatility * float(
            np.clip(draws.standard_normal(), -3.0, 3.0)
        )
        walk = np.zeros(self._session.minutes + 1)
        np.cumsum(draws.standard_normal(self._session.minutes) * self._spread * volatility, out=walk[1:])
        done = np.minimum(self._progress / self._progress[settle], 1.0)
        after = walk[settle:] - walk[settle]
        walk[: settle + 1] -= walk[settle] * done[: settle + 1]
        # derivatives trade on for some minutes: their path leaves the closing price and comes back to it
        walk[settle:] = after - after[-1] * np.linspace(0.0, 1.0, after.size)
        path: Floats = gap + (total - gap) * done + walk
        return path


def _activity(session: Session, floor: float) -> Floats:
    """How a day's variance or volume falls on its minutes: high at the open, a rise to the close, nothing in a pause;
    sums to 1."""
    at = (np.arange(session.minutes) + 0.5) / session.minutes
    shape = floor + 2.2 * np.exp(-at / 0.06) + 1.1 * np.exp(-(1.0 - at) / 0.08)
    if session.pause is not None:
        shape[slice(*session.pause)] = 0.0
    weights: Floats = shape / shape.sum()
    return weights


def volume_profile(session: Session) -> Floats:
    """The part of a day's volume in each minute, before chance; sums to 1."""
    return _activity(session, 0.55)
