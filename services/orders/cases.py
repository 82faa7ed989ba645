"""Decisions whose fate is not known, all of them: what is open, and looking it up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Lock

from services.domain.clock import Clock
from services.domain.errors import LoginRequired, UpstoxError
from services.domain.intents import Intent, IntentState, Witness
from services.domain.orders import BookOrder
from services.ledger.intents import Intents
from services.orders.announcing import Announcer
from services.orders.bodies import request_of
from services.orders.books import Books
from services.orders.case import PAUSES, Case, is_whole
from services.orders.lives import Whose
from services.orders.sending import GROUNDED, LEAVES_SECONDS
from services.orders.settling import Clue, Verdict, look
from services.orders.views import News, OpenIntent
from services.orders.words import Words

THEIRS_SECONDS = 5.0
"""What another process has just written down is shown, and looked for, after so long: by then it mostly tells of it
itself."""
LEFT = "the desk ended before an answer came"

log = logging.getLogger(__name__)


class Cases:
    """The open decisions of the ledger. Any thread; no lock is held while the broker is asked."""

    def __init__(
        self,
        *,
        intents: Intents,
        whose: Whose,
        announcer: Announcer,
        words: Words,
        clock: Clock,
        lost_after: float,
        patience: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lost_after`: so many seconds after its answer was lost the broker will not act on a request any more;
        `patience`: so long one may be on its way in another process."""
        self._intents = intents
        self._whose = whose
        self._announcer = announcer
        self._words = words
        self._clock = clock
        self._lost_after = lost_after
        self._patience = patience
        self._monotonic = monotonic
        self._guard = Lock()  # guards the two below
        self._cases: dict[str, Case] = {}
        self._known_tags: set[str] = set()

    # -- what is open ------------------------------------------------------------------------------------------

    def sync(self, *, first: bool = False) -> None:
        """Take over what the ledger holds open now: of this process, of another one, of one that has ended."""
        now = self._monotonic()
        there = {intent.intent_id: intent for intent in self._intents.open() if not self._never_left(intent)}
        with self._guard:
            gone = [self._cases.pop(intent_id) for intent_id in self._cases.keys() - there.keys()]
            for intent_id, intent in there.items():
                case = self._cases.get(intent_id)
                if case is None:
                    left = self._whose.has_ended(intent, first=first)
                    pause = 0.0 if first else self._pause(intent) if left else THEIRS_SECONDS
                    self._cases[intent_id] = Case(intent, since=now, next_at=now + pause, left=left)
                    continue
                told = not case.left and (intent.state is not case.intent.state or self._whose.has_ended(intent))
                if told or (not case.left and now - case.since >= self._patience):
                    case.leave(now, margin=0.0 if told else LEAVES_SECONDS, first_look_in=self._pause(intent))
                case.intent = intent
        for case in gone:
            if case.intent.state is IntentState.UNKNOWN:  # people here know of it: they hear what another found out
                settled = self._intents.get(case.intent.intent_id)
                if settled is not None and not settled.state.is_open:
                    self._close(settled)

    def lost(self, intent: Intent, seen: Sequence[BookOrder] = ()) -> Intent:
        """No answer to `intent` came, in this process, just now; the intent as it is known then. `seen`: orders with
        its tag, of which the stream has told already."""
        if any(is_whole(order, intent) for order in seen):
            ids = tuple(order.order_id for order in seen)
            return self._intents.settle(intent.intent_id, IntentState.ACCEPTED, order_ids=ids, by=Witness.STREAM)
        now = self._monotonic()
        with self._guard:
            self._cases[intent.intent_id] = Case(intent, since=now, next_at=now + PAUSES[0], left=True)
        self._announcer.say(
            News.UNKNOWN,
            f"{self._words.intent(intent)}: no answer came, so it is not known whether the broker has it. The desk is "
            "looking for it; do not send it again.",
            intent_id=intent.intent_id,
            good=False,
        )
        return intent

    def next_look(self) -> float | None:
        """Monotonic time of the next look that is due; `None`: nothing is open."""
        with self._guard:
            waiting = [case.next_at for case in self._cases.values() if not self._whose.in_flight(case.intent)]
        return min(waiting, default=None)

    def open(self) -> int:
        with self._guard:
            return len(self._cases)

    def under_way(self, intent_id: str) -> bool:
        """Is somebody sending it, here or, as far as that can be told, in another process?"""
        with self._guard:
            case = self._cases.get(intent_id)
            return case is not None and (not case.left or self._whose.in_flight(case.intent))

    def unlooked(self) -> int:
        """How many have not been looked for even once, and are not on their way in this process."""
        with self._guard:
            return sum(not case.looks and not self._whose.in_flight(case.intent) for case in self._cases.values())

    def view(self) -> tuple[OpenIntent, ...]:
        """The open decisions in words, the oldest first."""
        with self._guard:
            now = self._monotonic()
            cases = [
                replace(case)
                for case in self._cases.values()
                if not self._whose.in_flight(case.intent) and (case.left or now - case.since >= THEIRS_SECONDS)
            ]
        at = self._clock.now()
        return tuple(
            case.shown(
                self._words.intent(case.intent),
                at + timedelta(seconds=max(0.0, case.next_at - now)),
                final=case.is_final(now, self._lost_after),
            )
            for case in sorted(cases, key=lambda case: case.intent.created_at)
        )

    # -- finding out -------------------------------------------------------------------------------------------

    def look_all(self, books: Books, *, everything: bool = False) -> None:
        """Look for those that are due (or for all), once each."""
        now = self._monotonic()
        with self._guard:
            due = [case for case in self._cases.values() if everything or case.next_at <= now]
        for case in due:
            if not self._whose.in_flight(case.intent):
                self._look(case, books)

    def witness(self, order: BookOrder, by: Witness) -> None:
        """An order with a tag was told: its decision was carried out, whatever its answer was."""
        tag = order.tag or ""
        with self._guard:
            if tag in self._known_tags:
                return
        intent = self._intents.of_tag(tag)
        if intent is None or order.order_id in intent.order_ids:
            self._remember(tag, unless_sliced=intent)
            return
        if self._whose.in_flight(intent):
            return  # its own answer says more
        if intent.state.is_open and not is_whole(order, intent):
            with self._guard:
                if (case := self._cases.get(intent.intent_id)) is not None:
                    case.next_at = self._monotonic()  # one of several: look whether all are there
            return
        before = intent.state
        with self._guard:
            case = self._cases.get(intent.intent_id)
        under_way = before is IntentState.PREPARED and (case is None or not case.left)
        settled = self._intents.settle(
            intent.intent_id, IntentState.ACCEPTED, order_ids=(order.order_id,), reason="", by=by
        )
        self._remember(tag, unless_sliced=settled)
        if before is not IntentState.ACCEPTED:
            self._close(settled, quietly=under_way)  # another process has just sent it: nobody had missed it

    def settle_open(self, decide: Callable[[Intent], Verdict | None]) -> None:
        """The books that these decisions were about are closed: what `decide` says of each is written down. Those that
        are on their way get their own answers."""
        for intent in self._intents.open():
            if self._whose.in_flight(intent) or (told := decide(intent)) is None:
                continue
            settled = self._intents.settle(
                intent.intent_id, told.state, order_ids=told.order_ids, reason=told.reason, by=told.by
            )
            self._close(settled)

    def settled(self, intent: Intent) -> None:
        """Somebody else found out, or decided."""
        with self._guard:
            self._cases.pop(intent.intent_id, None)

    def _look(self, case: Case, books: Books) -> None:
        now = self._monotonic()
        final = case.is_final(now, self._lost_after, with_this_one=True)
        with self._guard:
            case.begin_look(now)
        try:
            told = look(case.intent, books, final=final)
        except UpstoxError as error:
            log.warning("%s could not be looked up: %s", case.intent.intent_id, error)
            if error.retryable or isinstance(error, LoginRequired):
                return
            told = Clue(f"the broker does not tell: {error}")  # and will not, however often it is asked
        if isinstance(told, Verdict):
            settled = self._intents.settle(
                case.intent.intent_id, told.state, order_ids=told.order_ids, reason=told.reason, by=told.by
            )
            self._close(settled)
            return
        with self._guard:
            case.learn(told)
        if case.intent.state is IntentState.PREPARED and case.left:
            case.intent = self._intents.settle(
                case.intent.intent_id, IntentState.UNKNOWN, reason=f"{LEFT}; {told.text}", by=Witness.DESK
            )
            case.since = self._monotonic()  # from here on nothing of it leaves: whoever wakes up reads this first

    def _close(self, intent: Intent, *, quietly: bool = False) -> None:
        with self._guard:
            self._cases.pop(intent.intent_id, None)
        log.info("%s %s: %s (%s)", intent.kind, intent.intent_id, intent.state, intent.settled_by)
        if quietly:
            return
        good = intent.state is IntentState.ACCEPTED and not intent.reason
        self._announcer.say(
            News.FOUND,
            self._words.settled(intent),
            intent_id=intent.intent_id,
            order_id=intent.order_ids[0] if intent.order_ids else "",
            good=good,
        )

    def _never_left(self, intent: Intent) -> bool:
        if not self._whose.never_left(intent):
            return False
        self._intents.settle(intent.intent_id, IntentState.NOT_SENT, reason=GROUNDED, by=Witness.DESK)
        return True

    def _pause(self, intent: Intent) -> float:
        """Until the first look for what nobody sends any more: what has ended here may be written down this moment."""
        return PAUSES[0] if self._whose.is_own(intent) else 0.0

    def _remember(self, tag: str, *, unless_sliced: Intent | None) -> None:
        request = None if unless_sliced is None else request_of(unless_sliced)
        if request is None or not request.slice:
            with self._guard:
                self._known_tags.add(tag)
