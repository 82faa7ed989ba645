"""Rows of orders and events as values, and back."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.domain.order_records import OrderEvent
from services.domain.orders import BookOrder, Side
from services.ledger.money import settled
from services.ledger.order_tables import orders_v3

ORDER_FIELDS = tuple(field.name for field in fields(BookOrder))
ORDER_COLUMNS = tuple(orders_v3.c[name] for name in ORDER_FIELDS)
_SIDE = ORDER_FIELDS.index("side")


def order_of(row: sa.Row[Any]) -> BookOrder:  # Any: cells of several kinds
    """The order in a row of `ORDER_COLUMNS`."""
    cells = list(row)
    cells[_SIDE] = Side(cells[_SIDE])
    return BookOrder(*cells)


def cells_of(order: BookOrder) -> dict[str, Any]:  # Any: cells of several kinds
    """The order's own columns."""
    return {name: getattr(order, name) for name in ORDER_FIELDS} | {"side": order.side.value}


def exactly_kept(order: BookOrder) -> BookOrder:
    """`order` as it comes back from its row. Only averages, which are quotients, have finer places than are kept."""
    percent = order.market_protection
    return replace(
        order,
        status=str(order.status),
        price=settled(order.price),
        trigger_price=settled(order.trigger_price),
        average_price=settled(order.average_price),
        market_protection=None if percent is None else settled(percent),
    )


def event_of(row: sa.Row[Any]) -> OrderEvent:  # Any: cells of several kinds
    """The event in a row of `order_events`."""
    return OrderEvent(**row._asdict())


def told_at(order: BookOrder) -> datetime | None:
    """The broker's time of what it told: the later of its two."""
    return max((at for at in (order.placed_at, order.exchange_at) if at is not None), default=None)
