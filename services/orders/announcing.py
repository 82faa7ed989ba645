"""Announcements: what everybody at the desk should hear of, in the order in which it was heard.

An order is compared with what was said of it last in this process, not with the ledger: another process that shares
the ledger may have written the change down first, and people here must hear of it all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Lock

from services.domain.clock import IST, ist_date
from services.domain.orders import BookOrder, Status
from services.orders.views import Announcement, News

KEPT = 500


class Announcer:
    """The last `KEPT` announcements. Any thread."""

    def __init__(self, now: Callable[[], datetime], say: Callable[[BookOrder, int], str]) -> None:
        """`say(order, newly_filled)` tells what happened to an order, in words."""
        self._now = now
        self._say = say
        self._guard = Lock()  # guards all below
        self._kept: deque[Announcement] = deque(maxlen=KEPT)
        self._number = 0
        self._said: dict[str, tuple[str, int]] = {}  # order id -> status and filled quantity as said last
        self._listening = False

    def know(self, orders: Iterable[BookOrder]) -> None:
        """How these stand is no news."""
        with self._guard:
            for order in orders:
                self._said[order.order_id] = (order.status, order.filled_quantity)

    def begin(self) -> None:
        """From now on an order that was never heard of is news."""
        self._listening = True

    def heard(self, order: BookOrder) -> bool:
        """`order` as it is known now. True: more of it is filled than before."""
        with self._guard:
            known = self._said.get(order.order_id)
            self._said[order.order_id] = (order.status, order.filled_quantity)
            if known is None and not self._listening:
                return order.filled_quantity > 0
            status, filled = known or ("", 0)
            more = order.filled_quantity - filled
            kind = None
            if order.status != status and order.status == Status.REJECTED:
                kind = News.REJECT
            elif order.status != status and order.status in {Status.CANCELLED, Status.AMO_CANCELLED}:
                kind = News.CANCEL
            elif more > 0:
                kind = News.FILL
            if kind is not None:
                text = f"{self._say(order, max(0, more))}{self._on_what_day(order)}"
                self._add(kind, text, order.order_id, "", good=kind is not News.REJECT)
            return more > 0

    def say(self, kind: News, text: str, *, intent_id: str = "", order_id: str = "", good: bool = True) -> None:
        """Announce something else."""
        with self._guard:
            self._add(kind, text, order_id, intent_id, good=good)

    def after(self, number: int) -> tuple[Announcement, ...]:
        """What was announced after that number, the oldest first."""
        with self._guard:
            if number >= self._number:
                return ()
            return tuple(one for one in self._kept if one.number > number)

    def _on_what_day(self, order: BookOrder) -> str:
        """Where we hear today of what happened before: when it did."""
        at = order.exchange_at
        if at is None or ist_date(at) == ist_date(self._now()):
            return ""
        return f", on {at.astimezone(IST):%a %d %b, %H:%M} IST"

    def _add(self, kind: News, text: str, order_id: str, intent_id: str, *, good: bool) -> None:
        self._number += 1
        self._kept.append(Announcement(self._number, self._now(), kind, text, order_id, intent_id, good))
