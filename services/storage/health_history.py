"""How the desk did over the last week: a row every ten seconds, thinned to minutes and later to ten minutes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime

from services.domain.clock import epoch_ms
from services.domain.health_row import HealthRow
from services.storage.pool import Pool

FINE, MINUTE, COARSE = 10, 60, 600
"""Seconds that a row stands for."""
FINE_MS, MINUTE_MS, KEPT_MS = 2 * 3_600_000, 24 * 3_600_000, 7 * 24 * 3_600_000
"""So old a row may get before it is merged into a coarser one, or let go."""
AHEAD_MS = 24 * 3_600_000
"""Rows of a clock that was further ahead than this (a paper broker of another time) would otherwise stay until then."""
PATIENCE_SECONDS = 2.0


COLUMNS = tuple(field.name for field in fields(HealthRow))
_SUMS = frozenset({"seconds", "requests", "failures", "updates", "dropped"})
_MEANS = frozenset({"cpu"})

_CREATE = f"""
    CREATE TABLE health_history (
        step INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        {", ".join(f"{name} REAL" for name in COLUMNS[1:])},
        PRIMARY KEY (step, at_ms)
    ) WITHOUT ROWID
"""
_ADD = f"""
    INSERT OR REPLACE INTO health_history (step, {", ".join(COLUMNS)})
    VALUES ({", ".join("?" for _ in range(len(COLUMNS) + 1))})
"""  # noqa: S608  # the columns are constants
PRUNE = "DELETE FROM health_history WHERE step = ? AND at_ms <= ?"
PRUNE_AHEAD = "DELETE FROM health_history WHERE step = ? AND at_ms > ?"


def _merged(name: str) -> str:
    """Counts add up; of the rest the worst of the stretch is what somebody looks for."""
    if name in _SUMS:
        return f"sum({name})"
    if name in _MEANS:
        return f"sum({name} * seconds) / sum(CASE WHEN {name} IS NOT NULL THEN seconds END)"
    return f"max({name})"


MERGE = f"""
    INSERT OR REPLACE INTO health_history (step, at_ms, {", ".join(COLUMNS[1:])})
    SELECT :into, max(at_ms), {", ".join(_merged(name) for name in COLUMNS[1:])}
    FROM health_history WHERE step = :step AND at_ms <= :until GROUP BY (at_ms - 1) / (:into * 1000)
"""  # noqa: S608


READ = f"""
    SELECT max(at_ms), {", ".join(_merged(name) for name in COLUMNS[1:])}
    FROM health_history WHERE step = ? AND at_ms > ? AND at_ms <= ? GROUP BY (at_ms - 1) / ? ORDER BY at_ms
"""  # noqa: S608


def create_health_history(connection: sqlite3.Connection) -> None:
    """A migration of the market file."""
    connection.execute(_CREATE)


class HealthHistory:
    """Reads and writes `health_history` of one market file. Thread-safe."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def add(self, rows: Sequence[HealthRow], *, thin_at: datetime | None = None, step: int = FINE) -> None:
        """Keep `rows`, each for `step` seconds; with `thin_at` merge what is old enough by then, and let
        go of what is older than a week. Waits two seconds for its turn at most, raises `StorageError`."""
        with self._pool.get_connection(PATIENCE_SECONDS) as connection:
            connection.executemany(_ADD, [(step, *astuple(row)) for row in rows])
            if thin_at is not None:
                _thin(connection, epoch_ms(thin_at))

    def read(self, since: datetime, until: datetime, *, width_ms: int = 1) -> list[HealthRow]:
        """The rows of that time, the oldest first: coarse ones, then finer ones; those that ended in the same stretch
        of `width_ms` (whole multiples of it since the epoch) come as one. Where two of different steps overlap,
        because the clock was set back in between, both are there."""
        found: list[HealthRow] = []
        with self._pool.get_connection(write=False) as connection:
            for step in (COARSE, MINUTE, FINE):
                rows = connection.execute(READ, (step, epoch_ms(since), epoch_ms(until), width_ms)).fetchall()
                found += [HealthRow(*row) for row in rows]
        found.sort(key=lambda row: row.at_ms)
        return found


def _thin(connection: sqlite3.Connection, now_ms: int) -> None:
    """Whole minutes and whole tens of minutes only, so that a later merge never splits one."""
    for step, into, age_ms in ((FINE, MINUTE, FINE_MS), (MINUTE, COARSE, MINUTE_MS)):
        until = (now_ms - age_ms) // (into * 1000) * (into * 1000)
        connection.execute(MERGE, {"into": into, "step": step, "until": until})
        connection.execute(PRUNE, (step, until))
        connection.execute(PRUNE_AHEAD, (step, now_ms + AHEAD_MS))
    connection.execute(PRUNE, (COARSE, now_ms - KEPT_MS))
    connection.execute(PRUNE_AHEAD, (COARSE, now_ms + AHEAD_MS))
