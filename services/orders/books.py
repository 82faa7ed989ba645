"""What the broker's books say, for whoever looks for something in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cached_property

from services.domain.errors import RequestRefused
from services.domain.gtt import GttOrder
from services.domain.margins import SegmentSwitch
from services.domain.orders import BookOrder
from services.domain.positions import Position
from services.orders.ports import Broker


class Books:
    """The broker's books in one round of looks, each read at most once, and only if somebody needs it."""

    def __init__(self, broker: Broker, orders: Callable[[], tuple[BookOrder, ...]], today: date) -> None:
        self.today = today
        """In India: the order book tells of no other day."""
        self._broker = broker
        self._read_orders = orders

    @cached_property
    def orders(self) -> tuple[BookOrder, ...]:
        """The order book."""
        return self._read_orders()

    @cached_property
    def positions(self) -> tuple[Position, ...]:
        return tuple(self._broker.positions())

    @cached_property
    def gtts(self) -> tuple[GttOrder, ...]:
        return tuple(self._broker.gtts())

    @cached_property
    def switches(self) -> tuple[SegmentSwitch, ...]:
        return tuple(self._broker.kill_switch())

    def order(self, order_id: str) -> BookOrder:
        """One order as its own page tells it now."""
        return self._broker.details(order_id)

    def history(self, order_id: str) -> tuple[BookOrder, ...]:
        """Every step of one order."""
        return tuple(self._broker.history(order_id=order_id))

    def tagged(self, tag: str) -> tuple[BookOrder, ...]:
        """The orders of the book that carry `tag`."""
        return tuple(order for order in self.orders if order.tag == tag)

    def history_of_tag(self, tag: str) -> tuple[BookOrder, ...]:
        """The last step of every order that carries `tag`, asked for by that tag alone."""
        try:
            steps = self._broker.history(tag=tag)
        except RequestRefused:
            return ()  # so the broker says that there is none
        return tuple({step.order_id: step for step in steps if step.tag == tag}.values())
