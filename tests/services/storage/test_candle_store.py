from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from services.domain.candles import DAY, MINUTE, MONTH, WEEK, Interval
from services.domain.clock import epoch_ms
from services.domain.day_spans import DaySpans
from services.storage import candle_store
from services.storage.candle_store import CandleStore, Change, block_of
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from services.wire.candle_columns import CandleColumns, columns_of, no_candles
from tests.support.candle_columns import same
from tests.support.candles import KEY, FakeCandles, ist
from tests.support.clocks import FakeClock
from tests.support.programs import start

NOW = 1_790_000_000_000
MARKET = FakeCandles(FakeClock(ist("2026-11-21 10:00")))


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    file = tmp_path / "market_data.db"
    migrate_market(file, backups=tmp_path / "backups", now=datetime.now(UTC))
    with closing(Pool(file)) as made:
        yield made


@pytest.fixture
def store(pool: Pool) -> CandleStore:
    return CandleStore(pool)


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def told(interval: Interval, first: str, last: str) -> CandleColumns:
    return MARKET.bars(interval, [date.fromordinal(n) for n in range(ordinal(first), ordinal(last) + 1)])


def save(store: CandleStore, interval: Interval, first: str, last: str, source: str = "v3", **more: object) -> None:
    store.save(
        "x", KEY, interval, told(interval, first, last),
        covered=(ordinal(first), ordinal(last) + 1), source=source, fetched_ms=NOW, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def stored(store: CandleStore, interval: Interval, first: str, last: str) -> CandleColumns:
    return store.bars("x", KEY, interval, ordinal(first), ordinal(last) + 1).candles


@pytest.mark.parametrize("interval", [MINUTE, Interval.parse("15m"), Interval.parse("1h"), DAY, WEEK, MONTH])
def test_what_was_stored_is_read_back_with_the_days_it_covers(store: CandleStore, interval: Interval) -> None:
    save(store, interval, "2026-08-01", "2026-10-31")

    assert same(stored(store, interval, "2026-08-01", "2026-10-31"), told(interval, "2026-08-01", "2026-10-31"))
    assert store.coverage("x", KEY, interval) == {"v3": DaySpans([(ordinal("2026-08-01"), ordinal("2026-11-01"))])}


def test_days_stored_one_by_one_in_any_order_make_the_whole(store: CandleStore) -> None:
    for text in ("2026-10-14", "2026-10-12", "2026-10-16", "2026-10-13", "2026-10-15"):
        save(store, DAY, text, text)

    assert same(stored(store, DAY, "2026-10-12", "2026-10-16"), told(DAY, "2026-10-12", "2026-10-16"))
    assert len(store.coverage("x", KEY, DAY)["v3"]) == 1


def test_a_day_told_again_replaces_what_was_there_and_only_that(store: CandleStore) -> None:
    save(store, DAY, "2026-10-12", "2026-10-16")
    other = told(DAY, "2026-10-13", "2026-10-13")
    corrected = CandleColumns(*other.as_tuple()[:4], other.close + 1, *other.as_tuple()[5:])

    span = (ordinal("2026-10-13"), ordinal("2026-10-15"))
    store.save("x", KEY, DAY, corrected, covered=span, source="v2", fetched_ms=NOW + 5000)

    found = stored(store, DAY, "2026-10-01", "2026-10-31")
    assert [date.fromtimestamp(ms / 1000 + 19_800).day for ms in found.start_ms.tolist()] == [12, 13, 15, 16]  # noqa: DTZ012
    assert found.close[1] == corrected.close[0]
    coverage = store.coverage("x", KEY, DAY)
    assert coverage["v2"] == DaySpans([span])
    assert coverage["v3"] == DaySpans([(ordinal("2026-10-12"), span[0]), (span[1], ordinal("2026-10-17"))])


def test_an_empty_answer_covers_its_days_and_has_no_bars(store: CandleStore) -> None:
    store.save("x", KEY, MINUTE, no_candles(), covered=(10, 12), source="v3", fetched_ms=NOW)

    assert store.coverage("x", KEY, MINUTE) == {"v3": DaySpans([(10, 12)])}
    assert len(store.bars("x", KEY, MINUTE, 10, 12).candles) == 0


def test_bars_of_days_that_were_not_asked_for_are_not_taken(store: CandleStore) -> None:
    span = (ordinal("2026-10-13"), ordinal("2026-10-14"))

    store.save("x", KEY, DAY, told(DAY, "2026-10-12", "2026-10-16"), covered=span, source="v3", fetched_ms=NOW)

    assert len(stored(store, DAY, "2026-10-01", "2026-10-31")) == 1


def test_history_takes_the_place_of_what_was_told_while_the_day_ran(store: CandleStore) -> None:
    day = ordinal("2026-10-13")
    store.save_todays("x", KEY, MINUTE, told(MINUTE, "2026-10-13", "2026-10-13"), day=day, fetched_ms=NOW)
    store.save_todays("x", KEY, MINUTE, no_candles(), day=day + 1, fetched_ms=NOW)
    assert [(one.day, len(one.candles)) for one in store.todays("x", KEY, MINUTE, day, day + 2)] == [
        (day, 375),
        (day + 1, 0),
    ]
    assert store.coverage("x", KEY, MINUTE) == {}

    save(store, MINUTE, "2026-10-13", "2026-10-13")

    assert [one.day for one in store.todays("x", KEY, MINUTE, day, day + 2)] == [day + 1]


def test_old_running_days_are_let_go(store: CandleStore) -> None:
    for n in range(20):
        store.save_todays("x", KEY, MINUTE, no_candles(), day=739_000 + n, fetched_ms=NOW)

    kept = [one.day for one in store.todays("x", KEY, MINUTE, 738_000, 740_000)]

    assert kept == list(range(739_019 - candle_store.RUNNING_DAYS_KEPT, 739_020))


def test_markets_instruments_and_intervals_do_not_mix(store: CandleStore) -> None:
    save(store, DAY, "2026-10-12", "2026-10-16")

    assert (
        store.coverage("y", KEY, DAY)
        == store.coverage("x", "NSE_EQ|OTHER", DAY)
        == store.coverage("x", KEY, WEEK)
        == {}
    )


def test_notes_of_changes_are_found_by_time_and_survive_a_new_beginning(store: CandleStore) -> None:
    note = Change(1000, 5000, NOW, "changed", 3, "most: close 1 -> 2")
    save(store, DAY, "2026-10-12", "2026-10-16", changes=[note])

    store.forget("x", KEY)

    assert store.coverage("x", KEY, DAY) == {}
    assert len(stored(store, DAY, "2026-10-01", "2026-10-31")) == 0
    assert store.changes("x", KEY, DAY, 4000, 6000) == [note]
    assert store.changes("x", KEY, DAY, 5001, 6000) == []


def test_clearing_leaves_nothing(store: CandleStore) -> None:
    save(store, DAY, "2026-10-12", "2026-10-16")
    assert store.counts().candles == 5

    store.clear()

    assert (store.counts().series, store.counts().blocks, store.counts().bytes) == (0, 0, 0)
    save(store, DAY, "2026-10-12", "2026-10-16")
    assert store.counts().candles == 5


@pytest.mark.parametrize("scale", [1.0, 0.01, 0.0001])
def test_plain_sql_reads_the_stored_daily_bars_in_order(tmp_path: Path, store: CandleStore, scale: float) -> None:
    bars = told(DAY, "2026-01-01", "2026-10-31")
    prices = [np.round(column * scale, 9) for column in (bars.open, bars.high, bars.low, bars.close)]
    bars = columns_of([bars.start_ms, *prices, bars.volume * 7_000_000, bars.volume % 5])
    span = (ordinal("2026-01-01"), ordinal("2026-11-01"))
    store.save("x", KEY, DAY, bars, covered=span, source="v3", fetched_ms=NOW)
    save(store, MINUTE, "2026-10-12", "2026-10-12")

    with closing(sqlite3.connect(tmp_path / "market_data.db")) as connection:
        rows = connection.execute("SELECT * FROM ohlc_data").fetchall()
        october = connection.execute("SELECT count(*) FROM ohlc_data WHERE date >= '2026-10-01'").fetchone()

    dates = [datetime.fromtimestamp(ms / 1000 + 19_800, UTC).date().isoformat() for ms in bars.start_ms.tolist()]
    assert rows == list(
        zip([KEY] * len(bars), dates, *(column.tolist() for column in bars.as_tuple()[1:]), strict=True)
    )
    assert october == (sum(text >= "2026-10-01" for text in dates),)


def test_a_practice_day_begins_at_half_past_three(pool: Pool) -> None:
    store = CandleStore(pool, roll_ms=lambda: 12_600_000)
    starts = [
        epoch_ms(ist(text)) for text in ("2026-11-19 03:30", "2026-11-20 00:10", "2026-11-20 03:29", "2026-11-20 03:30")
    ]
    bars = columns_of([starts, *([[1.0] * 4] * 4), [1] * 4, [0] * 4])

    store.save(
        "x", KEY, MINUTE, bars, covered=(ordinal("2026-11-19"), ordinal("2026-11-20")), source="v3", fetched_ms=NOW
    )

    stored = store.bars("x", KEY, MINUTE, 1, 10**6)
    assert stored.block_days.tolist() == [ordinal("2026-11-19")]
    assert stored.candles.start_ms.tolist() == starts[:3]


def test_blocks_are_days_months_and_years() -> None:
    day = ordinal("2026-02-10")

    assert block_of(MINUTE, day) == (day, day + 1)
    assert block_of(DAY, day) == (ordinal("2026-02-01"), ordinal("2026-03-01"))
    assert block_of(WEEK, day) == block_of(MONTH, day) == (ordinal("2026-01-01"), ordinal("2027-01-01"))


WRITER = """
import sys
from datetime import date
from pathlib import Path
from services.domain.candles import DAY, MINUTE
from services.storage.candle_store import CandleStore
from services.storage.pool import Pool
from tests.services.storage.test_candle_store import MARKET

store, first = CandleStore(Pool(Path(sys.argv[1]))), date(2026, 2, 2).toordinal()
turn = int(sys.argv[2])
while True:
    low = first + turn * 3 % 200
    span = (low, low + 5)
    days = [date.fromordinal(day) for day in range(*span)]
    for interval in (MINUTE, DAY):
        store.save("x", "KEY", interval, MARKET.bars(interval, days), covered=span, source="v3", fetched_ms=turn)
    turn += 1
    print(turn, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_neither_torn_nor_falsely_covered_days(tmp_path: Path, pool: Pool) -> None:
    store, turn = CandleStore(pool), 0
    for lines in (1, 4, 2, 7, 3):
        with start(WRITER, pool.path, turn) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                turn = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)

        for interval in (MINUTE, DAY):
            covered = store.coverage("x", "KEY", interval)["v3"]
            days = [date.fromordinal(day) for span in covered for day in range(*span)]
            found = store.bars("x", "KEY", interval, 1, 10**6).candles
            assert same(found, MARKET.bars(interval, days))
            assert len(days) >= 5
    with closing(sqlite3.connect(pool.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    "query",
    [
        candle_store._SERIES, candle_store._OF_KEY, candle_store._COVERAGE, candle_store._FORGET_COVERAGE,
        candle_store._BLOCKS, candle_store._FORGET_BLOCKS, candle_store._ALL_BLOCKS_OF, candle_store._TODAY,
        candle_store._FORGET_TODAY, candle_store._ALL_TODAY_OF, candle_store._CHANGES,
    ],
)  # fmt: skip
def test_each_query_has_its_index(pool: Pool, query: str) -> None:
    with pool.get_connection(write=False) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", (0,) * query.count("?"))]

    assert plan
    assert all(step.startswith("SEARCH") for step in plan), plan
