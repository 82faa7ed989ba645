"""What the broker's answers mean for each market: the documented samples as they are printed, and odd ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendar.brokers_word import BrokersWord, told_of_day
from services.calendar.compare import applied
from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.calendar.calendar import MarketCalendar
from services.domain.calendar.days import DayOverride
from services.domain.clock import IST
from services.domain.phases import Market
from services.wire.market import parse_holidays, parse_status, parse_timings
from tests.support.calendar import EQUITY, EVERYONE, at, holiday, ist, window
from tests.support.shared_data import shared

DAY = date(2026, 11, 23)
HOURS = [window("NSE", DAY, "09:15", "15:30"), window("MCX", DAY, "09:00", "23:55")]
NOW = ist("2026-11-23 11:00")
_MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: at(DAY, f"{minute // 60:02}:{minute % 60:02}"))
WINDOWS = st.builds(
    lambda exchange, start, minutes: Window(exchange, start, start + timedelta(minutes=minutes)),
    st.sampled_from([*EVERYONE, "NCDEX"]),
    _MINUTES,
    st.integers(1, 24 * 60),
)
ROWS = st.builds(
    lambda closed, opened, kind: holiday(DAY, closed=closed, opened=opened, kind=kind),
    st.lists(st.sampled_from([*EVERYONE, "NSCOM", "NCDEX"])),
    st.lists(WINDOWS, max_size=4),
    st.sampled_from(["TRADING_HOLIDAY", "SETTLEMENT_HOLIDAY", "SPECIAL_TIMING", "NEW_KIND"]),
)


def told(rows: list[Holiday], timings: list[Window] | None = None, day: date = DAY) -> dict[Market, DayOverride]:
    return {one.market: one for one in told_of_day(day, rows, timings, "Upstox")}


def clock(hours: tuple[tuple[datetime, datetime], ...]) -> list[str]:
    return [f"{start.astimezone(IST):%H:%M}-{end.astimezone(IST):%H:%M}" for start, end in hours]


def sample(name: str) -> object:
    return orjson.loads(shared(name).read_bytes())["data"]


def rows_of(holidays: list[Holiday], day: str) -> dict[Market, DayOverride]:
    return told([row for row in holidays if row.day == day], day=date.fromisoformat(day))


def test_the_documented_list_of_2024_is_understood_exchange_by_exchange() -> None:
    holidays = parse_holidays(sample("data/upstox_api_samples/get-market-holidays.json"))

    new_year = rows_of(holidays, "2024-01-01")
    drill = rows_of(holidays, "2024-01-20")
    republic = rows_of(holidays, "2024-01-26")

    assert all(one.hours for one in new_year.values()), "called a trading holiday, and everybody trades"
    assert clock(new_year[Market.MCX].hours) == ["09:00-17:00"]
    assert clock(new_year[Market.NSE].hours) == ["09:15-15:30"]
    assert {market for market, one in drill.items() if not one.hours} == {Market.MCX, Market.CDS, Market.BCD}
    assert clock(drill[Market.BFO].hours) == ["09:15-12:30"]
    assert set(republic) == {Market(name) for name in EVERYONE}
    assert not any(one.hours for one in republic.values())
    assert republic[Market.NSE].name == "Republic Day"


def test_the_documented_timings_are_the_hours_of_each_exchange() -> None:
    windows = parse_timings(sample("data/upstox_api_samples/get-market-timings.json"))

    hours = told([], windows, date(2024, 1, 1))

    assert set(hours) == {Market(name) for name in EVERYONE}
    assert clock(hours[Market.MCX].hours) == ["09:00-17:00"]
    assert clock(hours[Market.CDS].hours) == ["09:00-17:00"]
    assert clock(hours[Market.NFO].hours) == ["09:15-15:30"]


@pytest.mark.parametrize(
    ("name", "exchange", "cas"),
    [
        ("data/upstox_api_samples/get-market-status.json", "NSE", None),
        ("upstox/examples/market_status.json", "NSE", "NORMAL_OPEN"),
        ("upstox/examples/market_status_no_cas.json", "MCX", None),
    ],
)
def test_the_documented_statuses_are_read_as_printed(name: str, exchange: str, cas: str | None) -> None:
    status = parse_status(sample(name))

    assert (status.exchange, status.status, status.cas_status) == (exchange, "NORMAL_OPEN", cas)


def test_the_list_of_2026_leaves_the_commodity_evening_open() -> None:
    holidays = parse_holidays(sample("upstox/examples/market_holidays.json"))

    christmas = rows_of(holidays, "2026-12-25")
    muhurat = rows_of(holidays, "2026-11-08")

    assert christmas[Market.NSE].hours == ()
    assert clock(christmas[Market.MCX].hours) == ["17:00-23:30"]
    assert set(muhurat) == {Market(name) for name in EQUITY}
    assert muhurat[Market.NSE].kind == "SPECIAL_TIMING"
    assert parse_holidays(sample("upstox/examples/market_holiday_none.json")) == []


def test_nothing_told_of_a_market_is_nothing_known_of_it() -> None:
    assert told([]) == {}
    assert told([holiday(DAY, closed=("NSE",))]).keys() == {Market.NSE}
    assert Market.BCD not in told([], HOURS), "a market may be missing from the hours without being closed"


def test_no_hours_at_all_close_the_markets_that_are_listed_there() -> None:
    closed = told([], [])

    assert set(closed) == {Market(name) for name in EVERYONE}
    assert Market.NSCOM not in closed


def test_hours_of_the_day_count_more_than_hours_of_the_list() -> None:
    row = holiday(DAY, opened=[window("NSE", DAY, "10:00", "11:00")], kind="SPECIAL_TIMING")

    assert clock(told([row])[Market.NSE].hours) == ["10:00-11:00"]
    assert clock(told([row], HOURS)[Market.NSE].hours) == ["09:15-15:30"]


def test_a_declared_holiday_counts_more_than_hours_of_before() -> None:
    declared = told([holiday(DAY, closed=EQUITY)], HOURS)

    assert declared[Market.NSE].hours == ()
    assert clock(declared[Market.MCX].hours) == ["09:00-23:55"]


def test_a_settlement_holiday_closes_a_market_only_where_its_hours_say_so() -> None:
    row = holiday(DAY, closed=EVERYONE, kind="SETTLEMENT_HOLIDAY", name="Id-E-Milad")

    with_hours = told([row], HOURS)

    assert told([row]) == {}
    assert clock(with_hours[Market.NSE].hours) == ["09:15-15:30"]
    assert with_hours[Market.CDS].hours == ()
    assert with_hours[Market.NSE].kind == "SETTLEMENT_HOLIDAY"


def test_a_session_in_one_row_opens_what_another_row_closes() -> None:
    rows = [
        holiday(DAY, closed=EVERYONE, name="Diwali"),
        holiday(DAY, opened=[window("NSE", DAY, "18:15", "19:15")], kind="SPECIAL_TIMING", name="Muhurat"),
    ]

    both = told(rows)

    assert clock(both[Market.NSE].hours) == ["18:15-19:15"]
    assert both[Market.MCX].hours == ()


def test_hours_of_another_date_are_no_answer() -> None:
    yesterday = date(2026, 11, 20)
    stale = [window("NSE", yesterday, "09:15", "15:30")]

    assert told([], stale) == {}
    assert told([holiday(DAY, opened=stale)]) == {}
    assert clock(told([], stale + HOURS)[Market.NSE].hours) == ["09:15-15:30"]


@given(rows=st.lists(ROWS, max_size=3), timings=st.none() | st.lists(WINDOWS, max_size=6))
def test_whatever_is_told_makes_a_calendar_that_can_be_asked(rows: list[Holiday], timings: list[Window] | None) -> None:
    overrides = told_of_day(DAY, rows, timings, "Upstox")
    calendar = MarketCalendar(applied(overrides))

    assert len({one.market for one in overrides}) == len(overrides)
    for one in overrides:
        windows = calendar.day(one.market, DAY).windows
        assert all(a.start < a.end <= b.start for a, b in pairwise(windows))
        for instant in (NOW, *(edge for pair in one.hours for edge in pair)):
            assert calendar.phase(one.market, instant).reason


def test_exchanges_that_nobody_knows_are_passed_over() -> None:
    rows = [holiday(DAY, closed=("NCDEX",), opened=[window("ICEX", DAY, "10:00", "11:00")])]

    assert told(rows, [window("NCDEX", DAY, "10:00", "17:00")]) == {}


def test_a_younger_list_replaces_the_years_it_is_about() -> None:
    old, new = holiday(date(2025, 12, 25), closed=("NSE",)), holiday(DAY, closed=("NSE",))
    word = BrokersWord().with_holidays([old], NOW - timedelta(days=300)).with_holidays([new], NOW)

    again = word.with_holidays([holiday(date(2026, 12, 25), closed=("NSE",))], NOW)

    assert [row.day for row in again.holidays] == ["2025-12-25", "2026-12-25"]
    assert again.years == {2025: NOW - timedelta(days=300), 2026: NOW}
    assert again.holidays_at(NOW) == NOW


def test_a_word_that_stays_keeps_its_first_instant() -> None:
    opened = {Market.NSE: MarketStatus("NSE", "NORMAL_OPEN", NOW, None)}
    closed = {Market.NSE: MarketStatus("NSE", "NORMAL_CLOSE", NOW, None)}
    later = NOW + timedelta(minutes=5)

    twice = BrokersWord().with_statuses(opened, NOW).with_statuses(opened, later)

    assert (twice.statuses[Market.NSE].first_seen, twice.statuses_at(later)) == (NOW, later)
    assert twice.with_statuses(closed, later).statuses[Market.NSE].first_seen == later
    assert BrokersWord().statuses_at(NOW) is None
