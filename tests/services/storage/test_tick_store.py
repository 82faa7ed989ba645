"""Ticks are found whether they are packed or still in the log."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.domain.clock import IST, epoch_ms
from services.domain.errors import InvalidRequest, StorageError
from services.storage import feed_metrics, tick_packing, tick_store, tick_writer
from services.storage.pool import Pool
from services.storage.tick_packing import TickPacker
from services.storage.tick_rows import MARK_EVERY_ROWS
from services.storage.tick_store import TickCounts, TickStore
from services.storage.tick_writer import TickWriter
from tests.support.ticks import (
    DAY,
    DAY_MS,
    INFY,
    MIDNIGHT,
    NIFTY,
    NOW,
    NOW_MS,
    RELIANCE,
    a_market,
    open_pool,
    rows,
    tick,
)  # fmt: skip

SECOND = timedelta(seconds=1)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with open_pool(tmp_path) as opened:
        yield opened


@pytest.fixture
def writer(pool: Pool) -> Iterator[TickWriter]:
    with closing(TickWriter(pool)) as made:
        yield made


@pytest.fixture
def store(pool: Pool) -> TickStore:
    return TickStore(pool)


def put(writer: TickWriter, received_ms: int, *ticks: tuple[str, float, int | None, int | None, int | None]) -> None:
    writer.put(received_ms, ticks)
    assert writer.flush()


def test_a_window_includes_its_start_and_not_its_end(writer: TickWriter, store: TickStore) -> None:
    for second in range(5):
        put(writer, NOW_MS + second * 1000, tick(price=float(second)))

    found = store.ticks(RELIANCE, NOW + SECOND, NOW + 3 * SECOND)

    assert found.prices.tolist() == [1.0, 2.0]
    assert len(store.ticks(RELIANCE, NOW + SECOND, NOW + SECOND)) == 0
    assert len(store.ticks(RELIANCE, NOW + 3 * SECOND, NOW)) == 0


def test_the_window_may_be_told_in_any_time_zone(writer: TickWriter, store: TickStore) -> None:
    put(writer, NOW_MS, tick())

    assert len(store.ticks(RELIANCE, NOW.astimezone(IST), (NOW + SECOND).astimezone(IST))) == 1
    with pytest.raises(InvalidRequest, match="time zone"):
        store.ticks(RELIANCE, NOW.replace(tzinfo=None), NOW)


def test_an_instrument_without_ticks_has_none(writer: TickWriter, store: TickStore) -> None:
    assert store.count() == TickCounts(0, 0)
    put(writer, NOW_MS, tick(INFY))

    for key in (RELIANCE, "no such key"):
        assert len(store.ticks(key, MIDNIGHT, MIDNIGHT + DAY)) == 0
        assert len(store.last(key)) == 0
        assert store.days(key) == []


def test_packed_and_fresh_ticks_are_one_answer(pool: Pool, writer: TickWriter, store: TickStore) -> None:
    put(writer, NOW_MS, tick(price=1.0), tick(INFY, 7.0))
    put(writer, NOW_MS + 1, tick(price=2.0))
    TickPacker(pool).tidy(NOW + SECOND, log_days=0)
    put(writer, NOW_MS + 2, tick(price=3.0))

    assert store.ticks(RELIANCE, MIDNIGHT, MIDNIGHT + DAY).prices.tolist() == [1.0, 2.0, 3.0]
    assert store.last(RELIANCE).prices.tolist() == [3.0]
    assert store.last(INFY).prices.tolist() == [7.0], "out of the packed day"
    assert store.count() == TickCounts(log=1, packed=3)
    assert store.count().total == 4


def test_days_are_those_of_india(pool: Pool, writer: TickWriter, store: TickStore) -> None:
    before_midnight = epoch_ms(MIDNIGHT) - 1
    put(writer, before_midnight, tick())
    put(writer, before_midnight + 1, tick())
    assert store.days(RELIANCE) == [date(2026, 11, 19), date(2026, 11, 20)]

    TickPacker(pool).tidy(MIDNIGHT, log_days=0)
    put(writer, before_midnight + DAY_MS + 1, tick())

    assert store.count() == TickCounts(log=2, packed=1)
    assert store.days(RELIANCE) == [date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)]


def test_a_clock_that_was_set_back_hides_nothing(pool: Pool, writer: TickWriter, store: TickStore) -> None:
    put(writer, NOW_MS + 400 * DAY_MS, tick(price=1.0))
    put(writer, NOW_MS, tick(price=2.0))
    put(writer, NOW_MS - 1000, tick(price=3.0))

    for _ in range(2):
        assert store.ticks(RELIANCE, NOW - 2 * SECOND, NOW + SECOND).prices.tolist() == [3.0, 2.0]
        assert store.ticks(RELIANCE, NOW + 399 * DAY, NOW + 401 * DAY).prices.tolist() == [1.0]
        assert store.days(RELIANCE) == [date(2026, 11, 20), date(2027, 12, 25)]
        TickPacker(pool).tidy(NOW + SECOND, log_days=0)
    assert store.count() == TickCounts(log=0, packed=3)


def test_the_last_tick_is_found_however_long_ago_it_was(pool: Pool, writer: TickWriter, store: TickStore) -> None:
    put(writer, NOW_MS, tick(INFY, 5.0), tick(NIFTY, 6.0))
    for turn in range(5):
        put(writer, NOW_MS + 1 + turn, *[tick()] * (MARK_EVERY_ROWS // 2 - 7))
        put(writer, NOW_MS + 1 + turn, tick(NIFTY, 100.0 + turn))

        assert store.last(INFY).prices.tolist() == [5.0]
        assert store.last(NIFTY).prices.tolist() == [100.0 + turn]
    with closing(TickWriter(pool)) as other:  # of another process: it knows of no marks
        put(other, NOW_MS + 100, tick(NIFTY, 200.0))
    assert store.last(NIFTY).prices.tolist() == [200.0]
    assert store.ticks(NIFTY, MIDNIGHT, MIDNIGHT + DAY).prices.tolist() == [
        6.0,
        100.0,
        101.0,
        102.0,
        103.0,
        104.0,
        200.0,
    ]


@pytest.mark.parametrize("seed", range(4))
def test_every_window_of_a_random_day_is_answered_as_a_plain_list_would(
    pool: Pool, writer: TickWriter, store: TickStore, seed: int
) -> None:
    chance = random.Random(seed)
    keys = [f"NSE_FO|{number}" for number in range(6)]
    plain: list[tuple[int, str, int]] = []
    packer = TickPacker(pool, stretch_ticks=chance.choice((70, 1_000)), delete_ticks=50)
    for at_ms, ticks in a_market(keys, 1_500, per_frame=15, every_ms=45 * 60_000, seed=seed):
        received = at_ms + chance.randrange(-40, 40) * 60_000  # out of order, over some three days
        put(writer, received, *ticks)
        plain += [(received, key, round(price * 10_000)) for key, price, *_ in ticks]
        if chance.random() < 0.05:
            packer.tidy(NOW + timedelta(milliseconds=received - NOW_MS), log_days=chance.choice((0, 0.5)))

        if chance.random() < 0.3:
            key, first = chance.choice(keys), NOW_MS + chance.randrange(-10, 100) * 3_600_000
            end = first + chance.randrange(1, 40) * 3_600_000
            found = store.ticks(key, _instant(first), _instant(end))

            expected = sorted((t for t in plain if t[1] == key and first <= t[0] < end), key=lambda t: t[0])
            assert [(row[0], row[2]) for row in rows(found)] == [(t[0], t[2]) for t in expected]
    assert store.count().total == len(plain)
    for key in keys:
        received_of = [t[0] for t in plain if t[1] == key]
        assert store.days(key) == sorted({_instant(at).astimezone(IST).date() for at in received_of})


def test_a_damaged_blob_is_an_error_and_not_a_gap(pool: Pool, writer: TickWriter, store: TickStore) -> None:
    put(writer, NOW_MS, tick())
    TickPacker(pool).tidy(NOW + SECOND, log_days=0)
    with pool.get_connection() as connection:
        connection.execute("UPDATE packed_ticks SET columns = x'0102'")

    with pytest.raises(StorageError, match="damaged"):
        store.ticks(RELIANCE, MIDNIGHT, MIDNIGHT + DAY)


QUERIES = {
    name: query
    for module in (tick_store, tick_packing, tick_writer, feed_metrics)
    for name, query in vars(module).items()
    if isinstance(query, str) and query.lstrip().startswith(("SELECT", "DELETE", "UPDATE"))
}


IN_ORDER_WITH_A_LIMIT = {
    "RECENT": ["SCAN websocket_metrics USING INDEX websocket_metrics_by_time"],
    "_NEWEST_SPAN": ["SCAN tick_spans"],
}
"""These end after the rows that they want."""


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_no_shipped_query_reads_a_whole_table(pool: Pool, name: str) -> None:
    query = QUERIES[name]
    with closing(sqlite3.connect(pool.path)) as connection:
        wanted = {f"{word}": 1 for word in ("start_ms", "end_ms", "first", "last", "instrument")}
        values = wanted if ":" in query else (1,) * query.count("?")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]

    read = [step for step in plan if step.startswith(("SEARCH", "SCAN"))]
    assert read, plan
    allowed = ("json_each", "(subquery", "USING COVERING INDEX packed_ticks_by_day")
    whole = [step for step in read if step.startswith("SCAN") and not any(word in step for word in allowed)]
    assert whole == IN_ORDER_WITH_A_LIMIT.get(name, []), plan


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
