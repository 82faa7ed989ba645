from __future__ import annotations

from decimal import Decimal

import pytest

from services.domain.errors import InvalidRequest
from services.domain.order_changes import changed
from services.domain.orders import BookOrder, OrderChange, OrderType
from tests.support.orders import a_request, told


def test_what_is_not_changed_stays() -> None:
    assert changed(told(), OrderChange(quantity=15)) == a_request(quantity=15)
    assert changed(told(), OrderChange(price=Decimal("1480.10"))).quantity == 10


def test_the_new_quantity_is_the_total_and_more_than_is_filled() -> None:
    partly = told(filled_quantity=6, quantity=10)

    assert changed(partly, OrderChange(quantity=7)).quantity == 7
    for quantity in (6, 5):
        with pytest.raises(InvalidRequest, match="6 are filled"):
            changed(partly, OrderChange(quantity=quantity))


def test_a_change_of_type_drops_what_the_new_one_has_not_and_asks_for_what_it_needs() -> None:
    market = changed(told(), OrderChange(order_type=OrderType.MARKET))
    assert (market.price, market.market_protection) == (None, Decimal(-1))

    with pytest.raises(InvalidRequest, match="trigger price"):
        changed(told(), OrderChange(order_type=OrderType.STOP_LIMIT))
    stop = changed(told(), OrderChange(order_type=OrderType.STOP_LIMIT, trigger_price=Decimal(1465)))
    assert (stop.price, stop.trigger_price) == (Decimal(1470), Decimal(1465))


@pytest.mark.parametrize(
    "change",
    [
        OrderChange(trigger_price=Decimal(1465)),
        OrderChange(order_type=OrderType.MARKET, price=Decimal(1)),
        OrderChange(market_protection=Decimal(2)),
        OrderChange(disclosed_quantity=11),
        OrderChange(price=Decimal(0)),
    ],
)
def test_a_change_that_the_type_has_no_place_for_is_refused(change: OrderChange) -> None:
    with pytest.raises(InvalidRequest):
        changed(told(), change)


@pytest.mark.parametrize(
    "order",
    [
        told("complete"),
        told("rejected"),
        told(product="CO"),
        told(order_type="ICEBERG"),
        told(validity="GTD"),
    ],
)
def test_what_has_ended_or_is_of_another_kind_cannot_be_changed(order: BookOrder) -> None:
    with pytest.raises(InvalidRequest):
        changed(order, OrderChange(quantity=5))
