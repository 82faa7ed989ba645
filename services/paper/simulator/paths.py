"""The path of every root through one day, minute by minute: from yesterday's close to today's, never stored for long.

Market and sector factors run through the day's turns as bridges with the usual shape (lively at the open and the
close); each root adds its own bridge, and the sum is led along the root's bar of that day. Where a real day is at hand
it goes first: real minutes are passed through, a real daily bar is honoured in open, high, low and close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.paper.bending import bent
from services.paper.hours import Group, Session
from services.paper.replay import RealDays, RealPath
from services.paper.seeds import stream
from services.paper.simulator.daily import DailyBars, DayMove
from services.paper.simulator.texture import SHAPES, Texture
from services.paper.simulator.turns import MARKS, Turns
from services.paper.specs import MARKET_VOLATILITY, Root, daily_volatility, sector_volatility

Floats = NDArray[np.float64]

_KEPT = 4
"""Days whose paths are kept."""


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

    def __init__(self, seed: int, roots: Mapping[str, Root], daily: DailyBars, real: RealDays, turns: Turns) -> None:
        self._seed = seed
        self._roots = roots
        self._daily = daily
        self._real = real
        self._turns = turns
        self._days: dict[tuple[Group, date], _Day] = {}

    def path(self, name: str, session: Session) -> RootPath:
        """The path of root `name` through `session`."""
        root = self._roots[name]
        key = root.group, session.day
        if key not in self._days:
            while len(self._days) >= _KEPT:
                del self._days[next(iter(self._days))]
            self._days[key] = _Day(self._seed, session, self._turns)
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
        steps = steps + day.bridge(draws, f"own {root.name}", move.own, root.noise, settle)
        grid = move.previous * np.exp(steps)
        spread = (daily_volatility(root) * np.sqrt(day.weights)).astype(np.float32)
        shape = draws.integers(0, SHAPES, session.minutes, dtype=np.uint16)
        real = self._real.path(root.name, session, auction=root.auction)
        if real is not None:
            grid = real.through(grid, session.pause)
            spread = spread if real.knots is None else np.zeros_like(spread)
        else:
            last = session.auction.first_minute if root.auction and session.auction else settle
            grid = bent(grid, move.bar, settle, last, session.pause)
        return RootPath(root, move, grid, spread, shape, real)


class _Day:
    """The clockwork of one session: how variance is spread over its minutes, and the factors' paths."""

    def __init__(self, seed: int, session: Session, turns: Turns) -> None:
        self._seed = seed
        self._session = session
        self._turns = turns
        self._factors: dict[tuple[str, int], Floats] = {}
        self._marks: dict[int, tuple[Floats, NDArray[np.int64]]] = {}
        self.weights = (1.0 - turns.gap) * _activity(session, 0.75)
        self._spread = np.sqrt(self.weights)
        self._progress = np.append(0.0, np.cumsum(self.weights))
        self.paths: dict[str, RootPath] = {}

    def factor(self, name: str, total: float, volatility: float, settle: int) -> Floats:
        """The path (minutes + 1,) of a factor that moves by `total` in the day. `settle` as in `bridge`."""
        key = name, settle
        if key not in self._factors:
            draws = stream(self._seed, "factor minutes", name, self._session.day)
            self._factors[key] = self.bridge(draws, f"{self._session.group} {name}", total, volatility, settle)
        return self._factors[key]

    def bridge(self, draws: np.random.Generator, name: str, total: float, volatility: float, settle: int) -> Floats:
        """A path (minutes + 1,) through the turns of `name`: it opens with a gap, is at `total` in the minute `settle`
        (when the closing price is fixed) and at the end, and wanders between."""
        turns = self._turns.of(name, self._session.day, total, volatility)
        done, marks = self._marks_of(settle)
        walk = np.zeros(self._session.minutes + 1)
        np.cumsum(draws.standard_normal(self._session.minutes) * self._spread * volatility, out=walk[1:])
        after = walk[settle:] - walk[settle]
        path = np.interp(done * MARKS, np.arange(MARKS + 1), turns)
        path[: settle + 1] += walk[: settle + 1] - np.interp(done[: settle + 1], done[marks], walk[marks])
        # derivatives trade on for some minutes: their path leaves the closing price and comes back to it
        path[settle:] = path[settle] + after - after[-1] * np.linspace(0.0, 1.0, after.size)
        return path

    def _marks_of(self, settle: int) -> tuple[Floats, NDArray[np.int64]]:
        """How much of the way to the close is done at each minute edge, and the edges nearest to the day's marks."""
        if settle not in self._marks:
            done = np.minimum(self._progress / self._progress[settle], 1.0)
            edges = np.append(np.searchsorted(done[:settle], np.arange(MARKS) / MARKS), settle)
            self._marks[settle] = done, edges[np.diff(edges, prepend=-1) > 0]
        return self._marks[settle]


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
