"""The day's orders in memory: asked for once a second by every screen, changed by the poll and by the stream."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Lock

from services.domain.orders import BookOrder, Status

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class DayBook:
    """Orders by id, and the newest first. Any thread."""

    def __init__(self) -> None:
        self._guard = Lock()  # guards all below
        self._orders: dict[str, BookOrder] = {}
        self._of_tag: dict[str, list[str]] = {}
        self._sorted: tuple[BookOrder, ...] | None = ()
        self._version = 0

    def put(self, orders: Iterable[BookOrder]) -> None:
        """These orders as they are known now, in place of what was known of them."""
        with self._guard:
            self._put(orders)

    def restart(self, orders: Iterable[BookOrder]) -> None:
        """Another day: these orders and no others. Nobody sees an empty book in between."""
        with self._guard:
            self._orders.clear()
            self._of_tag.clear()
            self._version += 1
            self._sorted = None
            self._put(orders)

    def forget(self, order_id: str) -> None:
        """The broker knows of it no more: it belongs to no book of today."""
        with self._guard:
            if self._orders.pop(order_id, None) is not None:
                self._version += 1
                self._sorted = None

    def get(self, order_id: str) -> BookOrder | None:
        with self._guard:
            return self._orders.get(order_id)

    def tagged(self, tag: str) -> tuple[BookOrder, ...]:
        """The orders that carry `tag`."""
        with self._guard:
            return tuple(self._orders[order_id] for order_id in self._of_tag.get(tag, ()) if order_id in self._orders)

    def all(self) -> tuple[tuple[BookOrder, ...], int]:
        """Every order, the newest first, and the version, which rises with every real change."""
        with self._guard:
            if self._sorted is None:
                self._sorted = tuple(sorted(self._orders.values(), key=_newest, reverse=True))
            return self._sorted, self._version

    def alive(self) -> tuple[BookOrder, ...]:
        """Those that may still be filled, changed or cancelled."""
        return tuple(order for order in self.all()[0] if not order.terminal)

    def _put(self, orders: Iterable[BookOrder]) -> None:
        changed = False
        for order in orders:
            if order.status == Status.UNTOLD:  # of a day before, whoever wrote it down: it belongs to no book of today
                changed = self._orders.pop(order.order_id, None) is not None or changed
            elif self._orders.get(order.order_id) != order:
                if order.tag and order.order_id not in self._of_tag.setdefault(order.tag, []):
                    self._of_tag[order.tag].append(order.order_id)
                self._orders[order.order_id] = order
                changed = True
        if changed:
            self._version += 1
            self._sorted = None


def _newest(order: BookOrder) -> tuple[datetime, str]:
    return order.placed_at or _LONG_AGO, order.order_id
