"""One decision on its way: written down, sent once, and what came of it written down again.

    board      the same decision a second time waits for the first, and gets its result
    prepare    checks against the ledger, intent and tag committed: before anything leaves
    call       one request
    settle     accepted, refused, not sent, or unknown; whatever happens, one of the four

A process that ends anywhere between `prepare` and `settle` leaves a prepared intent: the reconciliation finds out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Any, TypeVar

from services.domain.errors import BrokerError, LoginRequired, NotSent, StorageError, UpstoxError
from services.domain.intents import Intent, IntentState, NewIntent, Witness
from services.domain.order_words import reason_in_words
from services.ledger.intents import Allow, Intents, Standing

POLL_SECONDS = 0.05
LOOKING = "the desk looks for it in the broker's books; do not send it again before that is done"

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fate:
    """What is known of a request after its call."""

    state: IntentState
    order_ids: tuple[str, ...] = ()
    code: str = ""
    reason: str = ""
    by: Witness = Witness.ANSWER
    result: Mapping[str, Any] | None = None  # Any: JSON values
    """What else the answer said, line by line."""


def fate_of(error: UpstoxError) -> Fate:
    """What an error says of the request that met it. It goes by what the error knows about the outcome alone."""
    code = error.code if isinstance(error, BrokerError) else ""
    if error.outcome_unknown:
        told = reason_in_words(code, error.plain) if isinstance(error, BrokerError) else str(error)
        return Fate(IntentState.UNKNOWN, code=code, reason=f"{told}: whether it was taken is not known; {LOOKING}")
    if isinstance(error, BrokerError):
        return Fate(IntentState.REFUSED, code=code, reason=reason_in_words(code, error.plain))
    return Fate(IntentState.NOT_SENT, reason=f"not sent: {error}", by=Witness.DESK)


class Sender:
    """Sends decisions, each once. Any number of threads; no lock is held while a request is on its way."""

    def __init__(
        self,
        *,
        intents: Intents,
        settled: Callable[[Intent], Intent],
        patience: float,
        began: Callable[[], object] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`settled(intent)` hears of each result and may know better; `patience`: the longest that a request can be on
        its way; `began()` is told, in the sending thread, that a decision was taken up."""
        self._intents = intents
        self._settled = settled
        self._patience = patience
        self._began = began
        self._sleep = sleep
        self._monotonic = monotonic
        self._guard = Lock()  # guards the one below
        self._flights: dict[str, Event] = {}

    def send(self, new: NewIntent, allow: Allow, call: Callable[[], Fate | Sequence[str]]) -> tuple[Intent, bool]:
        """The decision's result, and whether it was known before (then nothing was sent).

        `call()` sends the request and gives the ids that came of it, or a `Fate` where it can say more. Raises what
        `allow` raises (nothing was sent), `LoginRequired`, and whatever is no `UpstoxError`.
        """
        known = self._board(new.intent_id, lambda: self._intents.get(new.intent_id))
        if known is not None:
            return known, True
        self._began()
        try:
            prepared = self._intents.prepare(new, allow=allow)
            if prepared.repeated:
                return self.awaited(prepared.intent), True
            return self.fly(prepared.intent, call), False
        finally:
            self._land(new.intent_id)

    def fly(self, intent: Intent, call: Callable[[], Fate | Sequence[str]]) -> Intent:
        """Send a prepared intent that this thread has just prepared."""
        try:
            told = call()
        except UpstoxError as error:
            settled = self.settle(intent, fate_of(error))
            if isinstance(error, LoginRequired):
                raise
            return settled
        except BaseException:
            # the person pressed Ctrl-C, or the program has a fault: the request may have left all the same
            self.settle(intent, Fate(IntentState.UNKNOWN, reason=f"interrupted on its way; {LOOKING}", by=Witness.DESK))
            raise
        return self.settle(intent, told if isinstance(told, Fate) else Fate(IntentState.ACCEPTED, tuple(told)))

    def settle(self, intent: Intent, fate: Fate) -> Intent:
        """Write `fate` down. Where the disk refuses, the result is told all the same: the intent stays prepared, and
        the reconciliation will find out once more what is known here already."""
        try:
            settled = self._intents.settle(
                intent.intent_id,
                fate.state,
                order_ids=fate.order_ids,
                code=fate.code,
                reason=fate.reason,
                result=fate.result,
                by=fate.by,
            )
        except StorageError as error:
            log.error("the result of %s (%s) could not be written down: %s", intent.intent_id, fate.state, error)
            reason = f"{fate.reason}; the ledger could not write this down: {error}".lstrip("; ")
            settled = replace(intent, state=fate.state, order_ids=fate.order_ids, code=fate.code, reason=reason)
        try:
            return self._settled(settled)
        except StorageError as error:
            log.error("what else is known of %s could not be written down: %s", intent.intent_id, error)
            return settled

    def awaited(self, intent: Intent) -> Intent:
        """`intent` when its fate is told by whoever sends it, perhaps another process; at last, as it is."""
        until = self._monotonic() + self._patience
        while intent.state is IntentState.PREPARED and self._monotonic() < until:
            self._sleep(POLL_SECONDS)
            intent = self._intents.get(intent.intent_id) or intent
        return intent

    def in_flight(self, intent_id: str) -> bool:
        """Is it on its way in this process?"""
        with self._guard:
            return intent_id in self._flights

    def send_many(
        self,
        together: str,
        news: Sequence[NewIntent],
        allow: Callable[[NewIntent, Standing], None],
        fly: Callable[[Sequence[Intent]], None],
    ) -> tuple[tuple[Intent, ...], bool]:
        """Several decisions that were confirmed together under the id `together`: all are written down or none, then
        `fly(intents)` sends and settles each. Their results in their order, and whether they were known before."""
        known = self._board(together, lambda: self._intents.of_basket(together))
        if known:
            return tuple(known), True
        self._began()
        names = [together, *(new.intent_id for new in news)]
        with self._guard:
            self._flights.update((name, Event()) for name in names[1:])
        try:
            prepared = self._intents.prepare_many(news, allow=allow)
            if prepared[0].repeated:
                return tuple(self.awaited(one.intent) for one in prepared), True
            try:
                fly([one.intent for one in prepared])
            finally:
                self._drop([one.intent.intent_id for one in prepared])
            return tuple(self._known(one.intent) for one in prepared), False
        finally:
            for name in names:
                self._land(name)

    def _drop(self, names: Sequence[str]) -> None:
        """What has not left by now leaves no more."""
        for name in names:
            intent = self._intents.get(name)
            if intent is not None and intent.state is IntentState.PREPARED:
                self.settle(
                    intent, Fate(IntentState.NOT_SENT, reason="not sent: an earlier one failed", by=Witness.DESK)
                )

    def _known(self, intent: Intent) -> Intent:
        return self._intents.get(intent.intent_id) or intent

    def _board(self, name: str, known: Callable[[], T | None]) -> T | None:
        """`None`: this thread flies it. Else the same decision was on its way, and this is what came of it."""
        until = self._monotonic() + self._patience
        while True:
            with self._guard:
                flight = self._flights.get(name)
                if flight is None:
                    self._flights[name] = Event()
                    return None
            landed = flight.wait(max(0.0, until - self._monotonic()))
            if found := known():
                return found
            if not landed and self._monotonic() >= until:
                raise NotSent("the same decision is being sent by another window, which does not get on with it")
            # the other was refused by the checks and left no trace: this one is checked for itself

    def _land(self, name: str) -> None:
        with self._guard:
            self._flights.pop(name).set()
