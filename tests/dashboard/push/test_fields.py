"""A quote as a list for the browser."""

from __future__ import annotations

from dashboard.push.fields import FIELDS, PLACE, UNREADABLE, depth_values, values
from services.domain.clock import epoch_ms
from services.domain.quote_row import Depth, QuoteRow
from services.domain.quotes import DepthSide
from tests.support.readings import NIFTY, NOW, row


def test_members_stand_in_the_order_of_their_names() -> None:
    told = dict(zip(FIELDS, values(row()), strict=True))

    assert (told["ltp"], told["change"], told["prev_close"], told["source"]) == (1500.0, 10.0, 1490.0, "simulated")
    assert (told["bid"], told["ask"], told["oi"], told["oi_change"]) == (1499.9, 1500.1, None, None)
    assert (told["last_trade_ms"], told["received_ms"]) == (epoch_ms(NOW), epoch_ms(NOW) - 2000)
    assert all(FIELDS[place] == name for name, place in PLACE.items())


def test_an_index_has_neither_bid_nor_ask_nor_depth() -> None:
    told = dict(zip(FIELDS, values(row(NIFTY, depth=False)), strict=True))

    assert (told["bid"], told["ask"]) == (None, None)
    assert depth_values(row(NIFTY, depth=False)) == [[], [], None, None, None]


def test_depth_is_told_best_first_with_its_totals() -> None:
    bids, asks, buy, sell, trouble = depth_values(row())

    assert (bids[0], len(bids), asks[0]) == ([1499.9, 100, 1], 5, [1500.1, 200, 1])
    assert (buy, sell, trouble) == (300_000, 100_000, None)


def test_a_depth_that_cannot_be_read_is_told_in_words_and_the_rest_of_the_row_stands() -> None:
    broken = DepthSide([{"price": "much"}])
    damaged = QuoteRow({**row(), "depth": Depth({"buy": broken, "sell": broken})})

    assert depth_values(damaged) == [[], [], 300_000, 100_000, UNREADABLE]
    assert dict(zip(FIELDS, values(damaged), strict=True)) | {"bid": 1499.9, "ask": 1500.1} == dict(
        zip(FIELDS, values(row()), strict=True)
    )
