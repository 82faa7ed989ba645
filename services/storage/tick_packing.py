"""Moves ticks out of the log, once they are not written any more: packed by instrument and day, then merged, pruned.

The log is read in stretches of some hundred thousand rows, once. Each stretch becomes one part for each instrument and
day in it; parts and the new `packed_through` are one transaction, so a kill leaves either the rows or the parts in
force, never both. Then the parts of one instrument and day are merged into one. All thinking is done outside of the
transactions that write, which take some hundredths of a second each: whoever writes ticks meanwhile hardly waits.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import orjson

from services.domain.clock import epoch_ms, ist_date
from services.domain.errors import InvalidRequest, StorageError
from services.storage.many_rows import ManyRows
from services.storage.pool import Pool
from services.storage.tick_columns import Column, TickColumns, joined, pack, unpack
from services.storage.tick_store import numbers

STRETCH_TICKS = 500_000
"""Ticks of the log that are in memory at once (some 100 MB)."""
READ_TICKS = 20_000
DELETE_TICKS = 50_000
"""Rows of the log that one transaction takes away (some 10 ms)."""
DELETE_PARTS = 100
FREE_PAGES_KEPT = 16_384
"""Free pages (of 4 KiB as a rule) that stay in the file: the next day's ticks will want them."""
_FREE_AT_ONCE = 2_000

SETTLED = "SELECT max(last_id) FROM tick_spans WHERE to_ms < ?"
PROGRESS = "SELECT packed_through, merged_through FROM tick_progress WHERE id = 1"
STRETCH = """
    SELECT group_concat(id), group_concat(instrument), group_concat(received_ms),
           group_concat(COALESCE(exchange_ms, -1)), group_concat(price_e4), group_concat(COALESCE(quantity, -1)),
           group_concat(COALESCE(volume, -1))
    FROM (SELECT * FROM websocket_ticks_v3 WHERE id > ? AND id <= ? ORDER BY id)
"""
TO_MERGE = "SELECT instrument, day FROM packed_ticks WHERE id > ?"
PARTS = "SELECT id, columns FROM packed_ticks WHERE instrument = ? AND day = ? ORDER BY id"
FORGET_PARTS = "DELETE FROM packed_ticks WHERE id IN (SELECT value FROM json_each(?))"
FORGET_TICKS = "DELETE FROM websocket_ticks_v3 WHERE id <= ?"
FORGET_SPANS = "DELETE FROM tick_spans WHERE first_id <= ? AND last_id <= ?"
OLD_PARTS = "SELECT id, ticks FROM packed_ticks WHERE day < ? LIMIT ?"
_PARTS = ManyRows("packed_ticks", ("id", "instrument", "day", "ticks", "columns"))
_DAY_MS, _IST_MS = 86_400_000, 19_800_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tidied:
    """What one run did: ticks packed; instruments and days whose parts were merged; ticks that were taken out of the
    log, and packed ones that were given up, for age; bytes given back to the disk."""

    packed: int
    merged: int
    left_the_log: int
    given_up: int
    freed_bytes: int


class TickPacker:
    """Housekeeping of one market file's ticks. May be run at any time, by several processes, killed at any point and
    run again. Ticks that come late for a packed day are packed the next time and merged into it."""

    def __init__(self, pool: Pool, *, stretch_ticks: int = STRETCH_TICKS, delete_ticks: int = DELETE_TICKS) -> None:
        self._pool = pool
        self._stretch = stretch_ticks
        self._delete = delete_ticks

    def tidy(
        self,
        before: datetime,
        *,
        log_days: float = 1,
        packed_days: int = 365,
        stop: Callable[[], bool] = lambda: False,
    ) -> Tidied:
        """Pack what was received before `before` (aware; the start of the day, or now after the close).

        The log's rows stay readable by SQL for `log_days` more (0: they go at once), packed days for `packed_days`.
        `stop` is asked between two steps; what was done stays done. Raises `StorageError`; a day of 10 million ticks
        takes about half a minute.
        """
        if before.tzinfo is None:
            raise InvalidRequest("an instant must carry its time zone")
        if log_days < 0 or packed_days < 1:
            raise InvalidRequest("ticks are kept for 0 days or more in the log and for 1 day or more when packed")
        before = before.astimezone(UTC)
        packed = self._pack(epoch_ms(before), stop)
        merged = self._merge(stop)
        left = self._shorten_log(epoch_ms(before - timedelta(days=log_days)), stop)
        given_up = self._give_up(ist_date(before) - timedelta(days=packed_days), stop)
        return Tidied(packed, merged, left, given_up, self._free(stop))

    # -- from the log to parts ---------------------------------------------------------------------------------

    def _pack(self, before_ms: int, stop: Callable[[], bool]) -> int:
        packed = 0
        while not stop():
            with self._pool.get_connection(write=False) as connection:
                through = _progress(connection)[0]
                end = connection.execute(SETTLED, (before_ms,)).fetchone()[0] or 0
                if end <= through:
                    break
                end = min(end, through + self._stretch)
                rows = _log_rows(connection, through, end)
            parts = list(_parts(rows))
            with self._pool.get_connection() as connection:
                if _progress(connection)[0] != through:
                    continue  # another process packed these rows meanwhile
                _PARTS.insert(connection, [value for part in parts for value in part])
                connection.execute("UPDATE tick_progress SET packed_through = ? WHERE id = 1", (end,))
            packed += sum(part[3] for part in parts)
        return packed

    # -- from parts to one blob a day --------------------------------------------------------------------------

    def _merge(self, stop: Callable[[], bool]) -> int:
        with self._pool.get_connection(write=False) as connection:
            through, merged_through = _progress(connection)
            days = {(row[0], row[1]) for row in connection.execute(TO_MERGE, (merged_through,))}
        merged = 0
        for instrument, day in sorted(days):
            if stop():
                return merged
            merged += self._merge_day(instrument, day)
        if through > merged_through:
            with self._pool.get_connection() as connection:
                connection.execute(
                    "UPDATE tick_progress SET merged_through = max(merged_through, ?) WHERE id = 1", (through,)
                )
        return merged

    def _merge_day(self, instrument: int, day: str) -> bool:
        with self._pool.get_connection(write=False) as connection:
            found = connection.execute(PARTS, (instrument, day)).fetchall()
        if len(found) < 2:
            return False
        try:
            whole = joined(unpack(row["columns"]) for row in found)
        except StorageError as error:
            log.warning("ticks of instrument %d on %s stay in %d parts: %s", instrument, day, len(found), error)
            return False
        numbers_of = [row["id"] for row in found]
        blob = pack(whole)
        with self._pool.get_connection() as connection:
            gone = connection.execute(FORGET_PARTS, (orjson.dumps(numbers_of).decode(),)).rowcount
            if gone != len(found):  # another process merged some of them meanwhile
                connection.rollback()
                return False
            _PARTS.insert(connection, (numbers_of[0], instrument, day, len(whole), blob))
        return True

    # -- what goes ---------------------------------------------------------------------------------------------

    def _shorten_log(self, before_ms: int, stop: Callable[[], bool]) -> int:
        gone = 0
        with self._pool.get_connection(write=False) as connection:
            end = min(connection.execute(SETTLED, (before_ms,)).fetchone()[0] or 0, _progress(connection)[0])
            first = connection.execute("SELECT min(id) FROM websocket_ticks_v3").fetchone()[0]
        while first is not None and first <= end and not stop():
            through = min(end, first + self._delete - 1)
            with self._pool.get_connection() as connection:
                gone += connection.execute(FORGET_TICKS, (through,)).rowcount
                connection.execute(FORGET_SPANS, (through, through))
            first = through + 1
        return gone

    def _give_up(self, before: date, stop: Callable[[], bool]) -> int:
        gone = 0
        while not stop():
            with self._pool.get_connection() as connection:
                old = connection.execute(OLD_PARTS, (before.isoformat(), DELETE_PARTS)).fetchall()
                if not old:
                    break
                connection.execute(FORGET_PARTS, (orjson.dumps([row["id"] for row in old]).decode(),))
            gone += sum(row["ticks"] for row in old)
        return gone

    def _free(self, stop: Callable[[], bool]) -> int:
        """Give free pages back to the disk, where the file was made for it (`auto_vacuum` incremental). In another file
        they are filled again by the next day's ticks, so that it does not grow beyond its largest day."""
        freed = 0
        while not stop():
            with self._pool.get_connection() as connection:
                mode, pages, size = (
                    connection.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("auto_vacuum", "freelist_count", "page_size")
                )
                surplus = min(_FREE_AT_ONCE, pages - FREE_PAGES_KEPT)
                if mode != 2 or surplus <= 0:
                    break
                connection.execute(f"PRAGMA incremental_vacuum({surplus})").fetchall()
            freed += surplus * size
        return freed


def _progress(connection: sqlite3.Connection) -> tuple[int, int]:
    row = connection.execute(PROGRESS).fetchone()
    return int(row[0]), int(row[1])


def _log_rows(connection: sqlite3.Connection, after: int, end: int) -> list[Column]:
    """The rows of the log from `after` (excluded) to `end`, as columns: number, instrument, then as in `TickColumns`.

    In pieces, for numpy reads a text without giving other threads a turn.
    """
    pieces = []
    for start in range(after, end, READ_TICKS):
        texts = connection.execute(STRETCH, (start, min(end, start + READ_TICKS))).fetchone()
        if texts[0] is not None:
            pieces.append([numbers(text) for text in texts])
    return [np.concatenate(columns) for columns in zip(*pieces, strict=True)]


def _parts(columns: list[Column]) -> Iterator[tuple[int, int, str, int, bytes]]:
    """Rows of `packed_ticks` from the columns of a stretch of the log."""
    if not columns:
        return
    ids, instruments, *others = columns
    ticks = TickColumns(*others)
    days = (ticks.received_ms + _IST_MS) // _DAY_MS
    order = np.lexsort((days, instruments))  # stable: within an instrument's day the order of the log stays
    ids, instruments, days, ticks = ids[order], instruments[order], days[order], ticks.take(order)
    new = np.flatnonzero((np.diff(instruments) != 0) | (np.diff(days) != 0)) + 1
    starts, ends = [0, *new.tolist()], [*new.tolist(), len(ids)]
    for start, end in zip(starts, ends, strict=True):
        day = (date(1970, 1, 1) + timedelta(days=int(days[start]))).isoformat()
        yield int(ids[start]), int(instruments[start]), day, end - start, pack(ticks.take(slice(start, end)))
