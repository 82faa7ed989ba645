"""The market file's tables exist, can be upgraded from every earlier version, and each shipped query has its index."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.errors import DataFolderTooNew
from services.sqlite.upgrade import upgrade
from services.storage.schema import MIGRATIONS, migrate_market

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


def _migrate(path: Path) -> None:
    migrate_market(path, backups=path.parent / "backups", now=NOW)


def _shape(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        return [(name, sql) for name, sql in rows]


def test_every_table_and_the_guides_view_are_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "market_data.db"

    _migrate(path)

    names = {name for name, _ in _shape(path)}
    assert {"quote_cache_v3", "quote_metrics", "error_log", "ohlc_data", "instruments", "instrument_files"} <= names
    assert {"market_status", "market_holidays", "market_timings", "calendar_contradictions"} <= names


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_every_earlier_version_is_copied_and_becomes_the_same_as_a_new_one(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old" / "market_data.db", tmp_path / "new" / "market_data.db"
    old.parent.mkdir()
    upgrade(old, MIGRATIONS[:version], backups=tmp_path, now=NOW)

    _migrate(old)
    _migrate(new)

    assert _shape(old) == _shape(new)
    assert [p.name for p in (old.parent / "backups").iterdir()] == [f"market_data-v{version}-20261120T091500Z.db"]


def test_errors_stored_before_they_were_folded_count_one_each(tmp_path: Path) -> None:
    path = tmp_path / "market_data.db"
    upgrade(path, MIGRATIONS[:2], backups=tmp_path, now=NOW)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO error_log (at_ms, error_type, message, retry_count) VALUES (1, 'A', 'm', 0)")
        connection.commit()

    _migrate(path)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT error_type, count, first_at_ms FROM error_log").fetchall() == [("A", 1, None)]


def test_a_file_of_a_newer_desk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "market_data.db"
    _migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")

    with pytest.raises(DataFolderTooNew, match="newer version of Upstox Desk"):
        _migrate(path)


def test_a_fresh_file_has_no_daily_bars_and_says_so_in_plain_sql(tmp_path: Path) -> None:
    path = tmp_path / "market_data.db"
    _migrate(path)

    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT * FROM ohlc_data")

        assert [column[0] for column in found.description] == [
            "instrument_key", "date", "open", "high", "low", "close", "volume", "oi",
        ]  # fmt: skip
        assert found.fetchall() == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM quote_cache_v3 WHERE received_at_ms >= 1",
        "SELECT * FROM quote_cache_v3 WHERE instrument_key IN (SELECT value FROM json_each('[]'))",
        "SELECT count(*) FROM quote_metrics WHERE at_ms >= 1",
        "DELETE FROM quote_metrics WHERE at_ms < 1",
        "SELECT error_type, sum(count) FROM error_log WHERE at_ms > 1 AND at_ms <= 2 GROUP BY error_type, endpoint",
        "DELETE FROM error_log WHERE at_ms < 1",
        "DELETE FROM instruments WHERE source_file = 'NSE'",
        "SELECT * FROM market_holidays WHERE source = 'Upstox' AND day >= '2026' ORDER BY day, place, part",
        "DELETE FROM market_holidays WHERE source = 'Upstox' AND day BETWEEN '2026-01-01' AND '2026-12-31'",
        "SELECT * FROM market_holidays WHERE day = '2026-11-24' AND exchange = 'NSE'",
        "SELECT * FROM market_timings WHERE source = 'Upstox' AND day >= '2026' ORDER BY day, part",
        "SELECT * FROM market_timings WHERE day = '2026-11-24' AND exchange = 'NSE'",
        "SELECT * FROM market_status WHERE source = 'Upstox' AND exchange = 'NSE' AND first_seen_ms <= 1 "
        "ORDER BY first_seen_ms DESC LIMIT 1",
        "SELECT * FROM calendar_answers WHERE source = 'Upstox' AND what = 'timings' AND about >= '2026'",
        "SELECT * FROM calendar_contradictions WHERE gone_ms IS NULL AND market = 'NSE'",
    ],
)
def test_no_shipped_query_reads_a_whole_table(tmp_path: Path, query: str) -> None:
    path = tmp_path / "market_data.db"
    _migrate(path)

    with closing(sqlite3.connect(path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]

    assert any(step.startswith("SEARCH") for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step]
