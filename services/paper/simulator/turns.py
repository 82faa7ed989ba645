"""Where a day turns: the few points that every path through a day goes through, drawn for whole years at once.

A day's bar (open, high, low, close) can then be told without living through its minutes, and its minutes, when they are
asked for, go through the same points. Marks lie at equal parts of the day's variance, so they fit a session of any
length.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.paper.seeds import stream

Floats = NDArray[np.float64]

MARKS = 8
"""Stretches between the open and the close."""
_GAP = 0.18
"""Part of a day's variance that falls between yesterday's close and today's open."""
_PRACTICE_GAP = 0.01
_LIMIT = 3.0
"""The opening gap is cut at this many standard deviations."""


class Turns:
    """The draws behind the turns, by name and year, and what is made of them. Pure, but for a cache."""

    def __init__(self, seed: int, *, practice: bool) -> None:
        self.gap = _PRACTICE_GAP if practice else _GAP
        """The part of the variance that the opening jump takes."""
        self._seed = seed
        self._draws: Callable[[str, int], tuple[Floats, Floats]] = lru_cache(maxsize=96)(self._drawn)

    def of(self, name: str, day: date, total: float, volatility: float) -> Floats:
        """(MARKS + 1,): where the part `name` of the log price stands at the open and at each mark of `day`, counted
        from yesterday's close; it ends at `total`."""
        row = self._draws(name, day.year)[0][day.timetuple().tm_yday - 1]
        found: Floats = self._placed(row[None, :], np.array([total]), volatility)[0]
        return found

    def of_days(self, name: str, year: int, days: NDArray[np.int64], totals: Floats, volatility: float) -> Floats:
        """(days, MARKS + 1): the same for several `days` of `year`, told as days after its first one."""
        return self._placed(self._draws(name, year)[0][days], totals, volatility)

    def reaches(self, name: str, year: int, days: NDArray[np.int64], marks: Floats, volatility: float) -> Floats:
        """(2, days): the highest and the lowest log price of each day on its way through `marks`: in each stretch as
        far as a random walk between its ends would go."""
        luck = self._draws(name, year)[1][days]
        start, end = marks[:, :-1], marks[:, 1:]
        spread = 2 * (1.0 - self.gap) / MARKS * volatility**2
        reach = np.sqrt((end - start) ** 2 - spread * np.log(luck.transpose(1, 0, 2)))
        middle = start + end
        return np.stack([((middle + reach[0]) / 2).max(axis=1), ((middle - reach[1]) / 2).min(axis=1)])

    def _placed(self, draws: Floats, totals: Floats, volatility: float) -> Floats:
        opened = self.gap * totals + np.sqrt(self.gap * (1.0 - self.gap)) * volatility * draws[:, 0]
        walk = np.cumsum(draws[:, 1:], axis=1) * (volatility * np.sqrt((1.0 - self.gap) / MARKS))
        done = np.arange(1, MARKS + 1) / MARKS
        path = opened[:, None] + (totals - opened)[:, None] * done + walk - walk[:, -1:] * done
        return np.concatenate([opened[:, None], path], axis=1)

    def _drawn(self, name: str, year: int) -> tuple[Floats, Floats]:
        """By day of the year: normal draws (366, MARKS + 1), the opening's first; uniform ones (366, 2, MARKS)."""
        draws = stream(self._seed, "turns", name, year)
        normal = draws.standard_normal((366, MARKS + 1))
        normal[:, 0] = np.clip(normal[:, 0], -_LIMIT, _LIMIT)
        return normal, 1.0 - draws.random((366, 2, MARKS))
