"""Keeps candles in the market file: blocks of columns, and the days that they cover, written together or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from services.domain.candles import Interval, Unit
from services.domain.day_spans import DaySpans
from services.storage.candle_packing import pack, unpack
from services.storage.many_rows import ManyRows
from services.storage.pool import Pool
from services.wire.candle_columns import CandleColumns, Counts, joined

EPOCH = date(1970, 1, 1).toordinal()
DAY_MS = 86_400_000
IST_MS = 19_800_000
RUNNING_DAYS_KEPT = 10

_SERIES = "SELECT id FROM candle_series WHERE origin = ? AND instrument_key = ? AND unit = ? AND count = ?"
_NEW_SERIES = "INSERT OR IGNORE INTO candle_series (origin, instrument_key, unit, count) VALUES (?, ?, ?, ?)"
_OF_KEY = "SELECT id FROM candle_series WHERE origin = ? AND instrument_key = ?"
_COVERAGE = "SELECT source, first_day, end_day FROM candle_coverage WHERE series = ?"
_FORGET_COVERAGE = "DELETE FROM candle_coverage WHERE series = ?"
_BLOCKS = """
    SELECT day, columns, fetched_s FROM candle_cache_v3 WHERE series = ? AND day >= ? AND day < ? ORDER BY day
"""
_FORGET_BLOCKS = "DELETE FROM candle_cache_v3 WHERE series = ? AND day >= ? AND day < ?"
_ALL_BLOCKS_OF = "DELETE FROM candle_cache_v3 WHERE series = ?"
_TODAY = "SELECT day, fetched_ms, columns FROM candle_today WHERE series = ? AND day >= ? AND day < ? ORDER BY day"
_SAVE_TODAY = "INSERT OR REPLACE INTO candle_today (series, day, fetched_ms, columns) VALUES (?, ?, ?, ?)"
_FORGET_TODAY = "DELETE FROM candle_today WHERE series = ? AND day >= ? AND day < ?"
_ALL_TODAY_OF = "DELETE FROM candle_today WHERE series = ?"
_CHANGES = """
    SELECT first_ms, last_ms, at_ms, kind, bars, detail FROM candle_changes
    WHERE series = ? AND first_ms < ? AND last_ms >= ? ORDER BY first_ms, at_ms
"""
_COUNTS = """
    SELECT (SELECT count(*) FROM candle_series) AS series, count(*) AS blocks, COALESCE(sum(candles), 0) AS candles,
           COALESCE(sum(length(columns)), 0) AS bytes
    FROM candle_cache_v3
"""
_CLEAR = (
    "DELETE FROM candle_cache_v3",
    "DELETE FROM candle_coverage",
    "DELETE FROM candle_today",
    "DELETE FROM candle_changes",
    "DELETE FROM candle_series",
)
_NEW_BLOCKS = ManyRows("candle_cache_v3", ("series", "day", "candles", "fetched_s", "source", "columns"), replace=True)
_NEW_COVERAGE = ManyRows("candle_coverage", ("series", "source", "first_day", "end_day"))
_NEW_CHANGES = ManyRows(
    "candle_changes", ("series", "first_ms", "last_ms", "at_ms", "kind", "bars", "detail"), replace=True
)


@dataclass(frozen=True, slots=True, eq=False)
class StoredBars:
    """Bars as they lie in the file, ascending. For each block of them its first day (an ordinal) and when it was told
    (ms since the epoch)."""

    candles: CandleColumns
    block_days: Counts
    fetched_ms: Counts


@dataclass(frozen=True, slots=True)
class TodaysBars:
    """What the broker said of a day while it ran. May be empty."""

    day: int
    candles: CandleColumns
    fetched_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """Bars of history that differ from what had been told of them. `kind`: `late` or `changed`."""

    first_ms: int
    last_ms: int
    """Starts of the first and of the last of them."""
    at_ms: int
    """When that was found."""
    kind: str
    bars: int
    detail: str


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """What the file holds. `bytes`: of the blobs."""

    series: int
    blocks: int
    candles: int
    bytes: int


class CandleStore:
    """Reads and writes the candle tables of one market file. Thread-safe. Days are ordinals, by Indian date; `roll_ms`
    is how long after midnight a day of minutes begins (0, but for a practice market).

    Raises `StorageError` for a damaged file and what the pool raises.
    """

    def __init__(self, pool: Pool, *, roll_ms: Callable[[], int] = lambda: 0) -> None:
        self._pool = pool
        self._roll_ms = roll_ms

    # -- reading -----------------------------------------------------------------------------------------------

    def coverage(self, origin: str, key: str, interval: Interval) -> dict[str, DaySpans]:
        """The days of which the broker was asked, by the call that answered."""
        with self._pool.get_connection(write=False) as connection:
            series = _series_of(connection, origin, key, interval)
            rows = [] if series is None else connection.execute(_COVERAGE, (series,)).fetchall()
        return {
            source: DaySpans((row["first_day"], row["end_day"]) for row in rows if row["source"] == source)
            for source in sorted({row["source"] for row in rows})
        }

    def bars(self, origin: str, key: str, interval: Interval, first: int, end: int) -> StoredBars:
        """The bars of the blocks that hold days of `first <= day < end`."""
        since = block_of(interval, first)[0]
        with self._pool.get_connection(write=False) as connection:
            series = _series_of(connection, origin, key, interval)
            span = (series, since - EPOCH, end - EPOCH)
            rows = [] if series is None else connection.execute(_BLOCKS, span).fetchall()
        return StoredBars(
            unpack([row["columns"] for row in rows]),
            np.array([row["day"] for row in rows], np.int64) + EPOCH,
            np.array([row["fetched_s"] for row in rows], np.int64) * 1000,
        )

    def todays(self, origin: str, key: str, interval: Interval, first: int, end: int) -> list[TodaysBars]:
        """What was told of days of `first <= day < end` while they ran and history has not told yet, oldest first."""
        with self._pool.get_connection(write=False) as connection:
            series = _series_of(connection, origin, key, interval)
            span = (series, first - EPOCH, end - EPOCH)
            rows = [] if series is None else connection.execute(_TODAY, span).fetchall()
        return [_todays(row) for row in rows]

    def changes(self, origin: str, key: str, interval: Interval, start_ms: int, end_ms: int) -> list[Change]:
        """What history told otherwise of bars between the two instants."""
        with self._pool.get_connection(write=False) as connection:
            series = _series_of(connection, origin, key, interval)
            rows = [] if series is None else connection.execute(_CHANGES, (series, end_ms, start_ms)).fetchall()
        return [Change(*row) for row in rows]

    def counts(self) -> StoreCounts:
        """How much the file holds, of all series."""
        with self._pool.get_connection(write=False) as connection:
            return StoreCounts(*connection.execute(_COUNTS).fetchone())

    # -- writing -----------------------------------------------------------------------------------------------

    def save(
        self,
        origin: str,
        key: str,
        interval: Interval,
        candles: CandleColumns,
        *,
        covered: tuple[int, int],
        source: str,
        fetched_ms: int,
        changes: Sequence[Change] = (),
    ) -> None:
        """Take over what the call `source` told of the days of `covered`: its bars, and that these days are known now.
        One transaction. What was told of these days before, also while they ran, goes. Bars of other days are not
        taken."""
        first, end = covered
        span_ms = self._span_ms(interval, first, end)
        with self._pool.get_connection() as connection:
            series = _make_series(connection, origin, key, interval)
            low, high = block_of(interval, first)[0], block_of(interval, end - 1)[1]
            found = connection.execute(_BLOCKS, (series, low - EPOCH, high - EPOCH)).fetchall()
            kept = _outside(unpack([row["columns"] for row in found]), *span_ms)
            whole = joined([kept, candles.between(*span_ms)])
            rows: list[object] = []
            for day, bars in self._cut(interval, whole):
                rows += (series, day - EPOCH, len(bars), fetched_ms // 1000, source, pack(bars))
            connection.execute(_FORGET_BLOCKS, (series, low - EPOCH, high - EPOCH))
            _NEW_BLOCKS.insert(connection, rows)
            connection.execute(_FORGET_TODAY, (series, first - EPOCH, end - EPOCH))
            _add_coverage(connection, series, source, first, end)
            if changes:
                _NEW_CHANGES.insert(connection, [cell for one in changes for cell in (series, *astuple(one))])

    def save_todays(
        self, origin: str, key: str, interval: Interval, candles: CandleColumns, *, day: int, fetched_ms: int
    ) -> None:
        """Keep what the broker says of the running day; it covers nothing. What it said of days long over, of which
        nobody wanted the history, goes."""
        blob = pack(candles) if len(candles) else None
        with self._pool.get_connection() as connection:
            series = _make_series(connection, origin, key, interval)
            connection.execute(_SAVE_TODAY, (series, day - EPOCH, fetched_ms, blob))
            connection.execute(_FORGET_TODAY, (series, 0, day - EPOCH - RUNNING_DAYS_KEPT))

    def forget(self, origin: str, key: str) -> None:
        """Forget every interval of one instrument; what changed in it stays on record."""
        with self._pool.get_connection() as connection:
            for row in connection.execute(_OF_KEY, (origin, key)).fetchall():
                for statement in (_ALL_BLOCKS_OF, _FORGET_COVERAGE, _ALL_TODAY_OF):
                    connection.execute(statement, (row["id"],))

    def clear(self) -> None:
        """Forget all candles."""
        with self._pool.get_connection() as connection:
            for statement in _CLEAR:
                connection.execute(statement)

    # -- inside ------------------------------------------------------------------------------------------------

    def _span_ms(self, interval: Interval, first: int, end: int) -> tuple[int, int]:
        shift = self._shift_ms(interval)
        return (first - EPOCH) * DAY_MS - shift, (end - EPOCH) * DAY_MS - shift

    def _shift_ms(self, interval: Interval) -> int:
        return IST_MS - (self._roll_ms() if interval.intraday else 0)

    def _cut(self, interval: Interval, candles: CandleColumns) -> Iterator[tuple[int, CandleColumns]]:
        """The bars by block, with the first day of each."""
        if not len(candles):
            return
        days = (candles.start_ms + self._shift_ms(interval)) // DAY_MS + EPOCH
        if not interval.intraday:
            each = {day: block_of(interval, day)[0] for day in np.unique(days).tolist()}
            days = np.array([each[day] for day in days.tolist()], np.int64)
        edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
        for low, high in pairwise(edges):
            yield int(days[low]), candles.take(slice(low, high))


def block_of(interval: Interval, day: int) -> tuple[int, int]:
    """The first day of the block that holds `day`, and the first day after it."""
    if interval.intraday:
        return day, day + 1
    of = date.fromordinal(day)
    if interval.unit is Unit.DAYS:
        first = of.replace(day=1)
        return first.toordinal(), (first + timedelta(days=31)).replace(day=1).toordinal()
    return date(of.year, 1, 1).toordinal(), date(of.year + 1, 1, 1).toordinal()


def _outside(candles: CandleColumns, start_ms: int, end_ms: int) -> CandleColumns:
    """The bars before `start_ms` and those from `end_ms` on."""
    return candles.take((candles.start_ms < start_ms) | (candles.start_ms >= end_ms))


def _series_of(connection: sqlite3.Connection, origin: str, key: str, interval: Interval) -> int | None:
    row = connection.execute(_SERIES, (origin, key, interval.unit, interval.count)).fetchone()
    return None if row is None else int(row[0])


def _make_series(connection: sqlite3.Connection, origin: str, key: str, interval: Interval) -> int:
    connection.execute(_NEW_SERIES, (origin, key, interval.unit, interval.count))
    return int(connection.execute(_SERIES, (origin, key, interval.unit, interval.count)).fetchone()[0])


def _add_coverage(connection: sqlite3.Connection, series: int, source: str, first: int, end: int) -> None:
    """These days are known by `source` now, and by no other call any more."""
    rows = connection.execute(_COVERAGE, (series,)).fetchall()
    spans: dict[str, DaySpans] = {source: DaySpans()}
    for name in {row["source"] for row in rows}:
        told = DaySpans((row["first_day"], row["end_day"]) for row in rows if row["source"] == name)
        spans[name] = told.without(first, end)
    spans[source] = spans[source].with_span(first, end)
    connection.execute(_FORGET_COVERAGE, (series,))
    _NEW_COVERAGE.insert(
        connection, [cell for name, told in spans.items() for span in told for cell in (series, name, *span)]
    )


def _todays(row: sqlite3.Row) -> TodaysBars:
    blobs = [] if row["columns"] is None else [row["columns"]]
    return TodaysBars(row["day"] + EPOCH, unpack(blobs), row["fetched_ms"])
