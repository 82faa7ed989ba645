"""What a chart shows, to a link and back, and how far back it reaches."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dashboard.chart_choice import (
    INTERVALS,
    Choice,
    Span,
    first_day,
    read_choice,
    short,
    start_of,
    suits,
    usual_span,
    warmed,
)
from dashboard.indicators import Study
from services.domain.calendar.calendar import BUNDLED
from services.domain.candles import DAY, MINUTE, MONTH, WEEK, Interval, Unit
from services.domain.clock import IST
from services.domain.errors import InvalidRequest

RELIANCE, INFY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021"
FIVE = Interval(Unit.MINUTES, 5)
USUAL = Choice(RELIANCE)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=IST).astimezone(UTC)


@pytest.mark.parametrize("suffix", ["", "2"])
def test_a_choice_comes_back_out_of_its_link(suffix):
    choice = Choice(
        RELIANCE, FIVE, Span.MONTH, (Study.parse("sma20"), Study.parse("supertrend10-2.5")), (INFY,), True,
        (at("2026-11-18 09:15"), at("2026-11-19 11:00")),
    )  # fmt: skip

    read, problems = read_choice(choice.words(suffix), suffix, otherwise=USUAL)

    assert read == choice
    assert problems == ()


def test_a_link_says_no_more_than_it_must():
    assert USUAL.words() == {"key": RELIANCE, "interval": "1D", "range": "1Y"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"key": "javascript:alert(1)"}, "instrument key"),
        ({"interval": "7 parsecs"}, "interval"),
        ({"interval": "999m"}, "1 to 300"),
        ({"range": "9Y"}, "range"),
        ({"with": "sma20,wizardry"}, "wizardry"),
        ({"compare": "nobody"}, "compared"),
    ],
)
def test_what_makes_no_sense_is_told_and_the_usual_stands_in(words, told):
    choice, problems = read_choice(words, otherwise=USUAL)

    assert told in " ".join(problems)
    assert (choice.key, choice.interval, choice.compared) == (RELIANCE, DAY, ())


@pytest.mark.parametrize("view", [("2026-11-19T10:00", "2026-11-18T10:00"), ("never", "2026-11-18T10:00"), ("", "")])
def test_a_view_that_is_none_is_left_out(view):
    choice, _ = read_choice({"key": RELIANCE, "from": view[0], "to": view[1]}, otherwise=USUAL)

    assert choice.view is None


def test_of_many_to_compare_with_five_are_taken_and_the_own_is_not():
    keys = [f"NSE_EQ|INE{number:06d}018" for number in range(8)]
    choice, problems = read_choice({"key": RELIANCE, "compare": ",".join([RELIANCE, *keys])}, otherwise=USUAL)

    assert choice.compared == tuple(keys[:5])
    assert len(problems) == 1


@pytest.mark.parametrize("interval", INTERVALS)
def test_each_interval_has_a_short_name_that_is_read_back_and_a_range_that_suits_it(interval):
    assert Interval.parse(short(interval)) == interval
    assert suits(usual_span(interval), interval)


def test_another_interval_keeps_a_range_that_suits_it():
    assert Choice(RELIANCE, DAY, Span.MONTH).of(Interval.parse("1h")).span is Span.MONTH
    assert Choice(RELIANCE, DAY, Span.FIVE_YEARS).of(MINUTE).span is Span.FIVE_DAYS
    assert Choice(RELIANCE, MINUTE, Span.DAY).of(DAY).span is Span.YEAR


def first(span, now, *, interval=MINUTE, practice=False):
    return first_day(span, interval, at(now), calendar=BUNDLED, segment="NSE_EQ", practice=practice)


def test_days_are_counted_by_the_calendar():
    assert first(Span.DAY, "2026-11-20 11:00") == date(2026, 11, 20)
    assert first(Span.DAY, "2026-11-21 11:00") == date(2026, 11, 20)  # a Saturday
    assert first(Span.DAY, "2026-11-21 11:00", practice=True) == date(2026, 11, 21)
    assert first(Span.FIVE_DAYS, "2026-11-20 11:00") == date(2026, 11, 16)
    assert first(Span.FIVE_DAYS, "2026-11-25 11:00") == date(2026, 11, 18)  # a holiday on the 24th
    assert first(Span.DAY, "2026-02-01 11:00") == date(2026, 2, 1)  # a Sunday on which the exchange trades


def test_months_are_counted_by_the_date():
    assert first(Span.MONTH, "2026-11-20 11:00", interval=DAY) == date(2026, 10, 20)
    assert first(Span.MONTH, "2026-03-31 11:00", interval=DAY) == date(2026, 3, 3)
    assert first(Span.YEAR, "2026-11-20 11:00", interval=DAY) == date(2025, 11, 20)
    assert first(Span.FIVE_YEARS, "2026-11-20 11:00", interval=MINUTE) == date(2022, 1, 1)
    assert first(Span.ALL, "2026-11-20 11:00", interval=DAY) == date(2000, 1, 1)


def test_in_a_year_that_nobody_has_published_weekdays_count():
    assert first(Span.FIVE_DAYS, "2027-11-20 11:00") == date(2027, 11, 15)


def test_averages_get_enough_bars_before_the_first_one_shown():
    assert warmed(date(2026, 11, 20), DAY, 0) == date(2026, 11, 20)
    assert (date(2026, 11, 20) - warmed(date(2026, 11, 20), DAY, 200)).days >= 280
    assert (date(2026, 11, 20) - warmed(date(2026, 11, 20), MINUTE, 375 * 5)).days >= 7
    assert warmed(date(2026, 11, 20), MONTH, 500) == date(2000, 1, 1)
    assert warmed(date(2026, 11, 20), WEEK, 10) < date(2026, 9, 11)


def test_a_day_begins_at_midnight_in_india():
    assert start_of(date(2026, 11, 20)) == datetime(2026, 11, 19, 18, 30, tzinfo=UTC)


def test_words_too_long_for_a_link_do_no_harm():
    choice, problems = read_choice(
        {"key": "x" * 10_000, "interval": "9" * 5_000, "with": "sma20," * 5_000, "compare": "a," * 9_000},
        otherwise=USUAL,
    )

    assert choice.key == RELIANCE
    assert all(len(problem) < 400 for problem in problems)


def test_a_study_that_cannot_be_is_not_made():
    with pytest.raises(InvalidRequest):
        Study.parse("sma1")
