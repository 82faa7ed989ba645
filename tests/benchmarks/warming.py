"""Does warming pay? A replayed week of made-up people, with habits and without: how often a chart is there when it is
opened, with warming, without, and with plain recency under the same budget.

The real parts decide (counting, prediction, budget); the market, the people and the time are made up, by a seed.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.domain.clock import IST, HostClock
from services.settings import Settings
from services.storage.pool import Pool
from services.storage.use_store import Use, UseStore, create_uses
from services.transport.rate_gate import RateGate
from services.warming.predicting import CHART_PAGE, likeliest
from services.warming.warmer import STEP_SECONDS, Warmer
from services.wire.endpoints import INTRADAY_BARS
from services.wire.rate_windows import Window
from tests.benchmarks.table import Row

PEOPLE = 12
INSTRUMENTS = 600
GOOD_SECONDS = 300.0
"""The running day of a chart is good for so long (`services.candles`)."""
OPENS, SECONDS = datetime(2026, 11, 2, 9, 15, tzinfo=IST), 22_500.0
SEEDS = (1,)
CLEAR_WIN, NO_LOSS = 0.05, 0.01
"""To be on by itself, warming has to be so much better than plain recency, as a share of all openings, for people with
habits, and not worse than that for any others."""
ON_BY_ITSELF = bool(Settings.model_fields["warming"].default)


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody opens a chart, `at` seconds after the open of that day, and looks for so long; or only a list."""

    day: int
    at: float
    who: int
    what: str
    looks: float
    page: str = CHART_PAGE


def with_habits(chance: random.Random) -> Callable[[int], list[Opening]]:
    """Each has a list of 10 that they go through after the open and before the close, three hours of the day at which
    they look at five others, and a fifth of what they open is whatever is in the news that day, or anything."""
    homes = [chance.sample(range(INSTRUMENTS), 10) for _ in range(PEOPLE)]
    visits = [
        [(chance.uniform(2_000, 20_000), chance.sample(range(INSTRUMENTS), 5)) for _ in range(3)] for _ in range(PEOPLE)
    ]

    def day(number: int) -> list[Opening]:
        news = chance.sample(range(INSTRUMENTS), 15)
        made: list[Opening] = []
        for who in range(PEOPLE):
            made += _round(chance, number, who, homes[who], chance.gauss(600, 300))
            made += _round(chance, number, who, homes[who], chance.gauss(21_000, 300))
            for hour, some in visits[who]:
                if chance.random() < 0.8:
                    made += _round(chance, number, who, some, chance.gauss(hour, 420))
            made += _anything(chance, number, who, [*news, *chance.sample(range(INSTRUMENTS), 5)], 9)
        return made

    return day


def with_new_habits_each_day(chance: random.Random) -> Callable[[int], list[Opening]]:
    """The worst for whoever goes by yesterday: as `with_habits`, and every morning they are other people."""
    return lambda number: with_habits(random.Random(chance.random()))(number)


def without_habits(chance: random.Random) -> Callable[[int], list[Opening]]:
    """Anything at any time, as often."""

    def day(number: int) -> list[Opening]:
        return [one for who in range(PEOPLE) for one in _anything(chance, number, who, list(range(INSTRUMENTS)), 40)]

    return day


def _round(chance: random.Random, day: int, who: int, some: Sequence[int], start: float) -> list[Opening]:
    """One after the other, in any order, some left out; before that the list that they are on."""
    at = max(0.0, start)
    made = [Opening(day, at, who, f"K{number}", 0.0, "quotes") for number in some]
    for number in chance.sample(list(some), len(some)):
        if chance.random() < 0.85:
            looks = chance.expovariate(1 / 60)
            made.append(Opening(day, at, who, f"K{number}", looks))
            at += looks + 5
    return [one for one in made if one.at < SECONDS]


def _anything(chance: random.Random, day: int, who: int, some: Sequence[int], times: int) -> list[Opening]:
    return [
        Opening(day, chance.uniform(0, SECONDS), who, f"K{chance.choice(some)}", chance.expovariate(1 / 90))
        for _ in range(times)
    ]


def by_recency(uses: Iterable[Use], now: datetime) -> list[str]:
    """What was looked at last, first."""
    last: dict[str, int] = {}
    for use in uses:
        if use.page == CHART_PAGE:
            last[use.what] = max(last.get(use.what, 0), use.last_ms)
    return sorted(last, key=lambda what: (-last[what], what))


@dataclass(slots=True)
class Told:
    """How it went: openings, those that were warm, and calls made beforehand."""

    openings: int = 0
    warm: int = 0
    calls: int = 0

    @property
    def share(self) -> float:
        return self.warm / self.openings


class Replay:
    """Days of openings through one way of warming; `rank=None`: none. Time is made up."""

    def __init__(self, folder: Path, rank: Callable[[Iterable[Use], datetime], Sequence[str]] | None) -> None:
        self.learned = False
        """Until then it is only counted what is opened."""
        self._now = 0.0
        self._fresh_until: dict[str, float] = {}
        self._gate = RateGate(clock=lambda: self._now, sleep=lambda _: None)
        self._pool = Pool(folder / "uses.db", size=1)
        with self._pool.get_connection() as connection:
            create_uses(connection)
        clock = HostClock(lambda: OPENS.timestamp() + self._now)
        self._warmer = None if rank is None else Warmer(
            store=UseStore(self._pool), fetch=self._fetch, budgets=self._budgets, clock=clock,
            wanted=lambda: self.learned, rank=rank, monotonic=lambda: self._now,
        )  # fmt: skip

    def close(self) -> None:
        self._pool.close_all()

    def days(self, made: Iterable[list[Opening]]) -> Told:
        told = Told()
        for openings in made:
            self._day(sorted(openings, key=lambda one: one.at), told)
        return told

    def _day(self, openings: list[Opening], told: Told) -> None:
        begins = openings[0].day * 86_400.0
        step = begins - 300.0  # the desk is up five minutes before the open
        before = 0 if self._warmer is None else self._warmer.now().calls
        for one in openings:
            at = begins + one.at
            while step <= at:
                self._now, step = step, step + STEP_SECONDS
                if self._warmer is not None:
                    self._warmer.step()
            self._now = at
            if one.page == CHART_PAGE:
                told.openings += 1
                if self._fresh_until.get(one.what, -1.0) > at:
                    told.warm += 1
                else:
                    self._gate.acquire(INTRADAY_BARS, max_wait=3600)
                self._fresh_until[one.what] = max(self._fresh_until.get(one.what, 0.0), at + one.looks + GOOD_SECONDS)
            if self._warmer is not None:
                self._warmer.saw(one.page, [one.what])
        told.calls += 0 if self._warmer is None else self._warmer.now().calls - before

    def _fetch(self, what: str, detail: str) -> int:
        self._gate.acquire(INTRADAY_BARS, max_wait=0)
        self._fresh_until[what] = max(self._fresh_until.get(what, 0.0), self._now + GOOD_SECONDS)
        return 1

    def _budgets(self) -> list[tuple[Sequence[Window], float]]:
        return [(self._gate.budget(INTRADAY_BARS), 0.0)]


def replayed(
    people: Callable[[random.Random], Callable[[int], list[Opening]]],
    rank: Callable[[Iterable[Use], datetime], Sequence[str]] | None,
    *,
    seed: int,
    learn: int = 5,
    days: int = 5,
) -> Told:
    """A week, after a week in which it was only counted and served."""
    day = people(random.Random(seed))
    weekdays = [7 * (number // 5) + number % 5 for number in range(learn + days)]
    made = [day(number) for number in weekdays]
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(Path(folder), rank)
        try:
            replay.days(made[:learn])
            replay.learned = True
            return replay.days(made[learn:])
        finally:
            replay.close()


GROUPS = {
    "people with habits": with_habits,
    "habits that change daily": with_new_habits_each_day,
    "people without habits": without_habits,
}
WAYS = {"without": None, "plain recency": by_recency, "warming": likeliest}


def shares(seeds: Sequence[int] = SEEDS) -> dict[str, dict[str, tuple[float, int]]]:
    """By group and way: the share of openings that found their chart warm, and calls made beforehand in a day. On all
    cores: nothing is timed here."""
    asked = [(group, way, seed) for way in reversed(WAYS) for group in GROUPS for seed in seeds]  # the longest first
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        told = dict(zip(asked, processes.map(_of_seed, *zip(*asked, strict=True)), strict=True))
    found: dict[str, dict[str, tuple[float, int]]] = {group: {} for group in GROUPS}
    for group, way, _ in asked:
        some = [told[group, way, seed] for seed in seeds]
        openings, warm = sum(one.openings for one in some), sum(one.warm for one in some)
        found[group][way] = (warm / openings, round(sum(one.calls for one in some) / len(seeds) / 5))
    return found


def _of_seed(group: str, way: str, seed: int) -> Told:
    return replayed(GROUPS[group], WAYS[way], seed=seed)


def run() -> list[Row]:
    """The rows of this part."""
    rows, gains = [], {}
    for group, told in shares().items():
        (warm, calls), (recent, _), (cold, _) = told["warming"], told["plain recency"], told["without"]
        gains[group] = warm - recent
        note = f"without {100 * cold:.1f} %; {calls:,} calls a day beforehand"
        rows.append(Row(f"charts warm, {group}", 100 * warm, 100 * recent, warm / recent, "", None, "%", note))
    wins = gains["people with habits"] >= CLEAR_WIN and min(gains.values()) >= -NO_LOSS
    note = "against recency: " + ", ".join(f"{100 * gain:+.1f}" for gain in gains.values()) + " points"
    rows.append(
        Row(
            "a clear win (1), so on by itself",
            float(wins),
            float(ON_BY_ITSELF),
            None,
            "equal",
            wins == ON_BY_ITSELF,
            "",
            note,
        )
    )
    return rows
