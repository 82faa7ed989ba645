"""The SQLite tier of the quote cache and its metrics."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.storage.pool import Pool
from services.storage.quote_store import METRICS_KEPT_MS, QuoteMetric, QuoteStore, StoredQuote
from services.storage.schema import migrate_market

RELIANCE = StoredQuote(
    key="NSE_EQ|INE002A01018",
    payload=b'{"ltp":1503.2}',
    ltp=1503.2,
    open=1490.0,
    high=1510.5,
    low=1488.0,
    volume=12_345_678,
    exchange_time_ms=1_000_000,
    received_at_ms=1_000_050,
    source="simulated",
    api_version="v3",
)
NIFTY = replace(RELIANCE, key="NSE_INDEX|Nifty 50", volume=None, exchange_time_ms=None, received_at_ms=2_000_000)
BATCH = QuoteMetric(
    at_ms=1000, keys=10, memory_hits=6, db_hits=2, misses=2, api_calls=1, fetch_ms=40.0, api_version="v3"
)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    path = tmp_path / "market_data.db"
    migrate_market(path, backups=tmp_path / "backups", now=datetime(2026, 11, 20, tzinfo=UTC))
    with closing(Pool(path)) as made:
        yield made


def test_what_is_saved_is_loaded_unchanged(pool: Pool) -> None:
    store = QuoteStore(pool)

    store.save([RELIANCE, NIFTY])

    assert store.load({RELIANCE.key, NIFTY.key, "NSE_EQ|UNKNOWN"}, not_before_ms=0) == {
        RELIANCE.key: RELIANCE,
        NIFTY.key: NIFTY,
    }
    assert store.load([], not_before_ms=0) == {}


def test_quotes_that_are_too_old_are_not_loaded(pool: Pool) -> None:
    store = QuoteStore(pool)
    store.save([RELIANCE, NIFTY])

    assert set(store.load([RELIANCE.key, NIFTY.key], not_before_ms=1_000_051)) == {NIFTY.key}
    assert (store.count(0), store.count(1_000_050), store.count(1_000_051)) == (2, 2, 1)


def test_a_later_quote_takes_the_place_of_the_earlier_one(pool: Pool) -> None:
    store = QuoteStore(pool)
    store.save([RELIANCE])
    later = replace(RELIANCE, ltp=1504.0, received_at_ms=1_005_000)

    store.save([later])

    assert store.load([RELIANCE.key], not_before_ms=0) == {RELIANCE.key: later}


def test_rows_are_saved_all_or_none(pool: Pool) -> None:
    store = QuoteStore(pool)

    with pytest.raises(sqlite3.IntegrityError):
        store.save([RELIANCE, replace(NIFTY, source=None)])  # type: ignore[arg-type]

    assert store.count(0) == 0


def test_thousands_of_keys_are_asked_for_at_once(pool: Pool) -> None:
    store = QuoteStore(pool)
    rows = [replace(RELIANCE, key=f"NSE_FO|{n}") for n in range(5000)]

    store.save(rows)

    assert len(store.load([row.key for row in rows], not_before_ms=0)) == 5000


def test_clear_forgets_quotes_and_keeps_metrics(pool: Pool) -> None:
    store = QuoteStore(pool)
    store.save([RELIANCE])
    store.record(BATCH)

    store.clear()

    assert store.count(0) == 0
    assert store.metrics_since(0).batches == 1


def test_metrics_are_summed_from_an_instant_on(pool: Pool) -> None:
    store = QuoteStore(pool)
    for metric in (
        replace(BATCH, at_ms=999),
        BATCH,
        replace(BATCH, keys=30, memory_hits=30, db_hits=0, misses=0, api_calls=0, fetch_ms=None),
        replace(BATCH, fetch_ms=60.0, error="NoAnswer"),
    ):
        store.record(metric)

    summary = store.metrics_since(1000)

    assert (summary.batches, summary.keys, summary.memory_hits, summary.db_hits) == (3, 50, 42, 4)
    assert (summary.misses, summary.api_calls, summary.errors, summary.avg_fetch_ms) == (4, 2, 1, 50.0)
    assert summary.hit_rate == 46 / 50


def test_without_any_batch_there_is_no_rate_rather_than_zero(pool: Pool) -> None:
    summary = QuoteStore(pool).metrics_since(0)

    assert (summary.batches, summary.hit_rate, summary.avg_fetch_ms) == (0, None, None)


def test_metrics_older_than_a_week_are_pruned(pool: Pool) -> None:
    QuoteStore(pool).record(BATCH)

    QuoteStore(pool).record(replace(BATCH, at_ms=BATCH.at_ms + METRICS_KEPT_MS + 1))

    assert QuoteStore(pool).metrics_since(0).batches == 1
