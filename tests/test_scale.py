"""docs/scale.md: its figures are those of the model, and small simulations find the limits that the model tells."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from heapq import heappop, heappush

import pytest

from services.transport.rate_gate import RateGate
from services.wire.endpoints import HISTORY_BARS, INTRADAY_BARS
from tests.support.capacity import (
    COSTS,
    accounts_of_a_ledger,
    charts_a_minute,
    followers_of_a_line,
    gigabytes_a_day,
    memory_of_a_process,
    orders_of_a_ledger,
    pages_of_a_process,
    processes_for,
    updates_of_a_process,
)
from tests.support.shared_data import ROOT

PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
RUNS_A_SECOND = 1.1
"""Of a page that stays open: its fragments."""

FIGURES: dict[str, Callable[[], float | None]] = {
    "pages of a process, hardly any updates": pages_of_a_process,
    "pages of a process, 5,000 updates/s": lambda: pages_of_a_process(updates=5_000),
    "pages of a process, 50,000 updates/s": lambda: pages_of_a_process(updates=50_000),
    "updates/s of a process, no pages": updates_of_a_process,
    "updates/s of a process that stores their ticks, no pages": lambda: updates_of_a_process(stored=True),
    "updates/s of a process, 20 pages": lambda: updates_of_a_process(pages=20),
    "MiB of a process, 20 pages": lambda: memory_of_a_process(20),
    "processes for 20 pages": lambda: processes_for(20, updates=5_000),
    "processes for 200 pages": lambda: processes_for(200, updates=5_000),
    "processes for 2,000 pages": lambda: processes_for(2_000, updates=5_000),
    "processes for 200,000 pages": lambda: processes_for(200_000, updates=5_000),
    "followers on a line of 1 Gbit/s, 5,000 updates/s": lambda: followers_of_a_line(5_000),
    "followers on a line of 1 Gbit/s, 50,000 updates/s": lambda: followers_of_a_line(50_000),
    "the same, prices alone": lambda: followers_of_a_line(50_000, prices_alone=True),
    "orders/s of a ledger on SQLite": lambda: orders_of_a_ledger(COSTS.sqlite_commits),
    "orders/s of a ledger on PostgreSQL, one process": lambda: orders_of_a_ledger(COSTS.postgres_commits),
    "orders/s of a ledger on PostgreSQL": lambda: orders_of_a_ledger(COSTS.postgres_commits_of_four),
    "accounts at full speed on one PostgreSQL": lambda: accounts_of_a_ledger(COSTS.postgres_commits_of_four),
    "new charts a minute, all processes": charts_a_minute,
    "GB of ticks a day, 5,000 updates/s": lambda: gigabytes_a_day(5_000),
    "GB of ticks a day, 50,000 updates/s": lambda: gigabytes_a_day(50_000),
    "the same packed": lambda: gigabytes_a_day(50_000, packed=True),
}


def test_every_figure_of_the_page_is_that_of_the_model() -> None:
    told = {
        name.strip(): float(figure.replace(",", ""))
        for name, figure in re.findall(r"^\| (.+?) \| ([\d,.]+) \|", PAGE, re.M)
    }

    assert told.keys() >= FIGURES.keys()
    for name, figure in FIGURES.items():
        assert told[name] == pytest.approx(figure(), rel=0.03, abs=0.06), name


def test_every_cost_of_the_page_is_that_of_the_model() -> None:
    costs = re.findall(r"^\| `(\w+)` \| ([\d.]+) ", PAGE, re.M)

    assert {name: float(figure) for name, figure in costs} == {name: getattr(COSTS, name) for name in COSTS.__slots__}


# -- a process: one core, work that comes in turns ------------------------------------------------------------------


def page_wait_p95(processes: int, pages: int, updates: float, *, seconds: float = 60.0) -> float:
    """How long a page's fragment waits for its turn (95 of 100), where pages are spread evenly, and every process
    decodes all updates, in ten frames a second that go before everything else."""
    chance, waits = random.Random(7), []
    frame = (updates * COSTS.update_us / 1e6 + COSTS.desk_percent / 100) / 10
    cost = (COSTS.page_percent + COSTS.listener_percent) / 100 / RUNS_A_SECOND
    for number in range(processes):
        mine = pages // processes + (number < pages % processes)
        events = [(tick / 10, 0, frame) for tick in range(int(seconds * 10))]
        for _ in range(mine):
            at = chance.uniform(0, 1 / RUNS_A_SECOND)
            while at < seconds:
                events.append((at, 1, chance.expovariate(1 / cost)))
                at += 1 / RUNS_A_SECOND
        free = 0.0
        for at, kind, work in sorted(events):
            began = max(at, free)
            free = began + work
            if kind:
                waits.append(began - at)
    waits.sort()
    return waits[int(0.95 * len(waits))]


@pytest.mark.parametrize("updates", [0.0, 5_000.0, 50_000.0])
def test_a_process_is_as_full_as_the_model_says(updates: float) -> None:
    full = pages_of_a_process(updates=updates)

    assert page_wait_p95(1, full, updates) < 0.25
    left = 120 - COSTS.desk_percent - updates * COSTS.update_us / 1e4
    beyond = round(left / (COSTS.page_percent + COSTS.listener_percent))
    assert page_wait_p95(1, beyond, updates) > 2.0, "above its core, waits grow for as long as it lasts"


def test_processes_carry_more_pages_and_not_more_updates() -> None:
    pages = pages_of_a_process(updates=5_000)
    assert page_wait_p95(4, 4 * pages, 5_000) < 0.25
    assert page_wait_p95(1, 4 * pages, 5_000) > 2.0

    too_many = 1.6 * updates_of_a_process()

    assert page_wait_p95(1, 4, too_many) > 2.0
    assert page_wait_p95(4, 4, too_many) > 2.0, "each of them decodes everything"


# -- a ledger: writers one by one -----------------------------------------------------------------------------------


def ledger_wait_p95(processes: int, orders: float, commits: float, *, seconds: float = 120.0) -> float:
    """How long an order's two commits wait for their turn in all (95 of 100): orders come by chance at each process,
    and one writer at a time has the ledger."""
    chance, free, waits = random.Random(11), 0.0, []
    coming: list[tuple[float, int, float]] = []
    for _ in range(processes):
        at = chance.expovariate(orders / processes)
        while at < seconds:
            heappush(coming, (at, 0, 0.0))
            at += chance.expovariate(orders / processes)
    while coming:
        at, step, waited = heappop(coming)
        began = max(at, free)
        free = began + 1 / commits
        waited += began - at
        if step:
            waits.append(waited)
        else:
            heappush(coming, (free + 0.05, 1, waited))  # the broker's answer
    waits.sort()
    return waits[int(0.95 * len(waits))]


@pytest.mark.parametrize("processes", [1, 4, 32])
def test_a_ledger_takes_as_many_orders_however_many_processes_send_them(processes: int) -> None:
    commits = COSTS.postgres_commits_of_four
    full = orders_of_a_ledger(commits)

    assert ledger_wait_p95(processes, full, commits) < 0.15
    assert ledger_wait_p95(processes, full * 1.7, commits) > 2.0


# -- the broker's limits: one account, however many processes -----------------------------------------------------


def chart_wait_at_the_end(a_minute: float, *, minutes: int = 90) -> float:
    """How long the last chart waits, where so many that nobody opened before are opened in each minute."""
    now, waited = 0.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    gate = RateGate(clock=lambda: now, sleep=sleep)
    for number in range(int(a_minute * minutes)):
        due = number * 60 / a_minute
        now = max(now, due)
        gate.acquire(HISTORY_BARS, max_wait=1e9)
        waited = now - due
    return waited


def test_new_charts_are_limited_by_the_broker_and_by_nothing_that_more_machines_change() -> None:
    assert HISTORY_BARS.group == INTRADAY_BARS.group == "standard"
    assert chart_wait_at_the_end(0.95 * charts_a_minute()) < 60
    assert chart_wait_at_the_end(1.5 * charts_a_minute()) > 600
