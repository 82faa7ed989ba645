"""Fills of past days whose orders only our own book knows.

The broker's history of past trades tells neither orders nor products, and whoever was away in the last minutes of a day
hears of its last fills from there alone. The day's order book was kept: where its orders of an instrument and side
lack exactly as many units as the history brings, these fills are theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from services.ledger.order_tables import orders_v3, trades
from services.ledger.trade_rows import Cells

Group = tuple[date, str, str]
"""Day, instrument key, side."""


def tell_orders(connection: sa.Connection, rows: Iterable[Cells]) -> None:
    """Fill in the product of `rows`, which are about to be written down, and the order where only one comes into
    question. What is not certain stays empty: an order that may still change, units that are too many or too few,
    orders of several products."""
    groups: defaultdict[Group, list[Cells]] = defaultdict(list)
    for row in rows:
        if not row["order_id"] and not row["product"] and row["key"]:
            groups[row["day"], row["key"], row["side"]].append(row)
    for group, mine in groups.items():
        lacking = _lacking(connection, group)
        if lacking is None or sum(units for units, _ in lacking.values()) != sum(row["quantity"] for row in mine):
            continue
        products = {product for _, product in lacking.values()}
        if len(products) == 1:
            known = {"product": products.pop()}
            if len(lacking) == 1:
                known["order_id"] = next(iter(lacking))
            for row in mine:
                row.update(known)


def _lacking(connection: sa.Connection, group: Group) -> dict[str, tuple[int, str]] | None:
    """The orders of that day, instrument and side of which more was filled than fills are known: how many units are
    missing, and the product. `None`: that cannot be told, for an order is not at its end, or a fill has no order."""
    day, key, side = group
    orders = connection.execute(
        sa.select(orders_v3.c.order_id, orders_v3.c.filled_quantity, orders_v3.c.product, orders_v3.c.alive).where(
            orders_v3.c.day == day, orders_v3.c.key == key, orders_v3.c.side == side
        )
    ).all()
    told = connection.execute(
        sa.select(trades.c.order_id, sa.func.sum(trades.c.quantity))
        .where(trades.c.day == day, trades.c.key == key, trades.c.side == side)
        .group_by(trades.c.order_id)
    ).all()
    filled = {order_id: int(units) for order_id, units in told}
    if any(order.alive for order in orders) or None in filled:
        return None
    return {
        order.order_id: (missing, order.product)
        for order in orders
        if (missing := order.filled_quantity - filled.get(order.order_id, 0)) > 0
    }
