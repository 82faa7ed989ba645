"""The tables of candles, and the view through which SQL reads the daily ones.

A block of `candle_cache_v3` holds the bars of one series and one day (daily bars: a month; weeks, months: a year) as
columns in a blob. A block and the days that it covers are written in one transaction. `candle_coverage` says
of which days the broker was asked: what is covered and has no bar did not trade.
"""

from __future__ import annotations

import sqlite3

_TABLES = (
    # `origin`: whose market it is. A simulated one and the real one never mix, whatever they call their instruments.
    """
    CREATE TABLE candle_series (
        id INTEGER PRIMARY KEY,
        origin TEXT NOT NULL,
        instrument_key TEXT NOT NULL,
        unit TEXT NOT NULL,
        count INTEGER NOT NULL,
        UNIQUE (origin, instrument_key, unit, count)
    )
    """,
    # `day`: the first day of the block, in days since 1970-01-01 (India). `source`: which call told the newest of it.
    """
    CREATE TABLE candle_cache_v3 (
        series INTEGER NOT NULL,
        day INTEGER NOT NULL,
        candles INTEGER NOT NULL,
        fetched_s INTEGER NOT NULL,
        source TEXT NOT NULL,
        columns BLOB NOT NULL,
        PRIMARY KEY (series, day)
    )
    """,
    """
    CREATE TABLE candle_coverage (
        series INTEGER NOT NULL,
        source TEXT NOT NULL,
        first_day INTEGER NOT NULL,
        end_day INTEGER NOT NULL,
        PRIMARY KEY (series, source, first_day)
    ) WITHOUT ROWID
    """,
    # The running day as the broker told it last. History takes its place the next day.
    """
    CREATE TABLE candle_today (
        series INTEGER NOT NULL,
        day INTEGER NOT NULL,
        fetched_ms INTEGER NOT NULL,
        columns BLOB,
        PRIMARY KEY (series, day)
    ) WITHOUT ROWID
    """,
    # What history told otherwise than it had been told before: a note for each day, first and last such bar in it.
    """
    CREATE TABLE candle_changes (
        series INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        bars INTEGER NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (series, first_ms, at_ms, kind)
    ) WITHOUT ROWID
    """,
)

_ALL_BYTES = bytes(range(256)).hex()


def _number(at: str, width: str) -> str:
    """SQL for the little-endian whole number of `width` bytes at the place `at` (from 0) of `columns`."""
    return (
        f"(SELECT COALESCE(sum((instr(all_bytes, substr(columns, {at} + place + 1, 1)) - 1) << (8 * place)), 0)"  # noqa: S608  # of our own
        f" FROM places WHERE place < {width})"
    )


def _column(before: str, width: str) -> str:
    return _number(f"28 + {before} + bar * {width}", width)


_OHLC_DATA = f"""
    CREATE VIEW ohlc_data AS
    WITH RECURSIVE
    bytes(all_bytes) AS (SELECT x'{_ALL_BYTES}'),
    places(place) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7)),
    bars(bar) AS (SELECT 0 UNION ALL SELECT bar + 1 FROM bars WHERE bar < 30),
    blocks AS (
        SELECT instrument_key, day, columns, candles, all_bytes,
               {_number("1", "1")} AS decimals,
               {_number("2", "1")} AS of_start, {_number("3", "1")} AS of_price,
               {_number("4", "1")} AS of_volume, {_number("5", "1")} AS of_oi,
               {_number("8", "8")} AS first_ms, {_number("16", "4")} AS unit_ms, {_number("20", "8")} AS lowest
        FROM candle_series JOIN candle_cache_v3 ON series = id, bytes
        WHERE unit = 'days'
    ),
    cells AS (
        SELECT instrument_key, day, bar, lowest,
               CASE decimals WHEN 2 THEN 1e2 WHEN 4 THEN 1e4 WHEN 6 THEN 1e6 WHEN 9 THEN 1e9 END AS scale,
               first_ms + unit_ms
                 * CASE of_start WHEN 0 THEN bar ELSE {_column("0", "of_start")} END AS start_ms,
               {_column("candles * of_start", "of_price")} AS open,
               {_column("candles * (of_start + of_price)", "of_price")} AS high,
               {_column("candles * (of_start + 2 * of_price)", "of_price")} AS low,
               {_column("candles * (of_start + 3 * of_price)", "of_price")} AS close,
               {_column("candles * (of_start + 4 * of_price)", "of_volume")} AS volume,
               {_column("candles * (of_start + 4 * of_price + of_volume)", "of_oi")} AS oi
        FROM blocks JOIN bars ON bar < candles
    )
    SELECT instrument_key, date(start_ms / 1000 + 19800, 'unixepoch') AS date,
           (lowest + open) / scale AS open, (lowest + high) / scale AS high,
           (lowest + low) / scale AS low, (lowest + close) / scale AS close, volume, oi
    FROM cells ORDER BY instrument_key, day, bar
"""  # noqa: S608  # texts of our own
"""Daily bars as rows, for plain SQL. Reads the blob of `candle_packing`, version 1, byte by byte: the place of a byte
in the row of all bytes is its value. 19800 s = India's distance from UTC."""


def create_candle_tables(connection: sqlite3.Connection) -> None:
    """A migration of the market file. `ohlc_data`, which showed the running day of the quotes, shows stored bars."""
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("DROP VIEW IF EXISTS ohlc_data")
    connection.execute(_OHLC_DATA)
