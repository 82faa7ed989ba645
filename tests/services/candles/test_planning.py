from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.candles.planning import calls, overlapping, to_ask, whole_periods
from services.domain.candles import DAY, MINUTE, MONTH, WEEK
from services.domain.day_spans import DaySpans, Span

MONDAY = date(2026, 10, 12).toordinal()


def weekday(day: int) -> bool:
    return date.fromordinal(day).weekday() < 5


def every(day: int) -> bool:
    return True


GAPS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=5).map(
    lambda spans: list(DaySpans((MONDAY + first, MONDAY + first + length) for first, length in spans))
)


@given(GAPS, st.integers(1, 40))
def test_calls_ask_for_every_session_that_is_missing_once_and_for_little_else(gaps: list[Span], most: int) -> None:
    made = calls(to_ask(gaps, weekday), most, weekday)

    asked = [day for first, end in made for day in range(first, end)]
    assert len(asked) == len(set(asked))
    missing = {day for first, end in gaps for day in range(first, end)}
    assert {day for day in asked if weekday(day)} == {day for day in missing if weekday(day)}
    assert set(asked) <= missing
    for first, end in made:
        assert end - first <= most
        assert weekday(first)
        assert weekday(end - 1)
    assert made == sorted(made, reverse=True)


def test_without_a_cap_a_stretch_is_one_call() -> None:
    assert calls([(MONDAY, MONDAY + 5000)], None, every) == [(MONDAY, MONDAY + 5000)]


def test_weeks_and_months_are_asked_for_whole() -> None:
    wednesday = MONDAY + 2

    assert whole_periods((wednesday, wednesday + 1), WEEK) == (MONDAY, MONDAY + 7)
    assert whole_periods((wednesday, wednesday + 30), MONTH) == (
        date(2026, 10, 1).toordinal(), date(2026, 12, 1).toordinal(),
    )  # fmt: skip
    assert whole_periods((wednesday, wednesday + 3), DAY) == (wednesday, wednesday + 3)
    assert whole_periods((5, 5), WEEK) == (5, 5)


@pytest.mark.parametrize(
    ("covered", "asked"),
    [
        ([(MONDAY - 30, MONDAY)], MONDAY - 3),  # the Friday before
        ([(MONDAY - 30, MONDAY - 2)], MONDAY - 3),
        ([(MONDAY - 30, MONDAY - 5)], MONDAY),  # not next to it
        ([(MONDAY - 30, MONDAY), (MONDAY + 7, MONDAY + 9)], MONDAY),  # newer bars are known
        ([], MONDAY),
    ],
)
def test_the_newest_call_for_days_takes_the_last_known_bar_along(covered: list[Span], asked: int) -> None:
    assert overlapping((MONDAY, MONDAY + 5), DaySpans(covered), DAY, weekday) == (asked, MONDAY + 5)


def test_minutes_take_nothing_along_and_weeks_a_whole_week() -> None:
    covered = DaySpans([(MONDAY - 70, MONDAY)])

    assert overlapping((MONDAY, MONDAY + 5), covered, MINUTE, weekday) == (MONDAY, MONDAY + 5)
    assert overlapping((MONDAY, MONDAY + 7), covered, WEEK, weekday) == (MONDAY - 7, MONDAY + 7)


def test_a_call_as_long_as_the_cap_is_not_made_longer() -> None:
    most = DAY.caps.days or 0

    assert overlapping((MONDAY, MONDAY + most), DaySpans([(MONDAY - 9, MONDAY)]), DAY, weekday) == (
        MONDAY,
        MONDAY + most,
    )
