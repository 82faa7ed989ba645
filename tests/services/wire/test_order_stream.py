from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from services.domain.errors import MalformedPayload
from services.domain.order_updates import apply_update
from services.domain.orders import Status
from services.wire.order_stream import (
    GttUpdate,
    HoldingUpdate,
    OrderUpdate,
    OtherUpdate,
    PositionUpdate,
    parse_update,
)
from services.wire.orders import parse_orders
from tests.support.payloads import body, data


def _update(name: str) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(body(name))
    return told


def test_an_order_of_the_stream_is_an_order_of_the_book() -> None:
    update = parse_update(_update("stream_order"))

    assert isinstance(update, OrderUpdate)
    known = parse_orders(data("order_book"))[0]
    order = apply_update(known, update.order).order
    assert (order.status, order.filled_quantity, order.average_price) == (Status.COMPLETE, 12, Decimal("2840.4"))


def test_a_position_of_the_stream_knows_no_prices_of_the_market() -> None:
    update = parse_update(_update("stream_position"))

    assert isinstance(update, PositionUpdate)
    assert (update.position.quantity, update.position.last_price, update.position.average_price) == (5, None, None)
    assert update.position.entry_price == Decimal("2840.35")


def test_a_holding_and_a_waiting_order() -> None:
    holding, waiting = parse_update(_update("stream_holding")), parse_update(_update("stream_gtt"))

    assert isinstance(holding, HoldingUpdate)
    assert (holding.holding.quantity, holding.holding.last_price) == (20, None)
    assert isinstance(waiting, GttUpdate)
    assert (waiting.gtt.gtt_id, waiting.gtt.symbol) == ("GTT-CU26112000000007", "")


def test_a_kind_that_is_not_known_is_told_as_such() -> None:
    assert parse_update({"update_type": "margin"}) == OtherUpdate("margin")


@pytest.mark.parametrize("update", [{}, {"update_type": None}, {"update_type": "order"}, {"update_type": "gtt_order"}])
def test_what_is_no_update_is_malformed(update: dict[str, object]) -> None:
    with pytest.raises(MalformedPayload):
        parse_update(update)
