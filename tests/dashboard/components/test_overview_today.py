"""The figures of the day: what is no longer current is marked and says so."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.components import overview_today
from dashboard.components.overview_today import funds_tile, result_tiles
from services.domain.accounts import Funds
from services.domain.errors import BrokerFault
from services.portfolio_book.views import FundsView
from tests.support.pnl_views import NOW, view_of_fills


@pytest.fixture(autouse=True)
def in_session(monkeypatch):
    monkeypatch.setattr(overview_today, "prices_at_rest", lambda view: {})


def test_results_that_could_not_be_renewed_are_old_with_their_time():
    told = result_tiles(view_of_fills([], version=1, old=True, missing=("the broker does not answer",)))

    assert all(tile.old and tile.note.endswith("; as of 15:27 IST, not current") for tile in told)


def test_results_with_a_gap_are_incomplete_and_not_old():
    told = result_tiles(view_of_fills([], version=1, missing=("1 trade cannot be counted in",)))

    assert all(tile.warn and tile.note.endswith("; incomplete") for tile in told)
    assert not any(tile.old for tile in told)


def test_a_book_that_is_not_built_yet_has_no_age():
    told = result_tiles(view_of_fills([], version=0, old=True))

    assert {(tile.figure, tile.note, tile.old) for tile in told} == {("–", "being worked out", False)}


def test_of_a_day_of_which_nothing_was_told_the_results_are_not_zero():
    view = view_of_fills([], version=1, old=True, missing=("the broker does not answer",))
    view.as_of = NOW - timedelta(days=3)
    told = {tile.id: tile for tile in result_tiles(view)}

    assert told["gross"].figure == told["charges"].figure == told["net"].figure == "–"
    assert told["gross"].note == "nothing of today is known; as of Tue 17 Nov, 15:30 IST, not current"
    assert told["unrealised"].figure != "–"
    assert all(tile.old for tile in told.values())


def test_money_tells_when_it_was_told():
    funds = Funds(Decimal(900), Decimal(100), "v3")
    at = NOW - timedelta(minutes=2)

    assert funds_tile(FundsView(funds, at), NOW).note == "₹100.00 used, as of 15:28 IST"
    old = funds_tile(FundsView(funds, at, BrokerFault("broken", status=500, code="x")), NOW)
    assert old.old
    assert old.note == "₹100.00 used, as of 15:28 IST, not current"
