"""Writes the streams' connections down, behind their backs: a stream's thread never waits for the disk."""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from services.domain.errors import StorageError
from services.feed.health import ConnectionRecord
from services.storage.background import Recurring
from services.storage.feed_metrics import FeedCounts

_MOST_WAITING = 1000

log = logging.getLogger(__name__)


class Metrics(Protocol):
    """The table of connections."""

    def begin(self, feed: str, at: datetime, *, reconnect: int = 0) -> int: ...
    def progress(self, number: int, at: datetime, counts: FeedCounts) -> None: ...
    def finish(self, number: int, at: datetime, reason: str, counts: FeedCounts) -> None: ...


class ConnectionLog:
    """A row for each connection: begun when it opens, brought up to date while it lives, finished when it ends.

    One thread, `feed-records`, alive while there is something to write. What the disk does not take is logged and given
    up, and beyond a thousand entries that wait the oldest fall away: books about a feed must not be its end.
    """

    def __init__(self, metrics: Metrics, *, dropped: Callable[[], int] = lambda: 0) -> None:
        """`dropped()`: how many ticks were lost on the way to the store since the process began."""
        self._metrics = metrics
        self._dropped = dropped
        self._waiting: deque[ConnectionRecord] = deque(maxlen=_MOST_WAITING)
        self._numbers: dict[str, tuple[datetime, int, int]] = {}  # by stream: its connection, row, drops before it
        self._thread = Recurring(self._step, name="feed-records")

    def __call__(self, record: ConnectionRecord) -> None:
        """Have `record` written soon. Waits for nothing."""
        self._waiting.append(record)
        self._thread.ensure()

    def close(self) -> None:
        """Write what waits, and stop."""
        self._thread.close()
        self._step()

    def _step(self) -> None:
        while self._waiting:
            record = self._waiting.popleft()
            try:
                self._write(record)
            except (StorageError, sqlite3.Error) as error:
                log.warning("a connection of the %s feed could not be written down: %s", record.stream, error)

    def _write(self, record: ConnectionRecord) -> None:
        dropped = self._dropped()
        opened_at, number, before = self._numbers.get(record.stream, (None, 0, dropped))
        if opened_at != record.opened_at:
            number = self._metrics.begin(record.stream, record.opened_at, reconnect=record.reconnect)
            before = dropped
            self._numbers[record.stream] = (record.opened_at, number, before)
        counts = FeedCounts(record.messages, record.updates, record.bad_frames, max(0, dropped - before))
        if record.ended:
            self._metrics.finish(number, record.at, record.reason, counts)
        elif record.messages:
            self._metrics.progress(number, record.at, counts)
