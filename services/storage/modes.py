"""Which mode a market file belongs to, marked in the file itself, so that a live desk never shows paper prices.

The mark is SQLite's `application_id`: it lies in the header, takes part in transactions and goes with every copy.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from services.domain.errors import InvalidRequest, StorageError
from services.sqlite.opening import in_words, open_file

MODES = {"paper": 0x55444B50, "live": 0x55444B4C, "rehearsal": 0x55444B52}
"""Mark by mode ("UDK" and a letter). A mode's folder bears its name."""


def refuse_other_mode(path: Path, mode: str, *, root: Path) -> None:
    """`InvalidRequest` in words if `path` lies in another mode's folder below `root`, or is a file of another mode or
    another program."""
    for other in MODES.keys() - {mode}:
        if path.is_relative_to(root / other):
            raise InvalidRequest(f"{path} lies in the folder of {other} mode; this desk runs in {mode} mode")
    if not path.exists():
        return
    try:
        with closing(open_file(path, sqlite3.Connection)) as connection:
            _require(connection, path, mode)
    except sqlite3.Error as error:
        raise in_words(error, path) or StorageError(f"{path}: {error}") from error


def mark_mode(path: Path, mode: str, *, own: bool) -> None:
    """Mark the market file at `path` as one of `mode`, if it has no mark yet.

    A file from before there were marks that lies outside the mode's `own` folder may hold quotes of any mode: they are
    dropped, since they can be fetched again.
    """
    try:
        with closing(open_file(path, sqlite3.Connection)) as connection:
            if _require(connection, path, mode):
                return  # without waiting for whoever writes just now
            connection.execute("BEGIN IMMEDIATE")
            try:
                if not _require(connection, path, mode):
                    connection.execute(f"PRAGMA application_id = {MODES[mode]}")
                    if not own:
                        connection.execute("DELETE FROM quote_cache_v3")
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise in_words(error, path) or StorageError(f"{path}: {error}") from error


def _require(connection: sqlite3.Connection, path: Path, mode: str) -> bool:
    """Does the file bear the mark of `mode`? False if it bears none; another one is refused."""
    found = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if found in (0, MODES[mode]):
        return found != 0
    whose = next((f"belongs to {name} mode" for name, mark in MODES.items() if mark == found), None)
    raise InvalidRequest(
        f"{path} {whose or 'was made by another program'}; this desk runs in {mode} mode. Give another file name."
    )
