"""From the fields of a change to the change itself: only what differs is told to the broker. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.domain.errors import InvalidRequest
from services.domain.orders import BookOrder, OrderChange, OrderType, Validity

CHANGEABLE = {
    OrderType.LIMIT: (OrderType.LIMIT, OrderType.MARKET),
    OrderType.MARKET: (OrderType.MARKET, OrderType.LIMIT),
    OrderType.STOP_LIMIT: (OrderType.STOP_LIMIT, OrderType.STOP_MARKET, OrderType.LIMIT, OrderType.MARKET),
    OrderType.STOP_MARKET: (OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.LIMIT, OrderType.MARKET),
}
"""What an order can still become; the first is what it is."""


def types_for(order: BookOrder) -> tuple[OrderType, ...]:
    """What its type can be changed to, its own first. A stop-loss whose trigger was traded is a limit order by then."""
    own = next((one for one in OrderType if one == order.order_type), OrderType.LIMIT)
    return CHANGEABLE[own]


def change_of(
    order: BookOrder,
    *,
    quantity: int,
    order_type: OrderType,
    price: Decimal | None,
    trigger: Decimal | None,
    validity: Validity,
    disclosed: int,
) -> OrderChange | None:
    """What is different from the order as it is; `None` if nothing is. Raises `InvalidRequest` in the user's words."""
    if quantity < max(1, order.filled_quantity):
        raise InvalidRequest(f"the new quantity is the whole of it, and {order.filled_quantity} are filled already")
    if order_type.needs_price and not price:
        raise InvalidRequest("fill in the price")
    if order_type.needs_trigger and not trigger:
        raise InvalidRequest("fill in the trigger price")
    if order_type is OrderType.STOP_LIMIT and price and trigger and (price - trigger) * order.side.sign < 0:
        raise InvalidRequest(f"the trigger of a stop-loss {order.side.lower()} is not beyond its limit")
    stop = order_type.needs_trigger
    told = {
        "quantity": (quantity, order.quantity),
        "order_type": (order_type, order.order_type),
        "price": (price if order_type.needs_price else None, order.price),
        "trigger_price": (trigger if stop else None, order.trigger_price),
        "validity": (None if stop else validity, order.validity),
        "disclosed_quantity": (disclosed, order.disclosed_quantity),
    }
    changed: dict[str, Any] = {name: new for name, (new, old) in told.items() if new is not None and new != old}
    return OrderChange(**changed) if changed else None
