"""The week of history: kept, thinned, let go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services.domain.clock import epoch_ms
from services.domain.health_row import HealthRow
from services.storage.health_history import COARSE, FINE, MINUTE, PRUNE, PRUNE_AHEAD, READ, HealthHistory
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.health_history import fill_week
from tests.support.measures import NOW


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    migrate_market(tmp_path / "market_data.db", backups=tmp_path / "backups", now=NOW)
    return Pool(tmp_path / "market_data.db")


def steps(pool: Pool) -> dict[int, int]:
    with pool.get_connection(write=False) as connection:
        return dict(map(tuple, connection.execute("SELECT step, count(*) FROM health_history GROUP BY step")))


def test_what_is_kept_is_read_back_in_order(pool: Pool) -> None:
    rows = [HealthRow(epoch_ms(NOW) + 10_000 * n, 10.0, requests=n, failures=0, resident=1e9) for n in range(3)]
    HealthHistory(pool).add(rows[::-1])

    assert HealthHistory(pool).read(NOW - timedelta(hours=1), NOW + timedelta(hours=1)) == rows
    assert HealthHistory(pool).read(NOW, NOW + timedelta(seconds=10)) == rows[1:2]


def test_thinning_adds_counts_up_and_keeps_the_worst_of_the_rest(pool: Pool) -> None:
    history, began = HealthHistory(pool), epoch_ms(NOW) - 3 * 3_600_000
    rows = [
        HealthRow(began + 10_000 * (n + 1), 10.0, requests=6, failures=n % 2, tick_age=float(n), cpu=n / 10, wal=None)
        for n in range(12)
    ]
    history.add(rows, thin_at=NOW)

    first, second = history.read(NOW - timedelta(hours=4), NOW)

    assert (first.at_ms, first.seconds, first.requests, first.failures) == (began + 60_000, 60.0, 36, 3)
    assert (first.tick_age, first.cpu, first.wal) == (5.0, pytest.approx(0.25), None)
    assert (second.at_ms, second.tick_age) == (began + 120_000, 11.0)


def test_a_week_is_kept_in_three_thousand_rows_and_what_is_older_goes(pool: Pool) -> None:
    fill_week(pool, NOW)
    history = HealthHistory(pool)
    before = steps(pool)
    assert sum(before.values()) < 3000

    later = NOW + timedelta(hours=20)
    history.add([HealthRow(epoch_ms(later), 10.0, requests=1)], thin_at=later)

    after = steps(pool)
    assert after[FINE] == 1
    assert 239 <= after[MINUTE] <= 241  # four hours of them are younger than a day
    assert abs(after[COARSE] - 6 * 24 * 6) <= 1
    rows = history.read(later - timedelta(days=8), later)
    assert rows[0].at_ms > epoch_ms(later - timedelta(days=7))
    total = sum(row.requests or 0 for row in rows)
    history.add([], thin_at=later)  # again: nothing changes
    assert sum(row.requests or 0 for row in history.read(later - timedelta(days=8), later)) == total


def test_rows_of_a_clock_that_ran_ahead_are_not_read(pool: Pool) -> None:
    HealthHistory(pool).add([HealthRow(epoch_ms(NOW + timedelta(hours=1)), 10.0)])

    assert HealthHistory(pool).read(NOW - timedelta(days=1), NOW) == []


def test_rows_of_another_time_do_not_stay_for_ever(pool: Pool) -> None:
    history = HealthHistory(pool)
    history.add([HealthRow(epoch_ms(NOW + timedelta(days=days)), 10.0) for days in (0, 400)], thin_at=NOW)

    assert sum(steps(pool).values()) == 1


@pytest.mark.parametrize("query", [READ, PRUNE, PRUNE_AHEAD])
def test_each_query_goes_by_the_index(pool: Pool, query: str) -> None:
    with pool.get_connection(write=False) as connection:
        values = (1,) * query.count("?")
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values))

    assert "SEARCH health_history USING PRIMARY KEY" in plan
    assert "SCAN" not in plan
