"""One row for each connection of a feed: when it began, how it ended, what it carried."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from services.domain.clock import epoch_ms
from services.domain.errors import InvalidRequest
from services.storage.pool import Pool

MARKET, PORTFOLIO = "market", "portfolio"
"""The feeds that there are."""
PATIENCE_SECONDS = 2.0
"""So long the thread of a feed waits for its turn to write."""

RECENT = "SELECT * FROM websocket_metrics ORDER BY started_ms DESC, id DESC LIMIT ?"
RECENT_OF = "SELECT * FROM websocket_metrics WHERE feed = ? ORDER BY started_ms DESC, id DESC LIMIT ?"
PRUNE = "DELETE FROM websocket_metrics WHERE started_ms < ?"
_PROGRESS = """
    UPDATE websocket_metrics SET messages = ?, ticks = ?, bad_frames = ?, dropped = ?, seen_ms = ?
    WHERE id = ? AND ended_ms IS NULL
"""
_FINISH = """
    UPDATE websocket_metrics
    SET messages = ?, ticks = ?, bad_frames = ?, dropped = ?, seen_ms = ?, ended_ms = ?, end_reason = ?
    WHERE id = ? AND ended_ms IS NULL
"""
_BEGIN = """
    INSERT INTO websocket_metrics (feed, started_ms, seen_ms, reconnect, messages, ticks, bad_frames, dropped)
    VALUES (?, ?, ?, ?, 0, 0, 0, 0)
"""


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """What one connection carried so far: frames, ticks in them, frames that could not be read, and ticks that were
    dropped on the way to the store."""

    messages: int = 0
    ticks: int = 0
    bad_frames: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class FeedConnection:
    """A row of `websocket_metrics`; times in ms since the epoch, UTC.

    `ended_ms` None: it is open, or its process was killed, as `seen_ms` tells. `reconnect`: 0 for the first connection,
    then counted up.
    """

    id: int
    feed: str
    started_ms: int
    seen_ms: int
    ended_ms: int | None
    end_reason: str | None
    reconnect: int
    messages: int
    ticks: int
    bad_frames: int
    dropped: int


_FIELDS = tuple(field.name for field in fields(FeedConnection))


class FeedMetrics:
    """Reads and writes `websocket_metrics`. Safe to share between threads. Writing waits `PATIENCE_SECONDS` at most and
    raises `StorageError`: a feed logs that and goes on."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def begin(self, feed: str, at: datetime, *, reconnect: int = 0) -> int:
        """A connection of `feed` stands. Returns its number."""
        if feed not in (MARKET, PORTFOLIO):
            raise InvalidRequest(f"there is no feed {feed!r}")
        at_ms = epoch_ms(at)
        with self._pool.get_connection(PATIENCE_SECONDS) as connection:
            return connection.execute(_BEGIN, (feed, at_ms, at_ms, reconnect)).lastrowid or 0

    def progress(self, number: int, at: datetime, counts: FeedCounts) -> None:
        """Connection `number` is alive and carried `counts`. Once a minute will do: it dates a process's sudden end."""
        with self._pool.get_connection(PATIENCE_SECONDS) as connection:
            connection.execute(_PROGRESS, (*astuple(counts), epoch_ms(at), number))

    def finish(self, number: int, at: datetime, reason: str, counts: FeedCounts) -> None:
        """Connection `number` ended. The first end counts, later ones change nothing."""
        at_ms = epoch_ms(at)
        with self._pool.get_connection(PATIENCE_SECONDS) as connection:
            connection.execute(_FINISH, (*astuple(counts), at_ms, at_ms, reason, number))

    def recent(self, limit: int = 50, *, feed: str | None = None) -> list[FeedConnection]:
        """The newest connections (of one feed), newest first."""
        with self._pool.get_connection(write=False) as connection:
            found: Sequence[sqlite3.Row] = (
                connection.execute(RECENT, (limit,)).fetchall()
                if feed is None
                else connection.execute(RECENT_OF, (feed, limit)).fetchall()
            )
        return [FeedConnection(**{name: row[name] for name in _FIELDS}) for row in found]

    def prune(self, before: datetime) -> int:
        """Forget the connections that began before `before`; how many."""
        with self._pool.get_connection() as connection:
            return connection.execute(PRUNE, (epoch_ms(before),)).rowcount
