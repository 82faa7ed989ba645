"""Ticks leave the log for the packed days, each once, whenever the packer is stopped or killed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import InvalidRequest
from services.storage.pool import Pool
from services.storage.tick_packing import TickPacker, Tidied
from services.storage.tick_store import TickCounts, TickStore
from services.storage.tick_writer import TickWriter
from tests.support import programs
from tests.support.ticks import DAY, DAY_MS, INFY, MIDNIGHT, NOW, NOW_MS, RELIANCE, a_market, open_pool, rows, tick

KEYS = [f"NSE_FO|{number}" for number in range(12)]


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with open_pool(tmp_path) as opened:
        yield opened


def fill(pool: Pool, ticks: int = 3_000, *, days: int = 1, start_ms: int = NOW_MS) -> None:
    with closing(TickWriter(pool)) as writer:
        for day in range(days):
            for at_ms, frame in a_market(KEYS, ticks, per_frame=40, seed=day):
                writer.put(at_ms + day * DAY_MS + start_ms - NOW_MS, frame)
        assert writer.flush()


def everything(pool: Pool, keys: list[str] = KEYS) -> dict[str, list[Any]]:
    store = TickStore(pool)
    return {key: rows(store.ticks(key, MIDNIGHT - 10 * DAY, MIDNIGHT + 20 * DAY)) for key in keys}


def one(pool: Pool, query: str, *values: object) -> Any:
    with pool.get_connection(write=False) as connection:
        return connection.execute(query, values).fetchone()[0]


def test_a_packed_day_is_the_same_day_in_one_blob_for_each_instrument(pool: Pool) -> None:
    fill(pool, days=2)
    before = everything(pool)

    done = TickPacker(pool, stretch_ticks=700).tidy(MIDNIGHT + 2 * DAY, log_days=0)

    assert done == Tidied(packed=6_000, merged=24, left_the_log=6_000, given_up=0, freed_bytes=0)
    assert everything(pool) == before
    assert one(pool, "SELECT count(*) FROM packed_ticks") == 24
    assert one(pool, "SELECT count(*) FROM websocket_ticks_v3") == 0
    assert one(pool, "SELECT count(*) FROM tick_spans") == 0


def test_only_what_was_received_before_is_packed(pool: Pool) -> None:
    fill(pool, days=2)

    TickPacker(pool).tidy(MIDNIGHT + DAY, log_days=0)

    assert TickStore(pool).count() == TickCounts(log=3_000, packed=3_000)
    assert [day.day for day in TickStore(pool).days(KEYS[0])] == [20, 21]


def test_a_second_run_finds_nothing_to_do(pool: Pool) -> None:
    fill(pool)
    packer = TickPacker(pool)
    packer.tidy(MIDNIGHT + DAY, log_days=0)

    assert packer.tidy(MIDNIGHT + DAY, log_days=0) == Tidied(0, 0, 0, 0, 0)


def test_late_ticks_of_a_packed_day_are_merged_into_it(pool: Pool) -> None:
    fill(pool)
    packer = TickPacker(pool)
    packer.tidy(MIDNIGHT + DAY, log_days=0)
    fill(pool, 600, start_ms=NOW_MS + 7)
    both = everything(pool)
    assert sum(len(ticks) for ticks in both.values()) == 3_600

    done = packer.tidy(MIDNIGHT + DAY, log_days=0)

    assert (done.packed, done.merged) == (600, 12)
    assert everything(pool) == both
    assert one(pool, "SELECT count(*) FROM packed_ticks") == 12


def test_the_log_can_be_read_by_sql_for_its_days_and_nothing_is_seen_twice(pool: Pool) -> None:
    fill(pool, days=3)
    before = everything(pool)

    done = TickPacker(pool).tidy(MIDNIGHT + 3 * DAY, log_days=1)

    assert (done.packed, done.left_the_log) == (9_000, 6_000)
    assert one(pool, "SELECT count(*) FROM websocket_ticks_v3") == 3_000
    assert TickStore(pool).count() == TickCounts(log=0, packed=9_000)
    assert everything(pool) == before


def test_numbers_of_the_log_are_not_given_twice(pool: Pool) -> None:
    fill(pool, 120)
    TickPacker(pool).tidy(MIDNIGHT + DAY, log_days=0)
    with closing(TickWriter(pool)) as writer:
        writer.put(NOW_MS, [tick()])
        assert writer.flush()

    assert one(pool, "SELECT min(id) FROM websocket_ticks_v3") == 121
    assert len(TickStore(pool).ticks(RELIANCE, MIDNIGHT, MIDNIGHT + DAY)) == 1


def test_old_days_are_given_up(pool: Pool) -> None:
    fill(pool, 120, days=4)

    done = TickPacker(pool).tidy(MIDNIGHT + 4 * DAY, log_days=0, packed_days=2)

    assert done.given_up == 240
    assert [day.day for day in TickStore(pool).days(KEYS[0])] == [22, 23]


def test_a_packer_that_is_told_to_stop_leaves_everything_readable(pool: Pool) -> None:
    fill(pool, days=2)
    before = everything(pool)
    for steps in range(40):
        left = iter(range(steps))

        TickPacker(pool, stretch_ticks=900, delete_ticks=1_500).tidy(
            MIDNIGHT + 2 * DAY, log_days=0, stop=lambda left=left: next(left, None) is None
        )

        assert everything(pool) == before
    TickPacker(pool).tidy(MIDNIGHT + 2 * DAY, log_days=0)
    assert everything(pool) == before
    assert one(pool, "SELECT count(*) FROM packed_ticks") == 24


def test_two_packers_and_a_writer_at_once_lose_and_double_nothing(pool: Pool) -> None:
    fill(pool, days=2)
    before = everything(pool)
    start, failures = threading.Barrier(3), []

    def pack() -> None:
        start.wait()
        try:
            TickPacker(pool, stretch_ticks=300, delete_ticks=400).tidy(MIDNIGHT + 2 * DAY, log_days=0)
        except Exception as error:  # noqa: BLE001  # shown below
            failures.append(error)

    packers = [threading.Thread(target=pack) for _ in range(2)]
    for packer in packers:
        packer.start()
    with closing(TickWriter(pool)) as writer:
        start.wait()
        for turn in range(200):
            writer.put(NOW_MS + turn, [tick(INFY, float(turn))])
            assert writer.flush()
            assert rows(TickStore(pool).last(INFY))[0][2] == turn * 10_000
            key = KEYS[turn % len(KEYS)]
            assert len(TickStore(pool).ticks(key, MIDNIGHT, MIDNIGHT + 2 * DAY)) == len(before[key])
    for packer in packers:
        packer.join()

    assert failures == []
    assert everything(pool) == before
    assert [row[2] // 10_000 for row in everything(pool, [INFY])[INFY]] == list(range(200))
    TickPacker(pool).tidy(MIDNIGHT + 2 * DAY, log_days=0)
    assert everything(pool) == before
    assert one(pool, "SELECT count(*) FROM packed_ticks") == 25


@pytest.mark.parametrize("lines", [1, 4, 9, 15, 26])
def test_a_killed_packer_leaves_everything_readable(tmp_path: Path, lines: int) -> None:
    with open_pool(tmp_path) as pool:
        fill(pool, days=2)
        before = everything(pool)
    process = programs.start(
        """
        import sys
        from pathlib import Path
        from services.storage.tick_packing import TickPacker
        from tests.support.ticks import DAY, MIDNIGHT, open_pool

        with open_pool(Path(sys.argv[1])) as pool:
            TickPacker(pool, stretch_ticks=900, delete_ticks=1_000).tidy(
                MIDNIGHT + 2 * DAY, log_days=0, stop=lambda: print("step", flush=True)
            )
        """,
        tmp_path,
    )
    try:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
    finally:
        process.kill()
        process.communicate(timeout=30)

    with open_pool(tmp_path) as pool:
        assert everything(pool) == before
        TickPacker(pool).tidy(MIDNIGHT + 2 * DAY, log_days=0)
        assert everything(pool) == before
        assert one(pool, "SELECT count(*) FROM packed_ticks") == 24
        assert one(pool, "PRAGMA integrity_check") == "ok"


def test_one_damaged_part_stays_apart_and_the_others_are_merged(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    fill(pool, 300)
    TickPacker(pool).tidy(MIDNIGHT + DAY, log_days=0)
    with pool.get_connection() as connection:
        connection.execute("UPDATE packed_ticks SET columns = x'00' WHERE instrument = 1")
    fill(pool, 300)

    done = TickPacker(pool).tidy(MIDNIGHT + DAY, log_days=0)

    assert done.merged == 11
    assert "stay in 2 parts" in caplog.text


def test_free_pages_go_back_to_the_disk_where_the_file_was_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "market_data.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")
    monkeypatch.setattr("services.storage.tick_packing.FREE_PAGES_KEPT", 10)
    monkeypatch.setattr("services.storage.tick_packing._FREE_AT_ONCE", 7)
    with open_pool(tmp_path) as pool:
        fill(pool, 20_000)

        done = TickPacker(pool).tidy(MIDNIGHT + DAY, log_days=0)

        assert done.freed_bytes > 300_000
        assert one(pool, "PRAGMA freelist_count") == 10
        assert TickStore(pool).count().total == 20_000


def test_in_another_file_the_next_day_takes_the_place_of_the_last(pool: Pool) -> None:
    packer, pages = TickPacker(pool), []
    for day in range(4):
        fill(pool, 20_000, start_ms=NOW_MS + day * DAY_MS)
        packer.tidy(MIDNIGHT + (day + 1) * DAY, log_days=0, packed_days=1)
        pages.append(one(pool, "PRAGMA page_count"))

    assert pages[3] < 1.05 * pages[1], "two packed days and one of the log, from the second day on"


def test_nonsense_is_refused(pool: Pool) -> None:
    packer = TickPacker(pool)
    with pytest.raises(InvalidRequest, match="time zone"):
        packer.tidy(NOW.replace(tzinfo=None))
    with pytest.raises(InvalidRequest, match="kept"):
        packer.tidy(NOW, log_days=-1)
    with pytest.raises(InvalidRequest, match="kept"):
        packer.tidy(NOW + timedelta(days=1), packed_days=0)
