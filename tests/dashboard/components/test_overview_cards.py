"""The cards of the overview: columns and ages of the movers, markets in words and those that share a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dashboard.components.overview_cards import made_words, mover_columns, phase_words, told_once
from services.domain.phases import Phase, PhaseNow
from tests.support.readings import INFY, NOW, RELIANCE, reading, row


def test_the_path_of_the_day_has_its_column_only_where_there_is_or_may_be_one():
    keys = (RELIANCE, INFY)
    rows = row(RELIANCE), row(INFY)

    def columns(path, *, in_session):
        return mover_columns(reading(*rows, in_session=in_session), lambda key: path, keys).ids

    assert "day" in columns((), in_session=True)
    assert "day" in columns((1.0, 2.0), in_session=False)
    assert "day" not in columns((), in_session=False)


def test_markets_in_the_same_phase_share_a_line():
    assert told_once({"NSE shares": "Open", "NSE F&O": "Open", "MCX": "Closed"}) == {
        "NSE shares, NSE F&O": "Open",
        "MCX": "Closed",
    }


def test_movers_out_of_session_tell_when_their_newest_price_was_made():
    rested = reading(row(RELIANCE), row(INFY), in_session=False)

    assert made_words(rested) == ", as\u00a0of\u00a014:05"
    assert made_words(replace(rested, now=NOW + timedelta(days=1))) == ", as\u00a0of\u00a0Fri\u00a014:05"
    assert made_words(replace(rested, now=NOW + timedelta(days=7))) == ", as\u00a0of\u00a020\u00a0Nov\u00a014:05"
    assert made_words(reading(row(RELIANCE))) == made_words(reading(in_session=False)) == ""


def test_a_closed_market_says_that_it_opens_and_not_that_it_is_open():
    closed = PhaseNow(Phase.CLOSED, "Sunday", NOW + timedelta(days=1), then=Phase.OPEN)

    assert phase_words(closed, NOW) == "Closed, Sunday; opens Sat 21 Nov, 14:05\N{NO-BREAK SPACE}IST (in 1 d 0 h)"
    assert "; pre-open Sat" in phase_words(replace(closed, then=Phase.PRE_OPEN), NOW)
