"""One piece of work on the account: everything that belongs together changes together, or not at all.

Changes are laid over the account in memory. Only when they are in the file are they merged; until then, and for ever if
something fails, nobody sees them.
"""

from __future__ import annotations

from collections.abc import Callable

from services.paper.trading.matching import EMPTY, Shelf
from services.paper.trading.notes import DayCharges
from services.paper.trading.order_values import AFTER_HOURS, Fill, Order
from services.paper.trading.position_values import Holding, HoldingNow, Position
from services.paper.trading.standing import NO_DEMAND, Claim, Demand, Reach, claim_of, demand_of
from services.paper.trading.state import Gtt, Held, Layer, State

Published = Order | Position | HoldingNow
"""What happened to the account, as it is told to whoever listens."""


class Work:
    """Changes that are on their way to the file."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.book = state.book
        self.orders: Layer[str, Order] = Layer(state.orders)
        self.positions: Layer[Held, Position] = Layer(state.positions)
        self.holdings: Layer[str, Holding] = Layer(state.holdings)
        self.killed: Layer[str, int] = Layer(state.killed)
        self.gtts: Layer[str, Gtt] = Layer(state.gtts)
        self.counters: Layer[str, int] = Layer(state.counters)
        self._shelves: Layer[str, Shelf] = Layer(state.shelves)
        self._demands: dict[Claim, Demand] = {}
        self._touched: dict[str, dict[str, None]] = {}  # orders that were changed, by instrument
        self.steps: list[Order] = []
        """The history's new rows, in order."""
        self.fills: list[Fill] = []
        self.notes: list[DayCharges] = []
        """Of days that are over; each stands for what was noted of its day and segment before."""
        self.new_day = False
        """Forget what belonged to the day before."""
        self.told: list[Callable[[], None]] = []
        """To be called when the changes are in the file."""

    @property
    def dirty(self) -> bool:
        """Is there anything to be written?"""
        layers = self.orders, self.positions, self.holdings, self.killed, self.gtts, self.counters
        return bool(
            self.steps
            or self.fills
            or self.notes
            or self.book is not self._state.book
            or any(one.changed for one in layers)
            or self.taken()
        )

    def next(self, name: str) -> int:
        """The next number of a series; never told twice, whatever happens to the process."""
        number = (self.counters.get(name) or 0) + 1
        self.counters.put(name, number)
        return number

    def record(self, order: Order) -> Order:
        """The next step of `order`, for its history too."""
        self.put(order)
        self.steps.append(order)
        return order

    def put(self, order: Order) -> None:
        """What has become of `order` without a step of its history."""
        less, more = demand_of(self.orders.get(order.order_id)), demand_of(order)
        if less != more:
            claim = claim_of(order)
            self._demands[claim] = self._demand(claim) - less + more
        self.orders.put(order.order_id, order)
        self._touched.setdefault(order.key, {})[order.order_id] = None

    @property
    def any_live(self) -> bool:
        """Does any order live?"""
        return any(self._lives(order_id) for order_id in self._state.live) or any(map(self._lives, self.orders.changed))

    def live(self) -> list[Order]:
        """Every order that lives, the oldest first."""
        ids = dict.fromkeys((*self._state.live, *self.orders.changed))
        return [order for one in ids if (order := self.orders.get(one)) is not None and order.alive]

    def live_keys(self) -> list[str]:
        """The instruments of living orders, and perhaps some whose last one has just ended."""
        return list(dict.fromkeys((*self._state.standing, *self._touched)))

    def live_of(self, key: str) -> list[Order]:
        """The living orders of one instrument, the oldest first."""
        standing = self._state.standing.get(key)
        ids = dict.fromkeys((*(standing.orders if standing is not None else ()), *self._touched.get(key, ())))
        return [order for one in ids if (order := self.orders.get(one)) is not None and order.alive]

    def reached(self, key: str, reach: Reach) -> list[Order]:
        """Those of them to which such a market makes a difference; what this work has touched is among them."""
        standing, touched = self._state.standing.get(key), self._touched.get(key, {})
        ids = [] if standing is None else [one for one in standing.reached(reach) if one not in touched]
        found = [order for one in (*ids, *touched) if (order := self.orders.get(one)) is not None and order.alive]
        return sorted(found, key=lambda order: order.number)

    def keeps(self, key: str) -> bool:
        """Is an order of this instrument kept for the next session?"""
        standing = self._state.standing.get(key)
        kept = (*(standing.kept if standing is not None else ()), *self._touched.get(key, ()))
        return any((order := self.orders.get(one)) is not None and order.status in AFTER_HOURS for one in kept)

    def demand(self, held: Held, *, buys: bool) -> Demand:
        """What the living orders of one instrument and product ask for on one side."""
        return self._demand((*held, buys))

    def demanded(self) -> list[Held]:
        """The instruments and products of living orders."""
        claims = dict.fromkeys((*self._state.demands, *self._demands))
        return list(dict.fromkeys(claim[:2] for claim in claims if self._demand(claim).quantity))

    def used(self, isin: str) -> int:
        """Shares of this ISIN that are sold today and not delivered yet."""
        return sum(
            -position.quantity
            for (_, product), position in self.positions.items()
            if product == "D" and position.quantity < 0 and isin_of(position.key) == isin
        )

    def shelf(self, key: str) -> Shelf:
        return self._shelves.get(key) or EMPTY

    def put_shelf(self, key: str, shelf: Shelf) -> None:
        self._shelves.put(key, shelf)

    def taken(self) -> dict[str, Shelf]:
        """The displays of which something else is taken than before; what is merely displayed need not be kept."""
        known = self._state.shelves
        return {
            key: shelf
            for key, shelf in self._shelves.changed.items()
            if shelf is not None and shelf.taken != known.get(key, EMPTY).taken
        }

    def changes(self) -> list[Published]:
        """What listeners are told, orders first."""
        told: list[Published] = list(self.steps)
        told += [position for position in self.positions.changed.values() if position is not None]
        isins = dict.fromkeys(self.holdings.changed)
        isins.update(
            (isin_of(key), None) for (key, product) in self.positions.changed if product == "D" and "_EQ|" in key
        )
        for isin in isins:
            holding = self.holdings.get(isin)
            if holding is not None:
                told.append(HoldingNow(holding, self.used(isin)))
        return told

    def merge(self) -> None:
        """The changes are in the file: let everybody see them."""
        state = self._state
        state.book = self.book
        for layer in (self.orders, self.positions, self.holdings, self.killed, self.gtts, self.counters, self._shelves):
            layer.merge()
        for order in self.orders.changed.values():
            if order is not None:
                state.file(order)
        for claim, demand in self._demands.items():
            if demand.quantity:
                state.demands[claim] = demand
            else:
                state.demands.pop(claim, None)
        if self.new_day:
            state.orders = {
                one.order_id: one for one in state.orders.values() if one.alive or one.day == state.book.day
            }
            state.fills = []
        state.fills += [fill for fill in self.fills if fill.day == state.book.day]

    def _lives(self, order_id: str) -> bool:
        order = self.orders.get(order_id)
        return order is not None and order.alive

    def _demand(self, claim: Claim) -> Demand:
        found = self._demands.get(claim)
        return self._state.demands.get(claim, NO_DEMAND) if found is None else found


def isin_of(key: str) -> str:
    """The ISIN in the key of a share."""
    return key.partition("|")[2]
