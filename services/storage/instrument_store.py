"""The instrument master in SQLite: whole files swapped in one transaction, look-ups by key.

What search needs besides lies in `instrument_names`: one row for everything that has a name (shares, indices, debt),
and one for every underlying of derivatives, whose contracts (most rows of a master) are then found by index.
"""

from __future__ import annotations

import marshal
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import IO, Any

import orjson

from services.domain.errors import StorageError
from services.domain.instrument_search import SearchQuery
from services.domain.instruments import Instrument, Underlying
from services.sqlite.opening import in_words
from services.storage.instrument_names import indices, rebuild_names, shares_with_contracts, with_options
from services.storage.instrument_search import search_keys
from services.storage.pool import Pool

_COLUMNS = (
    "instrument_key", "segment", "exchange", "trading_symbol", "name", "instrument_type", "exchange_token", "isin",
    "short_name", "tick_paise", "lot_size", "freeze_quantity", "qty_multiplier", "expiry", "strike", "underlying_key",
    "underlying_symbol", "weekly", "security_type", "cas_eligible",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM instruments"  # noqa: S608  # names of our own, here and below
_INSERT = (
    f"INSERT OR REPLACE INTO instruments ({', '.join(_COLUMNS)}, source_file) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(_COLUMNS))}, ?)"
)
_OPTION_EXPIRIES = """
    SELECT DISTINCT expiry FROM instruments
    WHERE underlying_symbol = ? AND segment = ? AND expiry IS NOT NULL AND expiry >= ?
        AND instrument_type IN ('CE', 'PE')
    ORDER BY expiry
"""
_OPTIONS = (
    f"{_SELECT} WHERE underlying_symbol = ? AND segment = ? AND expiry = ? AND expiry IS NOT NULL "
    "AND instrument_type IN ('CE', 'PE') ORDER BY strike, instrument_type"
)
_BATCH = 1000
_MANY = 500
_NAMED_AT_MOST = 20

Cells = tuple[Any, ...]  # Any: a row of SQLite values in the order of `_COLUMNS`


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What is known of one instrument file. Instants in epoch milliseconds, `None` = never."""

    file: str
    rows: int
    loaded_at_ms: int | None
    checked_at_ms: int | None
    """When the broker last said what this file holds, changed or not."""
    etag: str | None
    error: str | None
    """Why the last attempt failed; the rows are then those of the attempt before."""
    malformed: int
    malformed_rows: tuple[str, ...]
    """The first rows that could not be read, named, with the reason."""


class InstrumentStore:
    """Rows of the instrument files. Readers see the whole of the old file or the whole of the new one."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def replace_file(
        self,
        file: str,
        instruments: Iterable[Instrument],
        *,
        at_ms: int,
        etag: str | None = None,
        malformed: Collection[str] = (),
    ) -> int:
        """Put `instruments` in place of what came from `file` before; the number of rows kept (keys are unique).

        The iterable is drained to a temporary file first, so that a slow download holds no lock and one that breaks off
        changes nothing. `malformed` is read after that: it may be filled by the iterable while it runs.

        Raises `StorageError` in words if the disk is full or the file is at fault; the rows of before then stay.
        """
        try:
            return self._replace(file, instruments, at_ms=at_ms, etag=etag, malformed=malformed)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise StorageError(f"the instrument file {file} could not be stored: {why}") from error
        except sqlite3.Error as error:
            raise in_words(error, self._pool.path) or StorageError(
                f"the instrument file {file} could not be stored: {error}"
            ) from error

    def _replace(
        self, file: str, instruments: Iterable[Instrument], *, at_ms: int, etag: str | None, malformed: Collection[str]
    ) -> int:
        with tempfile.TemporaryFile(dir=self._pool.path.parent) as spool:
            for batch in _batched_cells(instruments):
                marshal.dump(batch, spool)
            spool.seek(0)
            with self._pool.get_connection() as connection:
                connection.execute("DELETE FROM instruments WHERE source_file = ?", (file,))
                for cells in _batches(spool):
                    connection.executemany(_INSERT, [(*row, file) for row in cells])
                rebuild_names(connection)
                rows: int = connection.execute(
                    "SELECT COUNT(*) FROM instruments WHERE source_file = ?", (file,)
                ).fetchone()[0]
                connection.execute(
                    "INSERT OR REPLACE INTO instrument_files "
                    "(file, loaded_at_ms, rows, etag, checked_at_ms, error, malformed, malformed_rows) "
                    "VALUES (?, ?, ?, ?, ?, NULL, ?, ?)",
                    (file, at_ms, rows, etag, at_ms, len(malformed), orjson.dumps([*malformed][:_NAMED_AT_MOST])),
                )
        return rows

    def unchanged(self, file: str, *, at_ms: int) -> None:
        """The broker says that the file is still the one that was loaded."""
        with self._pool.get_connection() as connection:
            connection.execute(
                "UPDATE instrument_files SET checked_at_ms = ?, error = NULL WHERE file = ?", (at_ms, file)
            )

    def failed(self, file: str, error: str) -> None:
        """An attempt failed; the rows and the time of the last good one stay."""
        with self._pool.get_connection() as connection:
            connection.execute(
                "INSERT INTO instrument_files (file, rows, error) VALUES (?, 0, ?) "
                "ON CONFLICT (file) DO UPDATE SET error = excluded.error",
                (file, error),
            )

    def files(self) -> dict[str, FileRecord]:
        """Every file that was ever asked for."""
        with self._pool.get_connection(write=False) as connection:
            rows = connection.execute("SELECT * FROM instrument_files ORDER BY file").fetchall()
        return {row["file"]: _file_record(row) for row in rows}

    def get(self, key: str) -> Instrument | None:
        """The instrument of `key`, or `None`: no file holds it."""
        with self._pool.get_connection(write=False) as connection:
            row = connection.execute(f"{_SELECT} WHERE instrument_key = ?", (key,)).fetchone()
        return None if row is None else _to_instrument(row)

    def many(self, keys: Iterable[str]) -> dict[str, Instrument]:
        """Those of `keys` that exist, in the order asked."""
        with self._pool.get_connection(write=False) as connection:
            return _read_many(connection, keys)

    def search(self, query: SearchQuery, *, today: date, limit: int) -> list[Instrument]:
        """What `query` may mean, likeliest first."""
        with self._pool.get_connection(write=False) as connection:
            keys = search_keys(connection, query, today=today, limit=limit)
            return list(_read_many(connection, keys).values())

    def with_options(self, *, today: date) -> list[Underlying]:
        """Everything that has options which have not expired, the likeliest first."""
        with self._pool.get_connection(write=False) as connection:
            return with_options(connection, today)

    def option_expiries(self, underlying: Underlying, *, today: date) -> list[date]:
        """The expiries of its options from `today` on, ascending."""
        with self._pool.get_connection(write=False) as connection:
            rows = connection.execute(_OPTION_EXPIRIES, (underlying.symbol, underlying.segment, today.isoformat()))
            return [date.fromisoformat(day) for (day,) in rows]

    def options(self, underlying: Underlying, expiry: date) -> list[Instrument]:
        """Its options of one expiry by strike, calls before puts."""
        with self._pool.get_connection(write=False) as connection:
            rows = connection.execute(_OPTIONS, (underlying.symbol, underlying.segment, expiry.isoformat()))
            return [_to_instrument(row) for row in rows]

    def shares_with_contracts(self, segment: str) -> list[str]:
        """Keys of the shares of `segment` that derivatives are written on."""
        with self._pool.get_connection(write=False) as connection:
            return shares_with_contracts(connection, segment)

    def indices(self, segment: str) -> list[str]:
        """Keys of the indices of `segment`."""
        with self._pool.get_connection(write=False) as connection:
            return indices(connection, segment)


def _read_many(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, Instrument]:
    wanted = list(dict.fromkeys(keys))
    found: dict[str, Instrument] = {}
    for start in range(0, len(wanted), _MANY):
        chunk = wanted[start : start + _MANY]
        marks = ",".join("?" * len(chunk))
        for row in connection.execute(f"{_SELECT} WHERE instrument_key IN ({marks})", chunk):
            found[row["instrument_key"]] = _to_instrument(row)
    return {key: found[key] for key in wanted if key in found}


def _batched_cells(instruments: Iterable[Instrument]) -> Iterator[list[Cells]]:
    """The rows to store, some thousand at a time, so that a file of any length needs little memory."""
    batch: list[Cells] = []
    for instrument in instruments:
        batch.append(_to_cells(instrument))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _batches(spool: IO[bytes]) -> Iterator[list[Cells]]:
    """Our own batches back from the temporary file (`marshal` is safe here: nobody else writes that file)."""
    while True:
        try:
            yield marshal.load(spool)  # noqa: S302
        except EOFError:
            return


def _to_cells(of: Instrument) -> Cells:
    return (
        of.key,
        of.segment,
        of.exchange,
        of.symbol,
        of.name,
        of.type,
        of.exchange_token,
        of.isin,
        of.short_name,
        None if of.tick_size is None else float(of.tick_size * 100),
        of.lot_size,
        of.freeze_quantity,
        None if of.qty_multiplier is None else float(of.qty_multiplier),
        None if of.expiry is None else of.expiry.isoformat(),
        None if of.strike is None else float(of.strike),
        of.underlying_key,
        of.underlying_symbol,
        None if of.weekly is None else int(of.weekly),
        of.security_type,
        int(of.cas_eligible),
    )


def _to_instrument(row: sqlite3.Row) -> Instrument:
    """A stored row as what it is."""
    tick, quantity, strike = row["tick_paise"], row["qty_multiplier"], row["strike"]
    expiry, weekly = row["expiry"], row["weekly"]
    return Instrument(
        key=row["instrument_key"],
        segment=row["segment"],
        exchange=row["exchange"],
        symbol=row["trading_symbol"],
        name=row["name"],
        type=row["instrument_type"],
        exchange_token=row["exchange_token"],
        isin=row["isin"],
        short_name=row["short_name"],
        tick_size=None if tick is None else _exact(tick) / 100,
        lot_size=row["lot_size"],
        freeze_quantity=row["freeze_quantity"],
        qty_multiplier=None if quantity is None else _exact(quantity),
        expiry=None if expiry is None else date.fromisoformat(expiry),
        strike=None if strike is None else _exact(strike),
        underlying_key=row["underlying_key"],
        underlying_symbol=row["underlying_symbol"],
        weekly=None if weekly is None else bool(weekly),
        security_type=row["security_type"],
        cas_eligible=bool(row["cas_eligible"]),
    )


def _exact(number: float) -> Decimal:
    """The decimal that was written, without a tail of zeros: 25000, 97.375."""
    return Decimal(int(number)) if number == int(number) else Decimal(repr(number))


def _file_record(row: sqlite3.Row) -> FileRecord:
    return FileRecord(
        file=row["file"],
        rows=row["rows"] or 0,
        loaded_at_ms=row["loaded_at_ms"],
        checked_at_ms=row["checked_at_ms"],
        etag=row["etag"],
        error=row["error"],
        malformed=row["malformed"],
        malformed_rows=tuple(orjson.loads(row["malformed_rows"])),
    )
