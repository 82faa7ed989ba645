"""The tables of the live feed: ticks as they come, ticks packed by day, and one row for each connection.

Ticks are a log. `websocket_ticks_v3` takes them in order of arrival and has no index, so that writing stays cheap;
`tick_spans` tells which rows came in which minute. Later they are packed into `packed_ticks`, which is indexed.
`tick_progress.packed_through` is the last row of the log that is in there: readers take rows up to it from the packed
side only, so that the log's rows may go away later, in small steps, without being seen twice or missing meanwhile.
"""

from __future__ import annotations

import sqlite3

_TABLES = (
    # `last_id`: the newest tick of the instrument has this number in the log, or a little higher one.
    """
    CREATE TABLE tick_instruments (
        id INTEGER PRIMARY KEY,
        instrument_key TEXT NOT NULL UNIQUE,
        last_id INTEGER NOT NULL DEFAULT 0
    )
    """,
    # AUTOINCREMENT: a number is never given twice, even when the rows are gone; `packed_through` counts on it. The
    # delay takes two bytes where the exchange time would take six. NULL: the feed did not tell. STRICT: whatever else
    # than a number finds its way here is refused, not stored as it is.
    """
    CREATE TABLE websocket_ticks_v3 (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        instrument INTEGER NOT NULL,
        price_e4 INTEGER NOT NULL,
        received_ms INTEGER NOT NULL,
        delay_ms INTEGER,
        quantity INTEGER,
        volume INTEGER,
        exchange_ms INTEGER GENERATED ALWAYS AS (received_ms - delay_ms) VIRTUAL
    ) STRICT
    """,
    """
    CREATE TABLE tick_spans (
        first_id INTEGER PRIMARY KEY,
        last_id INTEGER NOT NULL,
        from_ms INTEGER NOT NULL,
        to_ms INTEGER NOT NULL
    )
    """,
    "CREATE INDEX tick_spans_by_time ON tick_spans (to_ms, last_id)",
    # `merged_through`: of the parts that begin up to here, each instrument has one for each day.
    """
    CREATE TABLE tick_progress (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        packed_through INTEGER NOT NULL,
        merged_through INTEGER NOT NULL
    )
    """,
    "INSERT INTO tick_progress VALUES (1, 0, 0)",
    # `id`: the number that the first of its ticks had in the log. `day`: in India, by the time of receipt.
    """
    CREATE TABLE packed_ticks (
        id INTEGER PRIMARY KEY,
        instrument INTEGER NOT NULL,
        day TEXT NOT NULL,
        ticks INTEGER NOT NULL,
        columns BLOB NOT NULL
    )
    """,
    "CREATE INDEX packed_ticks_by_instrument ON packed_ticks (instrument, day)",
    "CREATE INDEX packed_ticks_by_day ON packed_ticks (day, ticks)",
    """
    CREATE TABLE websocket_metrics (
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        end_reason TEXT,
        reconnect INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        ticks INTEGER NOT NULL,
        bad_frames INTEGER NOT NULL,
        dropped INTEGER NOT NULL
    )
    """,
    "CREATE INDEX websocket_metrics_by_feed ON websocket_metrics (feed, started_ms)",
    "CREATE INDEX websocket_metrics_by_time ON websocket_metrics (started_ms)",
)


def create_feed_tables(connection: sqlite3.Connection) -> None:
    """A migration of the market file."""
    for statement in _TABLES:
        connection.execute(statement)
