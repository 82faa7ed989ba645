"""Which closed trades the table shows, in which order."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.pnl_choice import SORTS, Choice, Outcome
from dashboard.pnl_slices import PAGE, found, ordered, slice_of
from tests.support.pnl_page import FakeBook, many_fills


@pytest.fixture(scope="module")
def trades():
    return FakeBook.of(many_fills(600, days=60)).read().trades


NAMES = {
    "closed": "closed_ms", "opened": "opened_ms", "buy": "buy_average", "sell": "sell_average", "days": "held_days",
}  # fmt: skip


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("sort", SORTS)
def test_every_column_sorts_both_ways_over_all_rows(trades, sort, down):
    places = ordered(trades, np.arange(len(trades)), sort, down=down)
    column = getattr(trades, NAMES.get(sort, sort))[places].tolist()

    assert sorted(places.tolist()) == list(range(len(trades)))
    assert column == sorted(column, reverse=down)


def test_pages_hold_all_trades_once(trades):
    pages = slice_of(trades, Choice()).pages
    seen = [place for page in range(1, pages + 1) for place in slice_of(trades, Choice(page=page, sort="net")).places]

    assert pages == -(-len(trades) // PAGE)
    assert sorted(seen) == list(range(len(trades)))


def test_a_page_beyond_the_last_is_the_last(trades):
    page = slice_of(trades, Choice(page=10**6))

    assert page.page == page.pages
    assert page.last == page.found == len(trades)


def test_wins_losses_doubts_and_notes_are_found(trades):
    noted = trades.id[3]

    assert found(trades, Choice(outcome=Outcome.WON)).sum() == (trades.net > 0).sum()
    assert found(trades, Choice(outcome=Outcome.LOST)).sum() == (trades.net < 0).sum()
    assert np.flatnonzero(found(trades, Choice(outcome=Outcome.NOTED), [noted])).tolist() == [3]
    assert (found(trades, Choice(outcome=Outcome.DOUBTFUL)) == trades.doubtful).all()


@pytest.mark.parametrize(("text", "hits"), [("rel", True), (" RELIANCE ", True), ("nothing", False)])
def test_a_symbol_is_found_by_a_part_of_it(trades, text, hits):
    only = found(trades, Choice(find=text))

    assert set(trades.symbol[only]) == ({"RELIANCE"} if hits else set())


def test_nothing_found_is_an_empty_page(trades):
    page = slice_of(trades, Choice(find="nothing", page=3))

    assert (page.places, page.page, page.pages, page.found, page.first, page.last) == ((), 1, 1, 0, 0, 0)
