from __future__ import annotations

from datetime import date

import pytest

from services.domain.errors import BrokerError
from services.paper.candle_requests import (
    INTRADAY_UNITS,
    V2_INTRADAY,
    Wanted,
    months_before,
    period,
    v2_interval,
    v2_wanted,
    v3_interval,
    v3_wanted,
)

TODAY = date(2026, 11, 20)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("unit", "interval"),
    [("minutes", "1"), ("minutes", "300"), ("hours", "5"), ("days", "1"), ("weeks", "1"), ("months", "1")],
)
def test_every_documented_interval_is_taken(unit: str, interval: str) -> None:
    assert v3_interval(unit, interval) == (unit, int(interval))


@pytest.mark.parametrize(
    ("unit", "interval", "code"),
    [
        ("years", "1", "UDAPI1146"),
        ("day", "1", "UDAPI1146"),
        ("MINUTES", "1", "UDAPI1146"),
        ("minutes", "0", "UDAPI1147"),
        ("minutes", "301", "UDAPI1147"),
        ("minutes", "1.5", "UDAPI1147"),
        ("minutes", "-1", "UDAPI1147"),
        ("minutes", "\u0661", "UDAPI1147"),
        ("minutes", "0" * 5000 + "1", "UDAPI1147"),
        ("hours", "6", "UDAPI1147"),
        ("days", "2", "UDAPI1147"),
        ("weeks", "2", "UDAPI1147"),
        ("months", "3", "UDAPI1147"),
    ],
)
def test_no_other_is(unit: str, interval: str, code: str) -> None:
    with pytest.raises(BrokerError) as refused:
        v3_interval(unit, interval)
    assert refused.value.code == code


def test_intraday_knows_neither_weeks_nor_v2s_longer_words() -> None:
    with pytest.raises(BrokerError) as unit:
        v3_interval("weeks", "1", INTRADAY_UNITS)
    with pytest.raises(BrokerError) as word:
        v2_interval("day", V2_INTRADAY)
    assert (unit.value.code, word.value.code) == ("UDAPI1146", "UDAPI1020")


@pytest.mark.parametrize(
    ("unit", "interval", "to_date", "longest", "too_long"),
    [
        ("minutes", "1", "2026-11-19", "2026-10-19", "2026-10-18"),
        ("minutes", "15", "2025-03-31", "2025-02-28", "2025-02-27"),
        ("minutes", "16", "2026-11-19", "2026-08-19", "2026-08-18"),
        ("hours", "1", "2024-05-31", "2024-02-29", "2024-02-28"),
        ("days", "1", "2026-11-19", "2016-11-19", "2016-11-18"),
    ],
)
def test_a_span_over_the_cap_is_refused_whole(
    unit: str, interval: str, to_date: str, longest: str, too_long: str
) -> None:
    assert v3_wanted(unit, interval, to_date, longest) == Wanted(unit, int(interval), day(longest), day(to_date))
    assert v3_wanted(unit, interval, to_date, None).first == day(longest), "without a first date the cap is given"

    with pytest.raises(BrokerError) as refused:
        v3_wanted(unit, interval, to_date, too_long)
    assert refused.value.code == "UDAPI1148"


@pytest.mark.parametrize("unit", ["weeks", "months"])
def test_weeks_and_months_know_no_cap(unit: str) -> None:
    assert v3_wanted(unit, "1", "2026-11-19", "2000-01-01").first == day("2000-01-01")
    assert v3_wanted(unit, "1", "2026-11-19", None).first == day("2000-01-01")


def test_minutes_reach_back_to_2022_and_no_further() -> None:
    assert v3_wanted("minutes", "1", "2022-01-10", "2021-12-20").first == day("2022-01-01")
    old = v3_wanted("hours", "1", "2021-06-30", "2021-06-01")
    assert old.first > old.last, "nothing is kept, and that is no error"
    for older in (v3_wanted("days", "1", "1999-12-31", None), v3_wanted("days", "1", "0001-02-01", "0001-01-01")):
        assert older.first > older.last


@pytest.mark.parametrize(
    ("to_date", "from_date", "code"),
    [
        ("2026-11-18", "2026-11-19", "UDAPI1015"),
        ("2026-11-31", "2026-11-19", "UDAPI1088"),
        ("20261119", None, "UDAPI1088"),
        ("2026-W47-4", None, "UDAPI1088"),
        ("2026-11-19", "19-11-2026", "UDAPI1088"),
        ("2026-11-19", "", "UDAPI1088"),
    ],
)
def test_dates_that_cannot_be_right_are_refused(to_date: str, from_date: str | None, code: str) -> None:
    with pytest.raises(BrokerError) as refused:
        v3_wanted("days", "1", to_date, from_date)
    assert refused.value.code == code


def test_v2_gives_less_and_keeps_half_a_year_of_minutes() -> None:
    assert v2_wanted("1minute", "2026-11-19", None, TODAY).first == day("2026-10-19")
    assert v2_wanted("30minute", "2026-11-19", None, TODAY).first == day("2026-05-20"), "a year, of which half is kept"
    assert v2_wanted("day", "2026-11-19", None, TODAY) == Wanted("days", 1, day("2025-11-19"), day("2026-11-19"))
    assert v2_wanted("week", "2026-11-19", None, TODAY).first == day("2016-11-19")
    for word, too_long in (("1minute", "2026-10-18"), ("day", "2025-11-18"), ("month", "2016-11-18")):
        with pytest.raises(BrokerError) as refused:
            v2_wanted(word, "2026-11-19", too_long, TODAY)
        assert refused.value.code == "UDAPI1148"


def test_months_before_and_periods() -> None:
    assert months_before(day("2024-02-29"), 12) == day("2023-02-28")
    assert months_before(day("2026-01-15"), 1) == day("2025-12-15")
    assert period("weeks", day("2026-02-01")) == (day("2026-01-26"), day("2026-02-01"))
    assert period("months", day("2024-02-10")) == (day("2024-02-01"), day("2024-02-29"))
    assert period("days", TODAY) == (TODAY, TODAY)
