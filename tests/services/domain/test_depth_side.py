"""A side of the depth is read when somebody looks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.domain.errors import MalformedPayload
from services.domain.quote_row import quote_row
from services.domain.quotes import DepthLevel, DepthSide
from tests.support.quotes import NOW, quote

BEST, NEXT = {"price": 1472.4, "quantity": 154, "orders": 5}, {"price": 1472.3, "quantity": 380, "orders": 9}
PADDING = {"price": 0.0, "quantity": 0, "orders": 0}


def test_it_reads_as_levels_without_the_padding() -> None:
    side = DepthSide([BEST, NEXT, PADDING, PADDING, PADDING])

    assert side == (DepthLevel(1472.4, 154, 5), DepthLevel(1472.3, 380, 9))
    assert (side[0].price, side[:1], len(side), bool(DepthSide([PADDING]))) == (1472.4, (side[0],), 2, False)
    assert hash(side) == hash(tuple(side))
    assert repr(side) == repr(tuple(side))


def test_whole_numbers_are_prices_too_and_quantities_may_come_as_floats() -> None:
    (level,) = DepthSide([{"price": 1472, "quantity": 154.0, "orders": None}])

    assert level == DepthLevel(1472.0, 154, 0)
    assert (type(level.price), type(level.quantity)) == (float, int)


@pytest.mark.parametrize(
    "row", [7, None, {}, {"price": 1.0, "quantity": 1}, {**BEST, "price": "1"}, {**BEST, "orders": "x"}]
)
def test_what_is_no_level_is_malformed_when_it_is_looked_at(row: object) -> None:
    side = DepthSide([BEST, row])

    with pytest.raises(MalformedPayload) as caught:
        side.levels()
    assert caught.value.field == "depth"


def test_a_row_of_the_quote_book_shows_unread_and_read_levels_alike() -> None:
    unread = replace(quote(), bids=DepthSide([BEST, NEXT, PADDING]), asks=DepthSide([]))

    depth = quote_row(unread, received_at=NOW, source="simulated", api_version="v3")["depth"]

    assert depth == {"buy": (BEST, NEXT), "sell": ()}
