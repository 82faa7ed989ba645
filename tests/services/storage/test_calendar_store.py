"""What the broker said of the calendar lies in the file as he said it, by date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.domain.accounts import Holiday, MarketStatus
from services.domain.calendar.calendar import BUNDLED
from services.domain.errors import MalformedPayload
from services.domain.phases import Market
from services.storage.calendar_store import STATUS_KEPT, CalendarStore
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.calendar import EVERYONE, holiday, ist, window

NOW = ist("2026-11-23 11:00")
TODAY = date(2026, 11, 23)
YEAR = date(2026, 1, 1)
CHRISTMAS = holiday(date(2026, 12, 25), closed=EVERYONE, name="Christmas")
DRILL = holiday(
    date(2026, 3, 7),
    closed=("MCX",),
    opened=[
        window("NSE", date(2026, 3, 7), "09:15", "10:00"),
        window("NSE", date(2026, 3, 7), "11:30", "12:30"),
        window("BSE", date(2026, 3, 7), "09:15", "10:00"),
    ],
    kind="SPECIAL_TIMING",
    name="Drill",
)
NOBODY = Holiday("2026-11-08", "Diwali, hours to be announced", "SPECIAL_TIMING", (), ())


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    path = tmp_path / "market_data.db"
    migrate_market(path, backups=tmp_path / "backups", now=NOW)
    with closing(Pool(path)) as made:
        yield made


@pytest.fixture
def store(pool: Pool) -> CalendarStore:
    return CalendarStore(pool)


def test_a_list_comes_back_in_the_brokers_own_words(store: CalendarStore) -> None:
    assert store.save_holidays("Upstox", [DRILL, NOBODY, CHRISTMAS], NOW) == (2026,)

    assert store.holidays("Upstox", since=YEAR) == (DRILL, NOBODY, CHRISTMAS)
    assert store.holidays("Upstox", since=date(2026, 12, 1)) == (CHRISTMAS,)
    assert store.holidays("paper broker", since=YEAR) == ()
    assert store.holidays_heard("Upstox")[2026].fetched_at == NOW


def test_a_date_may_have_two_rows(store: CalendarStore) -> None:
    closed = holiday(date(2026, 11, 8), closed=("NSE",), name="Diwali")
    muhurat = holiday(date(2026, 11, 8), opened=[window("NSE", date(2026, 11, 8), "18:15", "19:15")], name="Muhurat")

    store.save_holidays("Upstox", [closed, muhurat], NOW)

    assert store.holidays("Upstox", since=YEAR) == (closed, muhurat)


def test_a_younger_list_replaces_its_own_year_only(store: CalendarStore) -> None:
    old = holiday(date(2025, 12, 25), closed=("NSE",), name="Christmas")
    store.save_holidays("Upstox", [old], NOW - timedelta(days=300))
    store.save_holidays("Upstox", [DRILL, CHRISTMAS], NOW - timedelta(hours=1))

    store.save_holidays("Upstox", [CHRISTMAS], NOW)

    assert store.holidays("Upstox", since=date(2025, 1, 1)) == (old, CHRISTMAS)
    assert store.holidays_heard("Upstox")[2026].rows == 1


def test_an_empty_list_is_no_answer_and_takes_nothing_away(store: CalendarStore) -> None:
    store.save_holidays("Upstox", [CHRISTMAS], NOW)

    with pytest.raises(MalformedPayload):
        store.save_holidays("Upstox", [], NOW)

    assert store.holidays("Upstox", since=YEAR) == (CHRISTMAS,)


def test_hours_of_a_day_are_kept_and_none_is_an_answer_too(store: CalendarStore) -> None:
    hours = (window("NSE", TODAY, "09:15", "15:30"), window("MCX", TODAY, "09:00", "23:55"))
    store.save_timings("Upstox", TODAY, hours, NOW)
    store.save_timings("Upstox", date(2026, 12, 25), (), NOW)

    assert store.timings("Upstox", since=YEAR) == {TODAY: hours, date(2026, 12, 25): ()}
    assert set(store.timings_heard("Upstox")) == {TODAY, date(2026, 12, 25)}

    store.save_timings("Upstox", TODAY, hours[:1], NOW)
    assert store.timings("Upstox", since=TODAY)[TODAY] == hours[:1]


def test_a_status_that_stays_is_one_row_that_is_heard_again(store: CalendarStore, pool: Pool) -> None:
    opened = MarketStatus("NSE", "NORMAL_OPEN", NOW - timedelta(hours=2), "NORMAL_OPEN")
    later = NOW + timedelta(minutes=5)
    store.save_statuses("Upstox", [opened], NOW)
    store.save_statuses("Upstox", [opened], later)

    heard = store.statuses("Upstox", ["NSE", "MCX"], later)

    assert list(heard) == ["NSE"]
    assert (heard["NSE"].status, heard["NSE"].first_seen, heard["NSE"].fetched_at) == (opened, NOW, later)
    with pool.get_connection(write=False) as connection:
        assert connection.execute("SELECT count(*) FROM market_status").fetchone()[0] == 1


def test_another_word_is_another_row_and_old_rows_go(store: CalendarStore, pool: Pool) -> None:
    opened, closed = (MarketStatus("NSE", word, NOW, None) for word in ("NORMAL_OPEN", "NORMAL_CLOSE"))
    long_ago = NOW - STATUS_KEPT - timedelta(days=1)
    store.save_statuses("Upstox", [MarketStatus("NSE", "NORMAL_OPEN", long_ago, None)], long_ago)
    store.save_statuses("Upstox", [opened], NOW - timedelta(hours=1))
    store.save_statuses("Upstox", [closed], NOW)

    assert store.statuses("Upstox", ["NSE"], NOW)["NSE"].status.status == "NORMAL_CLOSE"
    assert store.statuses("Upstox", ["NSE"], NOW - timedelta(minutes=1))["NSE"].status.status == "NORMAL_OPEN"
    with pool.get_connection(write=False) as connection:
        assert connection.execute("SELECT count(*) FROM market_status").fetchone()[0] == 2


def test_the_desks_own_table_can_be_selected_beside_the_broker(store: CalendarStore, pool: Pool) -> None:
    store.save_holidays("Upstox", [CHRISTMAS], NOW)

    for _ in range(2):
        store.save_table(TODAY, BUNDLED.named_days(2026), [BUNDLED.day(market, TODAY) for market in Market], NOW)

    with pool.get_connection(write=False) as connection:
        christmas = connection.execute(
            "SELECT source, closed FROM market_holidays WHERE day = '2026-12-25' AND exchange = 'NSE' ORDER BY source"
        ).fetchall()
        phases = connection.execute(
            "SELECT phase FROM market_timings WHERE day = '2026-11-23' AND exchange = 'NSE' ORDER BY part"
        ).fetchall()
        muhurat = connection.execute(
            "SELECT closed, starts_ms FROM market_holidays WHERE day = '2026-11-08' AND exchange = 'MCX'"
        ).fetchone()
    assert [tuple(row) for row in christmas] == [("Upstox", 1), ("table", 1)]
    assert {"pre-open", "open", "post-close"} == {row["phase"] for row in phases}
    assert muhurat["closed"] == 0
    assert store.holidays("Upstox", since=YEAR) == (CHRISTMAS,)
