"""What was confirmed is sent here, on a thread of its own and once, whatever becomes of the page that confirmed it.

A page may be cut off in the middle of a run, reloaded or closed; two tabs may show the same confirmation; a button may
be pressed twice before the first press is answered. So a confirmation is a `Draft` with an id that is made before it is
drawn, kept here, and named in the page's address: whoever presses, presses the same one. The ledger knows the id as
well, and would refuse to act on it again even if this forgot.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any, Protocol

from services.domain.actors import Actor, require_trader
from services.domain.errors import NotSent, UpstoxError

MOST_DRAFTS = 500
"""The oldest are forgotten above this: by then they were sent, or nobody wants them any more."""
WORKERS = 4

log = logging.getLogger(__name__)


class Draft(Protocol):
    """Something that waits for its confirmation."""

    @property
    def intent_id(self) -> str: ...


class Stage(StrEnum):
    """How far a draft has come."""

    OFFERED = "offered"
    """Nobody has pressed the button."""
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sending:
    """How far a draft has come, for a page. `outcome` is what the desk answered (Any: one order's, a basket's ...)."""

    stage: Stage
    seconds: float = 0.0
    """How long it has been on its way, in real seconds."""
    outcome: Any = None
    error: UpstoxError | None = None


OFFERED = Sending(Stage.OFFERED)


class OrderSender:
    """The drafts of this process and what became of them. Threads: `order-sending-0` and so on."""

    def __init__(
        self,
        send: Callable[[Any, Actor], Any],  # Any: a draft of this desk, and what came of it
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._monotonic = monotonic
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="order-sending")
        self._lock = Lock()  # guards the two below; never held while sending
        self._drafts: OrderedDict[str, Draft] = OrderedDict()
        self._sent: dict[str, tuple[float, Future[Any]]] = {}

    def offer(self, draft: Draft) -> str:
        """Keep `draft` until it is confirmed; its id is how a page names it."""
        with self._lock:
            self._drafts.setdefault(draft.intent_id, draft)
            while len(self._drafts) > MOST_DRAFTS:
                oldest, _ = self._drafts.popitem(last=False)
                self._sent.pop(oldest, None)
        return draft.intent_id

    def draft(self, intent_id: str) -> Draft | None:
        """The draft of that id, unless this process never had it or has forgotten it."""
        with self._lock:
            return self._drafts.get(intent_id)

    def send(self, intent_id: str, actor: Actor) -> None:
        """Send the draft, unless that has been done. Returns at once. `Forbidden` for who may only look: their press
        must not spend the draft of somebody who may."""
        require_trader(actor)
        with self._lock:
            draft = self._drafts.get(intent_id)
            if draft is None or intent_id in self._sent:
                return
            future: Future[Any] = Future()
            self._sent[intent_id] = (self._monotonic(), future)
        try:
            self._workers.submit(self._run, draft, actor, future)
        except RuntimeError:  # closed: the desk is ending
            future.set_exception(NotSent("the desk is closing; nothing was sent"))

    def look(self, intent_id: str, *, wait: float = 0.0) -> Sending:
        """How far it is; waits at most that many seconds for the end of what is on its way."""
        with self._lock:
            known = self._sent.get(intent_id)
        if known is None:
            return OFFERED
        since, future = known
        try:
            outcome = future.result(wait)
        except NotYet:
            return Sending(Stage.SENDING, self._monotonic() - since)
        except UpstoxError as error:
            return Sending(Stage.FAILED, error=error)
        return Sending(Stage.DONE, outcome=outcome)

    def close(self) -> None:
        """Begin nothing more; what is on its way ends by itself, and the ledger has it."""
        self._workers.shutdown(wait=False, cancel_futures=False)

    def _run(self, draft: Draft, actor: Actor, future: Future[Any]) -> None:
        try:
            future.set_result(self._send(draft, actor))
        except UpstoxError as error:
            future.set_exception(error)
        except Exception:  # outermost on this thread: a page waits for the end of it
            log.exception("sending %s failed", draft.intent_id)
            future.set_exception(
                UpstoxError("The desk itself failed while this was under way; the order book tells what became of it")
            )
