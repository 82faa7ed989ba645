"""Only what differs is told to the broker, and nonsense is refused before."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dashboard.order_change import change_of, types_for
from services.domain.errors import InvalidRequest
from services.domain.orders import OrderChange, OrderType, Side, Validity
from tests.support.order_page import book_order


def change(order, **wanted):
    usual = {
        "quantity": order.quantity,
        "order_type": OrderType(order.order_type),
        "price": order.price,
        "trigger": order.trigger_price or None,
        "validity": Validity.DAY,
        "disclosed": 0,
    }
    return change_of(order, **{**usual, **wanted})


def test_nothing_different_is_no_change():
    assert change(book_order(1)) is None


def test_only_what_differs_is_told():
    assert change(book_order(1), price=Decimal("1230")) == OrderChange(price=Decimal("1230"))
    assert change(book_order(1), quantity=12) == OrderChange(quantity=12)


def test_a_limit_that_becomes_a_market_order_has_no_price():
    assert change(book_order(1), order_type=OrderType.MARKET) == OrderChange(order_type=OrderType.MARKET)


def test_the_quantity_is_never_below_what_is_filled():
    with pytest.raises(InvalidRequest, match="4 are filled"):
        change(book_order(1, filled_quantity=4), quantity=3)


def test_empty_prices_are_asked_for():
    stop = book_order(1, order_type="SL", trigger_price=Decimal(1230))

    with pytest.raises(InvalidRequest, match="fill in the price"):
        change(stop, price=None)
    with pytest.raises(InvalidRequest, match="trigger price"):
        change(stop, trigger=None)


@pytest.mark.parametrize(("side", "trigger"), [(Side.BUY, 1240), (Side.SELL, 1230)])
def test_a_trigger_beyond_its_limit_is_refused(side, trigger):
    stop = book_order(1, side=side, order_type="SL", trigger_price=Decimal(trigger))

    with pytest.raises(InvalidRequest, match="trigger"):
        change(stop, quantity=9)


def test_what_an_order_can_become_begins_with_what_it_is():
    assert types_for(book_order(1, order_type="SL-M"))[0] is OrderType.STOP_MARKET
    assert types_for(book_order(1, order_type="new kind"))[0] is OrderType.LIMIT
