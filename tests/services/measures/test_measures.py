"""Snapshots, what is kept of them, and what happens when a part cannot be looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import StorageError
from services.measures.checks import CheckState
from services.measures.measures import MOST_UNWRITTEN, Measures, Sources
from services.measures.snapshot import Snapshot
from services.storage.health_history import HealthHistory
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.measures import NOW, WELL, but


class Desk:
    """The sources of one snapshot, swapped whole; a part that is an error is raised."""

    def __init__(self) -> None:
        self.now: Snapshot = WELL
        self.raises: dict[str, Exception] = {}
        self.looks = 0

    def sources(self) -> Sources:
        def of(part: str) -> Callable[..., Any]:  # Any: each source has a type of its own
            def source(*given: object) -> Any:
                if part in self.raises:
                    raise self.raises[part]
                if part == "storage":
                    return replace(self.now.storage, faults=dict(given[0]))
                if part == "rest":
                    self.looks += 1
                return getattr(self.now, part)

            return source

        parts = ("rest", "feed", "portfolio_feed", "cache", "storage", "ledger", "orders", "errors", "token", "market")
        return Sources(**{part: of(part) for part in parts}, clock_offset=lambda: 0.02)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def monotonic() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    migrate_market(tmp_path / "market_data.db", backups=tmp_path / "backups", now=NOW)
    return Pool(tmp_path / "market_data.db")


def measures_of(desk: Desk, clock: FakeClock, monotonic: FakeMonotonic, pool: Pool | None = None) -> Measures:
    history = None if pool is None else HealthHistory(pool)
    return Measures(
        sources=desk.sources(), clock=clock, monotonic=monotonic, history=None if history is None else lambda: history
    )


def test_who_asks_again_within_a_second_gets_the_same_snapshot(
    desk: Desk, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    measures = measures_of(desk, clock, monotonic)

    first = measures.snapshot()
    assert measures.snapshot() is first
    assert {check.state for check in measures.checks()} == {CheckState.PASS}
    assert desk.looks == 1

    monotonic.now += 1.0
    assert measures.snapshot() is not first
    assert desk.looks == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StorageError("the file is damaged"), "the file is damaged"),
        (sqlite3.DatabaseError("malformed"), "the file cannot be used (DatabaseError: malformed)"),
        (OSError("gone"), "it cannot be read (OSError)"),
        (ZeroDivisionError(), "a fault of the desk's own (ZeroDivisionError); the log has it"),
    ],
)
def test_a_part_that_cannot_be_looked_at_is_a_problem_and_the_others_are_there(
    desk: Desk, clock: FakeClock, monotonic: FakeMonotonic, error: Exception, words: str
) -> None:
    desk.raises["token"] = error

    snapshot = measures_of(desk, clock, monotonic).snapshot()

    assert snapshot.token is None
    assert snapshot.problems == {"token": words}
    assert snapshot.feed == WELL.feed


def test_a_file_that_cannot_be_read_is_a_fault_of_storage(
    desk: Desk, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    desk.raises["errors"] = StorageError("market_data.db: the file is damaged")
    measures = measures_of(desk, clock, monotonic)

    storage = next(check for check in measures.checks() if check.name == "storage")

    assert storage.state is CheckState.FAIL
    assert "The error log: market_data.db: the file is damaged." in storage.reason


def test_a_row_of_history_tells_what_happened_between_two_looks(
    desk: Desk, clock: FakeClock, monotonic: FakeMonotonic, pool: Pool
) -> None:
    measures = measures_of(desk, clock, monotonic, pool)
    measures.keep()
    assert measures.history(timedelta(hours=1)) == []  # one look alone tells no rate

    clock.move(seconds=10)
    monotonic.now += 10
    quotes = replace(WELL.rest.operations[0], answers={"2xx": 125, "5xx": 8})
    desk.now = replace(
        but("feed", updates=5600, silent_seconds=7.0),
        rest=replace(WELL.rest, operations=(quotes, WELL.rest.operations[1])),
    )
    measures.keep()
    [row] = measures.history(timedelta(hours=1))

    assert (row.seconds, row.requests, row.failures, row.updates, row.tick_age) == (10.0, 33, 3, 600, 7.0)
    assert row.resident > 1_000_000  # of this process
    assert row.rest_p50 is None  # no answer's time came to the histograms


def test_what_the_disk_refuses_waits_and_is_told(
    desk: Desk, clock: FakeClock, monotonic: FakeMonotonic, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = measures_of(desk, clock, monotonic, pool)
    measures.keep()

    def refuse(*given: object, **options: object) -> None:
        raise StorageError("market_data.db: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(HealthHistory, "add", refuse)
        for _ in range(MOST_UNWRITTEN + 5):
            clock.move(seconds=10)
            monotonic.now += 10
            measures.keep()
        monotonic.now += 1
        storage = next(check for check in measures.checks() if check.name == "storage")
        assert storage.reason == "The market file: market_data.db: the disk is full."
        assert len(measures.history(timedelta(days=1))) == MOST_UNWRITTEN  # the oldest were let go

    clock.move(seconds=10)
    monotonic.now += 10
    measures.keep()
    monotonic.now += 1

    assert {check.state for check in measures.checks()} == {CheckState.PASS}
    assert len(HealthHistory(pool).read(NOW, clock.now())) == MOST_UNWRITTEN


def test_the_thread_keeps_looking_until_it_is_closed(desk: Desk, clock: FakeClock, pool: Pool) -> None:
    history = HealthHistory(pool)
    looked = Looked()

    class Telling(Desk):
        def sources(self) -> Sources:
            return replace(super().sources(), clock_offset=looked)

    measures = Measures(
        sources=Telling().sources(), clock=clock, history=lambda: history, every_seconds=0.01, fresh_seconds=0.0
    )
    measures.start()
    assert looked.wait()
    measures.close()


class Looked:
    """A source that tells when it was asked three times."""

    def __init__(self) -> None:
        from threading import Semaphore

        self._times = Semaphore(0)

    def __call__(self) -> float | None:
        self._times.release()
        return None

    def wait(self) -> bool:
        return all(self._times.acquire(timeout=30) for _ in range(3))


def test_a_check_counts_from_the_snapshot_that_showed_its_state_whoever_took_it(
    desk: Desk, clock: FakeClock, monotonic: FakeMonotonic
) -> None:
    measures = measures_of(desk, clock, monotonic)
    measures.snapshot()
    monotonic.now += 30
    desk.now = but("feed", silent_seconds=40.0)
    measures.snapshot()  # of an alert rule, say
    monotonic.now += 50

    feed = next(check for check in measures.checks() if check.name == "feed")

    assert (feed.state, feed.age_seconds) == (CheckState.FAIL, 50.0)
