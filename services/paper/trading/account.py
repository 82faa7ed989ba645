"""Positions and holdings: what fills, conversions and the end of a day make of them. Pure, exact to 1/10000 rupee.

A position keeps what its open quantity has cost. Where part of it is closed, the same part of the cost leaves, rounded
down, and the rest stays: money and cost together never lose or win a fraction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.paper.trading.order_values import Fill
from services.paper.trading.position_values import Holding, Position


@dataclass(frozen=True, slots=True)
class Applied:
    """A position after something was added to it, and what closing a part of it brought."""

    position: Position
    realised: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A holding after the day's shares have come or gone, what that did to cash, and the profit in it."""

    holding: Holding | None
    cash: int
    realised: int


def filled(position: Position, fill: Fill) -> Applied:
    """`position` after `fill`."""
    return _added(position, buys=fill.buys, quantity=fill.quantity, value=fill.amount)


def taken_out(position: Position, quantity: int) -> tuple[Position, int]:
    """`position` without `quantity` of what was bought (or, when it is short, sold) today, as if that had never
    happened; and what it had cost, always above 0."""
    cost = position.cost * quantity // abs(position.quantity)
    if position.quantity > 0:
        less = replace(
            position,
            day_buy_quantity=position.day_buy_quantity - quantity,
            day_buy_value=position.day_buy_value - cost,
            cost=position.cost - cost,
        )
    else:
        less = replace(
            position,
            day_sell_quantity=position.day_sell_quantity - quantity,
            day_sell_value=position.day_sell_value + cost,
            cost=position.cost - cost,
        )
    return less, abs(cost)


def put_in(position: Position, *, buys: bool, quantity: int, value: int) -> Applied:
    """`position` with what another product's position gave away."""
    return _added(position, buys=buys, quantity=quantity, value=value)


def carried(position: Position) -> Position | None:
    """`position` on the next day; `None` when it is closed."""
    net = position.quantity
    if net == 0:
        return None
    return replace(
        position,
        overnight_quantity=net,
        overnight_buy_quantity=max(net, 0),
        overnight_buy_amount=max(position.cost, 0),
        overnight_sell_quantity=max(-net, 0),
        overnight_sell_amount=max(-position.cost, 0),
        day_buy_quantity=0,
        day_buy_value=0,
        day_sell_quantity=0,
        day_sell_value=0,
        realised=0,
    )


def delivered(holding: Holding, quantity: int, cost: int, *, settled: bool) -> Delivered:
    """`holding` after a delivery position of `quantity` shares (below 0: sold ones) and `cost` has become of it."""
    if quantity > 0:
        more = replace(
            holding,
            quantity=holding.quantity + quantity,
            t1_quantity=holding.t1_quantity + (0 if settled else quantity),
            cost=holding.cost + cost,
        )
        return Delivered(more, -cost, 0)
    sold = min(-quantity, holding.quantity)
    gone = holding.cost * sold // holding.quantity if holding.quantity else 0
    left = holding.quantity - sold
    less = replace(holding, quantity=left, t1_quantity=min(holding.t1_quantity, left), cost=holding.cost - gone)
    return Delivered(less if left else None, -cost, -cost - gone)


def _added(position: Position, *, buys: bool, quantity: int, value: int) -> Applied:
    sign = 1 if buys else -1
    net = position.quantity
    closing = min(abs(net), quantity) if net * sign < 0 else 0
    part = value * closing // quantity
    gone = position.cost * closing // abs(net) if closing else 0
    realised = (-sign * part - gone) * position.multiplier
    return Applied(
        replace(
            position,
            day_buy_quantity=position.day_buy_quantity + (quantity if buys else 0),
            day_buy_value=position.day_buy_value + (value if buys else 0),
            day_sell_quantity=position.day_sell_quantity + (0 if buys else quantity),
            day_sell_value=position.day_sell_value + (0 if buys else value),
            cost=position.cost - gone + sign * (value - part),
            realised=position.realised + realised,
        ),
        realised,
    )
