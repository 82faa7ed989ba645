"""When bars begin and end: by the session, by midnight in India, and on and on in a practice session."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dashboard.chart_edges import MOST, edges, end_of
from services.domain.calendar.calendar import BUNDLED
from services.domain.candles import DAY, MINUTE, MONTH, WEEK, Interval
from services.domain.clock import IST
from services.domain.phases import Market


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=IST).astimezone(UTC)


def told(word, begun, now, *, practice=False, segment="NSE_EQ"):
    found = edges(Interval.parse(word), at(begun), at(now), calendar=BUNDLED, segment=segment, practice=practice)
    return [one.astimezone(IST).strftime("%d %H:%M") for one in found]


def test_minutes_follow_each_other_and_the_last_ends_with_the_session():
    found = told("1m", "2026-11-20 15:12", "2026-11-20 15:12:30")

    assert found[:3] == ["20 15:12", "20 15:13", "20 15:14"]
    assert found[-1] <= "20 15:35"


def test_a_last_bar_that_is_cut_short_ends_with_the_session():
    hours = told("1h", "2026-07-20 14:15", "2026-07-20 14:30")

    assert hours == ["20 14:15", "20 15:15", "20 15:30"]


def test_a_practice_session_has_no_end():
    found = told("1m", "2026-11-21 22:00", "2026-11-21 22:00:10", practice=True)

    assert len(found) > 300
    assert found[-1] >= "22 03:00"


def test_a_session_of_an_hour_on_a_holiday_is_one_too():
    (hour,) = BUNDLED.day(Market.NSE, date(2025, 10, 21)).hours  # muhurat
    found = edges(MINUTE, hour[0], hour[0], calendar=BUNDLED, segment="NSE_EQ", practice=False)

    assert len(found) > 60
    assert found[-1] >= hour[1]
    assert found[-1] - found[0] < timedelta(hours=2)


@pytest.mark.parametrize(
    ("word", "begun", "end"),
    [
        ("day", "2026-11-20 00:00", "20 15:30"),
        ("day", "2026-11-21 00:00", "22 00:00"),
        ("week", "2026-11-16 00:00", "20 15:30"),
        ("week", "2026-01-26 00:00", "01 15:30"),  # the Budget, a Sunday
        ("month", "2026-11-01 00:00", "30 15:30"),
        ("month", "2031-11-01 00:00", "01 00:00"),  # nobody has published that year
    ],
)
def test_a_day_and_what_is_longer_ends_with_its_last_session(word, begun, end):
    assert told(word, begun, "2026-11-20 11:00")[1:] == [end]


def test_an_exchange_whose_hours_nobody_knows_is_followed_all_the_same():
    assert len(told("1m", "2026-11-20 15:12", "2026-11-20 15:12:30", segment="WORLD_INDEX")) > 100


def test_there_are_never_too_many():
    assert len(told("1m", "2026-11-19 00:00", "2026-11-21 15:12", practice=True)) <= MOST


def test_the_end_of_a_single_bar():
    start = at("2026-11-20 09:15")

    assert end_of(MINUTE, start) == start + timedelta(minutes=1)
    assert end_of(DAY, at("2026-11-20 00:00")) == at("2026-11-21 00:00")
    assert end_of(WEEK, at("2026-11-16 00:00")) == at("2026-11-23 00:00")
    assert end_of(MONTH, at("2026-11-01 00:00")) == at("2026-12-01 00:00")
