"""Failed requests, stored without secrets, with their rate: the substance of `error_handler`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson

from services.domain.clock import Clock, epoch_ms, from_epoch_ms
from services.domain.errors import InvalidRequest
from services.storage.pool import Pool

KEPT_MS = 30 * 24 * 3600 * 1000
_PRUNE_EVERY = 200
_LONGEST_MESSAGE = 2000

_BY_TYPE = """
    SELECT error_type, count(*) FROM error_log WHERE at_ms > ? AND at_ms <= ?
    GROUP BY error_type ORDER BY count(*) DESC, error_type
"""
_GROUPS = {
    "by_type": _BY_TYPE,
    "by_status": """
        SELECT status_code, count(*) FROM error_log WHERE at_ms > ? AND at_ms <= ? AND status_code IS NOT NULL
        GROUP BY status_code ORDER BY count(*) DESC, status_code
    """,
    "by_endpoint": """
        SELECT endpoint, count(*) FROM error_log WHERE at_ms > ? AND at_ms <= ? AND endpoint IS NOT NULL
        GROUP BY endpoint ORDER BY count(*) DESC, endpoint
    """,
}


class ErrorLog:
    """The table `error_log` of one market file. `redact` removes secrets from any text before it is stored."""

    def __init__(self, pool: Pool, clock: Clock, *, redact: Callable[[str], str]) -> None:
        self._pool = pool
        self._clock = clock
        self._redact = redact
        self._added = 0

    def add(
        self,
        error_type: str,
        message: str,
        *,
        status_code: int | None = None,
        endpoint: str | None = None,
        retry_count: int = 0,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """Store one error as of now. What `context` holds is kept as JSON, things that JSON does not know as text.

        Rows older than 30 days go now and then.
        """
        now_ms = epoch_ms(self._clock.now())
        row = (
            now_ms,
            self._clean(error_type),
            self._clean(message),
            status_code,
            None if endpoint is None else self._clean(endpoint),
            retry_count,
            None if context is None else self._redact(_as_json(context)),
        )
        with self._pool.get_connection() as connection:
            connection.execute(
                "INSERT INTO error_log (at_ms, error_type, message, status_code, endpoint, retry_count, context) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            if self._added % _PRUNE_EVERY == 0:
                connection.execute("DELETE FROM error_log WHERE at_ms < ?", (now_ms - KEPT_MS,))
            self._added += 1

    def statistics(self, hours: float = 24) -> dict[str, Any]:
        """The errors of the last `hours`: `total_errors`, `errors_per_minute`, `by_type`, `by_status`, `by_endpoint`
        (most frequent first), `retries`, `first_at`, `last_at` (aware UTC, None without errors), `hours`."""
        span = self._span(timedelta(hours=_positive(hours, "hours")))
        with self._pool.get_connection(write=False) as connection:
            total, retries, first, last = connection.execute(
                "SELECT count(*), total(retry_count), min(at_ms), max(at_ms) FROM error_log "
                "WHERE at_ms > ? AND at_ms <= ?",
                span,
            ).fetchone()
            groups = {
                name: {row[0]: int(row[1]) for row in connection.execute(query, span)}
                for name, query in _GROUPS.items()
            }
        return {
            "hours": hours,
            "total_errors": int(total),
            "errors_per_minute": total / (hours * 60),
            "retries": int(retries),
            "first_at": None if first is None else from_epoch_ms(first),
            "last_at": None if last is None else from_epoch_ms(last),
            **groups,
        }

    def rate(self, minutes: float = 5) -> float:
        """Errors per minute over the last `minutes`."""
        return sum(self.breakdown(minutes).values()) / minutes

    def breakdown(self, minutes: float = 5) -> dict[str, int]:
        """How many errors of each type the last `minutes` saw, most frequent first."""
        span = self._span(timedelta(minutes=_positive(minutes, "minutes")))
        with self._pool.get_connection(write=False) as connection:
            rows = connection.execute(_BY_TYPE, span).fetchall()
        return {row[0]: int(row[1]) for row in rows}

    def _span(self, length: timedelta) -> tuple[int, int]:
        now = self._clock.now()
        try:
            return epoch_ms(now - length), epoch_ms(now)
        except OverflowError:
            return 0, epoch_ms(now)  # longer than the calendar: everything

    def _clean(self, text: str) -> str:
        return self._redact(text)[:_LONGEST_MESSAGE]


def _as_json(context: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(context), default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _positive(value: float, name: str) -> float:
    if not 0 < value < float("inf"):
        raise InvalidRequest(f"{name} must be a number above 0, not {value}")
    return value
