"""Writes quotes and metrics to SQLite after the caller has been answered, half a second's worth in one go."""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Mapping
from threading import Lock

from services.domain.errors import StorageError
from services.domain.quote_row import QuoteRow
from services.storage.background import Recurring
from services.storage.quote_payload import to_stored
from services.storage.quote_store import QuoteMetric, QuoteStore

GATHER_SECONDS = 0.5
LINGER_SECONDS = 10.0
MOST_METRICS = 1000
"""What waits is bounded: rows by the number of instruments (a newer one takes the older one's place), metrics by this;
beyond it the oldest are dropped. What was lost so, or by the disk, is counted in `unwritten`."""

log = logging.getLogger(__name__)


class HitTally:
    """Reads that memory answered whole, summed by second: writing a row for each would cost more than the read. Not
    locked: its owner's lock guards it."""

    def __init__(self) -> None:
        self._second = 0
        self._hits = 0

    def add(self, hits: int, second: int) -> QuoteMetric | None:
        """Count `hits`; the sum of an earlier second, if there is one, is now to be written down."""
        if second == self._second:
            self._hits += hits
            return None
        ended = self.take()
        self._second, self._hits = second, hits
        return ended

    def take(self) -> QuoteMetric | None:
        """What has been counted and not yet been handed out."""
        hits, self._hits = self._hits, 0
        return QuoteMetric(self._second * 1000, hits, hits, 0, 0, 0) if hits else None


class QuoteWriter:
    """One thread, `quote-writer`, alive while there is something to write now and then. A fault of the disk costs the
    cache, not the quotes."""

    def __init__(self, store: QuoteStore) -> None:
        self._store = store
        self._guard = Lock()  # guards what waits and the count
        self._rows: dict[str, QuoteRow] = {}
        self._metrics: deque[QuoteMetric] = deque(maxlen=MOST_METRICS)
        self._gathering = False
        self._writing = Lock()  # held while writing, so that an older row never lands after a newer one
        self._thread = Recurring(self._step, name="quote-writer", linger=LINGER_SECONDS)
        self.unwritten = 0
        """Metrics that were lost: the figures of their hour are too low."""

    def put(self, rows: Mapping[str, QuoteRow] | None = None, metric: QuoteMetric | None = None) -> None:
        """Have these written soon, if there is anything. Never waits for the disk."""
        if not rows and metric is None:
            return
        with self._guard:
            self._rows.update(rows or {})
            if metric is not None:
                self.unwritten += len(self._metrics) == MOST_METRICS
                self._metrics.append(metric)
        self._thread.ensure()

    def flush(self) -> None:
        """Write what waits, now, in this thread."""
        with self._writing:
            with self._guard:
                rows, metrics = self._rows, list(self._metrics)
                self._rows = {}
                self._metrics.clear()
            written = 0
            try:
                if rows:
                    self._store.save([to_stored(row) for row in rows.values()])
                for metric in metrics:
                    self._store.record(metric)
                    written += 1
            except (StorageError, sqlite3.Error) as error:
                lost = len(metrics) - written
                with self._guard:
                    self.unwritten += lost
                log.warning("%d quotes were not all stored, %d metrics were lost: %s", len(rows), lost, error)

    def clear(self) -> None:
        """Forget the quotes that wait and those that are stored."""
        with self._writing:
            with self._guard:
                self._rows = {}
            self._store.clear()

    def close(self) -> None:
        """Write what waits and stop."""
        self._thread.close()
        self.flush()

    def _step(self) -> float | None:
        with self._guard:
            waiting = bool(self._rows or self._metrics)
        if not waiting:
            self._gathering = False
            return None
        if not self._gathering:
            self._gathering = True
            return GATHER_SECONDS
        self._gathering = False
        self.flush()
        return None
