"""Ticks as rows of the market file: a transaction for each lot, with numbers for the instruments and spans of time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from operator import index
from typing import TypeAlias

import orjson

from services.storage.many_rows import ManyRows
from services.storage.pool import Pool
from services.storage.tick_columns import PRICE_UNITS

Tick: TypeAlias = tuple[str, float, int | None, int | None, int | None]
"""Instrument key, last price in rupees, time of the last trade (ms, UTC; 0 or None: has not traded), its quantity,
volume of the day; None: the feed does not tell it, as of an index."""
Batch: TypeAlias = tuple[int, Sequence[Tick]]
"""Time of receipt in ms and what came."""

MARK_EVERY_ROWS = 100_000
"""The newest row of an instrument is at most so many rows behind its mark, `tick_instruments.last_id`: enough to find
it in a moment, and rare enough to cost next to nothing."""
SPAN_MS = 60_000
"""A row of `tick_spans` covers at most this long, of one day."""

_DAY_MS, _IST_MS = 86_400_000, 19_800_000
_LARGEST = 2**62
NO_VALUE = (
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


class TickRows:
    """Writes ticks into one market file. Not safe to share: its owner calls it in turn, so that ticks are in order."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ids: dict[str, int] = {}  # as committed: another process may have given the number after a rollback
        self._marks: dict[int, int] = {}

    def write(self, batches: list[Batch], timeout: float) -> int:
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


def cleaned(batches: Iterable[Batch]) -> list[Batch]:
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
