"""The books about connections."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.domain.clock import epoch_ms
from services.domain.errors import StorageError
from services.feed.health import ConnectionRecord
from services.live_feed.records import ConnectionLog
from services.storage.feed_metrics import FeedCounts, FeedMetrics
from services.storage.feed_tables import create_feed_tables
from services.storage.pool import Pool
from tests.support.live_feed import NOON

OPEN = ConnectionRecord("market", NOON, NOON, False, "", 0.0, 0, 0, 0, 0)


def _later(record: ConnectionRecord, **given: object) -> ConnectionRecord:
    return replace(record, at=NOON + timedelta(minutes=5), **given)  # type: ignore[arg-type]


def test_a_connection_is_one_row_from_its_opening_to_its_end(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "market.db")
    with pool.get_connection() as connection:
        create_feed_tables(connection)
    metrics = FeedMetrics(pool)
    drops = iter([2, 2, 9])
    log = ConnectionLog(metrics, dropped=lambda: next(drops))

    log(OPEN)
    log(_later(OPEN, messages=50, updates=400))
    log(_later(OPEN, messages=70, updates=500, bad_frames=1, ended=True, reason="cut"))
    log.close()

    [row] = metrics.recent()
    assert (row.feed, row.started_ms, row.end_reason) == ("market", epoch_ms(NOON), "cut")
    assert (row.messages, row.ticks, row.bad_frames, row.dropped) == (70, 500, 1, 7)
    assert row.ended_ms == epoch_ms(NOON) + 300_000
    pool.close()


class _Refusing:
    """A table on a full disk."""

    def __init__(self) -> None:
        self.tried = 0

    def begin(self, feed: str, at: datetime, *, reconnect: int = 0) -> int:
        self.tried += 1
        raise StorageError("the disk is full")

    def progress(self, number: int, at: datetime, counts: FeedCounts) -> None:
        raise AssertionError

    def finish(self, number: int, at: datetime, reason: str, counts: FeedCounts) -> None:
        raise AssertionError


def test_a_full_disk_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    metrics = _Refusing()
    log = ConnectionLog(metrics)

    log(OPEN)
    log(_later(OPEN, ended=True, reason="cut"))
    log.close()

    assert metrics.tried == 2
    assert "the disk is full" in caplog.text
