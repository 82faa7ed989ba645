"""Writes ticks to the market file behind the feed's back: one transaction for each fifth of a second."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from operator import index
from threading import Lock
from typing import TypeAlias

import orjson

from services.domain.errors import StorageError
from services.storage.background import Recurring
from services.storage.many_rows import ManyRows
from services.storage.pool import Pool
from services.storage.tick_columns import PRICE_UNITS

Tick: TypeAlias = tuple[str, float, int | None, int | None, int | None]
"""Instrument key, last price in rupees, time of the last trade (ms, UTC; 0 or None: has not traded), its quantity,
volume of the day; None: the feed does not tell it, as of an index."""

FLUSH_SECONDS = 0.2
RETRY_SECONDS = 1.0
LINGER_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
"""So long one attempt to write waits for its turn; `close` waits for the one that runs and makes a last one."""
MOST_WAITING = 250_000
"""Ticks that may wait for the disk (some 50 MB); beyond it they are dropped and counted."""
MOST_AT_ONCE = 50_000
"""Ticks in one transaction, so that other writers never wait long."""
MARK_EVERY_ROWS = 100_000
"""The newest row of an instrument is at most so many rows behind its mark, `tick_instruments.last_id`: enough to find
it in a moment, and rare enough to cost next to nothing."""
SPAN_MS = 60_000
"""A row of `tick_spans` covers at most this long, of one day."""

QUEUE_FULL, UNUSABLE, CLOSED, NOT_STORED = "queue full", "unusable", "after close", "not stored at close"

_COMPLAIN_EVERY_SECONDS = 60.0
_DAY_MS, _IST_MS = 86_400_000, 19_800_000
_LARGEST = 2**62
_NO_VALUE = (
    TypeError,
    ValueError,
    OverflowError,
    LookupError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.IntegrityError,
)
"""Raised for a tick that holds something else than numbers; so rare that nobody looks at each tick before."""
_ROWS = ManyRows("websocket_ticks_v3", ("instrument", "price_e4", "received_ms", "delay_ms", "quantity", "volume"))
_SPANS = ManyRows("tick_spans", ("first_id", "last_id", "from_ms", "to_ms"), replace=True)
_NEW_KEYS = "INSERT OR IGNORE INTO tick_instruments (instrument_key) SELECT value FROM json_each(?)"
_LOOK_UP = """
    SELECT instrument_key, id, last_id FROM tick_instruments
    WHERE instrument_key IN (SELECT value FROM json_each(?))
"""
_MARK = "UPDATE tick_instruments SET last_id = ? WHERE id IN (SELECT value FROM json_each(?))"
_NEWEST_SPAN = "SELECT first_id, last_id, from_ms, to_ms FROM tick_spans ORDER BY first_id DESC LIMIT 1"

log = logging.getLogger(__name__)

Batch: TypeAlias = tuple[int, Sequence[Tick]]
"""Time of receipt in ms and what came."""


@dataclass(frozen=True, slots=True)
class TickWriterStats:
    """Counted since the start; `waiting` is as of now. `dropped`: ticks by reason, nothing else was ever lost."""

    waiting: int
    written: int
    flushes: int
    failures: int
    longest_flush_seconds: float
    dropped: Mapping[str, int]
    most_waiting: int = MOST_WAITING
    oldest_seconds: float | None = None
    """How long the oldest of those that wait has waited; `None`: none waits."""
    failing_seconds: float | None = None
    """For how long every attempt has failed; `None`: the last one worked."""
    last_flush_seconds: float | None = None
    flush_seconds: float = 0.0
    """All flushes that worked together."""
    trouble: str = ""
    """Why the last attempt failed, in words."""

    @property
    def dropped_in_all(self) -> int:
        return sum(self.dropped.values())


class TickWriter:
    """One thread, `tick-writer`, alive while ticks come.

    A disk that is locked or full delays ticks, in order, until `most_waiting` of them wait; what comes then is dropped
    and counted. What `flush` acknowledged survives a kill of the process; a kill loses at most what came since the last
    transaction, `flush_seconds` as a rule.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        most_waiting: int = MOST_WAITING,
        most_at_once: int = MOST_AT_ONCE,
        flush_seconds: float = FLUSH_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._most_waiting = most_waiting
        self._most_at_once = min(most_at_once, MARK_EVERY_ROWS)
        self._flush_seconds = flush_seconds
        self._monotonic = monotonic
        self._guard = Lock()  # guards the next ten; held for a moment only
        self._batches: deque[Batch] = deque()
        self._since: deque[float] = deque()  # monotonic, when each batch came
        self._failing_since: float | None = None
        self._trouble = ""
        self._last: float | None = None
        self._waiting = 0
        self._lost = 0  # of those that wait: given up at the end
        self._dropped: dict[str, int] = {}
        self._awake = False
        self._closed = False
        self._writing = Lock()  # held while writing, so that ticks are stored in order; guards what follows
        self._ids: dict[str, int] = {}  # as committed: another process may have given the number after a rollback
        self._marks: dict[int, int] = {}
        self._written = self._flushes = self._failures = 0
        self._longest = self._seconds = 0.0
        self._complain_at = 0.0
        self._complained = False
        self._thread = Recurring(self._step, name="tick-writer", linger=LINGER_SECONDS)

    def put(self, received_ms: int, ticks: Sequence[Tick]) -> None:
        """Have `ticks` written soon; the list must not be changed afterwards. Never blocks, never raises."""
        count = len(ticks)
        if count == 0:
            return
        now = self._monotonic()
        with self._guard:
            room = 0 if self._closed else self._most_waiting - self._waiting
            if count > room:
                reason = CLOSED if self._closed else QUEUE_FULL
                self._dropped[reason] = self._dropped.get(reason, 0) + count - room
                ticks, count = ticks[:room], room
            if count:
                for start in range(0, count, self._most_at_once):
                    self._batches.append((received_ms, ticks[start : start + self._most_at_once]))
                    self._since.append(now)
                self._waiting += count
            wake = count > 0 and not self._awake
            self._awake = self._awake or wake
        if wake:
            self._thread.ensure()

    def flush(self, *, timeout: float = PATIENCE_SECONDS) -> bool:
        """Write what waits, now, in this thread. True: every tick that was put before is in the file, or was counted as
        dropped. False: the disk did not take it, or not within `timeout` seconds; it waits and is tried again."""
        deadline = self._monotonic() + timeout
        if not self._writing.acquire(timeout=timeout):
            return False
        try:
            with self._guard:
                left = len(self._batches)
            while left > 0:
                batches = self._next(left)
                if not self._store(batches, max(0.0, deadline - self._monotonic())):
                    return False
                left -= len(batches)
            return True
        finally:
            self._writing.release()

    def close(self) -> None:
        """Write what waits and stop; two seconds at the most. What is put later is dropped and counted."""
        with self._guard:
            self._closed = True
        self._thread.close(PATIENCE_SECONDS)
        if not self.flush():
            with self._guard:
                self._lost = self._waiting
            log.warning("%d ticks were not stored", self._lost)

    def stats(self) -> TickWriterStats:
        now = self._monotonic()
        with self._guard:
            dropped = self._dropped | ({NOT_STORED: self._lost} if self._lost else {})
            return TickWriterStats(
                waiting=self._waiting - self._lost,
                written=self._written,
                flushes=self._flushes,
                failures=self._failures,
                longest_flush_seconds=self._longest,
                dropped=dropped,
                most_waiting=self._most_waiting,
                oldest_seconds=None if not self._since or self._lost else now - self._since[0],
                failing_seconds=None if self._failing_since is None else now - self._failing_since,
                last_flush_seconds=self._last,
                flush_seconds=self._seconds,
                trouble=self._trouble,
            )

    # -- the thread --------------------------------------------------------------------------------------------

    def _step(self) -> float | None:
        with self._guard:
            if not self._batches:
                self._awake = False
                return None
        return self._flush_seconds if self.flush() else RETRY_SECONDS

    def _next(self, most: int) -> list[Batch]:
        """The oldest batches, so many that they fit into one transaction. They stay in the queue until stored."""
        chosen: list[Batch] = []
        ticks = 0
        with self._guard:
            for batch in islice(self._batches, most):
                ticks += len(batch[1])
                if chosen and ticks > self._most_at_once:
                    break
                chosen.append(batch)
        return chosen

    def _store(self, batches: list[Batch], timeout: float) -> bool:
        """Store `batches` and take them off the queue. False: they could not be stored and stay."""
        began = self._monotonic()
        try:
            try:
                stored = self._write(batches, timeout)
            except _NO_VALUE:
                stored = self._write(_cleaned(batches), timeout)
        except _NO_VALUE:  # never again: what cannot be stored must not keep back what can
            log.exception("%d ticks cannot be stored", sum(len(ticks) for _, ticks in batches))
            stored = 0
        except (StorageError, sqlite3.Error) as error:
            self._fail(error)
            return False
        self._succeed(batches, stored, self._monotonic() - began)
        return True

    def _succeed(self, batches: list[Batch], stored: int, seconds: float) -> None:
        count = sum(len(ticks) for _, ticks in batches)
        with self._guard:
            for _ in batches:
                self._batches.popleft()
                self._since.popleft()
            self._failing_since, self._trouble, self._last = None, "", seconds
            self._seconds += seconds
            self._waiting -= count
            self._lost = max(0, self._lost - count)  # the disk took them after all
            if stored < count:
                self._dropped[UNUSABLE] = self._dropped.get(UNUSABLE, 0) + count - stored
            self._written += stored
            self._flushes += 1
            self._longest = max(self._longest, seconds)
        if self._complained:
            self._complained, self._complain_at = False, 0.0
            log.info("ticks are stored again")

    def _fail(self, error: Exception) -> None:
        with self._guard:
            self._failures += 1
            if self._failing_since is None:
                self._failing_since = self._monotonic()
            self._trouble = str(error)
            waiting, dropped = self._waiting, self._dropped.get(QUEUE_FULL, 0)
        if not self._complained or self._monotonic() >= self._complain_at:
            self._complained, self._complain_at = True, self._monotonic() + _COMPLAIN_EVERY_SECONDS
            log.warning("%d ticks wait to be stored, %d were dropped: %s", waiting, dropped, error)

    # -- the file ----------------------------------------------------------------------------------------------

    def _write(self, batches: list[Batch], timeout: float) -> int:
        """One transaction. Returns how many ticks it stored."""
        keys = {tick[0] for _, ticks in batches for tick in ticks}
        if not keys:
            return 0
        with self._pool.get_connection(timeout) as connection:
            ids, marks = self._known(connection, keys)
            flat = _flat(batches, ids)
            count = len(flat) // _ROWS.width
            last = _ROWS.insert(connection, flat)  # numbers of one transaction have no gaps
            first = last - count + 1
            _extend_spans(connection, first, [(at_ms, len(ticks)) for at_ms, ticks in batches if ticks])
            due = [number for number in (ids[key] for key in keys) if last - marks[number] > MARK_EVERY_ROWS]
            if due:
                connection.execute(_MARK, (first, orjson.dumps(due).decode()))
        self._ids, self._marks = ids, (marks | dict.fromkeys(due, first) if due else marks)  # now it is committed
        return count

    def _known(self, connection: sqlite3.Connection, keys: set[str]) -> tuple[dict[str, int], dict[int, int]]:
        """Numbers and marks of all `keys`; those that are new to the file get a number."""
        new = keys - self._ids.keys()
        if not new:
            return self._ids, self._marks
        as_json = orjson.dumps(sorted(new)).decode()
        connection.execute(_NEW_KEYS, (as_json,))
        found = connection.execute(_LOOK_UP, (as_json,)).fetchall()
        return (
            self._ids | {row["instrument_key"]: row["id"] for row in found},
            self._marks | {row["id"]: row["last_id"] for row in found},
        )


def _flat(batches: Iterable[Batch], ids: Mapping[str, int]) -> list[int | None]:
    """The values of all rows, one after the other. Raises what arithmetic raises of a price that is none."""
    flat: list[int | None] = []
    for received_ms, ticks in batches:
        for key, price, traded_ms, quantity, volume in ticks:
            delay = received_ms - traded_ms if traded_ms else None
            flat += (ids[key], round(price * PRICE_UNITS), received_ms, delay, quantity, volume)
    return flat


def _extend_spans(connection: sqlite3.Connection, first: int, counts: Iterable[tuple[int, int]]) -> None:
    """Note when the rows from `first` on came: `counts` tells time of receipt and number of each batch. They continue
    the newest span while it stays short, then begin others."""
    newest = connection.execute(_NEWEST_SPAN).fetchone()
    spans = [] if newest is None or newest["last_id"] != first - 1 else [list(newest)]
    for at_ms, count in counts:
        if spans:
            earliest, latest = min(spans[-1][2], at_ms), max(spans[-1][3], at_ms)
            if latest - earliest < SPAN_MS and _ist_day(earliest) == _ist_day(latest):
                spans[-1][1:] = first + count - 1, earliest, latest
                first += count
                continue
        spans.append([first, first + count - 1, at_ms, at_ms])
        first += count
    _SPANS.insert(connection, [value for span in spans for value in span])


def _ist_day(at_ms: int) -> int:
    return (at_ms + _IST_MS) // _DAY_MS


def _cleaned(batches: Iterable[Batch]) -> list[Batch]:
    """The ticks that the file can hold, in plain Python numbers."""
    return [(at_ms, [clean for tick in ticks if (clean := _clean(tick)) is not None]) for at_ms, ticks in batches]


def _clean(tick: Tick) -> Tick | None:
    try:
        key, price, *others = tick
        traded_ms, quantity, volume = (None if number is None else index(number) for number in others)
        key.encode()  # half a surrogate pair is no text
        if not isfinite(price):  # raises for what is no number
            return None
        numbers = (round(float(price) * PRICE_UNITS), traded_ms or 0, quantity or 0, volume or 0)
    except (TypeError, ValueError, OverflowError, AttributeError):
        return None
    fits = all(abs(number) < _LARGEST for number in numbers)
    return (key, float(price), traded_ms, quantity, volume) if fits else None
