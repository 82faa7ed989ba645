"""Which of broker and table is followed, what is a contradiction, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest

from services.calendar.compare import (
    JITTER,
    Verdict,
    applied,
    contradiction_of_status,
    contradictions_of_days,
    message,
    status_verdict,
)
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride
from services.domain.phases import Market
from tests.support.calendar import at, ist

MONDAY, SUNDAY, TUESDAY_OFF = date(2026, 11, 23), date(2026, 11, 22), date(2026, 11, 24)
NEXT_YEAR = date(2027, 1, 5)
NOW = ist("2026-11-23 11:00")


def says(day: date, *hours: tuple[str, str], market: Market = Market.NSE, kind: str = "") -> DayOverride:
    return DayOverride(market, day, tuple((at(day, a), at(day, b)) for a, b in hours), "", kind, "Upstox")


def argued(told: Iterable[DayOverride], today: date = MONDAY) -> list[str]:
    return [message(one, today) for one in contradictions_of_days(told, today=today, now=NOW)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (says(MONDAY), "Upstox says NSE is closed today; the desk's calendar says it trades until 15:30."),
        (
            says(MONDAY, ("10:00", "15:30")),
            "Upstox says NSE trades 10:00 to 15:30 today; the desk's calendar says it trades 09:15 to 15:30.",
        ),
        (
            says(TUESDAY_OFF, ("09:15", "15:30")),
            "Upstox says NSE trades 09:15 to 15:30 on Tue 24 Nov 2026; the desk's calendar says it is closed "
            "(Guru Nanak Jayanti).",
        ),
        (
            says(date(2026, 11, 29), ("10:00", "11:30")),
            "Upstox says NSE trades 10:00 to 11:30 on Sun 29 Nov 2026; the desk's calendar says it is closed (Sunday).",
        ),
    ],
)
def test_a_difference_is_followed_and_told(said: DayOverride, told: str) -> None:
    assert applied([said]) == [said]
    [text] = argued([said])
    assert text.replace("Prakash Gurpurb of Guru Nanak", "Guru Nanak Jayanti") == told


@pytest.mark.parametrize(
    "said",
    [
        says(MONDAY, ("09:15", "15:30")),
        says(MONDAY, ("09:15", "15:29")),
        says(MONDAY, ("09:15", "15:35")),  # with the closing auction
        says(MONDAY, ("09:00", "23:55"), market=Market.MCX),
        says(date(2024, 3, 2), ("09:15", "12:30")),  # a drill in two parts, told as one
        says(date(2024, 3, 2), ("09:15", "10:00"), ("11:30", "12:30")),
        says(TUESDAY_OFF),
        says(SUNDAY),
    ],
)
def test_the_same_told_in_another_way_changes_nothing(said: DayOverride) -> None:
    assert applied([said]) == []
    assert argued([said], today=min(said.day, MONDAY)) == []


@pytest.mark.parametrize("hours", [("09:15", "16:00"), ("09:00", "15:30"), ("09:15", "15:00"), ("18:15", "19:15")])
def test_other_hours_are_other_hours(hours: tuple[str, str]) -> None:
    assert len(argued([says(MONDAY, hours)])) == 1


def test_an_unpublished_year_is_filled_in_without_an_argument() -> None:
    told = [says(NEXT_YEAR, ("09:15", "15:30")), says(date(2027, 1, 26))]

    assert applied(told) == told
    assert argued(told, today=NEXT_YEAR) == []


def test_unconfirmed_hours_are_settled_by_the_broker_and_an_unconfirmed_session_is_argued_about() -> None:
    later = date(2026, 12, 8)  # the longer hours of December: decided, the exchange's circular was not seen
    assert not BUNDLED.day(Market.NFO, later).confirmed
    usual, other, closed = (
        says(later, *hours, market=Market.NFO) for hours in ([("09:15", "15:45")], [("09:15", "15:40")], [])
    )

    assert applied([usual]) == [usual]
    assert MarketCalendar([usual]).day(Market.NFO, later).confirmed
    assert (applied([other]), argued([other], today=later)) == ([other], [])
    assert len(argued([closed], today=later)) == 1


def test_a_settlement_holiday_of_the_broker_is_taken_over_and_is_no_argument() -> None:
    said = says(MONDAY, ("09:15", "15:30"), kind="SETTLEMENT_HOLIDAY")

    assert (applied([said]), argued([said])) == ([said], [])
    plan = MarketCalendar([said]).day(Market.NSE, MONDAY)
    assert plan.settlement_holiday
    assert plan.windows == BUNDLED.day(Market.NSE, MONDAY).windows
    known = says(date(2026, 8, 26), ("09:15", "15:30"), kind="SETTLEMENT_HOLIDAY")
    assert applied([known]) == []


def test_a_status_of_any_length_makes_a_short_sentence() -> None:
    one = contradiction_of_status(BUNDLED, Market.NSE, "X" * 5000, source="Upstox", at=NOW)

    assert len(message(one, MONDAY)) < 200


def test_december_hours_that_include_the_auction_lose_no_detail() -> None:
    assert applied([says(date(2026, 12, 8), ("09:15", "15:40"))]) == []


def test_days_that_are_over_are_followed_and_not_argued_about() -> None:
    friday = says(date(2026, 11, 20))

    assert applied([friday]) == [friday]
    assert argued([friday]) == []


@pytest.mark.parametrize(
    ("word", "clock", "verdict"),
    [
        ("NORMAL_OPEN", "11:00", Verdict.AGREES),
        ("NORMAL_CLOSE", "11:00", Verdict.CONTRADICTS),
        ("PRE_OPEN_END", "11:00", Verdict.CONTRADICTS),
        ("HALTED", "11:00", Verdict.CONTRADICTS),
        ("NORMAL_OPEN", "20:00", Verdict.CONTRADICTS),
        ("CLOSING_END", "20:00", Verdict.AGREES),
        ("NORMAL_CLOSE", "15:55", Verdict.AGREES),
        ("CLOSING_START", "15:55", Verdict.AGREES),
        ("SOMETHING_NEW", "20:00", Verdict.AGREES),
        ("NORMAL_CLOSE", "09:07", Verdict.AGREES),
        ("PRE_OPEN_M_END", "09:11", Verdict.AGREES),
        ("NORMAL_OPEN", "09:07", Verdict.CONTRADICTS),
        ("NORMAL_CLOSE", "09:17", Verdict.UNSETTLED),
        ("NORMAL_OPEN", "09:13", Verdict.UNSETTLED),
        ("NORMAL_OPEN", "15:37", Verdict.UNSETTLED),
        ("CTS_CLOSE", "15:17", Verdict.UNSETTLED),
        ("CTS_CLOSE", "15:19", Verdict.AGREES),
        ("CTS_CLOSE", "11:00", Verdict.CONTRADICTS),
        ("CAS_LM_START", "15:22", Verdict.AGREES),
        ("WHATEVER", "15:22", Verdict.AGREES),
        ("NORMAL_OPEN", "15:22", Verdict.AGREES),
        ("NORMAL_CLOSE", "15:22", Verdict.CONTRADICTS),
    ],
)
def test_a_status_contradicts_only_what_it_clearly_contradicts(word: str, clock: str, verdict: Verdict) -> None:
    assert status_verdict(BUNDLED, Market.NSE, word, at(MONDAY, clock)) is verdict


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("shift", [-JITTER + timedelta(seconds=1), timedelta(), JITTER - timedelta(seconds=1)])
def test_around_a_boundary_no_plain_word_is_ever_a_contradiction(market: Market, shift: timedelta) -> None:
    for edge in BUNDLED.day(market, MONDAY).hours[0]:
        for word in ("NORMAL_OPEN", "NORMAL_CLOSE"):
            assert status_verdict(BUNDLED, market, word, edge + shift) is not Verdict.CONTRADICTS


def test_a_status_is_all_there_is_where_the_calendar_knows_nothing() -> None:
    assert status_verdict(BUNDLED, Market.NSE, "NORMAL_OPEN", at(NEXT_YEAR, "11:00")) is Verdict.FILLS


@pytest.mark.parametrize(
    ("instant", "word", "text"),
    [
        (
            at(MONDAY, "11:00"),
            "NORMAL_CLOSE",
            "Upstox says NSE is not open now (NORMAL_CLOSE); the desk's calendar says it trades until 15:30.",
        ),
        (
            at(MONDAY, "11:00"),
            "CAS_LM_START",
            "Upstox says NSE is in its closing auction now (CAS_LM_START); the desk's calendar says it trades until "
            "15:30.",
        ),
        (
            at(SUNDAY, "11:00"),
            "NORMAL_OPEN",
            "Upstox says NSE is open now (NORMAL_OPEN); the desk's calendar says it is closed (Sunday).",
        ),
        (
            at(MONDAY, "09:07"),
            "NORMAL_OPEN",
            "Upstox says NSE is open now (NORMAL_OPEN); the desk's calendar says it is in its pre-open session.",
        ),
    ],
)
def test_a_wrong_status_is_told_in_plain_words(instant: datetime, word: str, text: str) -> None:
    found = contradiction_of_status(BUNDLED, Market.NSE, word, source="Upstox", at=instant)

    assert message(found, found.day) == text
