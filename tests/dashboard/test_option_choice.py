"""What can be chosen of option chains, and what is said of where they come from."""

from __future__ import annotations

from datetime import date

import pytest

from dashboard.option_chains import ChainLook
from dashboard.option_choice import can_be_asked, labels, not_there, note_of, until
from dashboard.option_data import Chain, of_contracts
from services.domain.errors import NotSent
from services.domain.instruments import Underlying
from tests.support.option_chains import EXPIRY, NIFTY_OPTIONS, chain_row, contract
from tests.support.readings import NOW

DOLLAR_NSE = Underlying("USDINR", "NCD_FO", "NSE", "USDINR", None)
DOLLAR_BSE = Underlying("USDINR", "BCD_FO", "BSE", "USDINR", None)
BANK = Underlying("BANKNIFTY", "NSE_FO", "NSE", "BANKNIFTY", "NSE_INDEX|Nifty Bank")
CRUDE = Underlying("CRUDEOIL", "MCX_FO", "MCX", "CRUDE OIL", "MCX_FO|462523")
ODD = Underlying("ODD", "NSE_FO", "NSE", "ODD", "MCX_COM|114")


def test_what_is_traded_most_comes_first_and_one_name_of_two_tells_where_it_is():
    offered = labels([BANK, CRUDE, DOLLAR_NSE, NIFTY_OPTIONS, DOLLAR_BSE])

    assert list(offered) == ["NIFTY", "BANKNIFTY", "CRUDEOIL", "USDINR (NSE currency)", "USDINR (BSE currency)"]
    assert offered["USDINR (BSE currency)"] is DOLLAR_BSE


@pytest.mark.parametrize(("day", "words"), [(20, "today"), (21, "tomorrow"), (26, "in 6 days"), (19, "over")])
def test_how_far_an_expiry_is(day, words):
    assert until(date(2026, 11, day), date(2026, 11, 20)) == words


def test_the_broker_is_asked_where_it_can_have_a_chain():
    assert [can_be_asked(one) for one in (NIFTY_OPTIONS, CRUDE, DOLLAR_NSE, ODD)] == [True, False, False, False]


def listed(underlying):
    return of_contracts(underlying, EXPIRY, [contract("C", "CE", 100)])


@pytest.mark.parametrize(
    ("chain", "look", "words"),
    [
        (listed(CRUDE), ChainLook(), "no option chains for MCX"),
        (listed(DOLLAR_NSE), ChainLook(), "names nothing"),
        (listed(NIFTY_OPTIONS), ChainLook((), NOW), "no chain for this expiry"),
        (listed(NIFTY_OPTIONS), ChainLook(problem=NotSent("x")), "could not be had: The broker cannot be reached"),
        (listed(NIFTY_OPTIONS), ChainLook(), "on its way"),
        (
            Chain(NIFTY_OPTIONS, EXPIRY, (chain_row(1, call=None, put=None),), NOW),
            ChainLook((), NOW, NotSent("x")),
            "not renewed now: The broker cannot be reached",
        ),
    ],
)
def test_it_is_said_where_a_chain_comes_from(chain, look, words):
    assert words in str(note_of(chain, look))


def test_of_a_chain_of_the_broker_that_is_renewed_nothing_is_said():
    assert note_of(Chain(NIFTY_OPTIONS, EXPIRY, (), NOW), ChainLook((), NOW)) is None


def test_a_link_to_what_is_no_longer_there_is_told():
    offered = {"underlying": ["NIFTY"], "expiry": ["24 Nov 2026"]}

    assert not_there({"underlying": None, "expiry": "24 Nov 2026"}, offered) is None
    assert "expiry 17 Nov 2026" in str(not_there({"underlying": "NIFTY", "expiry": "17 Nov 2026"}, offered))
    assert "underlying OLD" in str(not_there({"underlying": "OLD", "expiry": None}, offered))
