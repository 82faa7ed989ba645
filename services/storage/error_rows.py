"""Failed requests as rows of the table `error_log`: repeats within a minute of the clock share one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from services.domain.clock import from_epoch_ms

KEPT_MS = 30 * 24 * 3600 * 1000
FOLDED_MS = 60_000
"""Errors of one kind share a row within a minute of the clock."""
_PRUNE_EVERY = 200

Kind = tuple[str, str | None, int | None]
"""Error type, endpoint, status: what makes two errors the same."""

_FOLD = """
    UPDATE error_log SET count = count + :count, at_ms = :last_ms, retry_count = max(retry_count, :retries),
                         first_at_ms = min(COALESCE(first_at_ms, at_ms), :first_ms),
                         message = :message, context = :context
    WHERE id = (
        SELECT id FROM error_log
        WHERE at_ms >= :minute_ms AND at_ms <= :last_ms
          AND error_type = :error_type AND endpoint IS :endpoint AND status_code IS :status_code
        ORDER BY at_ms DESC LIMIT 1
    )
"""
_INSERT = """
    INSERT INTO error_log (at_ms, first_at_ms, count, error_type, message, status_code, endpoint, retry_count, context)
    VALUES (:last_ms, :first_ms, :count, :error_type, :message, :status_code, :endpoint, :retries, :context)
"""
_COUNTED = """
    SELECT error_type, endpoint, status_code, sum(count), total(retry_count),
           min(COALESCE(first_at_ms, at_ms)), max(at_ms)
    FROM error_log WHERE at_ms > ? AND at_ms <= ? GROUP BY error_type, endpoint, status_code
"""
# SQLite takes a bare column (the message) from the row that has the maximum.
_GROUPED = """
    SELECT error_type, endpoint, status_code, sum(count), min(COALESCE(first_at_ms, at_ms)), max(at_ms), message
    FROM error_log WHERE at_ms > ? AND at_ms <= ?
    GROUP BY error_type, endpoint, status_code ORDER BY max(at_ms) DESC LIMIT ?
"""


@dataclass(slots=True)
class ErrorRow:
    """Errors of one kind: `count` of them from `first_ms` to `last_ms`; message and context are the last one's."""

    kind: Kind
    message: str
    context: str | None
    first_ms: int
    last_ms: int
    retries: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors of one cause in a window: the same type at the same endpoint with the same status."""

    error_type: str
    endpoint: str | None
    status_code: int | None
    count: int
    first_at: datetime
    last_at: datetime
    message: str
    """The last one's."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Errors of one kind in a window."""

    kind: Kind
    count: int
    retries: int
    first_ms: int
    last_ms: int


class ErrorRows:
    """The table's statements. Not safe to share: one thread writes at a time."""

    def __init__(self) -> None:
        self._written = 0

    def store(self, connection: sqlite3.Connection, row: ErrorRow) -> None:
        """Add `row`, to its like within the minute if there is one. Rows that are too old go now and then."""
        error_type, endpoint, status_code = row.kind
        values = {
            "error_type": error_type,
            "endpoint": endpoint,
            "status_code": status_code,
            "message": row.message,
            "context": row.context,
            "first_ms": row.first_ms,
            "last_ms": row.last_ms,
            "retries": row.retries,
            "count": row.count,
            "minute_ms": minute_of(row.first_ms),
        }
        if connection.execute(_FOLD, values).rowcount == 0:
            connection.execute(_INSERT, values)
        if self._written % _PRUNE_EVERY == 0:
            connection.execute("DELETE FROM error_log WHERE at_ms < ?", (row.last_ms - KEPT_MS,))
        self._written += 1


def counted(connection: sqlite3.Connection, since: int, until: int) -> list[Counted]:
    """The errors of a window by kind; a row is counted by its last error."""
    found = connection.execute(_COUNTED, (since, until)).fetchall()
    return [Counted((row[0], row[1], row[2]), int(row[3]), int(row[4]), row[5], row[6]) for row in found]


def grouped(connection: sqlite3.Connection, since: int, until: int, limit: int) -> list[ErrorGroup]:
    """The errors of a window by cause, the latest first."""
    found = connection.execute(_GROUPED, (since, until, limit)).fetchall()
    return [
        ErrorGroup(row[0], row[1], row[2], int(row[3]), from_epoch_ms(row[4]), from_epoch_ms(row[5]), row[6])
        for row in found
    ]


def minute_of(at_ms: int) -> int:
    """When the minute of `at_ms` began."""
    return at_ms - at_ms % FOLDED_MS
