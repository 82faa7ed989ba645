"""Clocks, the end of a token and the roll of a practice day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.clock import (
    IST,
    FollowedClock,
    HostClock,
    ScaledClock,
    epoch_ms,
    from_epoch_ms,
    next_token_end,
    practice_day,
)

INSTANTS = st.datetimes(datetime(2019, 1, 1), datetime(2035, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("issued", "ends"),
    [
        ("2026-11-17T20:00:00+05:30", "2026-11-18T03:30:00+05:30"),
        ("2026-11-18T02:30:00+05:30", "2026-11-18T03:30:00+05:30"),
        ("2026-11-18T03:29:59+05:30", "2026-11-18T03:30:00+05:30"),
        ("2026-11-18T03:30:00+05:30", "2026-11-19T03:30:00+05:30"),
        ("2026-12-31T23:59:00+05:30", "2027-01-01T03:30:00+05:30"),
    ],
)
def test_a_token_ends_at_half_past_three_whenever_it_was_issued(issued: str, ends: str) -> None:
    assert next_token_end(datetime.fromisoformat(issued)) == datetime.fromisoformat(ends)


@given(INSTANTS)
def test_a_tokens_end_is_ahead_by_at_most_a_day(issued: datetime) -> None:
    end = next_token_end(issued)

    assert timedelta(0) < end - issued <= timedelta(days=1)
    assert end.astimezone(IST).strftime("%H:%M:%S") == "03:30:00"


@given(INSTANTS)
def test_a_practice_day_lasts_until_the_tokens_end(instant: datetime) -> None:
    end = next_token_end(instant)

    assert practice_day(end) == practice_day(instant) + timedelta(days=1)
    assert practice_day(end - timedelta(microseconds=1)) == practice_day(instant)


def test_the_evening_and_the_small_hours_are_one_practice_day() -> None:
    evening = datetime(2026, 11, 20, 23, 0, tzinfo=IST)

    assert practice_day(evening) == practice_day(evening + timedelta(hours=4)) == date(2026, 11, 20)


@given(INSTANTS)
def test_milliseconds_survive_the_round_trip(instant: datetime) -> None:
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    assert from_epoch_ms(epoch_ms(whole)) == whole


def test_a_scaled_clock_runs_at_its_speed_from_its_anchor() -> None:
    ticking = iter([100.0, 100.0, 102.5])
    anchor = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
    clock = ScaledClock(anchor, speed=60, monotonic=lambda: next(ticking))

    assert clock.now() == anchor
    assert clock.now() == anchor + timedelta(seconds=150)


def test_a_scaled_clock_refuses_a_naive_anchor_and_a_standing_speed() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ScaledClock(datetime(2026, 11, 20), speed=1, monotonic=lambda: 0.0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(datetime(2026, 11, 20, tzinfo=UTC), speed=0, monotonic=lambda: 0.0)


def test_the_host_clock_is_aware_and_utc() -> None:
    assert HostClock(lambda: 0.0).now() == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_followed_clock_goes_over_to_another() -> None:
    noon = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
    clock = FollowedClock(HostClock(lambda: 0.0))

    clock.follow(HostClock(noon.timestamp))

    assert clock.now() == noon
