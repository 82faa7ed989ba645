"""The figures of the day: what is no longer current is marked and says so."""

from __future__ import annotations

import pytest

from dashboard.components import overview_today
from dashboard.components.overview_today import result_tiles
from tests.support.pnl_views import view_of_fills


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
