"""A year as dated lines."""

from __future__ import annotations

from datetime import date

import pytest

from dashboard.calendar_words import EntryKind
from dashboard.calendar_year import expiry_market, lines_of, of_kinds, year_plan
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride
from services.domain.calendar.expiries import expiries_on
from services.domain.phases import Market
from tests.support.calendar_instants import at

CURRENCIES_REST = date(2026, 2, 19)
MUHURAT = date(2026, 11, 8)


def on(day, *, market=None, calendar=BUNDLED):
    return [line for line in year_plan(calendar, day.year, market).entries if line.day == day]


def test_a_holiday_tells_who_rests_and_who_trades_in_the_evening():
    holiday, evening = on(date(2026, 11, 24))

    assert (holiday.kind, holiday.name) == (EntryKind.HOLIDAY, "Guru Nanak Jayanti")
    assert holiday.hours_text == "shares, F&O, currency closed"
    assert (evening.kind, evening.hours_text) == (EntryKind.PART, "commodities 17:00–23:55")
    assert holiday.source
    assert holiday.confirmed


def test_a_year_of_one_market_has_the_lines_of_that_market_only():
    (evening,) = on(date(2026, 11, 24), market=Market.MCX)

    assert (evening.kind, evening.markets, evening.hours_text) == (
        EntryKind.PART,
        (Market.MCX,),
        "MCX commodities 17:00–23:55",
    )


def test_a_special_session_with_unconfirmed_hours_says_so_and_names_none():
    special = on(MUHURAT)[0]

    assert (special.kind, special.confirmed, special.sessions) == (EntryKind.SPECIAL, False, ())
    assert "hours not published" in special.hours_text


def test_the_muhurat_afternoon_of_2025_has_its_hours():
    special = on(date(2025, 10, 21))[0]

    assert special.kind is EntryKind.SPECIAL
    assert "13:45–14:45" in special.hours_text
    assert (at("2025-10-21T13:45"), at("2025-10-21T14:45")) in [(start, end) for _, start, end in special.sessions]


def test_on_a_settlement_holiday_shares_trade_and_the_holiday_is_that_of_currencies():
    lines = on(CURRENCIES_REST)

    settlement = next(line for line in lines if line.kind is EntryKind.SETTLEMENT)
    holiday = next(line for line in lines if line.kind is EntryKind.HOLIDAY)
    assert Market.NSE in settlement.markets
    assert set(holiday.markets) == {Market.CDS, Market.BCD}
    assert holiday.mark(tuple(Market)) == "h"
    assert holiday.mark((Market.CDS,)) == "H"


def test_the_monthly_expiry_of_november_2026_is_on_the_monday_before_the_holiday():
    (expiry,) = on(date(2026, 11, 23))

    assert (expiry.kind, expiry.markets, expiry.confirmed) == (EntryKind.EXPIRY, (Market.NFO,), True)
    assert not any(line.kind is EntryKind.EXPIRY for line in on(date(2026, 11, 24)))


def test_what_is_derived_of_commodities_makes_no_index_expiry_doubtful():
    lines = on(date(2026, 10, 27))

    assert {line.markets: line.confirmed for line in lines} == {(Market.NFO,): True, (Market.MCX,): False}


def test_since_december_2026_index_contracts_stop_earlier_on_their_last_day():
    before, after = on(date(2026, 12, 1)), on(date(2026, 12, 8))

    assert before[0].hours == ()
    assert after[0].hours == (("expiring index contracts", "09:15–15:30"),)


@pytest.mark.parametrize("year", range(2019, 2027))
def test_each_expiry_belongs_to_the_market_that_trades_on_its_day(year):
    days = {line.day for line in year_plan(BUNDLED, year).entries if line.kind in (EntryKind.EXPIRY, EntryKind.WEEKLY)}

    assert len(days) > 50
    for day in days:
        for expiry in expiries_on(day):
            assert BUNDLED.is_trading_day(expiry_market(expiry.label), day), (day, expiry)


def test_lines_are_in_order_and_each_is_told_once():
    entries = year_plan(BUNDLED, 2026).entries

    assert [line.day for line in entries] == sorted(line.day for line in entries)
    told = [(line.day, line.kind, line.name, line.markets) for line in entries]
    assert len(told) == len(set(told))


def test_a_year_that_is_not_published_has_no_line_and_no_open_day():
    plan = year_plan(BUNDLED, 2027)

    assert not plan.published
    assert plan.entries == ()
    assert len(plan.unknown) == 365


def test_what_the_broker_says_of_an_unpublished_year_is_shown_and_the_rest_stays_unknown():
    said = DayOverride(Market.NSE, date(2027, 1, 26), (), "Republic Day", "TRADING_HOLIDAY", "the broker's holidays")
    calendar = MarketCalendar([said])
    plan = year_plan(calendar, 2027)

    assert plan.published
    assert [(line.day, line.name, line.source) for line in plan.entries] == [
        (date(2027, 1, 26), "Republic Day", "the broker's holidays")
    ]
    assert set(plan.unpublished) == set(Market) - {Market.NSE}
    assert date(2027, 1, 27) in plan.unknown
    assert lines_of(calendar, date(2027, 1, 26)) == plan.entries


def test_a_holiday_declared_by_the_broker_becomes_a_line():
    said = DayOverride(Market.NSE, date(2026, 11, 25), (), "State mourning", "TRADING_HOLIDAY", "the broker's holidays")

    line = on(date(2026, 11, 25), market=Market.NSE, calendar=MarketCalendar([said]))[0]

    assert (line.kind, line.name) == (EntryKind.HOLIDAY, "State mourning")


def test_kinds_are_filtered_and_none_means_all():
    entries = year_plan(BUNDLED, 2026).entries

    assert {line.kind for line in of_kinds(entries, [EntryKind.SPECIAL])} == {EntryKind.SPECIAL}
    assert of_kinds(entries, []) == entries
