"""What is asked when, and that nothing is asked more often than it can have changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.calendar.brokers_word import BrokersWord
from services.calendar.schedule import Due, due, everything
from services.domain.accounts import MarketStatus
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride, Hours
from services.domain.phases import Market
from tests.support.calendar import CHRISTMAS, ist

TODAY = date(2026, 11, 23)


def told(at: datetime, *, holidays: bool = True, timings: bool = True, statuses: bool = True) -> BrokersWord:
    word = BrokersWord()
    if holidays:
        word = word.with_holidays([CHRISTMAS], at)
    if timings:
        word = word.with_timings(TODAY, (), at)
    if statuses:
        word = word.with_statuses({one: MarketStatus(one.value, "NORMAL_OPEN", at, None) for one in Market}, at)
    return word


def asked(now: str, word: BrokersWord, *, disputed: tuple[Market, ...] = (), practice: bool = False) -> Due:
    return due(ist(now), word, BUNDLED, disputed, practice=practice)


def test_at_first_everything_is_asked() -> None:
    assert asked("2026-11-23 11:00", BrokersWord()) == everything(ist("2026-11-23 11:00"))


@pytest.mark.parametrize(
    ("heard", "now", "lists"),
    [
        ("2026-11-23 11:00", "2026-11-23 11:59", False),
        ("2026-11-23 11:00", "2026-11-23 12:00", True),
        ("2026-11-22 23:50", "2026-11-23 00:00", False),
        ("2026-11-22 23:50", "2026-11-23 00:01", True),
        ("2026-11-23 05:30", "2026-11-23 06:00", True),
        ("2026-11-23 08:00", "2026-11-23 08:40", True),
        ("2026-11-23 18:00", "2026-11-23 11:00", True),
    ],
)
def test_lists_are_asked_for_hourly_and_at_the_marks_of_the_day(heard: str, now: str, lists: bool) -> None:
    assert asked(now, told(ist(heard))).holidays is lists


def test_the_hours_of_a_new_day_are_asked_for() -> None:
    assert asked("2026-11-24 00:00", told(ist("2026-11-23 23:59"))).timings == (date(2026, 11, 24),)


@pytest.mark.parametrize(
    ("heard", "now", "market", "is_due"),
    [
        ("2026-11-23 11:00", "2026-11-23 11:04", Market.NSE, False),
        ("2026-11-23 11:00", "2026-11-23 11:05", Market.NSE, True),
        ("2026-11-23 09:14", "2026-11-23 09:15:15", Market.NSE, True),
        ("2026-11-23 09:15:15", "2026-11-23 09:18", Market.NSE, False),
        ("2026-11-23 09:14", "2026-11-23 09:18:15", Market.NSE, True),
        ("2026-11-23 15:29", "2026-11-23 15:33:15", Market.NSE, True),
        ("2026-11-23 17:30", "2026-11-23 18:00", Market.NSE, False),
        ("2026-11-23 17:30", "2026-11-23 18:00", Market.MCX, True),
        ("2026-11-23 17:30", "2026-11-23 18:30", Market.NSE, True),
    ],
)
def test_a_status_is_asked_for_in_session_and_after_boundaries(
    heard: str, now: str, market: Market, is_due: bool
) -> None:
    assert (market in asked(now, told(ist(heard))).statuses) is is_due


def test_what_another_clock_heard_of_another_year_is_no_reason_to_ask_for_ever() -> None:
    january = told(ist("2027-01-05 11:00"), timings=False)
    word = january.with_holidays([CHRISTMAS], ist("2026-11-23 11:00"))
    swapped = replace(word, years={2027: ist("2027-01-05 11:00"), 2026: ist("2026-11-23 11:00")})

    assert not asked("2026-11-23 11:30", swapped).holidays
    assert asked("2026-11-23 12:00", swapped).holidays
    assert asked("2026-11-23 11:30", replace(word, years={2027: ist("2027-01-05 11:00")})).holidays


@pytest.mark.parametrize(
    ("hours", "busy"),
    [
        (None, True),
        ((), True),  # the broker's own list does not know of the session
        (((ist("2026-11-08 18:15"), ist("2026-11-08 19:15")),), False),
    ],
)
def test_a_session_at_hours_that_nobody_has_told_is_watched_all_day(hours: Hours | None, busy: bool) -> None:
    sunday = date(2026, 11, 8)
    said = [] if hours is None else [DayOverride(Market.NSE, sunday, hours)]
    word, now = told(ist("2026-11-08 11:00")), ist("2026-11-08 11:05")

    wanted = due(now, word, MarketCalendar(said), (), practice=False)

    assert (Market.NSE in wanted.statuses) is busy
    assert Market.BSE in wanted.statuses


def test_what_is_argued_about_is_asked_again_soon() -> None:
    word = told(ist("2026-11-23 18:00"))

    assert not asked("2026-11-23 18:05", word, disputed=(Market.NSE,)).holidays
    assert Market.NSE not in asked("2026-11-23 18:05", word).statuses
    assert Market.NSE in asked("2026-11-23 18:05", word, disputed=(Market.NSE,)).statuses


def test_when_an_argument_begins_the_lists_are_asked_once_for_the_reason() -> None:
    word = told(ist("2026-11-23 11:00"))
    halted = {Market.NSE: MarketStatus("NSE", "NORMAL_CLOSE", ist("2026-11-23 11:05"), None)}
    argued = word.with_statuses(halted, ist("2026-11-23 11:05"))

    wanted = asked("2026-11-23 11:06", argued, disputed=(Market.NSE,))
    assert (wanted.holidays, wanted.timings) == (True, (TODAY,))

    heard = argued.with_holidays([CHRISTMAS], ist("2026-11-23 11:06")).with_timings(TODAY, (), ist("2026-11-23 11:06"))
    again = asked("2026-11-23 11:07", heard, disputed=(Market.NSE,))
    assert (again.holidays, again.timings) == (False, ())


def test_a_practice_session_is_asked_for_statuses_once_a_day() -> None:
    assert asked("2026-11-23 10:00", BrokersWord(), practice=True).statuses == tuple(Market)
    assert asked("2026-11-23 11:00", told(ist("2026-11-23 10:00")), practice=True).statuses == ()
    assert asked("2026-11-24 00:30", told(ist("2026-11-23 10:00")), practice=True).statuses == tuple(Market)


def test_where_the_table_ends_the_coming_days_are_asked_for_too_but_never_another_year() -> None:
    word = told(ist("2027-01-05 10:00"))

    assert asked("2027-01-05 10:10", word).timings == tuple(date(2027, 1, day) for day in range(5, 13))
    assert asked("2026-12-31 10:10", told(ist("2026-12-31 10:00"))).timings == (date(2026, 12, 31),)


def test_a_whole_day_costs_few_requests() -> None:
    asked: Counter[str] = Counter()
    now, word = ist("2026-11-23 00:00"), told(ist("2026-11-22 23:00"))
    for _ in range(24 * 60):
        wanted = due(now, word, BUNDLED, (), practice=False)
        asked["lists"] += wanted.holidays + len(wanted.timings)
        asked["statuses"] += len(wanted.statuses)
        word = word.with_holidays([CHRISTMAS], now) if wanted.holidays else word
        for day in wanted.timings:
            word = word.with_timings(day, (), now)
        statuses = {one: MarketStatus(one.value, "NORMAL_OPEN", now, None) for one in wanted.statuses}
        word = word.with_statuses(statuses, now)
        now += timedelta(minutes=1)

    assert asked["lists"] <= 2 * 28
    assert asked["statuses"] <= 1050
