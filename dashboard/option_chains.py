"""Option chains, asked of the broker on threads of their own: what was known last stays while it cannot be asked.

The chain is the frame of the screen: it tells which contracts there are, their greeks, and the figures of those that
nobody is subscribed to. Prices come by the push channel, so this asks seldom.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Lock

from services.domain.errors import NotSent, UpstoxError
from services.domain.quotes import ChainRow

ASK_SECONDS = 15.0
ASK_AGAIN_SECONDS = 5.0
"""After a failure."""
KEPT = 24
"""Chains that are remembered; the one that nobody has looked at for longest goes first."""

log = logging.getLogger(__name__)

Name = tuple[str, date]
"""Key of the underlying, and expiry."""


@dataclass(frozen=True, slots=True)
class ChainLook:
    """What is known of one chain: its rows and when they came (aware, UTC), `None` while none ever did. `problem` is
    why they are not being renewed. No rows at all is an answer: the broker has no such chain."""

    rows: tuple[ChainRow, ...] | None = None
    at: datetime | None = None
    problem: UpstoxError | None = None


class ChainKeeper:
    """One for the process: all sessions share what is known. `ask` may take as long as a read; `now` is the desk's
    clock. Threads: up to two named `option-chain-*`. One lock guards the table; it is never held while asking."""

    def __init__(
        self,
        ask: Callable[[str, date], Sequence[ChainRow]],
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._now = now
        self._monotonic = monotonic
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="option-chain")
        self._lock = Lock()
        self._known: OrderedDict[Name, ChainLook] = OrderedDict()
        self._next: dict[Name, float] = {}
        self._under_way: dict[Name, Future[None]] = {}

    def look(self, key: str, expiry: date, *, wait: float = 0.0) -> ChainLook:
        """What is known of that chain. Asks for it if it is time for that; waits for a first answer at most `wait`
        seconds, and for a renewal not at all."""
        name = key, expiry
        with self._lock:
            known = self._known.get(name, ChainLook())
            if name in self._known:
                self._known.move_to_end(name)
            asking = self._under_way.get(name)
            if asking is None and self._monotonic() >= self._next.get(name, float("-inf")):
                asking = self._start(name)
        if asking is None or known != ChainLook() or wait <= 0:
            return known
        try:
            asking.result(wait)
        except TimeoutError:
            return known
        with self._lock:
            return self._known.get(name, known)

    def close(self) -> None:
        """Ask no more; a question that is under way ends by itself."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _start(self, name: Name) -> Future[None] | None:
        """Behind the lock."""
        try:
            asking = self._under_way[name] = self._workers.submit(self._renew, name)
        except RuntimeError:  # closed: the desk is ending
            return None
        return asking

    def _renew(self, name: Name) -> None:
        try:
            look, pause = ChainLook(tuple(self._ask(*name)), self._now()), ASK_SECONDS
        except UpstoxError as error:
            look, pause = self._failed(name, error), ASK_AGAIN_SECONDS
        except Exception:  # outermost of a thread: the next question must come
            log.exception("asking for the option chain of %s failed", name[0])
            look, pause = self._failed(name, NotSent("the desk stumbled over the question")), ASK_AGAIN_SECONDS
        with self._lock:
            self._known[name] = look
            self._known.move_to_end(name)
            self._next[name] = self._monotonic() + pause
            self._under_way.pop(name, None)
            while len(self._known) > KEPT:
                gone, _ = self._known.popitem(last=False)
                self._next.pop(gone, None)

    def _failed(self, name: Name, error: UpstoxError) -> ChainLook:
        with self._lock:
            return replace(self._known.get(name, ChainLook()), problem=error)
