"""A paper account that was put away, and the one that took its place: the desk goes over to it without losing a word.

What the broker's books held last of the old account is filed in the ledger first. Decisions that were still open are
settled by that; what it does not tell, nobody will: such a decision is given up in words. Then the book of the day
begins anew. It does not matter who did it, this desk, another program or a person with curl, and a desk that was killed
in between does the rest at its next start: each step may be taken twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from services.domain.actors import THE_DESK
from services.domain.errors import UpstoxError
from services.domain.intents import Intent, IntentKind, IntentState, Witness
from services.domain.orders import BookOrder
from services.domain.paper_accounts import ArchivedBook, PaperAccount
from services.ledger.account_mark import AccountMarks
from services.orders.bodies import read_request
from services.orders.cases import Cases
from services.orders.keeping import Keeper
from services.orders.settling import Verdict, cancelled

PUT_AWAY = "the paper account was put away before it was known what became of this"

log = logging.getLogger(__name__)


class AccountSource(Protocol):
    """The broker, where its account can be put away."""

    def look(self) -> PaperAccount: ...
    def archive(self, number: int) -> ArchivedBook: ...


class AccountFollower:
    """Knows which account the broker's books are about. Called by one thread at a time."""

    def __init__(
        self,
        *,
        source: AccountSource | None,
        marks: AccountMarks,
        keeper: Keeper,
        cases: Cases,
        began: Callable[[], object] = lambda: None,
        name: Callable[[int], str] = lambda number: "",
    ) -> None:
        """`source=None`: the broker has one account for ever. `began()` is called when another one is followed; `name`
        tells what the ledger calls the account of a number."""
        self._source = source
        self._marks = marks
        self._keeper = keeper
        self._cases = cases
        self._began = began
        self._name = name

    def follow(self) -> bool:
        """Ask which account runs, and go over to it. True: it is another one than before. Where the broker does not
        tell, everything stays as it is."""
        if self._source is None:
            return False
        try:
            now, known = self._source.look().mark, self._marks.get()
            if now == known:
                return False
            archives = [self._source.archive(number) for number in range(known.number, now.number)]
        except UpstoxError as error:
            log.info("which account runs is not told: %s", error)
            return False
        for archive in archives:
            self._keeper.file(archive.orders, archive.trades, self._name(archive.number))
            self._cases.settle_open(partial(of_archive, archive=archive))
        log.info("account %d of the paper broker is followed from now on", now.number)
        self._marks.put(now, THE_DESK)
        self._keeper.begin_account()
        self._began()
        return True

    def follow_if_missed(self, told: Iterable[BookOrder], *, looking: bool) -> bool:
        """The book was told. Ask which account runs if it lacks orders that it told of before, or if what it lacks is
        about to be taken for something that never arrived."""
        if self._source is None or not (looking or self._keeper.lacks(told)):
            return False
        return self.follow()


def of_archive(intent: Intent, archive: ArchivedBook) -> Verdict | None:
    """What the last book of an account says of a decision. `None`: an order that it does not hold may still be on its
    way, and is looked for as usual."""
    if intent.kind is IntentKind.PLACE:
        found = [order for order in archive.orders if order.tag and order.tag == intent.tag]
        if not found:
            return None
        there, wanted = sum(order.quantity for order in found), read_request(intent.body).quantity
        reason = "" if there >= wanted else f"only {there} of {wanted} arrived at the broker, in {len(found)} orders"
        return Verdict(IntentState.ACCEPTED, Witness.BOOK, tuple(order.order_id for order in found), reason)
    if intent.kind is IntentKind.CANCEL:
        order = next((one for one in archive.orders if one.order_id == intent.target), None)
        if order is not None and cancelled(order):
            return Verdict(IntentState.ACCEPTED, Witness.BOOK, (order.order_id,))
        if order is not None and order.terminal:
            reason = f"the order was not cancelled: it is {order.status}"
            return Verdict(IntentState.REFUSED, Witness.BOOK, reason=reason)
    return Verdict(IntentState.ABANDONED, Witness.DESK, reason=PUT_AWAY)
