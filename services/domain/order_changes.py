"""What an order would become: by a modification, or told as a wish again."""

from __future__ import annotations

from decimal import Decimal

from services.domain.errors import InvalidRequest
from services.domain.orders import (
    AUTOMATIC_PROTECTION,
    BookOrder,
    OrderChange,
    OrderRequest,
    OrderType,
    Validity,
    read_product,
)


def changed(order: BookOrder, change: OrderChange) -> OrderRequest:
    """The whole order after `change`, checked as a new one would be. What its type does not need falls away; what it
    newly needs must be given. Raises `InvalidRequest` in the user's words."""
    if order.terminal:
        raise InvalidRequest(f"the order is {order.status}: it cannot be changed any more")
    quantity = order.quantity if change.quantity is None else change.quantity
    if quantity <= order.filled_quantity and order.filled_quantity:
        raise InvalidRequest(
            f"{order.filled_quantity} are filled already: the new total must be more (to stop the rest, cancel it)"
        )
    kind = change.order_type or _order_type(order)
    protection = order.market_protection if change.market_protection is None else change.market_protection
    if not kind.takes_protection:
        if change.market_protection is not None:
            raise InvalidRequest("market protection belongs to MARKET and SL-M orders")
        protection = None
    elif protection is None or protection == 0:
        protection = AUTOMATIC_PROTECTION
    for name, given, needed in (
        ("price", change.price, kind.needs_price),
        ("trigger price", change.trigger_price, kind.needs_trigger),
    ):
        if given is not None and not needed:
            raise InvalidRequest(f"a {kind} order has no {name}")
    return OrderRequest(
        key=order.key,
        side=order.side,
        quantity=quantity,
        order_type=kind,
        product=read_product(order.product),
        price=_kept(change.price, order.price) if kind.needs_price else None,
        trigger_price=_kept(change.trigger_price, order.trigger_price) if kind.needs_trigger else None,
        validity=change.validity or _validity(order),
        disclosed_quantity=order.disclosed_quantity if change.disclosed_quantity is None else change.disclosed_quantity,
        market_protection=protection,
    )


def _kept(given: Decimal | None, before: Decimal) -> Decimal:
    return before if given is None else given


def _order_type(order: BookOrder) -> OrderType:
    try:
        return OrderType(order.order_type)
    except ValueError:
        raise InvalidRequest(
            f"an order of the type {order.order_type[:20]!r} cannot be placed or changed here"
        ) from None


def _validity(order: BookOrder) -> Validity:
    try:
        return Validity(order.validity or Validity.DAY)
    except ValueError:
        raise InvalidRequest(f"the validity {order.validity[:20]!r} is not DAY or IOC") from None
