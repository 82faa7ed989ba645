"""Lines of the log that a stranger could cause by the thousand: the first of a minute are written, the rest counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

A_MINUTE = 30


class Sparing:
    """Writes to `log` at most `most` times a minute; how many were left out is told with the next one."""

    def __init__(
        self, log: logging.Logger, *, most: int = A_MINUTE, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._most = most
        self._monotonic = monotonic
        self._lock = Lock()  # guards the three below
        self._since = float("-inf")
        self._written = 0
        self._left_out = 0

    def info(self, text: str, *args: object) -> None:
        """Write the line, unless there were too many."""
        now = self._monotonic()
        with self._lock:
            if now - self._since >= 60:
                self._since, self._written = now, 0
            if self._written >= self._most:
                self._left_out += 1
                return
            self._written += 1
            left_out, self._left_out = self._left_out, 0
        if left_out:
            self._log.info("%d more like these were left out", left_out)
        self._log.info(text, *args)
