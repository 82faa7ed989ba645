"""When the order book is read next: often while something is open, rarely while the stream tells every change."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

LIVE_SECONDS = 30.0
"""Between two reads of the book while the stream tells every change."""
BUSY_SECONDS = 3.0
"""Without the stream, while something is open at the broker or unknown here."""
IDLE_SECONDS = 20.0
LONGEST_PAUSE = 60.0
"""Between reads of the book while the broker fails."""
LONGEST_UNREADY = 10.0
"""The same before the first pass is done: nothing can be sent until then."""


class Polling:
    """Any thread. Instants are monotonic."""

    def __init__(
        self,
        *,
        stream_up: Callable[[], bool],
        busy: Callable[[], object],
        follows: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`busy()`: is something open? `follows()`: does another process read the book for this one?"""
        self._stream_up = stream_up
        self._busy = busy
        self._follows = follows
        self._monotonic = monotonic
        self._guard = Lock()  # guards the two below
        self._at = float("-inf")
        self._failures = 0

    @property
    def due_at(self) -> float:
        with self._guard:
            return self._at

    def soon(self, seconds: float = 0.0) -> None:
        """In so many seconds at the latest."""
        with self._guard:
            self._at = min(self._at, self._monotonic() + seconds)

    def at_once(self) -> None:
        """As soon as it goes on."""
        with self._guard:
            self._at = float("-inf")

    def was_read(self) -> None:
        """The book was read just now."""
        if self._follows():
            pause = float("inf")
        elif self._stream_up():
            pause = LIVE_SECONDS
        else:
            pause = BUSY_SECONDS if self._busy() else IDLE_SECONDS
        with self._guard:
            self._failures = 0
            self._at = self._monotonic() + pause

    def failed(self) -> float:
        """The book could not be read: the seconds until it is tried again, the more the more often it failed."""
        with self._guard:
            self._failures += 1
            pause = min(LONGEST_PAUSE, BUSY_SECONDS * 2.0 ** min(self._failures - 1, 6))
            self._at = self._monotonic() + pause
            return pause

    def unready(self) -> float:
        """The first pass could not be done: the seconds until it is tried again."""
        with self._guard:
            self._failures += 1
            return min(LONGEST_UNREADY, 0.5 * 2.0 ** min(self._failures, 7))
