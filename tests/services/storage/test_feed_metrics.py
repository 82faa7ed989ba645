"""Each connection of a feed has a row, with its end and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest, PoolExhausted
from services.storage.feed_metrics import MARKET, PORTFOLIO, FeedConnection, FeedCounts, FeedMetrics
from services.storage.pool import Pool
from tests.support.ticks import NOW, NOW_MS, open_pool

MINUTE = timedelta(minutes=1)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with open_pool(tmp_path) as opened:
        yield opened


@pytest.fixture
def metrics(pool: Pool) -> FeedMetrics:
    return FeedMetrics(pool)


def test_a_connection_is_told_from_its_begin_to_its_end(metrics: FeedMetrics) -> None:
    number = metrics.begin(MARKET, NOW, reconnect=3)
    metrics.progress(number, NOW + MINUTE, FeedCounts(messages=10, ticks=200))
    metrics.finish(number, NOW + 2 * MINUTE, "no data for 15 s", FeedCounts(20, 400, 1, 2))

    assert metrics.recent() == [
        FeedConnection(
            id=number, feed="market", started_ms=NOW_MS, seen_ms=NOW_MS + 120_000, ended_ms=NOW_MS + 120_000,
            end_reason="no data for 15 s", reconnect=3, messages=20, ticks=400, bad_frames=1, dropped=2,
        )
    ]  # fmt: skip


def test_a_process_that_was_killed_leaves_a_row_that_tells_when_it_was_seen(metrics: FeedMetrics) -> None:
    number = metrics.begin(MARKET, NOW)
    metrics.progress(number, NOW + MINUTE, FeedCounts(messages=10))

    (row,) = metrics.recent()

    assert (row.ended_ms, row.end_reason, row.seen_ms, row.messages) == (None, None, NOW_MS + 60_000, 10)


def test_the_first_end_counts(metrics: FeedMetrics) -> None:
    number = metrics.begin(PORTFOLIO, NOW)
    metrics.finish(number, NOW + MINUTE, "dropped", FeedCounts(1))

    metrics.finish(number, NOW + 2 * MINUTE, "asked for", FeedCounts(2))
    metrics.progress(number, NOW + 3 * MINUTE, FeedCounts(3))

    (row,) = metrics.recent()
    assert (row.end_reason, row.ended_ms, row.messages) == ("dropped", NOW_MS + 60_000, 1)


def test_the_newest_come_first_and_one_feed_can_be_asked_for(metrics: FeedMetrics) -> None:
    for minute, feed in enumerate([MARKET, PORTFOLIO, MARKET, MARKET]):
        metrics.begin(feed, NOW + minute * MINUTE)

    assert [row.id for row in metrics.recent()] == [4, 3, 2, 1]
    assert [row.id for row in metrics.recent(2, feed=MARKET)] == [4, 3]
    assert [row.id for row in metrics.recent(feed=PORTFOLIO)] == [2]


def test_old_rows_are_forgotten(metrics: FeedMetrics) -> None:
    for minute in range(4):
        metrics.begin(MARKET, NOW + minute * MINUTE)

    assert metrics.prune(NOW + 2 * MINUTE) == 2
    assert [row.id for row in metrics.recent()] == [4, 3]


def test_an_unknown_feed_is_refused(metrics: FeedMetrics) -> None:
    with pytest.raises(InvalidRequest, match="no feed"):
        metrics.begin("markets", NOW)


def test_a_feed_does_not_wait_long_for_a_busy_file(
    pool: Pool, metrics: FeedMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.storage.feed_metrics.PATIENCE_SECONDS", 0.01)
    with closing(Pool(pool.path)) as other, other.get_connection(), pytest.raises(PoolExhausted):
        metrics.begin(MARKET, NOW)
