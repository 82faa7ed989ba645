"""The living orders of an account, filed so that nobody has to look at all of them: by instrument, and there by the
price at which an order begins to matter. And what the orders of one side ask for together, for which money is held.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from services.domain.orders import Status
from services.paper.trading.order_values import AFTER_HOURS, Order

Claim = tuple[str, str, bool]
"""Instrument key, product, and whether it buys."""
_Row = tuple[int, str]
"""A price and the id of the order that waits for it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the living orders of one side ask for: how many, and how much money at the prices it is held for."""

    quantity: int = 0
    amount: int = 0

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.quantity + other.quantity, self.amount + other.amount)

    def __sub__(self, other: Demand) -> Demand:
        return Demand(self.quantity - other.quantity, self.amount - other.amount)


NO_DEMAND = Demand()


def demand_of(order: Order | None) -> Demand:
    """Of one order, dead or alive."""
    if order is None or not order.pending:
        return NO_DEMAND
    return Demand(order.pending, order.pending * (order.limit or order.price or order.trigger))


def claim_of(order: Order) -> Claim:
    return order.key, order.product, order.buys


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the market reaches at a moment: the best prices displayed (`None`: nothing is), and the last one."""

    bid: int | None
    ask: int | None
    last: int


class Standing:
    """The living orders of one instrument."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        """By id, the oldest first."""
        self.kept: dict[str, None] = {}
        """Ids of those that were taken after hours."""
        self._restless: dict[str, None] = {}  # they look at every display
        self._resting: dict[bool, list[_Row]] = {True: [], False: []}  # by limit
        self._stops: dict[bool, list[_Row]] = {True: [], False: []}  # by trigger

    def put(self, order: Order) -> None:
        """Take in a living order, or what has become of it."""
        self._forget(self.orders.get(order.order_id))
        self.orders[order.order_id] = order
        if order.status in AFTER_HOURS:
            self.kept[order.order_id] = None
        elif order.status == Status.TRIGGER_PENDING:
            insort(self._stops[order.buys], (order.trigger, order.order_id))
        elif order.resting:
            insort(self._resting[order.buys], (order.limit, order.order_id))
        else:
            self._restless[order.order_id] = None

    def take_out(self, order_id: str) -> None:
        self._forget(self.orders.pop(order_id, None))

    def reached(self, reach: Reach) -> Iterator[str]:
        """Ids of the orders to which such a market makes a difference."""
        yield from self._restless
        if reach.ask is not None:
            yield from _ids(self._resting[True], reach.ask, None)
        if reach.bid is not None:
            yield from _ids(self._resting[False], None, reach.bid)
        yield from _ids(self._stops[True], None, reach.last)
        yield from _ids(self._stops[False], reach.last, None)

    def _forget(self, order: Order | None) -> None:
        if order is None:
            return
        self.kept.pop(order.order_id, None)
        self._restless.pop(order.order_id, None)
        for rows, price in ((self._stops[order.buys], order.trigger), (self._resting[order.buys], order.limit)):
            at = bisect_left(rows, (price, order.order_id))
            if at < len(rows) and rows[at] == (price, order.order_id):
                del rows[at]


def _ids(rows: list[_Row], least: int | None, most: int | None) -> list[str]:
    """Of the rows whose price lies between `least` and `most`, both included."""
    first = 0 if least is None else bisect_left(rows, (least, ""))
    last = len(rows) if most is None else bisect_left(rows, (most + 1, ""))
    return [order_id for _, order_id in rows[first:last]]
