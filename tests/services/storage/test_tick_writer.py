"""Ticks are written behind the feed's back, in order, and nothing is lost in silence."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.domain.errors import StorageError
from services.storage.pool import Pool
from services.storage.tick_store import TickStore
from services.storage.tick_writer import CLOSED, NOT_STORED, QUEUE_FULL, RETRY_SECONDS, UNUSABLE, TickWriter
from tests.support import programs
from tests.support.clocks import FakeMonotonic
from tests.support.quotes import wait_until
from tests.support.ticks import DAY, INFY, MIDNIGHT, NIFTY, NOW_MS, RELIANCE, a_market, open_pool, rows, tick


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with open_pool(tmp_path) as opened:
        yield opened


@pytest.fixture
def writer(pool: Pool) -> Iterator[TickWriter]:
    with closing(TickWriter(pool)) as made:
        yield made


def stored(pool: Pool, key: str = RELIANCE) -> list[Any]:
    return rows(TickStore(pool).ticks(key, MIDNIGHT, MIDNIGHT + DAY))


def all_rows(pool: Pool) -> list[sqlite3.Row]:
    with pool.get_connection(write=False) as connection:
        return connection.execute("SELECT * FROM websocket_ticks_v3 ORDER BY id").fetchall()


class _Broken:
    """Stands in for the pool of a disk that does not take anything, until `mended`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.mended = False
        self.asked = 0

    def get_connection(self, timeout: float | None = None, *, write: bool = True) -> Any:
        self.asked += 1
        if not self.mended:
            raise StorageError("the disk is full")
        return self._pool.get_connection(timeout, write=write)


def test_ticks_reach_the_file_by_themselves(pool: Pool, writer: TickWriter) -> None:
    writer.put(NOW_MS, [tick()])

    wait_until(lambda: len(stored(pool)) == 1)
    assert stored(pool) == [(NOW_MS, NOW_MS - 150, 14_725_000, 25, 4_312_876)]


def test_the_table_can_be_read_by_people(pool: Pool, writer: TickWriter) -> None:
    writer.put(NOW_MS, [tick()])
    assert writer.flush()

    (row,) = all_rows(pool)
    assert dict(row) == {
        "id": 1, "instrument": 1, "price_e4": 14_725_000, "received_ms": NOW_MS, "delay_ms": 150, "quantity": 25,
        "volume": 4_312_876, "exchange_ms": NOW_MS - 150,
    }  # fmt: skip


def test_what_the_feed_does_not_tell_is_null_and_never_zero(pool: Pool, writer: TickWriter) -> None:
    writer.put(NOW_MS, [tick(NIFTY, 24_500.05, None, None, None), tick(NIFTY, 24_500.1, 0, 0, 0)])
    assert writer.flush()

    first, second = all_rows(pool)
    assert (first["exchange_ms"], first["quantity"], first["volume"]) == (None, None, None)
    assert (second["exchange_ms"], second["quantity"], second["volume"]) == (None, 0, 0)
    assert stored(pool, NIFTY) == [
        (NOW_MS, None, 245_000_500, None, None),
        (NOW_MS, None, 245_001_000, 0, 0),
    ]


@pytest.mark.parametrize("price", [0.0, 0.05, 1.15, 1472.5, 0.0025, 99_999.95, 1e8 + 0.05, -37.63])
def test_prices_are_stored_to_the_ten_thousandth_of_a_rupee(pool: Pool, writer: TickWriter, price: float) -> None:
    writer.put(NOW_MS, [tick(price=price)])
    assert writer.flush()

    assert all_rows(pool)[0]["price_e4"] / 10_000 == price


def test_the_order_of_arrival_is_kept_over_many_frames(pool: Pool, writer: TickWriter) -> None:
    keys = [f"NSE_FO|{number}" for number in range(300)]
    frames = a_market(keys, 5_000, per_frame=170)
    expected: dict[str, list[int]] = {key: [] for key in keys}
    for at_ms, ticks in frames:
        writer.put(at_ms, ticks)
        for key, price, *_ in ticks:
            expected[key].append(round(price * 10_000))
    assert writer.flush()

    assert {key: [row[2] for row in stored(pool, key)] for key in keys} == expected
    assert writer.stats().written == 5_000


def test_too_many_ticks_are_dropped_counted_and_the_earlier_ones_stay(pool: Pool) -> None:
    broken = _Broken(pool)
    with closing(TickWriter(broken, most_waiting=10)) as writer:  # type: ignore[arg-type]
        writer.put(NOW_MS, [tick(price=float(n)) for n in range(7)])
        writer.put(NOW_MS + 1, [tick(price=100.0 + n) for n in range(7)])
        writer.put(NOW_MS + 2, [tick()])

        assert (writer.stats().waiting, writer.stats().dropped) == (10, {QUEUE_FULL: 5})
        broken.mended = True
        assert writer.flush()

    assert [row[2] // 10_000 for row in stored(pool)] == [0, 1, 2, 3, 4, 5, 6, 100, 101, 102]
    assert writer.stats().dropped_in_all == 5


def test_a_full_disk_delays_ticks_and_keeps_their_order(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    broken, time = _Broken(pool), FakeMonotonic()
    with closing(TickWriter(broken, monotonic=time)) as writer:  # type: ignore[arg-type]
        writer._thread.close()  # the test steps it
        writer.put(NOW_MS, [tick(price=1.0)])
        assert writer._step() == RETRY_SECONDS
        writer.put(NOW_MS + 1, [tick(price=2.0)])
        for _ in range(5):
            assert writer._step() == RETRY_SECONDS
        assert len(caplog.records) == 1, "once a minute"
        time.now += 61
        assert not writer.flush()
        assert len(caplog.records) == 2
        behind = writer.stats()
        assert (behind.failing_seconds, behind.oldest_seconds) == (61.0, 61.0)
        assert "the disk is full" in behind.trouble
        broken.mended = True
        assert writer.flush()

        assert writer.stats().failures == 7
        well = writer.stats()
        assert (well.failing_seconds, well.oldest_seconds, well.trouble) == (None, None, "")
        assert writer.stats().dropped == {}
    assert [row[2] for row in stored(pool)] == [10_000, 20_000]
    assert "the disk is full" in caplog.text


def test_a_file_that_may_not_grow_takes_the_ticks_later(tmp_path: Path) -> None:
    with open_pool(tmp_path, size=1) as pool, closing(TickWriter(pool, most_at_once=1_000)) as writer:
        with pool.get_connection() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages + 20}")
        for number in range(20):
            writer.put(NOW_MS + number, [tick(volume=number * 500 + n) for n in range(500)])
        assert not writer.flush(), "SQLite says that the disk is full"
        assert 0 < writer.stats().written < 10_000
        assert writer.stats().waiting == 10_000 - writer.stats().written

        with pool.get_connection() as connection:
            connection.execute("PRAGMA max_page_count=100000")
        assert writer.flush()

        assert [row[4] for row in stored(pool)] == list(range(10_000))


def test_another_program_that_holds_the_file_delays_ticks_only(pool: Pool, writer: TickWriter) -> None:
    with closing(sqlite3.connect(pool.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.put(NOW_MS, [tick()])
        assert not writer.flush(timeout=0.05)
        assert writer.stats().waiting == 1
        other.execute("COMMIT")

    assert writer.flush()
    assert len(stored(pool)) == 1


def test_put_does_not_wait_for_a_flush_that_hangs(pool: Pool, writer: TickWriter) -> None:
    with pool.get_connection():  # the writer's ticket is taken
        writer.put(NOW_MS, [tick()])
        flushing = threading.Thread(target=lambda: writer.flush(timeout=30))
        flushing.start()
        wait_until(writer._writing.locked)

        writer.put(NOW_MS + 1, [tick()])

        assert flushing.is_alive()
        assert writer.stats().waiting == 2
    flushing.join()
    assert writer.flush()


@pytest.mark.parametrize(
    "unusable",
    [
        tick(price=float("nan")),
        tick(price=float("inf")),
        tick(price=1e300),
        tick(price="12.5"),  # type: ignore[arg-type]
        tick(price=None),  # type: ignore[arg-type]
        tick(volume=2**80),
        tick(traded_ms=-(2**64)),
        tick(quantity=1.5),  # type: ignore[arg-type]
        tick(quantity="many"),  # type: ignore[arg-type]
        tick(key="\ud800"),
        tick(key=None),  # type: ignore[arg-type]
        (RELIANCE, 1.0),
        (),
    ],
)
def test_a_tick_that_is_none_is_counted_and_keeps_nobody_back(pool: Pool, writer: TickWriter, unusable: Any) -> None:
    writer.put(NOW_MS, [tick(price=1.0), unusable])
    writer.put(NOW_MS + 1, [tick(price=2.0)])

    assert writer.flush()

    stats = writer.stats()
    assert (stats.waiting, stats.written, stats.failures, stats.dropped) == (0, 2, 0, {UNUSABLE: 1})
    assert [row[2] for row in stored(pool)] == [10_000, 20_000]


def test_numbers_of_numpy_are_taken_as_numbers(pool: Pool, writer: TickWriter) -> None:
    writer.put(
        NOW_MS,
        [(INFY, np.float64(5.5), np.int64(NOW_MS - 1), np.int64(3), np.int64(9))],  # type: ignore[list-item]
    )

    assert writer.flush()

    assert stored(pool, INFY) == [(NOW_MS, NOW_MS - 1, 55_000, 3, 9)]


def test_a_frame_without_a_time_is_dropped_and_logged(
    pool: Pool, writer: TickWriter, caplog: pytest.LogCaptureFixture
) -> None:
    writer.put(None, [tick()])  # type: ignore[arg-type]

    assert writer.flush()

    assert writer.stats().dropped == {UNUSABLE: 1}
    assert "cannot be stored" in caplog.text


def test_close_writes_what_waits_and_counts_what_comes_later(pool: Pool) -> None:
    writer = TickWriter(pool)
    writer.put(NOW_MS, [tick()])

    writer.close()
    writer.put(NOW_MS, [tick(), tick()])
    writer.close()

    assert len(stored(pool)) == 1
    assert writer.stats().dropped == {CLOSED: 2}


def test_what_the_disk_does_not_take_at_close_is_counted(pool: Pool) -> None:
    broken = _Broken(pool)
    writer = TickWriter(broken)  # type: ignore[arg-type]
    writer.put(NOW_MS, [tick(), tick()])

    writer.close()

    assert (writer.stats().waiting, writer.stats().dropped) == (0, {NOT_STORED: 2})
    broken.mended = True
    writer.close()
    assert (writer.stats().written, writer.stats().dropped) == (2, {}), "the disk took them after all"


def test_a_big_backlog_is_written_in_bounded_transactions(pool: Pool) -> None:
    with closing(TickWriter(pool, most_at_once=100)) as writer, pool.get_connection():
        for number in range(4):
            writer.put(NOW_MS + number, [tick()] * 60)
        writer.put(NOW_MS + 5, [tick()] * 250)

    assert writer.stats().written == 490
    assert writer.stats().flushes == 7, "4 x 60, then 100, 100, 50"
    assert [row["id"] for row in all_rows(pool)] == list(range(1, 491))


def test_ten_threads_may_put_at_once(pool: Pool, writer: TickWriter) -> None:
    start = threading.Barrier(10)

    def feed(number: int) -> None:
        start.wait()
        for turn in range(50):
            writer.put(NOW_MS + turn, [tick(f"NSE_FO|{number}", float(turn))] * 3)

    threads = [threading.Thread(target=feed, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.flush()

    assert writer.stats().written == 1_500
    for number in range(10):
        assert [row[2] // 10_000 for row in stored(pool, f"NSE_FO|{number}")] == [n // 3 for n in range(150)]


def test_a_number_that_was_rolled_back_is_not_remembered(pool: Pool, writer: TickWriter) -> None:
    broken = [(NOW_MS, [tick(INFY), tick(price=float("nan"))])]
    with pytest.raises(ValueError, match="NaN"):
        writer._rows.write(broken, 1.0)
    with closing(TickWriter(pool)) as other:
        other.put(NOW_MS, [tick(NIFTY)])
        assert other.flush()

    writer.put(NOW_MS, [tick(INFY)])
    assert writer.flush()

    assert len(stored(pool, INFY)) == len(stored(pool, NIFTY)) == 1


def test_two_writers_share_a_file(pool: Pool) -> None:
    with closing(TickWriter(pool)) as one, closing(TickWriter(pool)) as two:
        for turn in range(5):
            for writer in (one, two):
                writer.put(NOW_MS + turn, [tick(price=float(turn)), tick(INFY)])
                assert writer.flush()

    assert [row[2] // 10_000 for row in stored(pool)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert len(stored(pool, INFY)) == 10


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    process = programs.start(
        """
        import sys
        from pathlib import Path
        from services.storage.pool import Pool
        from services.storage.tick_writer import TickWriter
        from tests.support.ticks import NOW_MS, open_pool, tick

        with open_pool(Path(sys.argv[1])) as pool:
            writer = TickWriter(pool)
            put = 0
            while True:
                for _ in range(20):
                    writer.put(NOW_MS + put, [tick(volume=put + n) for n in range(50)])
                    put += 50
                if writer.flush():
                    print(put, flush=True)
        """,
        tmp_path,
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(20)]
        process.kill()
        acknowledged = max(map(int, [*lines, *process.stdout.read().split()]))
    finally:
        process.kill()
        process.communicate(timeout=30)

    with open_pool(tmp_path) as pool, closing(TickWriter(pool)) as writer:
        volumes = [row[4] for row in stored(pool)]
        assert volumes == list(range(len(volumes))), "no gap, nothing twice"
        assert acknowledged <= len(volumes) <= acknowledged + 1_000
        writer.put(NOW_MS, [tick()])
        assert writer.flush(), "and the file goes on"
