"""Numbered migrations: all or nothing, once, after a copy; files of the future and of strangers are refused."""

from __future__ import annotations

import signal
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.errors import ConfigurationError, DataFolderTooNew, StorageError
from services.sqlite.upgrade import Migration, upgrade
from tests.support.programs import finish, run, start

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


def _first(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE kept (value INTEGER)")
    connection.execute("INSERT INTO kept VALUES (1)")


def _second(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE kept ADD COLUMN note TEXT")


def _failing(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE half (value INTEGER)")
    connection.execute("SELECT nonsense FROM nowhere")


def _upgrade(path: Path, *migrations: Migration) -> None:
    upgrade(path, migrations, backups=path.parent / "backups", now=NOW)


def _state(path: Path) -> tuple[int, list[str]]:
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return version, [row[0] for row in connection.execute("SELECT name FROM sqlite_master ORDER BY name")]


def _copies(path: Path) -> list[str]:
    folder = path.parent / "backups"
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_a_new_file_is_made_without_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "market.db"

    _upgrade(path, _first, _second)

    assert _state(path) == (2, ["kept"])
    assert _copies(path) == []


def test_an_older_file_is_copied_and_then_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    _upgrade(path, _first)

    _upgrade(path, _first, _second)

    assert _state(path)[0] == 2
    assert _copies(path) == ["market-v1-20261120T091500Z.db"]
    assert _state(path.parent / "backups" / _copies(path)[0]) == (1, ["kept"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT value, note FROM kept").fetchall() == [(1, None)]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    _upgrade(path, _first)

    _upgrade(path, _first)

    assert _copies(path) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_a_newer_file_is_refused_in_words_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    _upgrade(path, _first, _second)

    with pytest.raises(DataFolderTooNew, match=r"market\.db was written by a newer version .* --data-dir"):
        _upgrade(path, _first)

    assert _state(path)[0] == 2


def test_a_failed_migration_leaves_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    _upgrade(path, _first)

    with pytest.raises(StorageError, match=r"market\.db"):
        _upgrade(path, _first, _second, _failing)

    assert _state(path) == (1, ["kept"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM kept").fetchall() == [(1,)]


def test_a_file_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "market_data.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE ohlc_data (symbol TEXT)")

    with pytest.raises(ConfigurationError, match=r"made by another program .*ohlc_data"):
        _upgrade(path, _first)

    assert _state(path) == (0, ["ohlc_data"])


def test_a_file_that_is_no_database_is_reported_in_words(tmp_path: Path) -> None:
    path = tmp_path / "market_data.db"
    path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(StorageError, match="damaged, or not a database"):
        _upgrade(path, _first)

    assert path.read_bytes() == b"not a database at all" * 100


PROGRAM = """
    import os, signal, sqlite3, sys, time
    from datetime import UTC, datetime
    from pathlib import Path
    from services.sqlite.upgrade import upgrade

    path, until, kill = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "kill"

    def first(connection):
        connection.execute("CREATE TABLE kept (value INTEGER)")
        connection.executemany("INSERT INTO kept VALUES (?)", [(n,) for n in range(20000)])

    def second(connection):
        connection.execute("CREATE TABLE copied AS SELECT * FROM kept")
        connection.execute("DROP TABLE kept")
        if kill:
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade(path, [first, second][:until], backups=path.parent / "backups", now=datetime(2026, 1, 1, tzinfo=UTC))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_kill_in_the_middle_leaves_the_old_state_and_the_next_start_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    run(PROGRAM, path, 1, "")

    finish(start(PROGRAM, path, 2, "kill"), code=-signal.SIGKILL)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (20000,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert _state(path) == (1, ["kept"])
    run(PROGRAM, path, 2, "")
    assert _state(path) == (2, ["copied"])


def test_several_first_starts_at_once_end_in_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    programs = [start(PROGRAM, path, 2, "") for _ in range(6)]

    for program in programs:
        finish(program)

    assert _state(path) == (2, ["copied"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*), max(value) FROM copied").fetchone() == (20000, 19999)


def test_several_upgrades_at_once_make_one_copy(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    run(PROGRAM, path, 1, "")

    for program in [start(PROGRAM, path, 2, "") for _ in range(4)]:
        finish(program)

    assert _state(path) == (2, ["copied"])
    assert len(_copies(path)) == 1
