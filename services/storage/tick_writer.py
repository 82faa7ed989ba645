"""Writes ticks to the market file behind the feed's back: one transaction for each fifth of a second."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock

from services.domain.errors import StorageError
from services.storage.background import Recurring
from services.storage.pool import Pool
from services.storage.tick_rows import MARK_EVERY_ROWS, NO_VALUE, Batch, Tick, TickRows, cleaned

FLUSH_SECONDS = 0.2
RETRY_SECONDS = 1.0
LINGER_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
"""So long one attempt to write waits for its turn; `close` waits for the one that runs and makes a last one."""
MOST_WAITING = 250_000
"""Ticks that may wait for the disk (some 50 MB); beyond it they are dropped and counted."""
MOST_AT_ONCE = 50_000
"""Ticks in one transaction, so that other writers never wait long."""

QUEUE_FULL, UNUSABLE, CLOSED, NOT_STORED = "queue full", "unusable", "after close", "not stored at close"

_COMPLAIN_EVERY_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TickWriterStats:
    """Counted since the start; `waiting` is as of now. `dropped`: ticks by reason, nothing else was ever lost."""

    waiting: int
    written: int
    flushes: int
    failures: int
    longest_flush_seconds: float
    dropped: Mapping[str, int]
    most_waiting: int = MOST_WAITING
    oldest_seconds: float | None = None
    """How long the oldest of those that wait has waited; `None`: none waits."""
    failing_seconds: float | None = None
    """For how long every attempt has failed; `None`: the last one worked."""
    last_flush_seconds: float | None = None
    flush_seconds: float = 0.0
    """All flushes that worked together."""
    trouble: str = ""
    """Why the last attempt failed, in words."""

    @property
    def dropped_in_all(self) -> int:
        return sum(self.dropped.values())


class TickWriter:
    """One thread, `tick-writer`, alive while ticks come.

    A disk that is locked or full delays ticks, in order, until `most_waiting` of them wait; what comes then is dropped
    and counted. What `flush` acknowledged survives a kill of the process; a kill loses at most what came since the last
    transaction, `flush_seconds` as a rule.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        most_waiting: int = MOST_WAITING,
        most_at_once: int = MOST_AT_ONCE,
        flush_seconds: float = FLUSH_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_waiting = most_waiting
        self._most_at_once = min(most_at_once, MARK_EVERY_ROWS)
        self._flush_seconds = flush_seconds
        self._monotonic = monotonic
        self._guard = Lock()  # guards the next ten; held for a moment only
        self._batches: deque[Batch] = deque()
        self._since: deque[float] = deque()  # monotonic, when each batch came
        self._failing_since: float | None = None
        self._trouble = ""
        self._last: float | None = None
        self._waiting = 0
        self._lost = 0  # of those that wait: given up at the end
        self._dropped: dict[str, int] = {}
        self._awake = False
        self._closed = False
        self._writing = Lock()  # held while writing, so that ticks are stored in order; guards what follows
        self._rows = TickRows(pool)
        self._written = self._flushes = self._failures = 0
        self._longest = self._seconds = 0.0
        self._complain_at = 0.0
        self._complained = False
        self._thread = Recurring(self._step, name="tick-writer", linger=LINGER_SECONDS)

    def put(self, received_ms: int, ticks: Sequence[Tick]) -> None:
        """Have `ticks` written soon; the list must not be changed afterwards. Never blocks, never raises."""
        count = len(ticks)
        if count == 0:
            return
        now = self._monotonic()
        with self._guard:
            room = 0 if self._closed else self._most_waiting - self._waiting
            if count > room:
                reason = CLOSED if self._closed else QUEUE_FULL
                self._dropped[reason] = self._dropped.get(reason, 0) + count - room
                ticks, count = ticks[:room], room
            if count:
                for start in range(0, count, self._most_at_once):
                    self._batches.append((received_ms, ticks[start : start + self._most_at_once]))
                    self._since.append(now)
                self._waiting += count
            wake = count > 0 and not self._awake
            self._awake = self._awake or wake
        if wake:
            self._thread.ensure()

    def flush(self, *, timeout: float = PATIENCE_SECONDS) -> bool:
        """Write what waits, now, in this thread. True: every tick that was put before is in the file, or was counted as
        dropped. False: the disk did not take it, or not within `timeout` seconds; it waits and is tried again."""
        deadline = self._monotonic() + timeout
        if not self._writing.acquire(timeout=timeout):
            return False
        try:
            with self._guard:
                left = len(self._batches)
            while left > 0:
                batches = self._next(left)
                if not self._store(batches, max(0.0, deadline - self._monotonic())):
                    return False
                left -= len(batches)
            return True
        finally:
            self._writing.release()

    def close(self) -> None:
        """Write what waits and stop; two seconds at the most. What is put later is dropped and counted."""
        with self._guard:
            self._closed = True
        self._thread.close(PATIENCE_SECONDS)
        if not self.flush():
            with self._guard:
                self._lost = self._waiting
            log.warning("%d ticks were not stored", self._lost)

    def stats(self) -> TickWriterStats:
        now = self._monotonic()
        with self._guard:
            dropped = self._dropped | ({NOT_STORED: self._lost} if self._lost else {})
            return TickWriterStats(
                waiting=self._waiting - self._lost,
                written=self._written,
                flushes=self._flushes,
                failures=self._failures,
                longest_flush_seconds=self._longest,
                dropped=dropped,
                most_waiting=self._most_waiting,
                oldest_seconds=None if not self._since or self._lost else now - self._since[0],
                failing_seconds=None if self._failing_since is None else now - self._failing_since,
                last_flush_seconds=self._last,
                flush_seconds=self._seconds,
                trouble=self._trouble,
            )

    # -- the thread --------------------------------------------------------------------------------------------

    def _step(self) -> float | None:
        with self._guard:
            if not self._batches:
                self._awake = False
                return None
        return self._flush_seconds if self.flush() else RETRY_SECONDS

    def _next(self, most: int) -> list[Batch]:
        """The oldest batches, so many that they fit into one transaction. They stay in the queue until stored."""
        chosen: list[Batch] = []
        ticks = 0
        with self._guard:
            for batch in islice(self._batches, most):
                ticks += len(batch[1])
                if chosen and ticks > self._most_at_once:
                    break
                chosen.append(batch)
        return chosen

    def _store(self, batches: list[Batch], timeout: float) -> bool:
        """Store `batches` and take them off the queue. False: they could not be stored and stay."""
        began = self._monotonic()
        try:
            try:
                stored = self._rows.write(batches, timeout)
            except NO_VALUE:
                stored = self._rows.write(cleaned(batches), timeout)
        except NO_VALUE:  # never again: what cannot be stored must not keep back what can
            log.exception("%d ticks cannot be stored", sum(len(ticks) for _, ticks in batches))
            stored = 0
        except (StorageError, sqlite3.Error) as error:
            self._fail(error)
            return False
        self._succeed(batches, stored, self._monotonic() - began)
        return True

    def _succeed(self, batches: list[Batch], stored: int, seconds: float) -> None:
        count = sum(len(ticks) for _, ticks in batches)
        with self._guard:
            for _ in batches:
                self._batches.popleft()
                self._since.popleft()
            self._failing_since, self._trouble, self._last = None, "", seconds
            self._seconds += seconds
            self._waiting -= count
            self._lost = max(0, self._lost - count)  # the disk took them after all
            if stored < count:
                self._dropped[UNUSABLE] = self._dropped.get(UNUSABLE, 0) + count - stored
            self._written += stored
            self._flushes += 1
            self._longest = max(self._longest, seconds)
        if self._complained:
            self._complained, self._complain_at = False, 0.0
            log.info("ticks are stored again")

    def _fail(self, error: Exception) -> None:
        with self._guard:
            self._failures += 1
            if self._failing_since is None:
                self._failing_since = self._monotonic()
            self._trouble = str(error)
            waiting, dropped = self._waiting, self._dropped.get(QUEUE_FULL, 0)
        if not self._complained or self._monotonic() >= self._complain_at:
            self._complained, self._complain_at = True, self._monotonic() + _COMPLAIN_EVERY_SECONDS
            log.warning("%d ticks wait to be stored, %d were dropped: %s", waiting, dropped, error)
