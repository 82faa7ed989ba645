"""Is the NSE open, until when, and why not."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.clock import IST
from services.domain.phases import KNOWN_YEARS, Phase, closing_time, is_trading_day, nse_phase
from tests.support.shared_data import shared


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:30")


@pytest.mark.parametrize(
    ("moment", "segment", "phase", "until"),
    [
        ("2026-11-20T08:59:59", "NSE_EQ", Phase.CLOSED, "2026-11-20T09:00"),
        ("2026-11-20T09:00", "NSE_EQ", Phase.PRE_OPEN, "2026-11-20T09:15"),
        ("2026-11-20T09:15", "NSE_EQ", Phase.OPEN, "2026-11-20T15:30"),
        ("2026-11-20T15:30", "NSE_EQ", Phase.CLOSED, "2026-11-23T09:00"),
        ("2026-11-20T15:35", "NSE_FO", Phase.OPEN, "2026-11-20T15:40"),
        ("2026-07-31T15:35", "NSE_FO", Phase.CLOSED, "2026-08-03T09:00"),
        ("2026-12-07T15:42", "NSE_FO", Phase.OPEN, "2026-12-07T15:45"),
        ("2026-11-21T11:00", "NSE_EQ", Phase.CLOSED, "2026-11-23T09:00"),
        ("2026-11-24T11:00", "NSE_EQ", Phase.CLOSED, "2026-11-25T09:00"),
        ("2026-02-01T11:00", "NSE_EQ", Phase.OPEN, "2026-02-01T15:30"),
    ],
)
def test_the_phase_at_known_instants(moment: str, segment: str, phase: Phase, until: str) -> None:
    now = nse_phase(at(moment), segment)

    assert now.phase is phase
    assert now.until == at(until)


def test_a_holiday_is_named() -> None:
    assert nse_phase(at("2026-11-24T11:00")).reason == "Guru Nanak Jayanti"
    assert nse_phase(at("2026-11-21T11:00")).reason == "Saturday"


@pytest.mark.parametrize("moment", ["2027-01-04T11:00", "2025-06-02T11:00", "2026-11-08T18:30"])
def test_days_without_published_hours_are_unknown_and_never_open(moment: str) -> None:
    now = nse_phase(at(moment))

    assert now.phase is Phase.UNKNOWN
    assert now.until is None
    assert "no hours are published" in now.reason


def test_the_trading_days_of_2026_are_those_for_which_bhavcopies_exist() -> None:
    with shared("data/calendar/nse_observed_trading_days.csv").open(encoding="utf-8") as file:
        observed = {date.fromisoformat(cell) for row in csv.reader(file) for cell in row[:1] if cell[:4].isdigit()}
    seen = {day for day in observed if day.year in KNOWN_YEARS}
    first, last = min(seen), max(seen)

    ours = {day for n in range((last - first).days + 1) if is_trading_day(day := first + timedelta(days=n))}

    assert ours == seen


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), st.sampled_from(["NSE_EQ", "NSE_FO"]))  # noqa: DTZ001
def test_a_phase_lasts_exactly_until_its_end(moment: datetime, segment: str) -> None:
    instant = moment.replace(tzinfo=IST).astimezone(UTC)
    now = nse_phase(instant, segment)
    if now.until is None:
        assert now.phase in {Phase.UNKNOWN, Phase.CLOSED}
        return

    assert now.until > instant
    assert nse_phase(now.until - timedelta(microseconds=1), segment).phase is now.phase
    assert nse_phase(now.until, segment).phase is not now.phase


def test_currency_is_no_equity_derivative() -> None:
    assert closing_time(date(2026, 11, 20), "NCD_FO") == closing_time(date(2026, 11, 20), "NSE_EQ")
