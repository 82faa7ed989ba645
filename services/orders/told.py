"""Something that the broker told and that is shown until it is told anew: with its time, and with why it is old."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from services.domain.clock import Clock
from services.domain.errors import UpstoxError

T = TypeVar("T")

LOOKED_AT_SECONDS = 20.0
"""Whoever looked so recently looks still."""
LONGEST_PAUSE = 60.0

log = logging.getLogger(__name__)


class Told(Generic[T]):
    """The last answer to one question. Any thread; the lock is not held while asking."""

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        clock: Clock,
        every_seconds: float,
        always: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Asked every so many seconds while somebody looks, or always."""
        self._ask = ask
        self._clock = clock
        self._every = every_seconds
        self._always = always
        self._monotonic = monotonic
        self._guard = Lock()  # guards all below
        self._value: T | None = None
        self._as_of: datetime | None = None
        self._error: str | None = None
        self._told_at = float("-inf")
        self._asked_at = float("-inf")
        self._looked_at = float("-inf")
        self._failures = 0
        self._doubted = False

    def look(self) -> tuple[T | None, datetime | None, str | None]:
        """Value, when it was told, and why it could not be told anew since. Makes no request; whoever keeps this
        current knows that somebody looks."""
        with self._guard:
            self._looked_at = self._monotonic()
            return self._value, self._as_of, self._error

    def within(self, seconds: float) -> T | None:
        """The value if it was told so recently; else `None`."""
        with self._guard:
            return self._value if self._monotonic() - self._told_at <= seconds else None

    def doubt(self) -> None:
        """Something happened: ask soon."""
        with self._guard:
            self._doubted = True

    def due(self) -> bool:
        """Is it time to ask?"""
        with self._guard:
            now = self._monotonic()
            pause = min(LONGEST_PAUSE, 2.0**self._failures) if self._failures else 0.0
            if now - self._asked_at < pause:
                return False
            if self._doubted:
                return True
            wanted = self._always or now - self._looked_at <= LOOKED_AT_SECONDS
            return wanted and now - self._asked_at >= self._every

    def ask(self) -> T:
        """Ask now. Raises what the broker raises; what was told before stays."""
        with self._guard:
            self._asked_at = self._monotonic()
            self._doubted = False
        try:
            value = self._ask()
        except UpstoxError as error:
            with self._guard:
                self._error = str(error)
                self._failures += 1
            raise
        with self._guard:
            self._value, self._as_of, self._error = value, self._clock.now(), None
            self._told_at = self._monotonic()
            self._failures = 0
        return value

    def ask_if_due(self) -> None:
        """One step of whoever keeps this current."""
        if self.due():
            try:
                self.ask()
            except UpstoxError as error:
                log.info("not told: %s", error)
