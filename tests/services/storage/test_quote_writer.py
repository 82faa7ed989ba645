"""What is written behind the caller's back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.errors import PoolExhausted
from services.storage.quote_store import QuoteMetric, QuoteStore
from services.storage.quote_writer import MOST_METRICS, HitTally, QuoteWriter
from tests.support.quotes import INFY, RELIANCE, open_store, row, wait_until

METRIC = QuoteMetric(at_ms=1000, keys=2, memory_hits=1, db_hits=0, misses=1, api_calls=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[QuoteStore]:
    with open_store(tmp_path) as opened:
        yield opened


def test_rows_and_metrics_reach_the_store_by_themselves(store: QuoteStore) -> None:
    writer = QuoteWriter(store)

    writer.put({RELIANCE: row()}, METRIC)

    wait_until(lambda: store.count(0) == 1 and store.metrics_since(0).batches == 1)
    writer.close()


def test_only_the_latest_row_of_a_key_is_written(store: QuoteStore) -> None:
    writer = QuoteWriter(store)
    writer.put({RELIANCE: row(ltp=1.0), INFY: row(INFY)})
    writer.put({RELIANCE: row(ltp=2.0)})

    writer.flush()

    assert store.load([RELIANCE], not_before_ms=0)[RELIANCE].ltp == 2.0
    writer.close()


def test_close_writes_what_waits(store: QuoteStore) -> None:
    writer = QuoteWriter(store)
    writer.put({RELIANCE: row()})

    writer.close()

    assert store.count(0) == 1


def test_clear_forgets_what_waits_and_what_is_stored(store: QuoteStore) -> None:
    writer = QuoteWriter(store)
    writer.put({RELIANCE: row()})
    writer.flush()
    writer.put({INFY: row(INFY)})

    writer.clear()
    writer.close()

    assert store.count(0) == 0


def test_a_disk_that_fails_is_told_and_harms_nobody(
    store: QuoteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(rows: object) -> None:
        raise PoolExhausted("no connection")

    monkeypatch.setattr(store, "save", full)
    writer = QuoteWriter(store)
    writer.put({RELIANCE: row()}, METRIC)

    writer.flush()

    assert "1 quotes were not all stored, 1 metrics were lost" in caplog.text
    assert writer.unwritten == 1
    writer.close()


def test_waiting_metrics_are_bounded_and_the_dropped_ones_counted(store: QuoteStore) -> None:
    writer = QuoteWriter(store)
    with writer._writing:  # nobody can write meanwhile
        for _ in range(MOST_METRICS + 5):
            writer.put(metric=METRIC)
        assert writer.unwritten == 5
    writer.close()

    assert store.metrics_since(0).batches == MOST_METRICS


def test_hits_are_summed_by_second() -> None:
    tally = HitTally()

    assert tally.add(500, 10) is None
    assert tally.add(500, 10) is None
    ended = tally.add(3, 11)
    assert ended is not None
    assert (ended.at_ms, ended.keys, ended.memory_hits, ended.api_calls) == (10_000, 1000, 1000, 0)
    last = tally.take()
    assert last is not None
    assert last.keys == 3
    assert tally.take() is None
