"""Figures as a trader in India reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboard import formatting as f

NOW = datetime(2026, 11, 20, 8, 35, 33, tzinfo=UTC)
"""14:05:33 in India, a Friday."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (7, "7.00"),
        (999.994, "999.99"),
        (999.995, "1,000.00"),
        (1000, "1,000.00"),
        (12345.6, "12,345.60"),
        (123456.78, "1,23,456.78"),
        (1234567.891, "12,34,567.89"),
        (Decimal("123456789012.345"), "1,23,45,67,89,012.35"),
        (-123456.78, "−1,23,456.78"),
        (2.675, "2.68"),
        (-0.001, "0.00"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_numbers_are_grouped_the_indian_way(value, text):
    assert f.number(value) == text


@given(some.integers(min_value=-(10**15), max_value=10**15))
def test_grouping_loses_no_digit(value):
    assert int(f.quantity(value).replace(",", "").replace("−", "-")) == value


@given(some.integers(min_value=0, max_value=10**15))
def test_groups_are_three_digits_and_then_pairs(value):
    *pairs, last = f.quantity(value).split(",")

    assert len(last) == 3 or not pairs
    assert all(len(pair) == 2 for pair in pairs[1:])
    assert all(1 <= len(pair) <= 2 for pair in pairs[:1])


@pytest.mark.parametrize(
    ("value", "text"),
    [(123456.78, "₹1,23,456.78"), (-50, "−₹50.00"), (0, "₹0.00"), (Decimal("0.005"), "₹0.01"), (None, "–")],
)
def test_money_shows_the_rupee_and_the_sign_before_it(value, text):
    assert f.rupees(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (98765, "98,765"),
        (99999.5, "99,999.50"),
        (100000, "1.00 L"),
        (123456, "1.23 L"),
        (9999999, "100.00 L"),
        (45678901, "4.57 Cr"),
        (-45678901, "−4.57 Cr"),
        (1.2e12, "1.20 L Cr"),
        (0, "0"),
        (None, "–"),
    ],
)
def test_large_numbers_are_told_in_lakh_and_crore(value, text):
    assert f.short(value).replace("\u202f", " ") == text


def test_large_amounts_are_told_in_rupees():
    assert f.short_rupees(-25_000_000).replace("\u202f", " ") == "−₹2.50 Cr"
    assert f.short_rupees(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.25, "+1.25"),
        (-3.4, "−3.40"),
        (0, "0.00"),
        (0.001, "0.00"),
        (-0.001, "0.00"),
        (123456, "+1,23,456.00"),
        (None, "–"),
    ],
)
def test_a_change_carries_its_sign_and_zero_carries_none(value, text):
    assert f.signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.42, "+0.42%"), (-12.3, "−12.30%"), (0.0, "0.00%"), (None, "–")])
def test_percent_is_a_signed_number_with_its_unit(value, text):
    assert f.percent(value) == text


@pytest.mark.parametrize(("value", "mark"), [(0.01, "▲"), (-0.01, "▼"), (0, "="), (None, ""), (float("nan"), "")])
def test_direction_has_a_shape_of_its_own(value, mark):
    assert f.arrow(value) == mark


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (3.9, "3 s"),
        (59.99, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (90_000, "1 d"),
        (-5, "0 s"),
        (None, "–"),
        (float("inf"), "–"),
    ],
)
def test_age_is_told_in_its_largest_unit(seconds, text):
    assert f.age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(45, "45 s"), (125, "2 min 05 s"), (3900, "1 h 05 min"), (273_600, "3 d 4 h"), (-1, "0 s"), (None, "–")],
)
def test_duration_is_told_in_two_units(seconds, text):
    assert f.duration(seconds) == text


def test_times_are_indian_whatever_zone_they_come_in():
    assert f.ist_time(NOW) == "14:05:33"
    assert f.ist_time(NOW, seconds=False) == "14:05"
    assert f.ist_moment(NOW) == "20 Nov 2026, 14:05 IST"
    assert f.ist_time(None) == f.ist_moment(None) == "–"


def test_a_moment_of_another_day_says_which():
    assert f.ist_when(NOW, NOW) == "14:05 IST"
    assert f.ist_when(NOW, NOW, seconds=True) == f"{f.ist_time(NOW)} IST"
    assert f.ist_when(datetime(2026, 11, 23, 3, 30, tzinfo=UTC), NOW) == "Mon 23 Nov, 09:00 IST"
    assert f.ist_when(datetime(2026, 11, 20, 18, 35, tzinfo=UTC), NOW) == "Sat 21 Nov, 00:05 IST"
    assert f.ist_when(None, NOW) == "–"


def test_a_brief_moment_names_no_more_of_its_day_than_is_needed():
    told = [f.ist_brief(NOW - timedelta(days=days), NOW) for days in (0, 1, 5, 6)]

    assert told == ["14:05", "Thu 14:05", "Sun 14:05", "14 Nov 14:05"]


def test_an_expiry_is_a_plain_date():
    assert f.day(date(2026, 11, 26)) == "26 Nov 2026"
    assert f.day(None) == "–"


@pytest.mark.parametrize(
    ("tick", "decimals"), [(Decimal("0.05"), 2), (Decimal("0.01"), 2), (Decimal("0.0025"), 4), (None, 2), (0, 2)]
)
def test_prices_get_the_decimals_that_their_tick_needs(tick, decimals):
    assert f.price_decimals(tick) == decimals


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (Decimal("0.1"), "0.10"),
        (Decimal("5"), "5.00"),
        (Decimal("0.0025"), "0.0025"),
        (Decimal("1E+1"), "10.00"),
        (None, "–"),
    ],
)
def test_a_tick_size_shows_paise_or_what_is_finer(size: Decimal | None, shown: str) -> None:
    assert f.tick(size) == shown
