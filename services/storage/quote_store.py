"""The second tier of the quote cache, and how well the cache does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass

import orjson

from services.storage.pool import Pool

METRICS_KEPT_MS = 7 * 24 * 3600 * 1000
_FOR_EVER_MS = 2**62
_PRUNE_EVERY = 500


@dataclass(frozen=True, slots=True)
class StoredQuote:
    """One quote as it lies in `quote_cache_v3`. `payload` is the whole quote as JSON; prices in rupees; ms since the
    epoch, UTC. The single columns are there for people who look into the file."""

    key: str
    payload: bytes
    ltp: float | None
    open: float | None
    high: float | None
    low: float | None
    volume: int | None
    exchange_time_ms: int | None
    received_at_ms: int
    source: str
    api_version: str


@dataclass(frozen=True, slots=True)
class QuoteMetric:
    """One batch: how many keys were asked for, where they were found, what fetching the rest took."""

    at_ms: int
    keys: int
    memory_hits: int
    db_hits: int
    misses: int
    api_calls: int
    fetch_ms: float | None = None
    """Time of the fetch; None if nothing was fetched."""
    api_version: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MetricsSummary:
    """Sums over the batches of a time span; `avg_fetch_ms` over those that fetched, None if none did."""

    batches: int
    keys: int
    memory_hits: int
    db_hits: int
    misses: int
    api_calls: int
    errors: int
    avg_fetch_ms: float | None

    @property
    def hit_rate(self) -> float | None:
        """Share (0-1) of the keys that needed no request; None if no key was asked for."""
        return (self.memory_hits + self.db_hits) / self.keys if self.keys else None


_LOAD = """
    SELECT instrument_key, payload, ltp, open, high, low, volume, exchange_time_ms, received_at_ms, source, api_version
    FROM quote_cache_v3
    WHERE instrument_key IN (SELECT value FROM json_each(?)) AND received_at_ms >= ?
"""  # columns in the order of `StoredQuote`, here and below
_SAVE = """
    INSERT OR REPLACE INTO quote_cache_v3
    (instrument_key, payload, ltp, open, high, low, volume, exchange_time_ms, received_at_ms, source, api_version)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_RECORD = """
    INSERT INTO quote_metrics
    (at_ms, keys, memory_hits, db_hits, misses, api_calls, fetch_ms, api_version, error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # in the order of `QuoteMetric`


class QuoteStore:
    """Reads and writes `quote_cache_v3` and `quote_metrics` of one market file. Thread-safe; holds no state of its own
    but a counter that says when to prune."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._recorded = 0

    def load(self, keys: Collection[str], *, not_before_ms: int) -> dict[str, StoredQuote]:
        """The stored quotes of `keys` that were received at or after `not_before_ms`; what is absent is not stored."""
        if not keys:
            return {}
        with self._pool.get_connection(write=False) as connection:
            rows = connection.execute(_LOAD, (orjson.dumps(list(keys)).decode(), not_before_ms)).fetchall()
        return {row[0]: StoredQuote(*row) for row in rows}

    def save(self, rows: Sequence[StoredQuote]) -> None:
        """Store all of `rows` or none, each in the place of an earlier quote of its key."""
        if rows:
            with self._pool.get_connection() as connection:
                connection.executemany(_SAVE, [astuple(row) for row in rows])

    def clear(self) -> None:
        """Forget every stored quote (the metrics stay)."""
        with self._pool.get_connection() as connection:
            connection.execute("DELETE FROM quote_cache_v3")

    def count(self, not_before_ms: int) -> int:
        """How many quotes were received at or after `not_before_ms`."""
        with self._pool.get_connection(write=False) as connection:
            row = connection.execute("SELECT count(*) FROM quote_cache_v3 WHERE received_at_ms >= ?", (not_before_ms,))
            return int(row.fetchone()[0])

    def record(self, metric: QuoteMetric) -> None:
        """Add one row to `quote_metrics`; rows older than seven days go now and then."""
        with self._pool.get_connection() as connection:
            connection.execute(_RECORD, astuple(metric))
            if self._recorded % _PRUNE_EVERY == 0:
                connection.execute("DELETE FROM quote_metrics WHERE at_ms < ?", (metric.at_ms - METRICS_KEPT_MS,))
            self._recorded += 1

    def metrics_since(self, ms: int, until_ms: int = _FOR_EVER_MS) -> MetricsSummary:
        """The sums over all batches from `ms` to `until_ms` (rows of another clock's future are not of this hour)."""
        with self._pool.get_connection(write=False) as connection:
            row = connection.execute(
                "SELECT count(*), total(keys), total(memory_hits), total(db_hits), total(misses), total(api_calls), "
                "count(error), avg(fetch_ms) FROM quote_metrics WHERE at_ms BETWEEN ? AND ?",
                (ms, until_ms),
            ).fetchone()
        batches, keys, memory_hits, db_hits, misses, api_calls, errors = (int(value) for value in row[:7])
        return MetricsSummary(batches, keys, memory_hits, db_hits, misses, api_calls, errors, avg_fetch_ms=row[7])
