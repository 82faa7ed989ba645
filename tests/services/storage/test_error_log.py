"""Errors are stored without secrets, counted by window, and pruned."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.domain.errors import InvalidRequest
from services.storage.error_log import MOST_WAITING, ErrorLog
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.clocks import FakeClock
from tests.support.quotes import wait_until

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    migrate_market(tmp_path / "market_data.db", backups=tmp_path / "backups", now=NOW)
    with closing(Pool(tmp_path / "market_data.db")) as made:
        yield made


@pytest.fixture
def errors(pool: Pool, clock: FakeClock) -> Iterator[ErrorLog]:
    with closing(ErrorLog(pool, clock, redact=lambda text: text.replace("hunter2", "***"))) as made:
        yield made


def rows_of(errors: ErrorLog, pool: Pool) -> list[dict[str, Any]]:
    assert errors.flush()
    with pool.get_connection(write=False) as connection:
        return [dict(row) for row in connection.execute("SELECT * FROM error_log ORDER BY id")]


def test_no_column_holds_a_secret(errors: ErrorLog, pool: Pool) -> None:
    errors.add(
        "Denied hunter2",
        "token hunter2 is dead",
        endpoint="/v2/user?t=hunter2",
        context={"header": {"auth": "hunter2"}},
    )

    (row,) = rows_of(errors, pool)
    assert "hunter2" not in str(row)
    assert row["message"] == "token *** is dead"
    assert orjson.loads(row["context"]) == {"header": {"auth": "***"}}


def test_context_may_hold_anything(errors: ErrorLog, pool: Pool) -> None:
    errors.add("A", "m", context={"at": NOW, "price": Decimal("1.05"), "keys": {"a"}, 5: None, "where": Path("x")})

    (row,) = rows_of(errors, pool)
    assert orjson.loads(row["context"]) == {
        "at": "2026-11-20T09:15:00+00:00", "price": "1.05", "keys": "{'a'}", "5": None, "where": "x",
    }  # fmt: skip


def test_the_rate_is_errors_per_minute_of_the_window(errors: ErrorLog, clock: FakeClock) -> None:
    errors.add("Old", "m")
    clock.move(minutes=6)
    for _ in range(10):
        errors.add("RateLimited", "m")
    for _ in range(5):
        errors.add("NoAnswer", "m")

    assert errors.rate(5) == 3.0
    assert errors.rate(10) == 1.6
    assert errors.breakdown(5) == {"RateLimited": 10, "NoAnswer": 5}
    assert list(errors.breakdown(10)) == ["RateLimited", "NoAnswer", "Old"], "most frequent first"


def test_without_errors_everything_is_zero_and_no_instant_is_made_up(errors: ErrorLog) -> None:
    statistics = errors.statistics()

    assert errors.rate() == 0.0
    assert errors.breakdown() == {}
    assert (statistics["total_errors"], statistics["errors_per_minute"], statistics["by_type"]) == (0, 0.0, {})
    assert (statistics["first_at"], statistics["last_at"]) == (None, None)


def test_statistics_group_by_type_status_and_endpoint(errors: ErrorLog, clock: FakeClock) -> None:
    errors.add("RateLimited", "m", status_code=429, endpoint="/v3/quotes", retry_count=2)
    clock.move(minutes=30)
    errors.add("RateLimited", "m", status_code=429, endpoint="/v2/quotes", retry_count=1)
    errors.add("NotSent", "m")

    statistics = errors.statistics(hours=1)

    assert statistics == {
        "hours": 1,
        "total_errors": 3,
        "errors_per_minute": 0.05,
        "retries": 3,
        "first_at": NOW,
        "last_at": NOW + timedelta(minutes=30),
        "by_type": {"RateLimited": 2, "NotSent": 1},
        "by_status": {429: 2},
        "by_endpoint": {"/v2/quotes": 1, "/v3/quotes": 1},
    }
    assert errors.statistics(hours=0.25)["total_errors"] == 2


def test_errors_of_a_clock_that_ran_ahead_are_not_counted_as_of_now(errors: ErrorLog, clock: FakeClock) -> None:
    errors.add("Future", "m")
    clock.move(minutes=-1)

    assert errors.rate() == 0.0


def test_errors_older_than_a_month_are_pruned(pool: Pool, clock: FakeClock) -> None:
    for name in ("Old", "New"):
        with closing(ErrorLog(pool, clock, redact=str)) as errors:
            errors.add(name, "m")
        clock.move(days=31)

    assert ErrorLog(pool, clock, redact=str).statistics(hours=24 * 365)["by_type"] == {"New": 1}


def test_a_very_long_message_is_cut(errors: ErrorLog, pool: Pool) -> None:
    errors.add("A", "x" * 1_000_000)

    (row,) = rows_of(errors, pool)
    assert len(row["message"]) == 2000


@pytest.mark.parametrize("minutes", [0, -1, float("inf"), float("nan")])
def test_a_window_that_is_none_is_refused(errors: ErrorLog, minutes: float) -> None:
    with pytest.raises(InvalidRequest, match="minutes"):
        errors.rate(minutes)


def test_a_window_longer_than_the_calendar_means_everything(errors: ErrorLog) -> None:
    errors.add("A", "m")

    assert errors.statistics(hours=24 * 365 * 3000)["total_errors"] == 1


# -- repeats share a row -------------------------------------------------------------------------------------------


def test_repeats_within_a_minute_share_a_row_that_counts_them(errors: ErrorLog, pool: Pool, clock: FakeClock) -> None:
    for retries in (0, 2, 1):
        errors.add("NotSent", f"after {retries}", endpoint="/v3/quotes", retry_count=retries)
        clock.move(seconds=10)
        errors.flush()
    errors.add("NotSent", "other", endpoint="/v2/quotes")
    errors.add("NotSent", "other", endpoint="/v3/quotes", status_code=503)

    first, *others = rows_of(errors, pool)

    assert (first["count"], first["retry_count"], first["message"]) == (3, 2, "after 1")
    assert first["at_ms"] - first["first_at_ms"] == 20_000
    assert [row["count"] for row in others] == [1, 1]
    assert errors.breakdown(5) == {"NotSent": 5}
    assert errors.rate(5) == 1.0
    assert errors.statistics(1)["by_endpoint"] == {"/v3/quotes": 4, "/v2/quotes": 1}


def test_a_flood_costs_one_row_a_minute_and_is_counted_whole(errors: ErrorLog, pool: Pool, clock: FakeClock) -> None:
    for second in range(180):
        errors.add("NotSent", "no route", endpoint="/v3/quotes")
        if second % 7 == 0:
            errors.flush()
        clock.move(seconds=1)

    assert [row["count"] for row in rows_of(errors, pool)] == [60, 60, 60]
    assert errors.rate(10) == 18.0
    assert errors.statistics(1)["last_at"] == NOW + timedelta(seconds=179)


def test_an_error_of_a_clock_that_was_set_back_has_a_row_of_its_own(
    errors: ErrorLog, pool: Pool, clock: FakeClock
) -> None:
    errors.add("A", "m")
    errors.flush()
    clock.move(seconds=-30)
    errors.add("A", "m")

    assert [row["count"] for row in rows_of(errors, pool)] == [1, 1]
    assert errors.breakdown(5) == {"A": 1}


# -- nobody waits for the disk -------------------------------------------------------------------------------------


@contextmanager
def somebody_writes(pool: Pool) -> Iterator[None]:
    """Another thread holds the writer's turn."""
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        with pool.get_connection():
            begun.set()
            done.wait(30)

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def test_adding_and_reading_do_not_wait_for_a_busy_writer(errors: ErrorLog, pool: Pool) -> None:
    with somebody_writes(pool):
        errors.add("NoAnswer", "m", endpoint="/v3/quotes")

        assert errors.flush(timeout=0) is False
        assert errors.breakdown(5) == {"NoAnswer": 1}, "what waits is counted"
    assert len(rows_of(errors, pool)) == 1
    assert errors.breakdown(5) == {"NoAnswer": 1}, "and counted once"


def test_the_background_thread_writes_what_was_added(
    errors: ErrorLog, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.storage.error_log.GATHER_SECONDS", 0.0)
    others = set(threading.enumerate())  # a desk that another test keeps open has such a thread too
    errors.add("NoAnswer", "m")

    def stored() -> int:
        with pool.get_connection(write=False) as connection:
            return int(connection.execute("SELECT count(*) FROM error_log").fetchone()[0])

    wait_until(lambda: stored() == 1)
    (thread,) = [one for one in threading.enumerate() if one.name == "error-log" and one not in others]
    assert thread.daemon
    errors.close()
    assert not thread.is_alive()


def test_close_writes_what_waits_and_later_errors_are_counted_as_dropped(pool: Pool, clock: FakeClock) -> None:
    errors = ErrorLog(pool, clock, redact=str)
    errors.add("A", "m")

    errors.close()
    errors.add("B", "m")

    assert ErrorLog(pool, clock, redact=str).breakdown(5) == {"A": 1}
    assert errors.dropped == 1


def test_trouble_with_the_file_is_said_once_and_loses_nothing(
    errors: ErrorLog, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(pool.path)) as other:
        other.execute("ALTER TABLE error_log RENAME TO away")
        with caplog.at_level(logging.WARNING):
            for name in ("A", "B", "A"):
                errors.add(name, "m")
                assert errors.flush() is False
        other.execute("ALTER TABLE away RENAME TO error_log")

    assert [(row["error_type"], row["count"]) for row in rows_of(errors, pool)] == [("A", 2), ("B", 1)]
    assert caplog.text.count("could not be stored") == 1


def test_what_waits_is_bounded_and_the_rest_is_counted(
    errors: ErrorLog, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    with somebody_writes(pool):
        for number in range(MOST_WAITING + 5):
            errors.add(f"E{number}", "m")
        errors.add("E0", "m")

    assert errors.dropped == 5
    assert caplog.text.count("only counted") == 1
    assert sum(row["count"] for row in rows_of(errors, pool)) == MOST_WAITING + 1


def test_no_reader_misses_or_doubles_an_error_on_its_way_to_the_file(errors: ErrorLog) -> None:
    stop, seen = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            seen.append(sum(errors.breakdown(5).values()))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        errors.add(f"E{number % 20}", "m")
        errors.flush()
    stop.set()
    reader.join(30)

    assert seen == sorted(seen), "a count never falls"
    assert max(seen) <= 200
    assert sum(errors.breakdown(5).values()) == 200


def test_errors_are_grouped_by_cause_with_first_and_last_time_and_the_last_message(
    errors: ErrorLog, clock: FakeClock
) -> None:
    for number in range(3):
        errors.add("NotSent", f"try {number}", endpoint="/v3/quotes")
        clock.move(minutes=2)
    errors.add("RateLimited", "too many", endpoint="/v3/quotes", status_code=429)
    errors.flush()

    latest, first = errors.groups(hours=1)

    assert (latest.error_type, latest.status_code, latest.count) == ("RateLimited", 429, 1)
    assert (first.count, first.message, first.endpoint) == (3, "try 2", "/v3/quotes")
    assert (first.first_at, first.last_at) == (NOW, NOW + timedelta(minutes=4))
    assert errors.groups(hours=1, limit=1) == [latest]
    clock.move(hours=2)
    assert errors.groups(hours=1) == []
