"""One decision on its way: written down, sent once, and what came of it written down again.

    board      the same decision a second time waits for the first, and gets its result
    prepare    checks against the ledger, intent and tag committed: before anything leaves
    call       one request
    settle     accepted, refused, not sent, or unknown; whatever happens, one of the four

A process that ends anywhere between `prepare` and `settle` leaves a prepared intent: the reconciliation finds out.
Another process may do so too, once it takes this one for dead. So what was held up on its way (a stopped process, a
sleeping machine) looks into the ledger once more before it leaves, and leaves soon after that or not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import Any, TypeVar

from services.domain.errors import BrokerError, LoginRequired, NotSent, StorageError, UpstoxError
from services.domain.intents import Intent, IntentKind, IntentState, NewIntent, Prepared, Witness
from services.domain.order_words import reason_in_words
from services.ledger.intents import Allow, Intents, Standing
from services.transport.writing import leaving_within, since_boot

POLL_SECONDS = 0.05
FRESH_SECONDS = 5.0
"""What was written down, or read again, so lately is certainly still wanted."""
LEAVES_SECONDS = 10.0
"""So long after that a request may still leave. Whoever takes an intent for lost waits much longer (`patience`)."""
LOOKING = "the desk looks for it in the broker's books; do not send it again before that is done"

HELD_UP = "it never left: this process was held up, and another one gave it up meanwhile"
GROUNDED = "not sent: the ledger did not answer when it was written down"
_TAKES_AWAY = frozenset({IntentKind.CANCEL, IntentKind.CANCEL_ALL, IntentKind.GTT_CANCEL})
"""These may leave whenever they do: to cancel late, or twice, does no harm."""

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


@dataclass(slots=True)
class _Flight:
    """A decision on its way. `wanted_at`: when it was last known that it is to leave."""

    wanted_at: float
    landed: Event = field(default_factory=Event)


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
        awake: Callable[[], float] = since_boot,
    ) -> None:
        """`settled(intent)` hears of each result and may know better; `patience`: the longest that a request can be on
        its way; `began()` is told, in the sending thread, that a decision was taken up; `awake()`: seconds that also
        pass while this process is stopped."""
        self._intents = intents
        self._settled = settled
        self._patience = patience
        self._began = began
        self._sleep = sleep
        self._monotonic = monotonic
        self._awake = awake
        self._guard = Lock()  # guards the two below
        self._flights: dict[str, _Flight] = {}
        self._grounded: set[str] = set()  # the ledger may have kept these, and did not say so: they never left

    def send(self, new: NewIntent, allow: Allow, call: Callable[[], Fate | Sequence[str]]) -> tuple[Intent, bool]:
        """The decision's result, and whether it was known before (then nothing was sent).

        `call()` sends the request and gives the ids that came of it, or a `Fate` where it can say more. Raises what
        `allow` raises (nothing was sent), `LoginRequired`, and whatever is no `UpstoxError`.
        """
        known = self._board(new.intent_id, lambda: self._intents.get(new.intent_id))
        if known is not None:
            return known, True
        try:
            self._began()
            [prepared] = self._prepared([new], lambda: (self._intents.prepare(new, allow=allow),))
            if prepared.repeated:
                return self.awaited(prepared.intent), True
            return self.fly(prepared.intent, call), False
        finally:
            self._land(new.intent_id)

    def fly(self, intent: Intent, call: Callable[[], Fate | Sequence[str]]) -> Intent:
        """Send a prepared intent that this thread has just prepared."""
        if not self.still_wanted([intent]):
            return self._intents.get(intent.intent_id) or intent
        try:
            with self.in_time([intent]):
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

    def still_wanted(self, intents: Sequence[Intent]) -> list[Intent]:
        """Those that are to leave: of what was held up, those that nobody has given up meanwhile. The others are
        settled: they never left. Raises what the ledger raises; then none of them leaves."""
        wanted = []
        for intent in intents:
            flight, now = self._flights.get(intent.intent_id), self._awake()
            if flight is None or intent.kind in _TAKES_AWAY or now - flight.wanted_at < FRESH_SECONDS:
                wanted.append(intent)
                continue
            try:
                known = self._intents.get(intent.intent_id)
            except StorageError:
                with self._guard:
                    self._grounded.add(intent.intent_id)
                raise
            if known is not None and known.state is IntentState.PREPARED:
                flight.wanted_at = now
                wanted.append(intent)
            else:
                self.settle(intent, Fate(IntentState.ABSENT, reason=HELD_UP, by=Witness.DESK))
        return wanted

    @contextmanager
    def in_time(self, intents: Sequence[Intent]) -> Iterator[None]:
        """What is sent inside the block leaves soon after it was known to be wanted, or not at all."""
        flights = [self._flights.get(one.intent_id) for one in intents if one.kind not in _TAKES_AWAY]
        oldest = min((one.wanted_at for one in flights if one is not None), default=None)
        if oldest is None:
            yield
            return
        with leaving_within(oldest + LEAVES_SECONDS - self._awake()):
            yield

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
            if fate.state is IntentState.NOT_SENT and settled.state is IntentState.UNKNOWN:
                # given up by another process meanwhile; here it is certain that the broker never had it
                settled = self._intents.settle(
                    intent.intent_id, IntentState.ABSENT, reason=fate.reason, by=Witness.DESK
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
        if intent.state is IntentState.PREPARED and intent.intent_id in self._grounded:
            return self._intents.settle(intent.intent_id, IntentState.NOT_SENT, reason=GROUNDED, by=Witness.DESK)
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
        names = [together, *(new.intent_id for new in news)]
        try:
            self._began()
            began = self._awake()
            with self._guard:
                self._flights.update((name, _Flight(began)) for name in names[1:])
            prepared = self._prepared(news, lambda: self._intents.prepare_many(news, allow=allow))
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

    def grounded(self, intent_id: str) -> bool:
        """Is it certain that it never left, though the ledger may hold it? Its transaction was lost in the keeping."""
        with self._guard:
            return intent_id in self._grounded and intent_id not in self._flights

    def _prepared(self, news: Sequence[NewIntent], prepare: Callable[[], tuple[Prepared, ...]]) -> tuple[Prepared, ...]:
        names = {new.intent_id for new in news}
        try:
            prepared = prepare()
        except StorageError:
            with self._guard:
                self._grounded |= names
            raise
        if not prepared[0].repeated:
            with self._guard:
                self._grounded -= names
        return prepared

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
                    self._flights[name] = _Flight(self._awake())
                    return None
            landed = flight.landed.wait(max(0.0, until - self._monotonic()))
            if found := known():
                return found
            if not landed and self._monotonic() >= until:
                raise NotSent("the same decision is being sent by another window, which does not get on with it")
            # the other was refused by the checks and left no trace: this one is checked for itself

    def _land(self, name: str) -> None:
        with self._guard:
            flight = self._flights.pop(name, None)
        if flight is not None:
            flight.landed.set()
