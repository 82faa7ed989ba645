"""Keeps the book: what the broker tells of orders goes into the ledger, into memory, and to whoever listens.

The book is told by the poll, single orders by the stream, by details and by answers. Whatever the source, it goes the
same way: `apply_update` inside the ledger's transaction decides, memory and announcements follow what it decided.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from threading import Lock
from typing import Any

from services.domain.clock import Clock, ist_date
from services.domain.errors import NoData, RequestRefused, StorageError, UpstoxError
from services.domain.intents import Witness
from services.domain.orders import BookOrder, Status, Trade
from services.domain.paper_accounts import AccountMark
from services.ledger.orders import Orders
from services.orders.announcing import Announcer
from services.orders.day_book import DayBook
from services.orders.fills import Fills
from services.orders.ports import Broker
from services.orders.together import BookNote

MOST_DETAILS = 20
"""So many orders are asked for one by one."""
WITNESSES = {
    "book": Witness.BOOK,
    "stream": Witness.STREAM,
    "details": Witness.BOOK,
    "history": Witness.HISTORY,
    "desk": Witness.DESK,
}
_NOT_BEGUN = frozenset({Status.AMO_RECEIVED, Status.AMO_MODIFIED})
"""Its day is still to come."""

log = logging.getLogger(__name__)


class Keeper:
    """The day's orders. Any thread. One lock keeps memory in step with the ledger; it is held across the
    disk, never across the network."""

    def __init__(
        self,
        *,
        broker: Broker,
        orders: Orders,
        fills: Fills,
        clock: Clock,
        book: DayBook,
        announcer: Announcer,
        tagged: Callable[[BookOrder, Witness], None],
        filled: Callable[[], None],
        mark: Callable[[], AccountMark] = AccountMark,
    ) -> None:
        """`tagged(order, witness)` hears of each order with a tag that is news; `filled()` of each fill; `mark()`:
        orders up to there belong to accounts that were put away."""
        self._broker = broker
        self._orders = orders
        self._fills = fills
        self._clock = clock
        self._book = book
        self._announcer = announcer
        self._tagged = tagged
        self._filled = filled
        self._mark = mark
        self._step = Lock()  # ledger and memory change together
        self._event = 0  # guarded by it: of the ledger's changes of orders, the last one that is in memory too
        self._guard = Lock()  # guards all below
        self._as_of: datetime | None = None
        self._error: str | None = None
        self._seen: dict[str, BookOrder] = {}  # each order as the book told it last: the same again is no news
        self._day: date | None = None
        self._of_mark = AccountMark()  # the account that the book in memory is of

    # -- what is known -----------------------------------------------------------------------------------------

    def state(self) -> tuple[datetime | None, str | None]:
        """When the broker told the whole book last, and why it could not since."""
        with self._guard:
            return self._as_of, self._error

    def note(self) -> BookNote:
        """How this process knows the book, for those that follow it."""
        _, fills_as_of, fills_error = self._fills.told()
        with self._guard:
            return BookNote(self._as_of, self._error, fills_as_of, fills_error)

    # -- what comes in -----------------------------------------------------------------------------------------

    def begin_day(self) -> bool:
        """Have in memory what the ledger holds of today, if that is not so yet. True: it was another day before."""
        today = ist_date(self._clock.now())
        with self._guard:
            if self._day == today:
                return False
        with self._step:
            mark, self._event = self._mark(), self._orders.last_event()
            kept = (*self._orders.alive(), *self._orders.of_day(today))
            known = {order.order_id: order for order in kept if not mark.is_before(order.order_id)}
            self._announcer.know(known.values())
            self._book.restart(order for order in known.values() if not _was_over(order, today))
        self._fills.begin_day(today)
        with self._guard:
            self._day = today
            self._of_mark = mark
            self._seen.clear()
        return True

    def begin_account(self) -> None:
        """Another account has begun: forget the book of the day, and have in memory what the ledger holds of it."""
        with self._guard:
            self._day = None
        self.begin_day()

    def catch_up(self) -> bool:
        """Take over what other processes have written down since. True: they have gone over to another account, and
        the book has begun anew here too."""
        mark = self._mark()
        with self._guard:
            another = mark != self._of_mark
        if another:
            self.begin_account()
            return True
        more, again = False, True
        while again:
            with self._step:  # read and kept in one turn: what was read first is not kept last
                last, orders = self._orders.changed_after(self._event)
                again, self._event = last != self._event, last
                mine = [order for order in orders if not mark.is_before(order.order_id)]
                self._remember(mine)
                for order in mine:
                    more = self._announcer.heard(order) or more
        if more:
            self._filled()
        return False

    def take_over(self) -> None:
        """From now on it is this process that asks: for fills too, since the one before may have ended in between."""
        self._fills.want()

    def take_note(self, note: BookNote) -> None:
        """The process that asks the broker knows the book so."""
        with self._guard:
            self._as_of, self._error = note.as_of, note.error
        self._fills.take_note(note)

    def file(self, orders: Iterable[BookOrder], trades: Iterable[Trade], account: str = "") -> None:
        """Keep what is told of an account that is gone, by its name: in the ledger, and nowhere else."""
        told = list(orders)
        with self._step:
            self._announcer.know(applied.order for applied in self._orders.apply_many(told, "archive"))
            self._fills.file(trades, account)

    def lacks(self, told: Iterable[BookOrder]) -> bool:
        """Is an order of today in memory that the book `told` just now does not hold?"""
        here, today = {order.order_id for order in told}, ist_date(self._clock.now())
        return any(
            order.order_id not in here and order.placed_at is not None and ist_date(order.placed_at) == today
            for order in self._book.all()[0]
        )

    def read_book(self) -> tuple[BookOrder, ...]:
        """Ask for the order book and take it over. Raises what the broker raises; what is known stays, with its age."""
        try:
            told = tuple(self._broker.book())
        except UpstoxError as error:
            with self._guard:
                self._error = str(error)
            raise
        with self._guard:
            news = [order for order in told if self._seen.get(order.order_id) != order]
        try:
            self._take(news, "book")
        except StorageError as error:
            self.failed(f"what the broker told could not be kept: {error}")
            raise
        with self._guard:
            self._as_of, self._error = self._clock.now(), None
            self._seen.update((order.order_id, order) for order in news)
        return told

    def failed(self, why: str) -> None:
        """The book could not be brought up to date; what is known stays, with its age."""
        with self._guard:
            self._error = why

    def ask_for_the_old(self, told: Iterable[BookOrder]) -> bool:
        """Orders that were open when their day ended, and that the book `told` now does not hold: the broker is asked
        for each. What it knows of no more is no order of today. False: one is to be asked for again."""
        here, today = {order.order_id for order in told}, ist_date(self._clock.now())
        old = [
            order
            for order in self._book.alive()
            if order.order_id not in here and order.placed_at is not None and ist_date(order.placed_at) < today
        ]
        for order in old[:MOST_DETAILS]:
            try:
                self.hear(self._broker.details(order.order_id), "details")
            except (RequestRefused, NoData):
                log.info("order %s of an earlier day is not known to the broker any more", order.order_id)
                if order.status not in _NOT_BEGUN:
                    over = replace(order, status=Status.UNTOLD, pending_quantity=0, message=None, raw_message=None)
                    self.hear(over, "desk")
                self._book.forget(order.order_id)
            except UpstoxError as error:
                log.info("order %s of an earlier day was not told, it is asked for again: %s", order.order_id, error)
                return False
        return len(old) <= MOST_DETAILS

    def ask_one_by_one(self) -> bool:
        """Where the book cannot be read: did the broker tell of each order that was open?"""
        alive = self._book.alive()
        try:
            for order in alive[:MOST_DETAILS]:
                self.hear(self._broker.details(order.order_id), "details")
        except UpstoxError as error:
            log.info("an open order was not told: %s", error)
            return False
        return len(alive) <= MOST_DETAILS

    def hear(self, told: BookOrder, source: str, raw: Mapping[str, Any] | None = None) -> BookOrder:
        """One order as the stream or its own page tells it; the order as it is known then."""
        with self._step:
            applied = self._orders.apply(told, source=source, raw=raw)
            self._remember([applied.order])
            more = self._announcer.heard(applied.order)
        self._after([applied.order], source, filled=more)
        return applied.order

    def _take(self, told: Iterable[BookOrder], source: str) -> None:
        told = list(told)
        if not told:
            return
        more = False
        with self._step:
            known = [applied.order for applied in self._orders.apply_many(told, source)]
            self._remember(known)
            for order in known:
                more = self._announcer.heard(order) or more
        self._after(known, source, filled=more)

    def _remember(self, orders: Iterable[BookOrder]) -> None:
        """Have them in memory, but for what was over on a day before: it is none of today's, though told today."""
        today, told = ist_date(self._clock.now()), list(orders)
        self._book.put(order for order in told if not _was_over(order, today))
        for order in told:
            if _was_over(order, today):
                self._book.forget(order.order_id)

    def _after(self, orders: Iterable[BookOrder], source: str, *, filled: bool) -> None:
        if filled:
            self._fills.want()
            self._filled()
        for order in orders:
            if order.tag:
                try:
                    self._tagged(order, WITNESSES[source])
                except (StorageError, sqlite3.Error) as error:
                    log.warning("what order %s says of its decision was not kept: %s", order.order_id, error)


def _was_over(order: BookOrder, today: date) -> bool:
    """Was it placed, and did it end, on a day before `today`? Unlike one that waited for today's opening."""
    at, placed = order.exchange_at, order.placed_at
    return (
        order.terminal and at is not None and ist_date(at) < today and placed is not None and ist_date(placed) < today
    )
