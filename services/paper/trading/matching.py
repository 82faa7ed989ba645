"""Orders against what the market displays: who gets how much of it, and at which price. Pure.

The market knows five levels a side and nothing of our orders. So our own orders share out what is displayed, by price
and then by time, and what they took stays taken for as long as the display at that price does not change: together they
never get more than was on offer, and none of them pays more, or takes less, than its limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.paper.model import Snapshot
from services.paper.trading.order_values import Order
from services.paper.trading.standing import Reach
from services.paper.trading.values import units

Place = tuple[bool, int]
"""A price on one side of the display: is it an offer (which buyers take), and the price."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is displayed of one instrument, and how much of it our own orders have taken."""

    shown: Mapping[Place, int]
    taken: Mapping[Place, int]

    def refreshed(self, snapshot: Snapshot) -> Shelf:
        """The shelf after the market has moved on. Where it still shows the same, nobody has brought new goods."""
        shown = displayed(snapshot)
        kept = {place: done for place, done in self.taken.items() if shown.get(place) == self.shown.get(place)}
        return Shelf(shown, kept)

    def written(self) -> str:
        """As text, for `read`; only the levels of which something is taken."""
        return json.dumps([[*place, self.shown[place], many] for place, many in self.taken.items()])

    @classmethod
    def read(cls, text: str) -> Shelf:
        rows = [((bool(offers), price), shown, many) for offers, price, shown, many in json.loads(text)]
        return cls({place: shown for place, shown, _ in rows}, {place: many for place, _, many in rows})

    def free(self, *, offers: bool) -> list[tuple[int, int]]:
        """Price and quantity that is left, the best price first; levels that are sold out stay, with 0."""
        found = [
            (price, shown - self.taken.get((side, price), 0))
            for (side, price), shown in self.shown.items()
            if side is offers
        ]
        return sorted(found, reverse=not offers)


EMPTY = Shelf({}, {})


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of an order that is filled."""

    order_id: str
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Matched:
    """What came of one look at the display."""

    portions: tuple[Portion, ...]
    shelf: Shelf
    resting: frozenset[str]
    """Orders that found nothing more within their limit, and wait for others to come to them."""


def displayed(snapshot: Snapshot) -> dict[Place, int]:
    """The five levels of both sides."""
    shown: dict[Place, int] = {}
    for offers, levels in ((False, snapshot.bids), (True, snapshot.asks)):
        for level in levels:
            if level.quantity > 0 and level.price > 0:
                place = offers, units(level.price)
                shown[place] = shown.get(place, 0) + level.quantity
    return shown


def reach(snapshot: Snapshot) -> Reach:
    """How far the market reaches: no order beyond that is filled or triggered."""
    shown = displayed(snapshot)
    bids, asks = ([price for side, price in shown if side is offers] for offers in (False, True))
    return Reach(max(bids, default=None), min(asks, default=None), units(snapshot.ltp))


def in_turn(orders: Iterable[Order]) -> list[Order]:
    """By price, then by time. All of them are on the same side and have a limit."""
    return sorted(orders, key=lambda order: (-order.sign * order.limit, order.priority))


def match(orders: Sequence[Order], shelf: Shelf, lot: int) -> Matched:
    """Fill open orders of one instrument, of both sides, in continuous trading.

    Who comes takes what is on offer at the prices on offer; an order that has been standing in the book is taken at its
    own. An order whose limit lies beyond the fifth level goes on taking when the display has changed: the market below
    is deeper than what it shows. Of a disclosed order that stands in the book, no more than its visible part is filled
    at once.
    """
    portions: list[Portion] = []
    resting: set[str] = set()
    taken = dict(shelf.taken)
    for buys in (True, False):
        levels = shelf.free(offers=buys)
        free = dict(levels)
        for order in in_turn(order for order in orders if order.buys is buys):
            within = [price for price, _ in levels if order.sign * (order.limit - price) >= 0]
            wanted = order.left
            if order.resting and order.disclosed:
                wanted = min(wanted, max(order.disclosed // lot * lot, lot))
            for price in within:
                quantity = min(wanted, free[price] // lot * lot)
                if quantity <= 0:
                    continue
                free[price] -= quantity
                taken[buys, price] = taken.get((buys, price), 0) + quantity
                wanted -= quantity
                portions.append(Portion(order.order_id, order.limit if order.resting else price, quantity))
            if not order.at_market and (len(within) < len(levels) or not levels):
                resting.add(order.order_id)
    return Matched(_joined(portions), Shelf(shelf.shown, taken), frozenset(resting))


def match_at(price: int, orders: Sequence[Order], shelf: Shelf, lot: int) -> Matched:
    """Fill orders at one price, in an auction or in the session at the closing price. An order without a limit takes
    part in front of the others. What all levels of the other side show together is the most that is filled."""
    portions: list[Portion] = []
    taken = dict(shelf.taken)
    for buys in (True, False):
        levels = shelf.free(offers=buys)
        for order in in_turn(order for order in orders if order.buys is buys):
            if not order.at_market and order.sign * (order.limit - price) < 0:
                continue
            wanted = order.left
            for at, (level, free) in enumerate(levels):
                quantity = min(wanted, free // lot * lot)
                if quantity > 0:
                    levels[at] = level, free - quantity
                    taken[buys, level] = taken.get((buys, level), 0) + quantity
                    wanted -= quantity
            if wanted < order.left:
                portions.append(Portion(order.order_id, price, order.left - wanted))
    return Matched(tuple(portions), Shelf(shelf.shown, taken), frozenset())


def _joined(portions: Iterable[Portion]) -> tuple[Portion, ...]:
    """Fills of one order at one price are one trade."""
    found: dict[tuple[str, int], int] = {}
    for portion in portions:
        place = portion.order_id, portion.price
        found[place] = found.get(place, 0) + portion.quantity
    return tuple(Portion(order_id, price, quantity) for (order_id, price), quantity in found.items())
