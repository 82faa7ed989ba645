"""How often each instrument was looked at, by page and hour of the day: weights that fade, never who looked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from services.storage.pool import Pool

MOST_ROWS = 20_000
KEPT_DAYS = 35
HALF_LIFE_DAYS = 7.0
"""After so many days a use counts half."""
PATIENCE_SECONDS = 2.0

_CREATE = """
    CREATE TABLE instrument_uses (
        page TEXT NOT NULL,
        what TEXT NOT NULL,
        hour INTEGER NOT NULL,
        weight REAL NOT NULL,
        day INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (page, what, hour)
    ) WITHOUT ROWID
"""
_OLD = "SELECT weight, day FROM instrument_uses WHERE page = ? AND what = ? AND hour = ?"
_PUT = "INSERT OR REPLACE INTO instrument_uses VALUES (?, ?, ?, ?, ?, ?, ?)"
_ALL = "SELECT page, what, hour, weight, day, last_ms, detail FROM instrument_uses"
_PRUNE = "DELETE FROM instrument_uses WHERE day < ? OR day > ?"
_THIN = """
    DELETE FROM instrument_uses WHERE (page, what, hour) IN (
        SELECT page, what, hour FROM instrument_uses ORDER BY day, weight
        LIMIT max(0, (SELECT count(*) FROM instrument_uses) - ?)
    )
"""


def create_uses(connection: sqlite3.Connection) -> None:
    """A migration of the market file."""
    connection.execute(_CREATE)


@dataclass(frozen=True, slots=True)
class Use:
    """The instrument `what` was looked at on `page` in the `hour` (0-23, India): `weight` times, as of `day` (ordinal)
    and fading since; for the last time at `last_ms`, and then in this `detail`."""

    page: str
    what: str
    hour: int
    weight: float
    day: int
    last_ms: int
    detail: str = ""


def faded(days: int) -> float:
    """The share that is left after so many days."""
    return float(0.5 ** (max(0, days) / HALF_LIFE_DAYS))


class UseStore:
    """Reads and writes `instrument_uses` of one market file. Thread-safe."""

    def __init__(self, pool: Pool, *, most_rows: int = MOST_ROWS) -> None:
        self._pool = pool
        self._most_rows = most_rows

    def add(self, uses: Iterable[Use]) -> None:
        """Add these to what is known; their order is that of time. Lets go of what is old, and of the oldest and
        lightest where there are too many. Raises `StorageError`."""
        newest = 0
        with self._pool.get_connection(PATIENCE_SECONDS) as connection:
            for use in uses:
                name = (use.page, use.what, use.hour)
                old = connection.execute(_OLD, name).fetchone()
                before = old[0] * faded(use.day - old[1]) if old is not None else 0.0
                connection.execute(_PUT, (*name, before + use.weight, use.day, use.last_ms, use.detail))
                newest = max(newest, use.day)
            if newest:
                connection.execute(_PRUNE, (newest - KEPT_DAYS, newest + 1))
                connection.execute(_THIN, (self._most_rows,))

    def all(self) -> list[Use]:
        """Everything that is known. Raises `StorageError`."""
        with self._pool.get_connection(write=False) as connection:
            return [Use(*row) for row in connection.execute(_ALL)]
