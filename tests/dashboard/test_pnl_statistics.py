"""Statistics in words: what has no meaning says why."""

from __future__ import annotations

from decimal import Decimal

from dashboard.pnl_statistics import statistic_groups
from dashboard.pnl_words import held_words, minutes_words
from tests.support.lots import fill
from tests.support.pnl_page import FakeBook, many_fills


def facts(view):
    return {row["name"]: row for group in statistic_groups(view.statistics) for row in group["rows"]}


def test_of_no_trade_nothing_is_a_figure():
    found = facts(FakeBook.of([]).read())

    for name in ("Win rate", "Expectancy", "Average win", "Largest loss", "Profit factor", "Payoff", "In the mean"):
        assert (found[name]["value"], found[name]["note"]) == ("–", "no trade was closed"), name
    assert found["Closed trades"]["value"] == "0"


def test_without_a_loss_there_is_no_profit_factor():
    found = facts(FakeBook.of([fill("BUY", 100, "100"), fill("SELL", 100, "120", 2)], account="A").read())

    assert (found["Profit factor"]["value"], found["Profit factor"]["note"]) == ("–", "no trade was lost")
    assert found["Win rate"]["value"] == "100.0%"
    assert found["Average loss"]["note"] == "no trade was lost"
    assert found["Now"]["value"] == "1 won"
    assert "0" not in (found["Sharpe ratio"]["value"], found["Payoff"]["value"])


def test_a_share_of_capital_needs_capital():
    book = FakeBook.of(many_fills(300, days=60))

    assert facts(book.read())["Of capital"]["note"].startswith("no starting capital is set")
    assert facts(book.read(capital=Decimal(500_000)))["Of capital"]["value"].endswith("%")


def test_how_long_a_trade_was_held():
    assert held_words(0, 35 * 60_000) == "35 min"
    assert held_words(0, 20_000) == "under a minute"
    assert held_words(0, -1) == "same day"
    assert held_words(22, 5) == "22 d"
    assert minutes_words(Decimal(3 * 1440 + 250)) == "3 d 4 h"
