"""Errors are stored without secrets, counted by window, and pruned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from services.domain.errors import InvalidRequest
from services.storage.error_log import ErrorLog
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.clocks import FakeClock

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
def errors(pool: Pool, clock: FakeClock) -> ErrorLog:
    return ErrorLog(pool, clock, redact=lambda text: text.replace("hunter2", "***"))


def test_no_column_holds_a_secret(errors: ErrorLog, pool: Pool) -> None:
    errors.add(
        "Denied hunter2",
        "token hunter2 is dead",
        endpoint="/v2/user?t=hunter2",
        context={"header": {"auth": "hunter2"}},
    )

    with pool.get_connection(write=False) as connection:
        row = dict(connection.execute("SELECT * FROM error_log").fetchone())
    assert "hunter2" not in str(row)
    assert row["message"] == "token *** is dead"
    assert orjson.loads(row["context"]) == {"header": {"auth": "***"}}


def test_context_may_hold_anything(errors: ErrorLog, pool: Pool) -> None:
    errors.add("A", "m", context={"at": NOW, "price": Decimal("1.05"), "keys": {"a"}, 5: None, "where": Path("x")})

    with pool.get_connection(write=False) as connection:
        context = orjson.loads(connection.execute("SELECT context FROM error_log").fetchone()["context"])
    assert context == {
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
    ErrorLog(pool, clock, redact=str).add("Old", "m")
    clock.move(days=31)

    ErrorLog(pool, clock, redact=str).add("New", "m")

    assert ErrorLog(pool, clock, redact=str).statistics(hours=24 * 365)["by_type"] == {"New": 1}


def test_a_very_long_message_is_cut(errors: ErrorLog, pool: Pool) -> None:
    errors.add("A", "x" * 1_000_000)

    with pool.get_connection(write=False) as connection:
        assert connection.execute("SELECT length(message) AS n FROM error_log").fetchone()["n"] == 2000


@pytest.mark.parametrize("minutes", [0, -1, float("inf"), float("nan")])
def test_a_window_that_is_none_is_refused(errors: ErrorLog, minutes: float) -> None:
    with pytest.raises(InvalidRequest, match="minutes"):
        errors.rate(minutes)


def test_a_window_longer_than_the_calendar_means_everything(errors: ErrorLog) -> None:
    errors.add("A", "m")

    assert errors.statistics(hours=24 * 365 * 3000)["total_errors"] == 1
