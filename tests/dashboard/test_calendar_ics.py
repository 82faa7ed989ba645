"""The calendar file, read back by another library than the one that writes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from ical.calendar import Calendar as ReadBack
from ical.calendar_stream import IcsCalendarStream
from ical.event import EventStatus

from dashboard.calendar_ics import USUAL_KINDS, address, calendar_file, chosen_kinds, chosen_market, file_name
from dashboard.calendar_words import EntryKind
from dashboard.calendar_year import year_plan
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride
from services.domain.errors import InvalidRequest
from services.domain.phases import Market

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def read_back(calendar=BUNDLED, *, now=NOW, **choices) -> ReadBack:
    return IcsCalendarStream.calendar_from_ics(calendar_file(calendar, now=now, **choices).decode())


def on(book, day):
    return [event for event in book.events if event.start == day]


def test_every_line_of_two_years_is_in_the_file_once():
    book = read_back(market=Market.NSE, kinds=tuple(EntryKind))

    entries = [line for year in (2025, 2026) for line in year_plan(BUNDLED, year, Market.NSE).entries]
    assert len(book.events) == len(entries)
    assert len({event.uid for event in book.events}) == len(book.events)


def test_a_holiday_is_a_whole_indian_day():
    (event,) = on(read_back(market=Market.NSE), date(2026, 11, 24))

    assert (event.start, event.end) == (date(2026, 11, 24), date(2026, 11, 25))
    assert event.summary == "Guru Nanak Jayanti: NSE shares closed"
    assert "NSE/FAOP/71777" in event.description


def test_a_special_session_is_timed_in_utc():
    book = read_back(market=Market.NFO, kinds=(EntryKind.SPECIAL,))
    event = next(event for event in book.events if event.uid.startswith("2025-10-21"))

    assert (event.start, event.end) == (
        datetime(2025, 10, 21, 8, 15, tzinfo=UTC),
        datetime(2025, 10, 21, 9, 15, tzinfo=UTC),
    )


def test_an_evening_of_the_commodity_exchange_is_timed():
    book = read_back(market=Market.MCX, kinds=(EntryKind.PART,))
    event = next(event for event in book.events if event.uid.startswith("2026-11-24"))

    assert event.start == datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
    assert event.end == datetime(2026, 11, 24, 18, 25, tzinfo=UTC)


def test_what_is_not_confirmed_says_so_in_status_and_text():
    event = on(read_back(kinds=(EntryKind.SPECIAL,)), date(2026, 11, 8))[0]

    assert event.status is EventStatus.TENTATIVE
    assert "hours not published" in event.summary
    assert "unconfirmed" in event.summary
    assert "Unconfirmed." in event.description


def test_an_unpublished_year_puts_nothing_into_the_file():
    assert max(event.start_datetime for event in read_back().events).year == 2026


def test_a_subscription_that_comes_again_finds_the_same_events():
    today, tomorrow = read_back(), read_back(now=NOW + timedelta(days=1))

    assert [(event.uid, event.summary) for event in today.events] == [
        (event.uid, event.summary) for event in tomorrow.events
    ]


def test_a_date_keeps_its_uid_when_its_name_changes():
    said = DayOverride(Market.NSE, date(2026, 11, 24), (), "Gurpurab", "TRADING_HOLIDAY", "the broker")
    before = on(read_back(market=Market.NSE), date(2026, 11, 24))
    after = on(read_back(MarketCalendar([said]), market=Market.NSE), date(2026, 11, 24))

    assert [event.uid for event in before] == [event.uid for event in after]
    assert after[0].summary == "Gurpurab: NSE shares closed"


def test_events_do_not_make_their_reader_busy_and_the_file_tells_when_to_ask_again():
    text = calendar_file(BUNDLED, now=NOW).decode()

    assert text.count("TRANSP:TRANSPARENT") == text.count("BEGIN:VEVENT")
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


@pytest.mark.parametrize("now", [NOW, NOW - timedelta(days=700), datetime(2019, 1, 1, tzinfo=UTC)])
def test_the_file_can_be_made_at_any_time(now):
    assert read_back(now=now).events


@pytest.mark.parametrize(("text", "market"), [(None, None), ("", None), ("ALL", None), ("nse", Market.NSE)])
def test_markets_are_chosen_by_name(text, market):
    assert chosen_market(text) is market


@pytest.mark.parametrize(
    ("text", "kinds"),
    [(None, USUAL_KINDS), ("", USUAL_KINDS), ("special, holiday", (EntryKind.HOLIDAY, EntryKind.SPECIAL))],
)
def test_kinds_are_chosen_by_word(text, kinds):
    assert chosen_kinds(text) == kinds


def test_words_that_mean_nothing_are_refused_with_those_that_do():
    with pytest.raises(InvalidRequest, match="NSE, BSE"):
        chosen_market("NASDAQ")
    with pytest.raises(InvalidRequest, match="holiday, special"):
        chosen_kinds("holiday,party")


@pytest.mark.parametrize(
    ("market", "kinds", "path"),
    [
        (None, USUAL_KINDS, "/calendar.ics"),
        (Market.MCX, USUAL_KINDS, "/calendar.ics?market=MCX"),
        (None, (EntryKind.SPECIAL, EntryKind.HOLIDAY), "/calendar.ics?kinds=holiday,special"),
    ],
)
def test_an_address_leads_back_to_its_choices(market, kinds, path):
    assert address(market, kinds) == path
    assert file_name(market).endswith(".ics")
