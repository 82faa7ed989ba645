"""Where quotes are looked for that memory lacks, before the broker is asked: with other processes, and in SQLite."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime

from services.domain.clock import Clock
from services.domain.errors import RedisAway, StorageError
from services.domain.quote_batch import no_data
from services.domain.quote_row import QuoteRow
from services.domain.shared_quotes import SharedQuotes, Told
from services.storage.memory_tier import MemoryTier
from services.storage.quote_payload import from_stored
from services.storage.quote_store import QuoteStore

log = logging.getLogger(__name__)


class ColderTiers:
    """Whatever is found goes into memory. `lock` is the quote book's; it guards `memory` and is never held while
    somebody is asked."""

    def __init__(
        self,
        *,
        store: QuoteStore,
        clock: Clock,
        lock: AbstractContextManager[object],
        memory: MemoryTier,
        shared: SharedQuotes | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._lock = lock
        self._memory = memory
        self._shared = shared
        self._looked_up: set[str] = set()  # keys that SQLite was asked for; from then on memory knows better

    def told_elsewhere(self, keys: list[str], now: datetime) -> Told:
        """What other processes were told of `keys` within the TTL."""
        if self._shared is None or not keys:
            return Told()
        try:
            told = self._shared.fresh(keys)
        except RedisAway:
            return Told()
        if told:
            with self._lock:
                self._memory.put_told(told.rows, now.timestamp())
                self._memory.put_silent(no_data(told.silent), now.timestamp())
        return told

    def stored(self, keys: list[str], now: datetime) -> dict[str, QuoteRow]:
        """Those of `keys` that SQLite knew and that are fresh still."""
        if not self.fill(keys):
            return {}
        with self._lock:
            return self._memory.fresh(keys, now.timestamp())

    def fill(self, keys: Iterable[str]) -> bool:
        """Bring into memory what SQLite holds of `keys`, of any age, unless this process has looked before. Did it
        hold any?"""
        with self._lock:
            unseen = [key for key in keys if key not in self._looked_up]
            self._looked_up.update(unseen)
        if not unseen:
            return False
        rows: dict[str, QuoteRow] = {}
        try:
            loaded = self._store.load(unseen, not_before_ms=0)
        except (StorageError, sqlite3.Error) as error:
            log.warning("the quote cache in SQLite could not be read: %s", error)
            with self._lock:
                self._looked_up.difference_update(unseen)
            return False
        for key, stored in loaded.items():
            try:
                rows[key] = from_stored(stored)
            except StorageError as error:
                log.warning("%s", error)
        with self._lock:
            self._memory.put_stored(rows, self._clock.now().timestamp())
        return bool(rows)

    def forget(self) -> None:
        """SQLite was emptied: it may be asked for everything again. To be called with the lock held."""
        self._looked_up.clear()
