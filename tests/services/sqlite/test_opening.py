"""Files are opened the way the desk wants them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from services.sqlite.opening import open_file


def test_a_new_file_can_give_space_back_and_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "new.db"

    with closing(open_file(path, sqlite3.Connection)) as connection:
        connection.execute("CREATE TABLE t (x)")
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("auto_vacuum", "journal_mode")]

    assert settings == [2, "wal"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_was_there_stays_as_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as before:
        before.execute("CREATE TABLE t (x)")

    with closing(open_file(path, sqlite3.Connection)) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone()[0] == 0
