"""What follows from what has just happened, in the parts of the desk that have to know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.domain.gtt import GttOrder
from services.domain.intents import Intent, IntentState
from services.domain.margins import SegmentSwitch
from services.domain.orders import BookOrder
from services.ledger.orders import Orders
from services.orders.asking import Asker
from services.orders.cases import Cases
from services.orders.checking import AddressWatch
from services.orders.day_book import DayBook
from services.orders.reconciliation import Reconciliation
from services.orders.told import Told

AFTER_A_WRITE, AFTER_A_WRITE_LIVE = 0.2, 3.0
"""Seconds to the next read of the book; while the stream tells everything, it is only the second witness."""


class Aftermath:
    """Any thread."""

    def __init__(
        self,
        *,
        orders: Orders,
        book: DayBook,
        cases: Cases,
        reconciliation: Reconciliation,
        address: AddressWatch,
        asker: Asker,
        gtts: Told[tuple[GttOrder, ...]],
        switches: Told[tuple[SegmentSwitch, ...]],
        stream_up: Callable[[], bool],
        filled: Callable[[], object],
    ) -> None:
        """`filled()` hears of fills and conversions."""
        self._orders = orders
        self._book = book
        self._cases = cases
        self._reconciliation = reconciliation
        self._address = address
        self._asker = asker
        self._gtts = gtts
        self._switches = switches
        self._stream_up = stream_up
        self._filled = filled

    def settled(self, intent: Intent) -> Intent:
        """Of what came of something that was sent just now; the intent as it is known then."""
        self._address.heard(intent)
        if intent.state is IntentState.UNKNOWN:
            known = self._cases.lost(intent, self._seen_with(intent.tag))
            self._reconciliation.soon(1.0)
            return known
        self._cases.settled(intent)
        if intent.state is IntentState.ACCEPTED:
            self._reconciliation.soon(AFTER_A_WRITE_LIVE if self._stream_up() else AFTER_A_WRITE)
        return intent

    def filled(self) -> None:
        """Of a fill or a conversion."""
        self._asker.forget()
        self._filled()
        self._reconciliation.wake()

    def account_began(self) -> None:
        """Of another account: nothing that was told of the one before is true any more."""
        self._gtts.doubt()
        self._switches.doubt()
        self.filled()

    def _seen_with(self, tag: str) -> Sequence[BookOrder]:
        """Orders with that tag that were told already; of an account that was put away meanwhile the ledger knows."""
        return (self._book.tagged(tag) or self._orders.by_tag(tag)) if tag else ()
