"""The account in memory, as its file has it, and the layer that lays changes over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.paper.trading.matching import Shelf
from services.paper.trading.order_values import Fill, Order
from services.paper.trading.position_values import Holding, Position
from services.paper.trading.standing import NO_DEMAND, Claim, Demand, Standing, claim_of, demand_of

Held = tuple[str, str]
"""Instrument key and product."""
Gtt = tuple[str, bool]
"""Body (JSON), and whether it is still to be watched."""
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Book:
    """One account, from its opening to its reset. Money as in `values`."""

    number: int
    opened_ms: int
    opening: int
    day: str
    """The trading day that runs."""
    day_opening: int
    """The balance at its start."""
    balance: int
    charges: int
    """Of all days."""
    day_charges: int
    at_ms: int
    """Up to here the account has been carried on."""


class Layer(Generic[K, V]):
    """A dictionary with changes laid over it."""

    def __init__(self, base: dict[K, V]) -> None:
        self._base = base
        self.changed: dict[K, V | None] = {}
        """`None`: taken away."""

    def get(self, key: K) -> V | None:
        return self.changed[key] if key in self.changed else self._base.get(key)

    def put(self, key: K, value: V | None) -> None:
        self.changed[key] = value

    def items(self) -> Iterator[tuple[K, V]]:
        for key, value in self._base.items():
            if key not in self.changed:
                yield key, value
        for key, changed in self.changed.items():
            if changed is not None:
                yield key, changed

    def merge(self) -> None:
        for key, value in self.changed.items():
            if value is None:
                self._base.pop(key, None)
            else:
                self._base[key] = value


@dataclass(slots=True)
class State:
    """The running account."""

    book: Book
    orders: dict[str, Order] = field(default_factory=dict)
    """Today's, and older ones that live; the oldest first."""
    fills: list[Fill] = field(default_factory=list)
    """Today's."""
    positions: dict[Held, Position] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    """By ISIN."""
    killed: dict[str, int] = field(default_factory=dict)
    """Segment -> since when (epoch ms) its kill switch is on."""
    gtts: dict[str, Gtt] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    """What our own orders have taken of what is displayed."""
    live: dict[str, None] = field(init=False, default_factory=dict)
    """Ids of the living orders, the oldest first."""
    standing: dict[str, Standing] = field(init=False, default_factory=dict)
    """The same orders by instrument."""
    demands: dict[Claim, Demand] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for order in self.orders.values():
            if order.alive:
                self.file(order)
                self.demands[claim_of(order)] = self.demands.get(claim_of(order), NO_DEMAND) + demand_of(order)

    def file(self, order: Order) -> None:
        """Put `order` among the living ones of its instrument, or take it out."""
        if order.alive:
            self.live[order.order_id] = None
            self.standing.setdefault(order.key, Standing()).put(order)
            return
        self.live.pop(order.order_id, None)
        standing = self.standing.get(order.key)
        if standing is not None:
            standing.take_out(order.order_id)
            if not standing.orders:
                del self.standing[order.key]
