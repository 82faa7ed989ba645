"""The ledger's revisions: all or nothing, once, after a copy; a newer ledger is refused."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.domain.errors import ConfigurationError, DataFolderTooNew
from services.ledger.alerts import Alerts
from services.ledger.engine import Ledger
from services.ledger.files import FileLedger
from services.ledger.opening import make_ledger, open_ledger
from services.ledger.orders import Orders
from services.ledger.pnl_tables import imported_files
from services.ledger.server_figures import server_trouble
from services.ledger.upgrade import HEAD, SCRIPTS, upgrade_ledger
from services.ledger.users import Users
from services.ledger.watchlists import Watchlists
from tests.support.clocks import FakeClock
from tests.support.postgres import server_of_worker
from tests.support.programs import finish, start

FILES_ONLY = True
NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)

NEXT = """
import os, signal
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    op.drop_table("alert_deliveries")
    if os.environ.get("DIE_HERE"):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def _open(path: Path) -> Ledger:
    return open_ledger(path, backups=path.parent / "backups", now=NOW)


@pytest.fixture
def next_scripts(tmp_path: Path) -> Path:
    """The migrations of a desk that is one revision ahead."""
    folder = tmp_path / "next"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "r9999_next.py").write_text(NEXT.format(head=HEAD))
    return folder


def _tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _revision(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def _copies(path: Path) -> list[str]:
    folder = path.parent / "backups"
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def _go_ahead(path: Path, scripts: Path) -> None:
    with closing(FileLedger(path)) as ledger:
        upgrade_ledger(ledger, backups=path.parent / "backups", now=NOW, scripts=scripts, head="9999")


def test_the_head_known_to_the_program_is_the_last_revision() -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [HEAD]


def test_the_revisions_make_exactly_the_tables_that_the_program_uses(tmp_path: Path) -> None:
    with closing(_open(tmp_path / "ledger.db")) as ledger, ledger.read() as connection:
        assert Users.__module__  # its tables are among those that are compared
        assert compare_metadata(MigrationContext.configure(connection), imported_files.metadata) == []


def test_opening_twice_changes_nothing_and_makes_no_copy(tmp_path: Path) -> None:
    for _ in range(2):
        _open(tmp_path / "ledger.db").close()

    assert _copies(tmp_path / "ledger.db") == []
    assert _revision(tmp_path / "ledger.db") == HEAD


def test_an_older_ledger_is_copied_and_upgraded_with_its_data(tmp_path: Path, next_scripts: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(_open(path)) as ledger:
        Watchlists(ledger, FakeClock(NOW)).create("Mine", ["NSE_EQ|INE002A01018"])

    _go_ahead(path, next_scripts)

    assert _revision(path) == "9999"
    assert _copies(path) == [f"ledger-v{HEAD}-20261120T091500Z.db"]
    copy = path.parent / "backups" / _copies(path)[0]
    for file in (path, copy):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT name FROM watchlists").fetchall() == [("Mine",)]
    assert _revision(copy) == HEAD


def test_a_ledger_of_the_first_revision_keeps_its_lists_and_alerts_and_gets_orders(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(FileLedger(path)) as old:
        upgrade_ledger(old, backups=path.parent / "backups", now=NOW, head="0001")
        Watchlists(old, FakeClock(NOW)).create("Mine", ["NSE_EQ|INE002A01018"])
        with old.write() as connection:  # as the program of then wrote it
            connection.exec_driver_sql(
                "INSERT INTO alerts (kind, subject, severity, message, raised_at)"
                " VALUES ('stale', '', 'warning', 'no ticks', '2026-11-20 04:15:00.000000')"
            )
    assert "orders_v3" not in _tables(path)

    with closing(_open(path)) as ledger:
        assert [one.name for one in Watchlists(ledger, FakeClock(NOW)).all()] == ["Mine"]
        assert [one.kind for one in Alerts(ledger, FakeClock(NOW)).all(open_only=True)] == ["stale"]
        assert Orders(ledger, FakeClock(NOW)).alive() == []

    assert _copies(path) == ["ledger-v0001-20261120T091500Z.db"]
    assert _revision(path.parent / "backups" / _copies(path)[0]) == "0001"


def test_a_ledger_of_a_newer_desk_is_refused_in_words_and_left_alone(tmp_path: Path, next_scripts: Path) -> None:
    path = tmp_path / "ledger.db"
    _open(path).close()
    _go_ahead(path, next_scripts)

    with pytest.raises(DataFolderTooNew, match=r"ledger\.db was written by a newer version .* --data-dir"):
        _open(path)

    assert _revision(path) == "9999"
    assert "later" in _tables(path)


def test_a_file_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE watchlists (symbol TEXT)")

    with pytest.raises(ConfigurationError, match="another program"):
        _open(path)

    assert _tables(path) == {"watchlists"}


PROGRAM = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from services.ledger.files import FileLedger
    from services.ledger.opening import open_ledger
    from services.ledger.upgrade import upgrade_ledger

    path, backups, now = Path(sys.argv[1]), Path(sys.argv[1]).parent / "backups", datetime(2026, 1, 1, tzinfo=UTC)
    if len(sys.argv) == 2:
        open_ledger(path, backups=backups, now=now).close()
    else:
        upgrade_ledger(FileLedger(path), backups=backups, now=now, scripts=Path(sys.argv[2]), head="9999")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_kill_in_the_middle_leaves_the_old_state_and_the_next_start_goes_on(
    tmp_path: Path, next_scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    _open(path).close()
    before = _tables(path)

    monkeypatch.setenv("DIE_HERE", "1")
    finish(start(PROGRAM, path, next_scripts), code=-signal.SIGKILL)
    monkeypatch.delenv("DIE_HERE")

    assert (_revision(path), _tables(path)) == (HEAD, before)
    finish(start(PROGRAM, path, next_scripts))
    assert _revision(path) == "9999"


def test_several_first_starts_at_once_end_in_one_whole_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    for program in [start(PROGRAM, path) for _ in range(4)]:
        finish(program)

    with closing(_open(path)) as ledger:
        assert Watchlists(ledger, FakeClock(NOW)).all() == []


def test_several_upgrades_at_once_make_one_copy(tmp_path: Path, next_scripts: Path) -> None:
    path = tmp_path / "ledger.db"
    _open(path).close()

    for program in [start(PROGRAM, path, next_scripts) for _ in range(3)]:
        finish(program)

    assert _revision(path) == "9999"
    assert len(_copies(path)) == 1


def test_it_works_from_any_folder_and_leaves_logging_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), root.manager.disable)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    _open(Path("ledger.db")).close()

    assert (root.level, list(root.handlers), root.manager.disable) == before
    assert not logging.getLogger("services.runtime.core").disabled
    assert os.listdir() == ["ledger.db"]  # noqa: PTH208  # no alembic.ini, no folder of scripts


def test_two_ledgers_open_in_two_threads_of_one_process(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as threads:
        for ledger in threads.map(lambda n: _open(tmp_path / f"ledger-{n}.db"), range(4)):
            with closing(ledger), ledger.read() as connection:
                assert sa.inspect(connection).has_table("alerts")


# -- in PostgreSQL -----------------------------------------------------------------------------------------------------

SERVER_PROGRAM = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from services.ledger.opening import make_ledger
    from services.ledger.upgrade import HEAD, SCRIPTS, upgrade_ledger

    scripts, head = (Path(sys.argv[2]), "9999") if len(sys.argv) > 2 else (SCRIPTS, HEAD)
    ledger = make_ledger(sys.argv[1])
    upgrade_ledger(ledger, backups=Path(), now=datetime(2026, 1, 1, tzinfo=UTC), scripts=scripts, head=head)
    ledger.close()
"""


@pytest.fixture
def empty_url() -> Iterator[str]:
    url = server_of_worker().new_database()
    yield url
    server_of_worker().drop(url)


def _server_state(url: str) -> tuple[str, set[str]]:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return row[0] if row else "", {one[0] for one in tables}


def test_the_revisions_make_the_same_tables_in_postgresql(ledger_url: str, tmp_path: Path) -> None:
    with closing(open_ledger(ledger_url, backups=tmp_path, now=NOW)) as ledger, ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), imported_files.metadata) == []
        assert server_trouble(connection) == []


def test_an_older_database_is_upgraded_with_its_data(empty_url: str, next_scripts: Path, tmp_path: Path) -> None:
    with closing(make_ledger(empty_url)) as old:
        upgrade_ledger(old, backups=tmp_path, now=NOW, head="0001")
        Watchlists(old, FakeClock(NOW)).create("Mine", ["NSE_EQ|INE002A01018"])

    with closing(open_ledger(empty_url, backups=tmp_path, now=NOW)) as ledger:
        assert [one.name for one in Watchlists(ledger, FakeClock(NOW)).all()] == ["Mine"]
        upgrade_ledger(ledger, backups=tmp_path, now=NOW, scripts=next_scripts, head="9999")

    assert _server_state(empty_url)[0] == "9999"
    with pytest.raises(DataFolderTooNew, match=r"PostgreSQL database .* newer version .* choose another database"):
        open_ledger(empty_url, backups=tmp_path, now=NOW)
    assert "later" in _server_state(empty_url)[1]


def test_a_database_of_another_program_is_not_touched(empty_url: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE watchlists (symbol text)")

    with pytest.raises(ConfigurationError, match=r"another program .* a database of its own"):
        open_ledger(empty_url, backups=tmp_path, now=NOW)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_of_several_first_starts_on_a_server_one_upgrades_and_a_kill_leaves_the_old_state(
    empty_url: str, next_scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in [start(SERVER_PROGRAM, empty_url) for _ in range(2)]:
        finish(program)
    before = _server_state(empty_url)

    monkeypatch.setenv("DIE_HERE", "1")
    finish(start(SERVER_PROGRAM, empty_url, next_scripts), code=-signal.SIGKILL)
    monkeypatch.delenv("DIE_HERE")

    assert _server_state(empty_url) == before
    finish(start(SERVER_PROGRAM, empty_url, next_scripts))
    assert _server_state(empty_url)[0] == "9999"
