"""The four figures of the results: what they say below themselves, and what they say when they are old."""

from __future__ import annotations

from datetime import timedelta

from dashboard.components.pnl_headline import tiles
from dashboard.pnl_words import prices_words
from services.domain.quotes import FROM_FEED
from services.pnl.values import Held, PriceTold
from services.portfolio.lots.fills import Asset
from tests.support.lots import fill
from tests.support.pnl_views import NOW, view_of_fills

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_FO|1"
CLOSED = [fill("BUY", 10, "100"), fill("SELL", 10, "90", 1)]
OPEN = [fill("BUY", 10, "100"), fill("BUY", 75, "20", instrument="NSE:X", symbol="X")]
FIFO = "cost by first in, first out"
FRIDAY = NOW - timedelta(hours=20)


def open_view(**members):
    at = NOW - timedelta(seconds=2)
    prices = {
        "INE002A01018": PriceTold(1_010_000, FROM_FEED, at, key=RELIANCE),
        "NSE:X": PriceTold(210_000, "quote", at - timedelta(seconds=3), key=NIFTY),
    }
    return view_of_fills(OPEN, prices=prices, **members)


def notes(view, at_rest=None):
    return {tile["id"]: tile["note"] for tile in tiles(view, at_rest or {})}


def test_the_result_of_one_trade_is_not_told_again_as_its_average():
    assert notes(view_of_fills(CLOSED))["net"] == "gross less charges"
    two = [*CLOSED, fill("BUY", 10, "100", 2), fill("SELL", 10, "90", 3)]
    assert notes(view_of_fills(two))["net"].endswith(" a trade")


def test_trades_that_could_not_be_renewed_make_every_figure_old_in_words_too():
    for tile in tiles(open_view(old=True)):
        assert tile["old"]
        assert tile["warn"]
        assert tile["note"].endswith("; as of 15:27 IST, not current")

    assert not any(tile["old"] for tile in tiles(open_view(missing=("one trade cannot be counted in",))))


def test_charges_are_said_to_be_those_of_closed_trades():
    assert notes(view_of_fills(CLOSED))["charges"].startswith("of closed trades, ")
    assert notes(view_of_fills(CLOSED))["charges"].endswith("% of turnover")
    assert notes(open_view())["charges"] == "nothing was closed; what is open is not in it"
    assert notes(view_of_fills([]))["charges"] == "nothing was closed"


def test_what_the_broker_alone_knows_is_not_said_to_be_first_in_first_out():
    held = [Held("INE009A01021", "INFY", Asset.SHARE, 5, 1_000_000)]
    told = {"INE009A01021": PriceTold(1_010_000, FROM_FEED, NOW - timedelta(seconds=2))}

    assert notes(view_of_fills([], held=held, prices=told))["unrealised"].endswith("old, 1 in doubt")


def test_what_is_held_tells_the_age_of_its_oldest_price():
    assert notes(open_view())["unrealised"] == f"2 held or short, prices up to 5 s old; {FIFO}"
    assert notes(view_of_fills([]))["unrealised"] == "nothing held or short"


def test_a_price_that_is_only_repeated_is_as_old_as_its_trade():
    resting = {RELIANCE: FRIDAY, NIFTY: FRIDAY - timedelta(minutes=5)}

    assert notes(open_view(), resting)["unrealised"] == (f"2 held or short, oldest price Thu 19 Nov, 19:25 IST; {FIFO}")
    assert notes(open_view(), {NIFTY: FRIDAY})["unrealised"] == (
        f"2 held or short, prices up to 2 s old, 1 of them out of session; {FIFO}"
    )
    assert notes(open_view(), dict.fromkeys(resting))["unrealised"] == f"2 held or short, out of session; {FIFO}"


def test_without_any_price_there_is_no_age():
    assert prices_words(view_of_fills(OPEN).unrealised, NOW, {}) == ""
