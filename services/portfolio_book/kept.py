"""One kind of answer of the broker, kept with its age: asked once at a time, renewed while somebody looks, and never
thrown away because a later question failed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from services.domain.clock import Clock
from services.domain.errors import MalformedPayload, NoAnswer, NotSent, UpstoxError

T = TypeVar("T")

GAP_SECONDS = 0.5
"""Between two questions, however often something is said to have changed."""
AGAIN_SECONDS = 3.0
"""After a failure; doubled with each further one."""
LONGEST_PAUSE = 30.0
WATCHED_SECONDS = 20.0
"""Somebody who looked this recently is still looking."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """The last answer and when it came (aware, UTC); both `None` while there was none. `error`: what keeps it from
    being renewed now, `None` while all is well."""

    value: T | None = None
    as_of: datetime | None = None
    error: UpstoxError | None = None


class Kept(Generic[T]):
    """One answer. Any thread. `ask` runs on `workers`, one question at a time; the lock guards what is below it and is
    never held while asking.

    `who` is logged in ("" = nobody, whose last answers stay): what one person has is never shown to another.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        name: str,
        every_seconds: float,
        workers: Executor,
        clock: Clock,
        who: Callable[[], str] = lambda: "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._name = name
        self._every = every_seconds
        self._workers = workers
        self._clock = clock
        self._who = who
        self._monotonic = monotonic
        self._lock = Lock()
        self._known: Known[T] = Known()
        self._logged_in = self._whose = ""
        self._flight: Future[None] | None = None
        self._due = float("-inf")
        self._began = float("-inf")
        self._looked = float("-inf")
        self._changes = 0
        self._failures = 0

    def look(self, *, wait: float = 0.0) -> Known[T]:
        """What is known. Asks if that is due; waits at most `wait` seconds for a first answer, and for a renewal not at
        all."""
        who = self._who()
        with self._lock:
            self._looked = self._monotonic()
            self._belongs_to(who)
            flight = self._flight
            if flight is None and self._looked >= self._due:
                flight = self._start()
            known = self._known
        if flight is None or wait <= 0 or known.as_of is not None or known.error is not None:
            return known
        return self._after(flight, wait)

    def renewed(self, *, wait: float) -> Known[T]:
        """What is known after a question that begins now. Raises what it met; waits at most `wait` seconds for each of
        two questions (one may be under way already), and raises `NoAnswer` after that."""
        who = self._who()
        with self._lock:
            self._belongs_to(who)
            under_way = self._flight
        if under_way is not None:
            self._after(under_way, wait)
        with self._lock:
            flight = self._flight or self._start()
        if flight is None:
            raise NotSent("the desk is closing")
        known = self._after(flight, wait)
        if not flight.done():
            raise NoAnswer(f"the broker was asked for {self._name} and has not answered yet")
        if known.error is not None:
            raise known.error
        return known

    def changed(self) -> None:
        """What is known is old now: ask at once if somebody looks, else when somebody does."""
        now = self._monotonic()
        with self._lock:
            self._changes += 1
            self._due = min(self._due, self._began + GAP_SECONDS)
            if self._flight is None and now >= self._due and now - self._looked < WATCHED_SECONDS:
                self._start()

    def _after(self, flight: Future[None], wait: float) -> Known[T]:
        try:
            flight.result(wait)
        except Late:
            log.debug("%s are still being asked for", self._name)
        with self._lock:
            return self._known

    def _belongs_to(self, who: str) -> None:
        """Behind the lock. Forget what is somebody else's; ask anew after each login."""
        if who == self._logged_in:
            return
        self._logged_in = who
        if not who:
            return
        self._due, self._failures = float("-inf"), 0
        if self._whose and who != self._whose:
            self._known = Known()
        self._whose = who

    def _start(self) -> Future[None] | None:
        """Behind the lock."""
        try:
            self._flight = self._workers.submit(self._renew, self._whose, self._changes)
        except RuntimeError:  # closed: the desk is ending
            self._known = replace(self._known, error=NotSent("the desk is closing"))
            return None
        self._began = self._monotonic()
        return self._flight

    def _renew(self, whose: str, changes: int) -> None:
        asked = self._clock.now()
        try:
            value = self._ask()
        except UpstoxError as error:
            self._landed(whose, changes, error=error)
        except Exception:  # outermost of its thread: the next question must come
            log.exception("asking for %s failed", self._name)
            self._landed(whose, changes, error=MalformedPayload(f"the {self._name} could not be read"))
        else:
            self._landed(whose, changes, value=value, asked=asked)

    def _landed(
        self, whose: str, changes: int, *, value: T | None = None, asked: datetime | None = None,
        error: UpstoxError | None = None,
    ) -> None:  # fmt: skip
        with self._lock:
            now = self._monotonic()
            self._flight = None
            if whose and whose != self._whose:
                self._due = float("-inf")  # asked in another person's name: nothing that may be kept
                return
            if error is not None:
                self._failures += 1
                self._known = replace(self._known, error=error)
                self._due = now + min(LONGEST_PAUSE, AGAIN_SECONDS * 2.0 ** (min(self._failures, 8) - 1))
                return
            self._failures = 0
            self._known = Known(value, asked)
            self._due = self._began + GAP_SECONDS if self._changes != changes else now + self._every
