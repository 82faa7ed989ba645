"""The market calendar's tables: what the broker answered, by date, and where it contradicted the desk's own table.

Every row names its `source`: the broker, or `table` for a copy of the desk's own calendar, kept there for people who
look into the file. Instants are milliseconds of UTC, a `day` is a date in India. A day may have several rows and a
market several stretches, so special sessions, two-part days and changes of regime all fit.
"""

from __future__ import annotations

import sqlite3

_CALENDAR = (
    """
    CREATE TABLE market_holidays (
        source TEXT NOT NULL,
        day TEXT NOT NULL,
        place INTEGER NOT NULL,        -- of the row in its list: a date may have several
        part INTEGER NOT NULL,         -- of the exchange in its row
        exchange TEXT NOT NULL,        -- '': the row names none
        name TEXT NOT NULL,
        kind TEXT NOT NULL,            -- in the words of the source
        closed INTEGER,                -- 1 closed; 0 open from starts_ms to ends_ms; NULL: not told
        starts_ms INTEGER,             -- NULL while open: the hours are not published
        ends_ms INTEGER,
        settles INTEGER,               -- NULL: not told
        reference TEXT NOT NULL,       -- the circular, where one is known
        confirmed INTEGER NOT NULL,
        fetched_at_ms INTEGER NOT NULL,
        PRIMARY KEY (source, day, place, part)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX market_holidays_by_day ON market_holidays (day, exchange)",
    """
    CREATE TABLE market_timings (
        source TEXT NOT NULL,
        day TEXT NOT NULL,
        part INTEGER NOT NULL,
        exchange TEXT NOT NULL,
        phase TEXT NOT NULL,
        starts_ms INTEGER NOT NULL,
        ends_ms INTEGER NOT NULL,
        reference TEXT NOT NULL,
        confirmed INTEGER NOT NULL,
        fetched_at_ms INTEGER NOT NULL,
        PRIMARY KEY (source, day, part)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX market_timings_by_day ON market_timings (day, exchange)",
    """
    CREATE TABLE market_status (
        source TEXT NOT NULL,
        exchange TEXT NOT NULL,
        first_seen_ms INTEGER NOT NULL,
        status TEXT NOT NULL,
        cas_status TEXT,
        last_updated_ms INTEGER NOT NULL,  -- by the broker's own account
        confirmed INTEGER NOT NULL,
        fetched_at_ms INTEGER NOT NULL,    -- heard so again until then
        PRIMARY KEY (source, exchange, first_seen_ms)
    ) WITHOUT ROWID
    """,
    # Which lists were heard, and when: an answer may be empty (a full holiday), and one that never came is not.
    """
    CREATE TABLE calendar_answers (
        source TEXT NOT NULL,
        what TEXT NOT NULL,            -- holidays, timings
        about TEXT NOT NULL,           -- the year, the day
        rows INTEGER NOT NULL,
        fetched_at_ms INTEGER NOT NULL,
        PRIMARY KEY (source, what, about)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE calendar_contradictions (
        id INTEGER PRIMARY KEY,
        market TEXT NOT NULL,
        day TEXT NOT NULL,
        about TEXT NOT NULL,           -- hours, status
        table_says TEXT NOT NULL,
        broker_says TEXT NOT NULL,
        source TEXT NOT NULL,
        since_ms INTEGER NOT NULL,
        gone_ms INTEGER                -- NULL: it stands
    )
    """,
    """
    CREATE UNIQUE INDEX calendar_contradictions_standing ON calendar_contradictions (market, day, about)
    WHERE gone_ms IS NULL
    """,
    "CREATE INDEX calendar_contradictions_by_time ON calendar_contradictions (since_ms)",
)


def add_calendar(connection: sqlite3.Connection) -> None:
    """The migration that makes these tables."""
    for statement in _CALENDAR:
        connection.execute(statement)
