"""Groups for movers: watchlists, and what the instrument list tells."""

from __future__ import annotations

from types import SimpleNamespace

from dashboard.mover_groups import INDICES, MOST, SHARES, groups

MASTER = SimpleNamespace(
    shares_with_contracts=lambda segment: ["NSE_EQ|A", "NSE_EQ|B"], indices=lambda segment: ["NSE_INDEX|Nifty 50"]
)


def watchlist(name, *keys):
    return SimpleNamespace(name=name, keys=keys)


def test_watchlists_come_first_then_what_the_instrument_list_tells():
    offered = groups([watchlist("Banks", "NSE_EQ|X")], MASTER)

    assert list(offered) == ["Banks", SHARES, INDICES]
    assert offered[SHARES].keys == ("NSE_EQ|A", "NSE_EQ|B")
    assert "today's instrument list" in offered[INDICES].note


def test_a_watchlist_that_is_called_like_a_group_hides_none():
    assert list(groups([watchlist(SHARES)], MASTER)) == [f"{SHARES} (watchlist)", SHARES, INDICES]


def test_without_an_instrument_list_there_are_the_watchlists():
    assert list(groups([watchlist("Banks")], None)) == ["Banks"]
    nothing = SimpleNamespace(shares_with_contracts=lambda segment: [], indices=lambda segment: [])
    assert groups([], nothing) == {}


def test_of_a_long_list_so_many_are_looked_at_and_that_is_said():
    group = groups([watchlist("Long", *(f"NSE_EQ|{n}" for n in range(MOST + 1)))], None)["Long"]

    assert len(group.keys) == MOST
    assert "the first 500 of 501" in group.note
