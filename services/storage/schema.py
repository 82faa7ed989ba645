"""The tables of the market file: what can be fetched again. Numbered migrations; a later one never edits an earlier."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from services.sqlite.upgrade import Migration, upgrade
from services.storage.calendar_tables import add_calendar
from services.storage.candle_tables import create_candle_tables
from services.storage.feed_tables import create_feed_tables
from services.storage.health_history import create_health_history
from services.storage.instrument_names import add_instrument_search
from services.storage.use_store import create_uses

_QUOTES_AND_ERRORS = (
    """
    CREATE TABLE quote_cache_v3 (
        instrument_key TEXT PRIMARY KEY,
        payload BLOB NOT NULL,
        ltp REAL, open REAL, high REAL, low REAL, volume INTEGER,
        exchange_time_ms INTEGER,
        received_at_ms INTEGER NOT NULL,
        source TEXT NOT NULL,
        api_version TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX quote_cache_v3_by_age ON quote_cache_v3 (received_at_ms)",
    """
    CREATE TABLE quote_metrics (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        keys INTEGER NOT NULL,
        memory_hits INTEGER NOT NULL,
        db_hits INTEGER NOT NULL,
        misses INTEGER NOT NULL,
        api_calls INTEGER NOT NULL,
        fetch_ms REAL,
        api_version TEXT,
        error TEXT
    )
    """,
    "CREATE INDEX quote_metrics_by_time ON quote_metrics (at_ms)",
    """
    CREATE TABLE error_log (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        error_type TEXT NOT NULL,
        message TEXT NOT NULL,
        status_code INTEGER,
        endpoint TEXT,
        retry_count INTEGER NOT NULL,
        context TEXT
    )
    """,
    "CREATE INDEX error_log_by_time ON error_log (at_ms, error_type)",
    # Until daily bars are stored, the running day of each quote is the bar that is known. 19800 s = IST.
    """
    CREATE VIEW ohlc_data AS
    SELECT instrument_key,
           date(COALESCE(exchange_time_ms, received_at_ms) / 1000 + 19800, 'unixepoch') AS date,
           open, high, low, ltp AS close, volume
    FROM quote_cache_v3
    """,
)

_INSTRUMENTS = (
    """
    CREATE TABLE instruments (
        instrument_key TEXT PRIMARY KEY,
        segment TEXT NOT NULL,
        exchange TEXT NOT NULL,
        trading_symbol TEXT NOT NULL,
        name TEXT,
        instrument_type TEXT,
        exchange_token TEXT,
        isin TEXT,
        short_name TEXT,
        tick_paise REAL,
        lot_size INTEGER,
        freeze_quantity INTEGER,
        qty_multiplier REAL,
        expiry TEXT,
        strike REAL,
        underlying_key TEXT,
        underlying_symbol TEXT,
        weekly INTEGER,
        security_type TEXT,
        cas_eligible INTEGER,
        source_file TEXT NOT NULL
    )
    """,
    "CREATE INDEX instruments_by_file ON instruments (source_file)",
    """
    CREATE TABLE instrument_files (
        file TEXT PRIMARY KEY,
        loaded_at_ms INTEGER,
        rows INTEGER,
        etag TEXT,
        checked_at_ms INTEGER,
        error TEXT
    ) WITHOUT ROWID
    """,
)


def _run(connection: sqlite3.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement)


def _create_quotes_errors_and_instruments(connection: sqlite3.Connection) -> None:
    _run(connection, _QUOTES_AND_ERRORS)
    _run(connection, _INSTRUMENTS)


_FOLDED_ERRORS = (
    "ALTER TABLE error_log ADD COLUMN count INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE error_log ADD COLUMN first_at_ms INTEGER",  # NULL: `at_ms`, of rows that tell one error
)


def _fold_errors(connection: sqlite3.Connection) -> None:
    """A row of `error_log` tells `count` errors of one kind, from `first_at_ms` to `at_ms`."""
    _run(connection, _FOLDED_ERRORS)


MIGRATIONS: list[Migration] = [
    _create_quotes_errors_and_instruments,
    add_instrument_search,
    _fold_errors,
    add_calendar,
    create_feed_tables,
    create_candle_tables,
    create_health_history,
    create_uses,
]
"""In order; the file's version is the number of those that ran. They run inside a transaction (no `executescript`)."""


def migrate_market(path: Path, *, backups: Path, now: datetime) -> None:
    """Make or upgrade the market file at `path`; an older one is copied into `backups` first.

    Raises `DataFolderTooNew`, `ConfigurationError` (a file of another program) or `StorageError`, all in plain words.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade(path, MIGRATIONS, backups=backups, now=now, keep=2)  # few copies: all of it can be fetched again
