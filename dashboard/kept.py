"""Something that the broker tells of the account, asked now and then; what was told last stays while it cannot be
asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from services.domain.errors import UpstoxError

T = TypeVar("T")

ASK_AGAIN_SECONDS = 3.0
"""After a failure: the login or the broker may be back any moment."""


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """The last answer, if any, when it came (aware, UTC), and what keeps it from being renewed."""

    value: T | None = None
    at: datetime | None = None
    problem: UpstoxError | None = None


class Keeper(Generic[T]):
    """One for the process: all sessions share what is known. `ask` may take as long as a read."""

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        now: Callable[[], datetime],
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Asked every so many seconds while somebody looks."""
        self._ask = ask
        self._now = now
        self._seconds = seconds
        self._monotonic = monotonic
        self._asking = Lock()  # held by the one session that asks; the others take what is known
        self._look: Look[T] = Look()
        self._next = float("-inf")
        self._who = ""

    def look(self, who: str) -> Look[T]:
        """What is known; asks first if it is time for that and nobody else is asking.

        `who` is logged in now ("" = nobody). A change is asked about at once, and what is one person's is never shown
        to another.
        """
        changed = who != self._who
        wait = changed or (self._look.value is None and self._look.problem is None)
        if (changed or self._monotonic() >= self._next) and self._asking.acquire(blocking=wait):
            try:
                if who != self._who:
                    self._look = Look() if who else Look(self._look.value, self._look.at)
                    self._who, self._next = who, float("-inf")
                if self._monotonic() >= self._next:
                    self._renew()
            finally:
                self._asking.release()
        return self._look

    def doubt(self) -> None:
        """It has changed: ask with the next look."""
        self._next = float("-inf")

    def _renew(self) -> None:
        pause = self._seconds
        try:
            self._look = Look(self._ask(), self._now())
        except UpstoxError as error:
            self._look = Look(self._look.value, self._look.at, error)
            pause = ASK_AGAIN_SECONDS
        self._next = self._monotonic() + pause
