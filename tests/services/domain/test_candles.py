from __future__ import annotations

from datetime import date

import pytest

from services.domain.candles import DAY, MINUTE, MONTH, WEEK, Interval, Unit
from services.domain.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "unit", "count"),
    [
        ("1minute", Unit.MINUTES, 1), ("30minute", Unit.MINUTES, 30), ("day", Unit.DAYS, 1), ("week", Unit.WEEKS, 1),
        ("month", Unit.MONTHS, 1), ("minutes/5", Unit.MINUTES, 5), ("hours/4", Unit.HOURS, 4), ("days/1", Unit.DAYS, 1),
        ("5m", Unit.MINUTES, 5), ("1M", Unit.MONTHS, 1), ("1m", Unit.MINUTES, 1), ("1mo", Unit.MONTHS, 1),
        ("1h", Unit.HOURS, 1), ("1d", Unit.DAYS, 1), ("1D", Unit.DAYS, 1), ("1w", Unit.WEEKS, 1),
        ("I30", Unit.MINUTES, 30), ("minute", Unit.MINUTES, 1), ("5 minutes", Unit.MINUTES, 5),
        (" Daily ", Unit.DAYS, 1), ("weekly", Unit.WEEKS, 1), ("300minute", Unit.MINUTES, 300),
    ],
)  # fmt: skip
def test_every_name_in_use_is_understood(text: str, unit: Unit, count: int) -> None:
    assert Interval.parse(text) == Interval(unit, count)


@pytest.mark.parametrize(
    "text", ["", "0minute", "301minute", "6h", "2day", "2w", "12months", "5x", "tick", "-5m", "5.5m", "m5m", "٥m"]
)
def test_what_the_broker_does_not_serve_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Interval.parse(text)


@pytest.mark.parametrize("given", [None, 5, b"day"])
def test_what_is_no_text_is_refused(given: str) -> None:
    with pytest.raises(InvalidRequest):
        Interval.parse(given)


def test_every_interval_of_v3_has_a_word_that_names_it_again() -> None:
    every = [Interval(Unit.MINUTES, n) for n in range(1, 301)] + [Interval(Unit.HOURS, n) for n in range(1, 6)]

    for interval in (*every, DAY, WEEK, MONTH):
        assert Interval.parse(interval.word) == Interval.parse(interval.label) == Interval.parse(interval) == interval


def test_labels_are_plain_words() -> None:
    assert [Interval.parse(text).label for text in ("1m", "5m", "1h", "4h", "day", "month")] == [
        "1 minute", "5 minutes", "1 hour", "4 hours", "1 day", "1 month",
    ]  # fmt: skip


def test_intervals_are_ordered_by_unit_then_length() -> None:
    given = [DAY, Interval.parse("1h"), MONTH, Interval.parse("15m"), WEEK, MINUTE]

    assert [one.word for one in sorted(given)] == [
        "minutes/1",
        "minutes/15",
        "hours/1",
        "days/1",
        "weeks/1",
        "months/1",
    ]


def test_caps_stay_below_what_one_call_may_span() -> None:
    caps = {word: Interval.parse(word).caps for word in ("1m", "15m", "16m", "5h", "day", "week")}

    assert [caps[word].days for word in caps] == [28, 28, 85, 85, 3285, None]
    assert caps["1m"].since == date(2022, 1, 1)
    assert caps["week"].since == date(2000, 1, 1)
    assert [caps[word].v2_word for word in caps] == ["1minute", None, None, None, "day", "week"]
    assert Interval.parse("30m").caps.v2_word == "30minute"


def test_lengths_and_periods() -> None:
    assert [Interval.parse(word).minutes for word in ("7m", "2h", "day", "week")] == [7, 120, None, None]
    assert [one.intraday for one in (MINUTE, Interval.parse("1h"), DAY, WEEK)] == [True, True, False, False]
    thursday = date(2026, 11, 19)
    assert DAY.period(thursday) == (thursday, date(2026, 11, 20))
    assert WEEK.period(thursday) == (date(2026, 11, 16), date(2026, 11, 23))
    assert MONTH.period(date(2024, 2, 29)) == (date(2024, 2, 1), date(2024, 3, 1))
    assert MONTH.period(date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))
