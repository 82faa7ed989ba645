"""Reads ticks, whether they are still in the log or packed already.

Columns come out of the log as one text each, made by SQLite in one step: a row at a time, the reader would wait for the
interpreter's lock at each row beside a busy thread (1.0 s against 0.1 s for one instrument out of 2 million rows).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from services.domain.clock import epoch_ms, ist_date
from services.domain.errors import InvalidRequest
from services.storage.pool import Pool
from services.storage.tick_columns import Column, TickColumns, joined, no_ticks, unpack
from services.storage.tick_rows import MARK_EVERY_ROWS

# Columns in the order of `TickColumns`; -1 is its `NOT_TOLD`.
LOG_SPAN = """
    SELECT min(first_id), max(last_id) FROM tick_spans WHERE to_ms >= :start_ms AND from_ms < :end_ms
"""
LOG_TICKS = """
    SELECT group_concat(received_ms), group_concat(COALESCE(exchange_ms, -1)), group_concat(price_e4),
           group_concat(COALESCE(quantity, -1)), group_concat(COALESCE(volume, -1))
    FROM (
        SELECT * FROM websocket_ticks_v3
        WHERE id BETWEEN :first AND :last AND instrument = :instrument
          AND received_ms >= :start_ms AND received_ms < :end_ms
        ORDER BY id
    )
"""
LOG_LAST = """
    SELECT received_ms, COALESCE(exchange_ms, -1), price_e4, COALESCE(quantity, -1), COALESCE(volume, -1)
    FROM websocket_ticks_v3
    WHERE id BETWEEN :first AND :last AND instrument = :instrument ORDER BY id DESC LIMIT 1
"""
LOG_DAYS = """
    SELECT DISTINCT (received_ms + 19800000) / 86400000 FROM websocket_ticks_v3
    WHERE id BETWEEN :first AND :last AND instrument = :instrument
"""
INSTRUMENT = """
    SELECT i.id, i.last_id, p.packed_through FROM tick_instruments AS i, tick_progress AS p
    WHERE i.instrument_key = ? AND p.id = 1
"""
PACKED = "SELECT columns FROM packed_ticks WHERE instrument = ? AND day BETWEEN ? AND ? ORDER BY id"
PACKED_DAYS = "SELECT DISTINCT day FROM packed_ticks WHERE instrument = ? ORDER BY day"
PACKED_LAST = """
    SELECT columns FROM packed_ticks
    WHERE instrument = :instrument AND day = (SELECT max(day) FROM packed_ticks WHERE instrument = :instrument)
"""
COUNT_LOG = """
    SELECT COALESCE((SELECT max(id) FROM websocket_ticks_v3), packed_through) - packed_through
    FROM tick_progress WHERE id = 1
"""
COUNT_PACKED = "SELECT COALESCE(sum(ticks), 0) FROM packed_ticks WHERE day > ''"


@dataclass(frozen=True, slots=True)
class TickCounts:
    """How many ticks are stored: in the log and not packed yet, and packed."""

    log: int
    packed: int

    @property
    def total(self) -> int:
        return self.log + self.packed


@dataclass(frozen=True, slots=True)
class _Instrument:
    """Its number, its mark in the log, and how far the log is packed."""

    number: int
    mark: int
    packed_through: int

    def rows(self, first: int = 0, last: int | None = None) -> dict[str, Any]:
        """Where in the log its rows can be: from `first` to `last`, after what is packed, not beyond its mark."""
        furthest = self.mark + MARK_EVERY_ROWS
        return {
            "instrument": self.number,
            "first": max(first, self.packed_through + 1),
            "last": furthest if last is None else min(last, furthest),
        }


class TickStore:
    """The ticks of one market file. Each answer is one consistent view of it, whatever is written or packed meanwhile.
    Raises `StorageError` if the file cannot be read. Safe to share between threads; holds nothing but the pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def ticks(self, key: str, start: datetime, end: datetime) -> TickColumns:
        """The ticks of `key` that were received from `start` (included) to `end` (excluded), by time of receipt; no
        entries if none is stored. The instants are aware; an instrument that does not trade may tell of a trade of an
        earlier day, so look at `exchange_ms` for when it was."""
        start_ms, end_ms = _instant(start), _instant(end)
        if end_ms <= start_ms:
            return no_ticks()
        with self._pool.get_connection(write=False) as connection:
            found = _find(connection, key)
            if found is None:
                return no_ticks()
            days = (ist_date(start).isoformat(), ist_date(end).isoformat())
            blobs = [row[0] for row in connection.execute(PACKED, (found.number, *days))]
            window = {"start_ms": start_ms, "end_ms": end_ms}
            first, last = connection.execute(LOG_SPAN, window).fetchone()
            texts = None
            if last is not None:
                texts = connection.execute(LOG_TICKS, window | found.rows(first, last)).fetchone()
        packed = [unpack(blob).between(start_ms, end_ms) for blob in blobs]
        return joined([*packed, _from_texts(texts)])

    def days(self, key: str) -> list[date]:
        """The days (in India, by time of receipt) of which ticks of `key` are stored, in order."""
        with self._pool.get_connection(write=False) as connection:
            found = _find(connection, key)
            if found is None:
                return []
            packed = {date.fromisoformat(row[0]) for row in connection.execute(PACKED_DAYS, (found.number,))}
            log = {_day(row[0]) for row in connection.execute(LOG_DAYS, found.rows())}
        return sorted(packed | log)

    def last(self, key: str) -> TickColumns:
        """The tick of `key` that was stored last: one entry, or none if the store knows none."""
        with self._pool.get_connection(write=False) as connection:
            found = _find(connection, key)
            if found is None:
                return no_ticks()
            row = connection.execute(LOG_LAST, found.rows(first=found.mark)).fetchone()
            if row is not None:
                return TickColumns(*(np.array([value], np.int64) for value in row))
            blobs = [row[0] for row in connection.execute(PACKED_LAST, {"instrument": found.number})]
        return joined(unpack(blob) for blob in blobs).take(slice(-1, None))

    def count(self) -> TickCounts:
        """How many ticks are stored, of all instruments."""
        with self._pool.get_connection(write=False) as connection:
            log = connection.execute(COUNT_LOG).fetchone()[0]
            packed = connection.execute(COUNT_PACKED).fetchone()[0]
        return TickCounts(log=log, packed=packed)


def _find(connection: sqlite3.Connection, key: str) -> _Instrument | None:
    row = connection.execute(INSTRUMENT, (key,)).fetchone()
    return None if row is None else _Instrument(*row)


def _from_texts(texts: sqlite3.Row | None) -> TickColumns:
    if texts is None or texts[0] is None:
        return no_ticks()
    return TickColumns(*(numbers(text) for text in texts))


def numbers(text: str) -> Column:
    """What `group_concat` made of a column of whole numbers."""
    return np.fromstring(text, np.int64, sep=",")


def _instant(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise InvalidRequest("an instant must carry its time zone")
    return epoch_ms(instant.astimezone(UTC))


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
