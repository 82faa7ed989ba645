"""What search reads: a row for everything that has a name, with its words in a full-text index.

Contracts are not in it. They are most rows of a master and all called like their underlying, which has a row here; the
index `instruments_by_contract` then finds them by underlying, expiry, side and strike.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from services.domain.instrument_search import UNDERLYING_STANDING, search_words, standing
from services.domain.instruments import Instrument, Underlying

_STEP = 10_000_000
_FIRST_INSTRUMENT = 10 * _STEP
"""Rows are numbered by standing, so that in order of id means likeliest first. Underlyings are numbered below this."""

SEARCH_TABLES = (
    """
    CREATE TABLE instrument_names (
        id INTEGER PRIMARY KEY,
        instrument_key TEXT,          -- NULL: an underlying of contracts
        segment TEXT NOT NULL,        -- of the contracts, where it is an underlying
        exchange TEXT NOT NULL,
        symbol TEXT NOT NULL,
        name TEXT NOT NULL,
        short_name TEXT NOT NULL,
        codes TEXT NOT NULL,          -- ISIN, exchange code
        words TEXT NOT NULL
    )
    """,
    """
    CREATE VIRTUAL TABLE instrument_search USING fts5(
        words, content='instrument_names', content_rowid='id', prefix='1 2 3', detail='none', tokenize='ascii'
    )
    """,
    """
    CREATE INDEX instruments_by_contract ON instruments (underlying_symbol, segment, expiry, instrument_type, strike)
    WHERE expiry IS NOT NULL
    """,
    "ALTER TABLE instrument_files ADD COLUMN malformed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE instrument_files ADD COLUMN malformed_rows BLOB NOT NULL DEFAULT '[]'",
)


_MATCHING = """
    SELECT id, instrument_key, segment, exchange, symbol, name, short_name, codes FROM instrument_names
    WHERE id IN (
        SELECT rowid FROM instrument_search WHERE instrument_search MATCH ? AND rowid BETWEEN ? AND ?
        ORDER BY rowid LIMIT ?
    )
    ORDER BY id
"""


def add_instrument_search(connection: sqlite3.Connection) -> None:
    """The migration that makes these tables."""
    for statement in SEARCH_TABLES:
        connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that a word may mean."""

    standing: int
    key: str | None
    """`None`: an underlying, which stands for its contracts."""
    segment: str
    exchange: str
    symbol: str
    names: tuple[str, str]
    """In full, and as people say it."""
    codes: tuple[str, ...]


def rebuild_names(connection: sqlite3.Connection) -> None:
    """Make the names anew from the instruments, inside the caller's transaction."""
    connection.execute("DELETE FROM instrument_names")
    insert = "INSERT INTO instrument_names VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    connection.executemany(insert, _underlyings(connection))
    connection.executemany(insert, _instruments(connection))
    connection.execute("INSERT INTO instrument_search(instrument_search) VALUES ('rebuild')")


_Cells = tuple[int, str | None, str, str, str, str, str, str, str]


def _underlyings(connection: sqlite3.Connection) -> Iterator[_Cells]:
    rows = connection.execute(
        "SELECT segment, exchange, underlying_symbol, MAX(underlying_key), MIN(name) FROM instruments "
        "WHERE expiry IS NOT NULL AND underlying_symbol IS NOT NULL GROUP BY segment, exchange, underlying_symbol"
    ).fetchall()
    for place, (segment, exchange, symbol, key, name) in enumerate(rows):
        of_index, _, index_name = (key or "").partition("_INDEX|")
        also = index_name if of_index != key else ""
        words = search_words(symbol, name, also)
        number = UNDERLYING_STANDING.get(segment, 6) * _STEP + place
        if not index_name and segment in {"NSE_FO", "BSE_FO"}:
            number += 7 * _STEP // 10  # index contracts are meant before those of shares
        yield number, None, segment, exchange, symbol, name, also, "", " ".join(words)


def _instruments(connection: sqlite3.Connection) -> Iterator[_Cells]:
    underlying_keys = {
        key for (key,) in connection.execute("SELECT DISTINCT underlying_key FROM instruments WHERE expiry IS NOT NULL")
    }
    isins = {key.partition("|")[2] for key in underlying_keys if key and "_EQ|" in key}
    rows = connection.execute(
        "SELECT instrument_key, segment, exchange, trading_symbol, name, instrument_type, isin, short_name, "
        "exchange_token, cas_eligible FROM instruments WHERE expiry IS NULL"
    )
    for place, (key, segment, exchange, symbol, name, kind, isin, short_name, token, eligible) in enumerate(rows):
        thing = Instrument(
            key=key,
            segment=segment,
            exchange=exchange,
            symbol=symbol,
            name=name,
            type=kind,
            cas_eligible=bool(eligible),
        )
        rank = standing(thing, has_contracts=key in underlying_keys, twin_has_contracts=isin in isins)
        codes = [code for code in (isin, token if segment == "BSE_EQ" else None) if code]
        words = search_words(symbol, name, short_name, *codes)
        number = _FIRST_INSTRUMENT + rank * _STEP + place
        yield number, key, segment, exchange, symbol, name, short_name or "", " ".join(codes), " ".join(words)


def matching_names(
    connection: sqlite3.Connection, words: Sequence[str], *, whole: bool = False, underlyings: bool, limit: int
) -> list[Named]:
    """What holds every one of `words` (folded) as a word or, unless `whole`, as the beginning of one; the likeliest
    first."""
    if not words:
        return []
    star = "" if whole else "*"
    match = " AND ".join(f'"{word}"{star}' for word in dict.fromkeys(words))
    bounds = (0, _FIRST_INSTRUMENT - 1) if underlyings else (_FIRST_INSTRUMENT, 20 * _STEP)
    rows = connection.execute(_MATCHING, (match, *bounds, limit))
    return [
        Named(_standing(number, underlyings), key, segment, exchange, symbol, (name, short), tuple(codes.split()))
        for number, key, segment, exchange, symbol, name, short, codes in rows
    ]


def _standing(number: int, underlying: bool) -> int:
    """Where it stands among all: an underlying without a share or an index of its name (gold) after those that have."""
    return 2 if underlying else (number - _FIRST_INSTRUMENT) // _STEP


# -- groups of instruments, found by their standing --------------------------------------------------------------------

_WITH_OPTIONS = """
    SELECT symbol, segment, exchange, name, (
        SELECT COALESCE(underlying_key, '') FROM instruments
        WHERE underlying_symbol = symbol AND segment = instrument_names.segment
            AND expiry IS NOT NULL AND expiry >= ? AND instrument_type IN ('CE', 'PE')
        ORDER BY expiry LIMIT 1
    ) AS underlying
    FROM instrument_names WHERE id < ? AND underlying IS NOT NULL ORDER BY id
"""
_OF_STANDING = "SELECT instrument_key FROM instrument_names WHERE id >= ? AND id < ? AND segment = ? ORDER BY symbol"
_INDICES_WITH_CONTRACTS, _SHARES_WITH_CONTRACTS, _OTHER_INDICES = 0, 1, 5


def with_options(connection: sqlite3.Connection, today: date) -> list[Underlying]:
    """Everything that has options which have not expired, the likeliest first: indices, then shares, then the rest."""
    rows = connection.execute(_WITH_OPTIONS, (today.isoformat(), _FIRST_INSTRUMENT))
    return [
        Underlying(symbol, segment, exchange, name or symbol, key or None)
        for symbol, segment, exchange, name, key in rows
    ]


def shares_with_contracts(connection: sqlite3.Connection, segment: str) -> list[str]:
    """Keys of the shares of `segment` that derivatives are written on, by symbol."""
    return _of_standing(connection, segment, _SHARES_WITH_CONTRACTS)


def indices(connection: sqlite3.Connection, segment: str) -> list[str]:
    """Keys of the indices of `segment`, those that derivatives are written on first."""
    return [
        key
        for standing in (_INDICES_WITH_CONTRACTS, _OTHER_INDICES)
        for key in _of_standing(connection, segment, standing)
    ]


def _of_standing(connection: sqlite3.Connection, segment: str, standing: int) -> list[str]:
    first = _FIRST_INSTRUMENT + standing * _STEP
    return [key for (key,) in connection.execute(_OF_STANDING, (first, first + _STEP, segment))]
