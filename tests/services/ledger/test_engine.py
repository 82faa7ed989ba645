"""The ledger's engine loses no update, waits a bounded time, and refuses misuse at once."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.domain.errors import ConfigurationError, NestedCheckout, PoolClosed, PoolExhausted, StorageError
from services.ledger.engine import Ledger
from services.ledger.files import KEPT, FileLedger
from services.ledger.opening import open_ledger
from tests.support.ledger import new_ledger
from tests.support.ledger_engines import files_only
from tests.support.programs import finish, run, start

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        with made.write() as connection:
            connection.exec_driver_sql("INSERT INTO settlement_prices VALUES ('X', 0, '', '', '', '2026-01-01 00:00')")
        yield made


def _total(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return int(connection.exec_driver_sql("SELECT price FROM settlement_prices").scalar_one())


def _raise_by_one(ledger: Ledger) -> None:
    with ledger.write() as connection:
        total = connection.exec_driver_sql("SELECT price FROM settlement_prices").scalar_one()
        connection.exec_driver_sql(f"UPDATE settlement_prices SET price = {total + 1}")


def _is_held(ledger: Ledger) -> bool:
    return any(os.path.realpath(one).startswith(str(ledger.path)) for one in Path("/proc/self/fd").iterdir())


def test_threads_that_read_then_write_lose_no_update_and_nobody_starves(ledger: Ledger) -> None:
    served = [0] * 8
    stop, begin = threading.Event(), threading.Barrier(9)

    def go_round(number: int) -> None:
        begin.wait()
        while not stop.is_set():
            _raise_by_one(ledger)
            served[number] += 1

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(go_round, number) for number in range(8)]
        begin.wait()
        stop.wait(1.0)
        stop.set()
        for future in running:
            future.result(30)

    assert _total(ledger) == sum(served), "an update was lost"
    assert min(served) >= max(served) / 2, served


PROGRAM = """
    import sys
    from pathlib import Path
    from tests.support.ledger import new_ledger

    ledger = new_ledger(Path(sys.argv[1]))
    for _ in range(100):
        with ledger.write() as connection:
            total = connection.exec_driver_sql("SELECT price FROM settlement_prices").scalar_one()
            connection.exec_driver_sql(f"UPDATE settlement_prices SET price = {total + 1}")
    ledger.close()
"""


def test_two_processes_lose_no_update(ledger: Ledger, tmp_path: Path) -> None:
    others = [start(PROGRAM, tmp_path) for _ in range(2)]
    for _ in range(100):
        _raise_by_one(ledger)
    for other in others:
        finish(other)

    assert _total(ledger) == 300


def test_a_block_that_raises_is_rolled_back(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.write() as connection:
            connection.exec_driver_sql("UPDATE settlement_prices SET price = 5")
            raise KeyError("after the write")

    with pytest.raises(KeyError):
        fail()

    assert _total(ledger) == 0


def test_a_reader_sees_one_state_and_does_not_wait_for_a_writer(ledger: Ledger) -> None:
    with ledger.write() as writing, ThreadPoolExecutor(1) as threads:
        writing.exec_driver_sql("UPDATE settlement_prices SET price = 5")
        assert threads.submit(_total, ledger).result(5) == 0

    with ledger.read() as reading, ThreadPoolExecutor(1) as threads:
        before = reading.exec_driver_sql("SELECT price FROM settlement_prices").scalar_one()
        threads.submit(_raise_by_one, ledger).result(5)
        assert reading.exec_driver_sql("SELECT price FROM settlement_prices").scalar_one() == before == 5


@files_only
def test_what_is_committed_is_on_the_disk_and_references_hold(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2, "FULL"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


@files_only
def test_a_write_does_not_fold_the_log_into_the_file_and_close_does(ledger: Ledger) -> None:
    _raise_by_one(ledger)
    size = ledger.path.stat().st_size
    log = ledger.path.with_name("ledger.db-wal")

    assert log.stat().st_size > 0, "one wait for the disk, not three"
    _raise_by_one(ledger)
    assert ledger.path.stat().st_size == size
    ledger.close()
    assert not log.exists()


@files_only
def test_a_connection_is_opened_once_and_not_for_every_transaction(ledger: Ledger) -> None:
    opened: list[object] = []
    sa.event.listen(ledger._engine, "connect", lambda *one: opened.append(one))

    for _ in range(10):
        _raise_by_one(ledger)
        _total(ledger)

    assert len(opened) <= 1


@files_only
def test_more_readers_at_once_than_connections_are_kept_do_not_wait(ledger: Ledger) -> None:
    inside = threading.Barrier(KEPT + 3)

    def look() -> int:
        with ledger.read() as connection:
            inside.wait(30)
            return int(connection.exec_driver_sql("SELECT price FROM settlement_prices").scalar_one())

    with ThreadPoolExecutor(KEPT + 3) as threads:
        assert [one.result(30) for one in [threads.submit(look) for _ in range(KEPT + 3)]] == [0] * (KEPT + 3)


@files_only
def test_a_connection_that_met_a_fault_of_the_disk_is_not_used_again(ledger: Ledger) -> None:
    with ledger.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1")  # for this connection the disk is full from now on

    with pytest.raises(StorageError, match="the disk is full"), ledger.write() as connection:
        connection.exec_driver_sql("CREATE TABLE more AS SELECT hex(zeroblob(100000)) AS text")
    with ledger.write() as connection:
        connection.exec_driver_sql("CREATE TABLE more AS SELECT hex(zeroblob(100000)) AS text")


@files_only
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is open cannot be seen here")
@pytest.mark.parametrize("how", ["read", "write"])
def test_a_ledger_that_is_closed_while_somebody_is_inside_holds_no_file_afterwards(ledger: Ledger, how: str) -> None:
    _raise_by_one(ledger)
    with getattr(ledger, how)():
        ledger.close()
        assert _is_held(ledger)

    assert not _is_held(ledger)


@files_only
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is open cannot be seen here")
def test_a_ledger_that_is_closed_while_somebody_comes_in_holds_no_file_afterwards(ledger: Ledger) -> None:
    on_the_threshold = ledger._reading()
    ledger.close()
    with on_the_threshold as connection:
        assert connection.exec_driver_sql("SELECT price FROM settlement_prices").scalar_one() == 0

    assert not _is_held(ledger)


def test_waiting_for_the_turn_to_write_ends_in_time(ledger: Ledger) -> None:
    def ask() -> None:
        with ledger.write(timeout=0.05):
            pass

    with ledger.write(), ThreadPoolExecutor(1) as threads, pytest.raises(PoolExhausted, match="the turn to write"):
        threads.submit(ask).result(5)


@files_only
def test_another_program_that_keeps_writing_is_waited_for_a_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(path, backups=tmp_path, now=NOW).close()
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(FileLedger(path, patience=0.1)) as ledger,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(PoolExhausted, match="another program"), ledger.write():
            pass
        other.execute("ROLLBACK")
        with ledger.write():
            pass


@pytest.mark.parametrize("outer", ["read", "write"])
@pytest.mark.parametrize("inner", ["read", "write"])
def test_a_transaction_inside_a_transaction_is_an_error_at_once(ledger: Ledger, outer: str, inner: str) -> None:
    with getattr(ledger, outer)(), pytest.raises(NestedCheckout), getattr(ledger, inner)():
        pass
    _raise_by_one(ledger)


def test_use_after_close_is_an_error_at_once(ledger: Ledger) -> None:
    ledger.close()
    ledger.close()

    for use in (ledger.read, ledger.write):
        with pytest.raises(PoolClosed), use():
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_refused(tmp_path: Path) -> None:
    said = run(
        """
        import os, sys
        from pathlib import Path
        from services.domain.errors import PoolClosed
        from tests.support.ledger import new_ledger

        ledger = new_ledger(Path(sys.argv[1]))
        with ledger.write() as connection:
            child = os.fork()
            if child == 0:
                try:
                    ledger.read().__enter__()
                except PoolClosed:
                    os._exit(0)
                os._exit(1)
            print(os.waitpid(child, 0)[1])
        """,
        tmp_path,
    )

    assert said == "0"


@files_only
@pytest.mark.parametrize("form", ["path", "text", "url"])
def test_the_ledger_is_named_by_path_or_address(tmp_path: Path, form: str) -> None:
    path = tmp_path / "led ger 100%.db"
    named: str | Path = {"path": path, "text": str(path), "url": f"sqlite:///{path}"}[form]

    with closing(open_ledger(named, backups=tmp_path / "backups", now=NOW)) as ledger:
        assert ledger.path == path
        if os.name == "posix":
            assert path.stat().st_mode & 0o777 == 0o600


@files_only
@pytest.mark.parametrize("url", ["mysql://me:hunter2@db/desk", "sqlite://", "sqlite:///:memory:", "://"])
def test_an_address_that_is_no_sqlite_file_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///") as caught:
        open_ledger(url, backups=tmp_path, now=NOW)

    assert "hunter2" not in str(caught.value)


@files_only
def test_a_damaged_ledger_is_reported_in_words(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"nonsense" * 1000)

    with pytest.raises(StorageError, match="restore a copy"):
        open_ledger(tmp_path / "ledger.db", backups=tmp_path / "backups", now=NOW)


def test_an_error_of_the_statement_itself_stays_as_it_is(ledger: Ledger) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"no such table|does not exist"), ledger.read() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
