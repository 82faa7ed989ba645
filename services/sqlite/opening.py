"""Opens SQLite files the way the desk wants them, and says their failures in words."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from services.domain.errors import PoolExhausted, StorageError

C = TypeVar("C", bound=sqlite3.Connection)

_PLAIN = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, or restore a copy from the folder 'backups'",
    sqlite3.SQLITE_NOTADB: "the file is damaged, or not a database of the desk; move it away or restore a copy",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check that its folder exists and may be written",
    sqlite3.SQLITE_PERM: "access to the file is denied",
    sqlite3.SQLITE_AUTH: "access to the file is denied",
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code of `error` (0 if it did not come from SQLite)."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    """Did another connection hold the file?"""
    return primary_code(error) in _BUSY


def in_words(error: sqlite3.Error, path: Path) -> StorageError | None:
    """`error` as one of ours if the file or the disk is at fault; None if the statement itself is."""
    if is_busy(error):
        return PoolExhausted(f"{path.name}: another program kept writing to the file for too long")
    plain = _PLAIN.get(primary_code(error))
    return None if plain is None else StorageError(f"{path}: {plain}")


def file_uri(path: Path, mode: str) -> str:
    """The SQLite URI of `path`; mode `ro`, `rw` or `rwc`."""
    return f"file:{quote(path.absolute().as_posix())}?mode={mode}"


def make_private_file(path: Path) -> bool:
    """Make an empty file that only its owner may read, in one step. False: it was there already.

    SQLite gives its `-wal`, `-shm` and `-journal` files the mode of the database file.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


def open_file(
    path: Path,
    factory: type[C],
    *,
    busy_timeout: float = 30.0,
    synchronous: str = "NORMAL",
) -> C:
    """A connection in WAL mode with rows by name, in which a transaction begins only where the caller says BEGIN.

    May be used by one thread after another. The file is made if need be, readable by its owner only. Raises
    `StorageError` in words.
    """
    try:
        made = make_private_file(path)
        connection = sqlite3.connect(
            file_uri(path, "rw"),
            timeout=busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            factory=factory,
            uri=True,
        )
    except OSError as error:
        raise StorageError(f"{path}: the file cannot be made ({error.strerror})") from error
    except sqlite3.Error as error:
        raise in_words(error, path) or StorageError(f"{path}: {error}") from error
    try:
        if made:  # only an empty file can be told to give pages back one day; a day of ticks leaves many
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        ensure_wal(connection, busy_timeout)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA journal_size_limit=67108864")  # a long reader may not leave gigabytes of WAL behind
        connection.row_factory = sqlite3.Row
    except sqlite3.Error as error:
        sqlite3.Connection.close(connection)
        raise in_words(error, path) or StorageError(f"{path}: {error}") from error
    return connection


def ensure_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Switch the file to WAL. SQLite's own busy wait does not cover this switch, so several first starts retry here."""
    end = time.monotonic() + patience
    while True:
        try:
            if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal":
                return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= end:
                raise
            time.sleep(0.01)
            continue
        raise StorageError("this disk does not support SQLite's write-ahead log; the data folder must be a local disk")
