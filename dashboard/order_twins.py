"""Was the same order sent a moment ago? Pure. A double press never sends twice; a person who fills in the same ticket
again might."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from dashboard.formatting import duration
from dashboard.order_rows import state_of
from services.domain.orders import BookOrder, OrderRequest

LATELY = timedelta(minutes=2)


def twin_warning(request: OrderRequest, orders: Iterable[BookOrder], now: datetime) -> tuple[str, ...]:
    """One sentence if an order like `request` was placed within two minutes; `orders` newest first."""
    for order in orders:
        if order.placed_at is None:
            continue
        ago = now - order.placed_at
        if ago > LATELY:
            break
        if _same(request, order):
            words = state_of(order)[0].lower()
            seconds = duration(max(0.0, ago.total_seconds()))
            return (f"An order just like this was placed {seconds} ago and is {words}. This is one more.",)
    return ()


def _same(request: OrderRequest, order: BookOrder) -> bool:
    price, trigger = request.price or 0, request.trigger_price or 0
    return (
        (request.key, request.side, request.quantity, request.product)
        == (order.key, order.side, order.quantity, order.product)
        and request.order_type == order.order_type
        and price == order.price
        and trigger == order.trigger_price
    )
