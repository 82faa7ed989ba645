"""Copies of a file in use are whole, checked, private and few."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.domain.errors import StorageError
from services.sqlite.backup import back_up
from services.sqlite.opening import open_file

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


def _file(path: Path, rows: int = 3) -> sqlite3.Connection:
    connection = open_file(path, sqlite3.Connection)
    connection.execute("CREATE TABLE kept (value INTEGER)")
    connection.executemany("INSERT INTO kept VALUES (?)", [(n,) for n in range(rows)])
    return connection


def _count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM kept").fetchone()[0])


def test_the_copy_holds_what_is_committed_while_a_writer_is_busy(tmp_path: Path) -> None:
    with closing(_file(tmp_path / "ledger.db")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO kept VALUES (99)")

        copy = back_up(tmp_path / "ledger.db", tmp_path / "backups", label="v1", now=NOW)

        connection.execute("ROLLBACK")
    assert copy == tmp_path / "backups" / "ledger-v1-20261120T091500Z.db"
    assert _count(copy) == 3
    assert [p.name for p in copy.parent.iterdir()] == [copy.name], "one file, complete by itself"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_the_copy_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    with closing(_file(tmp_path / "ledger.db")):
        copy = back_up(tmp_path / "ledger.db", tmp_path / "backups", label="v1", now=NOW)

    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


def test_copies_of_the_same_second_do_not_replace_each_other(tmp_path: Path) -> None:
    with closing(_file(tmp_path / "ledger.db")):
        made = {back_up(tmp_path / "ledger.db", tmp_path, label="v1", now=NOW) for _ in range(3)}

    assert len(made) == 3


def test_only_the_newest_copies_of_this_file_stay(tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    with closing(_file(tmp_path / "ledger.db")), closing(_file(tmp_path / "ledger-2.db")):
        other = back_up(tmp_path / "ledger-2.db", backups, label="v1", now=NOW)
        made = [
            back_up(tmp_path / "ledger.db", backups, label="v1", now=NOW + timedelta(days=day), keep=2)
            for day in range(4)
        ]

    assert sorted(backups.iterdir()) == sorted([*made[-2:], other])


def test_a_damaged_file_is_reported_and_leaves_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(_file(path, rows=5000)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("rb+") as file:
        file.seek(8192)
        file.write(b"\xff" * 4096)

    with pytest.raises(StorageError, match=r"ledger\.db.*damaged"):
        back_up(path, tmp_path / "backups", label="v1", now=NOW)

    assert list((tmp_path / "backups").iterdir()) == []
