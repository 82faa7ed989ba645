"""Numbered schema changes of a SQLite file, all or nothing."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from services.domain.errors import ConfigurationError, DataFolderTooNew, StorageError
from services.sqlite.backup import back_up
from services.sqlite.opening import in_words, open_file

Migration = Callable[[sqlite3.Connection], None]

log = logging.getLogger(__name__)


def upgrade(
    path: Path, migrations: Sequence[Migration], *, backups: Path, now: datetime, keep: int = 5, patience: float = 60.0
) -> None:
    """Bring `path` to version `len(migrations)`, recorded in `PRAGMA user_version`.

    The copy of an older file, all outstanding migrations and the new number happen under one `BEGIN IMMEDIATE`: of two
    processes that start at once the second waits and finds nothing to do, and a kill leaves the old state. Migrations
    must not use `executescript`, which commits. Raises `DataFolderTooNew` for a file of a newer version of the desk,
    `ConfigurationError` for a file of another program, `StorageError` if the disk or the file is at fault.
    """
    with closing(open_file(path, sqlite3.Connection, busy_timeout=patience)) as connection:
        try:
            if _version(connection, path, len(migrations)) == len(migrations):
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                _apply(connection, path, migrations, backups=backups, now=now, keep=keep)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise in_words(error, path) or StorageError(f"{path}: the file could not be upgraded: {error}") from error


def _apply(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Migration],
    *,
    backups: Path,
    now: datetime,
    keep: int,
) -> None:
    found = _version(connection, path, len(migrations))  # again: another process may have been faster
    if found == len(migrations):
        return
    if found == 0 and (strangers := _tables(connection)):
        raise ConfigurationError(
            f"{path} was made by another program (it holds {', '.join(strangers[:3])} and no version mark of "
            "the desk); move it away or give another file name"
        )
    if found > 0:
        copy = back_up(path, backups, label=f"v{found}", now=now, keep=keep)
        log.info("%s is upgraded from version %d to %d; a copy is in %s", path.name, found, len(migrations), copy)
    for migrate in migrations[found:]:
        migrate(connection)
    connection.execute(f"PRAGMA user_version={len(migrations)}")


def _version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > known:
        raise DataFolderTooNew(
            f"{path} was written by a newer version of Upstox Desk (format {found}, this one knows {known}). "
            "Start the newer version, or choose another data folder with --data-dir."
        )
    return found


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    return [str(row[0]) for row in rows]
