"""Failed requests, stored without secrets, with their rate: the substance of `error_handler`.

Whoever adds one is in the middle of a request and must not wait for the disk: a thread writes it a moment later. A
broker that is away fails in the same way again and again, so repeats within a minute share a row.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from threading import Lock
from typing import Any

import orjson

from services.domain.clock import Clock, epoch_ms, from_epoch_ms
from services.domain.errors import InvalidRequest, PoolExhausted, StorageError
from services.storage.background import Recurring
from services.storage.error_rows import Counted, ErrorGroup, ErrorRow, ErrorRows, Kind, counted, grouped, minute_of
from services.storage.pool import Pool

MOST_WAITING = 1000
"""Rows that may wait for the disk; beyond it errors are dropped and counted."""
GATHER_SECONDS = 0.5
LINGER_SECONDS = 10.0
RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 2.0
"""So long one attempt to write waits for its turn, and `close` for the last one."""
_LONGEST_MESSAGE = 2000

log = logging.getLogger(__name__)


class ErrorLog:
    """The table `error_log` of one market file. `redact` removes secrets from any text before it is kept.

    A row tells `count` errors of one type, endpoint and status, from `first_at_ms` to `at_ms`, within a minute of the
    clock; it has the message and the context of the last and the highest `retry_count`. A window counts a row by its
    last error. Thread: `error-log`, alive while there is something to write now and then.
    """

    def __init__(self, pool: Pool, clock: Clock, *, redact: Callable[[str], str]) -> None:
        self._pool = pool
        self._clock = clock
        self._redact = redact
        self._guard = Lock()  # guards the next four; held for a moment only
        self._waiting: list[ErrorRow] = []
        self._open: dict[Kind, ErrorRow] = {}  # of those that wait the newest of each kind
        self._dropped = 0
        self._closed = False
        self._rows = ErrorRows()
        self._complained = False
        self._gathering = False
        self._moving = Lock()  # held while errors pass from memory to the file, so that no count misses or doubles them
        self._thread = Recurring(self._step, name="error-log", linger=LINGER_SECONDS)

    @property
    def dropped(self) -> int:
        """Errors that could not be kept: too many waited for the disk, or this was closed."""
        return self._dropped

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
        """Keep one error as of now. What `context` holds is kept as JSON, things that JSON does not know as text.

        Never waits for the disk and never fails because of it. Rows older than 30 days go now and then.
        """
        now_ms = epoch_ms(self._clock.now())
        fresh = ErrorRow(
            kind=(self._clean(error_type), None if endpoint is None else self._clean(endpoint), status_code),
            message=self._clean(message),
            context=None if context is None else self._redact(_as_json(context)),
            first_ms=now_ms,
            last_ms=now_ms,
            retries=retry_count,
        )
        with self._guard:
            full = not self._closed and not self._take_in(fresh)
            if self._closed or full:
                self._dropped += 1
            closed, first_drop = self._closed, full and self._dropped == 1
        if first_drop:
            log.warning("more than %d errors wait for the disk; further ones are only counted", MOST_WAITING)
        if not closed:
            self._thread.ensure()

    def statistics(self, hours: float = 24) -> dict[str, Any]:
        """The errors of the last `hours`: `total_errors`, `errors_per_minute`, `by_type`, `by_status`, `by_endpoint`
        (most frequent first), `retries`, `first_at`, `last_at` (aware UTC, None without errors), `hours`.

        Of repeats within a minute `retries` holds the highest number only.
        """
        found = self._counted(timedelta(hours=_positive(hours, "hours")))
        total = sum(group.count for group in found)
        return {
            "hours": hours,
            "total_errors": total,
            "errors_per_minute": total / (hours * 60),
            "retries": sum(group.retries for group in found),
            "first_at": from_epoch_ms(min(group.first_ms for group in found)) if found else None,
            "last_at": from_epoch_ms(max(group.last_ms for group in found)) if found else None,
            "by_type": _most_first((group.kind[0], group.count) for group in found),
            "by_status": _most_first((group.kind[2], group.count) for group in found),
            "by_endpoint": _most_first((group.kind[1], group.count) for group in found),
        }

    def rate(self, minutes: float = 5) -> float:
        """Errors per minute over the last `minutes`."""
        return sum(self.breakdown(minutes).values()) / minutes

    def breakdown(self, minutes: float = 5, *, timeout: float | None = None) -> dict[str, int]:
        """How many errors of each type the last `minutes` saw, most frequent first. Waits `timeout` seconds for the
        file at most, by default as long as its pool does."""
        found = self._counted(timedelta(minutes=_positive(minutes, "minutes")), timeout)
        return _most_first((group.kind[0], group.count) for group in found)

    def groups(self, hours: float = 24, *, limit: int = 50) -> list[ErrorGroup]:
        """The errors of the last `hours` by cause, the latest first. Only what is in the file already: the newest half
        second may be missing."""
        since, until = self._span(timedelta(hours=_positive(hours, "hours")))
        with self._pool.get_connection(write=False) as connection:
            return grouped(connection, since, until, limit)

    def flush(self, *, timeout: float = PATIENCE_SECONDS) -> bool:
        """Write what waits, now, in this thread. False: the disk did not take it, or not within `timeout` seconds."""
        if not self._waiting:
            with self._moving:  # another thread may be in the middle of it
                return not self._waiting
        try:
            self._write(timeout)
        except PoolExhausted:
            log.info("errors wait to be stored: somebody else writes to %s", self._pool.path.name)
            return False
        except (StorageError, sqlite3.Error) as trouble:
            if not self._complained:
                self._complained = True  # once for each trouble, not for each attempt
                log.warning("errors could not be stored, and are kept in memory for now: %s", trouble)
            return False
        self._complained = False
        return True

    def close(self) -> None:
        """Write what waits and stop; a few seconds at the most. What is added later is dropped and counted."""
        with self._guard:
            self._closed = True
        self._thread.close(PATIENCE_SECONDS)
        if not self.flush():
            log.warning("errors of %d kinds were not stored", len(self._waiting))

    # -- memory ------------------------------------------------------------------------------------------------

    def _take_in(self, fresh: ErrorRow) -> bool:
        """Have `fresh` wait, in the row of its like if there is one. False: there is no room. Guarded by the caller."""
        like = self._open.get(fresh.kind)
        if like is not None and like.last_ms <= fresh.last_ms and minute_of(like.first_ms) == minute_of(fresh.last_ms):
            like.message, like.context, like.last_ms = fresh.message, fresh.context, fresh.last_ms
            like.retries = max(like.retries, fresh.retries)
            like.count += fresh.count
            return True
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting.append(fresh)
        self._open[fresh.kind] = fresh
        return True

    def _put_back(self, rows: list[ErrorRow]) -> None:
        """`rows` could not be written: they wait again, before those that came meanwhile."""
        with self._guard:
            later, self._waiting, self._open = self._waiting, [], {}
            for row in (*rows, *later):
                if not self._take_in(row):
                    self._dropped += row.count

    # -- the file ----------------------------------------------------------------------------------------------

    def _step(self) -> float | None:
        """Of the thread: gather for a moment, write, and try again later what could not be written."""
        if not self._waiting:
            self._gathering = False
            return None
        if not self._gathering:
            self._gathering = True
            return GATHER_SECONDS
        self._gathering = False
        return None if self.flush() else RETRY_SECONDS

    def _write(self, timeout: float) -> None:
        with self._pool.get_connection(timeout) as connection, self._moving:
            with self._guard:
                rows, self._waiting, self._open = self._waiting, [], {}
            try:
                for row in rows:
                    self._rows.store(connection, row)
                connection.commit()  # inside, so that `_moving` covers it
            except BaseException:
                self._put_back(rows)
                raise

    def _counted(self, length: timedelta, timeout: float | None = None) -> list[Counted]:
        """The errors of the window of `length` that ends now, those that wait for the disk among them."""
        since, until = self._span(length)
        with self._pool.get_connection(timeout, write=False) as connection, self._moving:
            stored = counted(connection, since, until)
            with self._guard:
                waiting = [
                    Counted(row.kind, row.count, row.retries, row.first_ms, row.last_ms)
                    for row in self._waiting
                    if since < row.last_ms <= until
                ]
        return stored + waiting

    def _span(self, length: timedelta) -> tuple[int, int]:
        now = self._clock.now()
        try:
            return epoch_ms(now - length), epoch_ms(now)
        except OverflowError:
            return 0, epoch_ms(now)  # longer than the calendar: everything

    def _clean(self, text: str) -> str:
        return self._redact(text)[:_LONGEST_MESSAGE]


def _most_first(counts: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    """The sums by name, the highest first; what has no name is left out."""
    sums: Counter[Any] = Counter()
    for name, count in counts:
        if name is not None:
            sums[name] += count
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _as_json(context: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(context), default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _positive(value: float, name: str) -> float:
    if not 0 < value < float("inf"):
        raise InvalidRequest(f"{name} must be a number above 0, not {value}")
    return value
