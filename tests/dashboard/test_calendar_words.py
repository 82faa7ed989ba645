"""The market calendar in words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dashboard.calendar_words import (
    KINDS,
    MARKS,
    NAMES,
    EntryKind,
    group_words,
    hours_words,
    in_days,
    ordered,
    sentence,
    span,
)
from services.domain.calendar.calendar import BUNDLED
from services.domain.phases import Accepts, Market, Phase, PhaseNow, Stage
from tests.support.calendar_instants import at

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("markets", "words"),
    [
        (tuple(Market), "all markets"),
        ((Market.NFO, Market.NSE, Market.BFO, Market.BSE), "shares, F&O"),
        ((Market.MCX, Market.NSE), "NSE shares, MCX commodities"),
        ((Market.CDS, Market.BCD, Market.NSCOM), "currency, NSE commodities"),
        ((), ""),
    ],
)
def test_markets_are_named_in_few_words(markets, words):
    assert group_words(markets) == words


def test_every_market_kind_and_phase_has_a_name_and_every_kind_its_own_sign():
    assert set(NAMES) == set(Market)
    assert set(KINDS) == set(MARKS) == set(EntryKind)
    assert len(set(MARKS.values())) == len(MARKS)


def test_markets_keep_the_order_of_the_screen():
    assert ordered([Market.MCX, Market.NSE, Market.MCX]) == (Market.NSE, Market.MCX)


@pytest.mark.parametrize(
    ("market", "day", "words"),
    [
        (Market.NSE, date(2026, 11, 23), "09:15–15:30"),
        (Market.NSE, date(2026, 11, 24), "closed"),
        (Market.MCX, date(2026, 11, 24), "17:00–23:55"),
        (Market.NSE, date(2026, 11, 8), "hours not published"),
        (Market.NSE, date(2027, 1, 4), "not published"),
        (Market.NSE, date(2024, 3, 2), "09:15–10:00 and 11:30–12:30"),
    ],
)
def test_hours_of_a_day(market, day, words):
    assert hours_words(BUNDLED.day(market, day)) == words


def test_midnight_is_the_end_of_its_day():
    assert span(at("2026-11-23T09:00"), at("2026-11-24T00:00")) == "09:00–24:00"


def test_a_phase_is_told_with_what_follows_who_says_so_and_doubt():
    phase = PhaseNow(
        Phase.CLOSING_AUCTION, "closing auction", at("2026-11-23T15:30"), Stage.LIMIT_ONLY, Accepts.LIMIT,
        Phase.CLOSED, "a circular", confirmed=False,
    )  # fmt: skip

    assert sentence(phase) == (
        "Closing auction: limit orders only (closing auction). The exchange takes limit orders. "
        "Until Mon 23 Nov, 15:30 IST, then closed. Source: a circular, unconfirmed."
    )


def test_a_phase_without_end_tells_none():
    assert sentence(PhaseNow(Phase.UNKNOWN, "no hours are published", None)) == "Unknown (no hours are published)."


@pytest.mark.parametrize(("ahead", "words"), [(-1, ""), (0, "today"), (1, "tomorrow"), (3, "in 3 days"), (61, "")])
def test_how_far_away_a_day_is(ahead, words):
    assert in_days(TODAY + timedelta(days=ahead), TODAY) == words
