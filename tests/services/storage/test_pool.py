"""The fair pool: transactions, rows by name, bounded waits, misuse is an error at once, nobody starves."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest, NestedCheckout, PoolClosed, PoolExhausted, StorageError
from services.storage import connection as connection_module
from services.storage.pool import Pool
from tests.support.pool_load import CREATE, START, raise_counter, run_load
from tests.support.programs import finish, run, start


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with closing(Pool(tmp_path / "market.db")) as made:
        with made.get_connection() as connection:
            connection.execute("CREATE TABLE kept (name TEXT, value INTEGER)")
        yield made


def _values(pool: Pool) -> list[int]:
    with pool.get_connection(write=False) as connection:
        return [row["value"] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def _insert_and_fail(pool: Pool, *, commit_after_first: bool = False) -> None:
    with pool.get_connection() as connection:
        connection.execute("INSERT INTO kept VALUES ('a', 1)")
        if commit_after_first:
            connection.commit()
        connection.execute("INSERT INTO kept VALUES ('b', 2)")
        raise KeyError("b")


# -- transactions --------------------------------------------------------------------------------------------------


def test_a_block_is_committed_and_rows_come_by_name(pool: Pool) -> None:
    with pool.get_connection() as connection:
        cursor = connection.cursor()
        cursor.execute("INSERT INTO kept VALUES ('a', 1)")

    with pool.get_connection() as connection:
        row = connection.execute("SELECT * FROM kept").fetchone()
    assert (row["name"], row["value"]) == ("a", 1)
    assert row.keys() == ["name", "value"]


def test_a_block_that_raises_is_rolled_back_and_the_connection_goes_back(pool: Pool) -> None:
    for _ in range(pool.size * 2):
        with pytest.raises(KeyError):
            _insert_and_fail(pool)

    assert _values(pool) == []
    assert pool.stats().in_use == 0


def test_the_file_is_in_wal_mode_and_readable_by_its_owner_only(pool: Pool) -> None:
    with pool.get_connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        if os.name == "posix":
            assert {p.stat().st_mode & 0o777 for p in pool.path.parent.iterdir()} == {0o600}


def test_a_write_block_is_a_writer_from_its_first_moment(pool: Pool) -> None:
    with pool.get_connection() as connection:
        connection.execute("SELECT 1")
        with (
            closing(sqlite3.connect(pool.path, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="lock"),
        ):
            other.execute("INSERT INTO kept VALUES ('b', 2)")


def test_readers_run_beside_a_writer_and_see_one_state(pool: Pool) -> None:
    with pool.get_connection() as writing, ThreadPoolExecutor(1) as threads:
        writing.execute("INSERT INTO kept VALUES ('a', 1)")
        assert threads.submit(_values, pool).result(5) == []

    with pool.get_connection(write=False) as reading, ThreadPoolExecutor(1) as threads:
        assert reading.execute("SELECT count(*) FROM kept").fetchone()[0] == 1
        threads.submit(_insert, pool, 2).result(5)
        assert reading.execute("SELECT count(*) FROM kept").fetchone()[0] == 1


def _insert(pool: Pool, value: int) -> None:
    with pool.get_connection() as connection:
        connection.execute("INSERT INTO kept VALUES ('x', ?)", (value,))


def test_commit_inside_the_block_keeps_what_is_done_and_the_rest_is_still_one_transaction(pool: Pool) -> None:
    with pytest.raises(KeyError):
        _insert_and_fail(pool, commit_after_first=True)

    assert _values(pool) == [1]


def test_with_connection_inside_the_block_works_as_in_sqlite3(pool: Pool) -> None:
    with pool.get_connection() as connection:
        with connection:
            connection.execute("INSERT INTO kept VALUES ('a', 1)")
        with suppress(KeyError), connection:
            connection.execute("INSERT INTO kept VALUES ('b', 2)")
            raise KeyError("b")
        connection.executemany("INSERT INTO kept VALUES ('c', ?)", [(3,), (4,)])

    assert _values(pool) == [1, 3, 4]


def test_an_error_of_the_statement_itself_stays_an_error_of_sqlite3(pool: Pool) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), pool.get_connection() as connection:
        connection.execute("SELECT * FROM nowhere")


def test_pandas_like_readers_get_a_real_connection(pool: Pool) -> None:
    with pool.get_connection(write=False) as connection:
        assert isinstance(connection, sqlite3.Connection)


def test_attached_files_can_be_read_and_not_written(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "le'dger 1.db", isolation_level=None)) as ledger:
        ledger.execute("PRAGMA journal_mode=WAL")
        ledger.execute("CREATE TABLE orders_v3 (id INTEGER)")
        ledger.execute("INSERT INTO orders_v3 VALUES (7)")
        with closing(Pool(tmp_path / "market.db", attach={"ledger": tmp_path / "le'dger 1.db"})) as pool:
            with pool.get_connection() as connection:
                assert connection.execute("SELECT id FROM orders_v3").fetchone()["id"] == 7
            with pytest.raises(StorageError, match="read-only"), pool.get_connection() as connection:
                connection.execute("INSERT INTO orders_v3 VALUES (8)")


# -- bounded waits -------------------------------------------------------------------------------------------------


def test_waiting_ends_in_time_when_every_connection_is_out(tmp_path: Path) -> None:
    with closing(Pool(tmp_path / "market.db", size=1)) as pool, pool.get_connection(write=False):
        began = time.monotonic()
        with ThreadPoolExecutor(1) as threads, pytest.raises(PoolExhausted, match=r"market\.db.*within 0\.1 s"):
            threads.submit(_enter, pool, timeout=0.1, write=False).result(5)

        assert 0.05 < time.monotonic() - began < 2
        assert pool.stats().exhausted == 1


def _enter(pool: Pool, *, timeout: float | None = None, write: bool = True) -> None:
    with pool.get_connection(timeout, write=write):
        pass


def test_ticket_and_connection_share_one_deadline(tmp_path: Path) -> None:
    with closing(Pool(tmp_path / "market.db", size=1, busy_timeout=0.2)) as pool, pool.get_connection():
        began = time.monotonic()
        with ThreadPoolExecutor(1) as threads, pytest.raises(PoolExhausted):
            threads.submit(_enter, pool).result(5)

        assert time.monotonic() - began < 1


def test_a_writer_of_another_program_is_waited_for_no_longer_than_asked(pool: Pool) -> None:
    with closing(sqlite3.connect(pool.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(PoolExhausted, match="another program"):
            _enter(pool, timeout=0.1)

        assert time.monotonic() - began < 2
        other.execute("ROLLBACK")
    _enter(pool)


def test_a_transaction_that_took_long_to_begin_is_counted_if_it_may_write(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _enter(pool)
    before = pool.stats().held_up

    monkeypatch.setattr(connection_module, "HELD_UP_SECONDS", 0.0)
    _enter(pool)
    _enter(pool, write=False)

    assert pool.stats().held_up == before + 1


# -- misuse --------------------------------------------------------------------------------------------------------


def test_a_second_checkout_in_one_thread_is_an_error_at_once(pool: Pool) -> None:
    with pool.get_connection(), pytest.raises(NestedCheckout):
        _enter(pool)
    _enter(pool)


@pytest.mark.parametrize("method", ["execute", "executemany", "executescript"])
def test_a_connection_used_after_its_block_is_an_error(pool: Pool, method: str) -> None:
    with pool.get_connection() as connection:
        pass

    with pytest.raises(PoolClosed, match="went back"):
        getattr(connection, method)("DELETE FROM kept", *([[]] if method == "executemany" else []))
    for other in (connection.cursor, connection.commit, connection.rollback, connection.close):
        with pytest.raises(PoolClosed):
            other()
    _enter(pool)


def test_a_cursor_used_after_its_block_is_an_error_and_holds_no_old_view(tmp_path: Path) -> None:
    with closing(Pool(tmp_path / "market.db", size=1)) as pool:
        with pool.get_connection() as connection:
            connection.execute("CREATE TABLE kept (value INTEGER)")
            connection.executemany("INSERT INTO kept VALUES (?)", [(n,) for n in range(1000)])
        with pool.get_connection(write=False) as connection:
            half_read = connection.execute("SELECT value FROM kept")
            half_read.fetchone()
        with closing(sqlite3.connect(pool.path)) as other:
            other.execute("INSERT INTO kept VALUES (7)")
            other.commit()

        with pool.get_connection(1) as connection:  # "locked" at once, if the half-read cursor still had its view
            connection.execute("DELETE FROM kept")

        with pytest.raises(sqlite3.ProgrammingError):
            half_read.fetchone()


def test_another_thread_may_not_use_a_lent_connection(pool: Pool) -> None:
    with pool.get_connection() as connection, ThreadPoolExecutor(1) as threads, pytest.raises(PoolClosed):
        threads.submit(connection.execute, "SELECT 1").result(5)


def test_a_connection_that_its_holder_closed_is_replaced(tmp_path: Path) -> None:
    with closing(Pool(tmp_path / "market.db", size=1)) as pool:
        with pytest.raises(sqlite3.ProgrammingError):
            _create_and_close(pool)

        with pool.get_connection() as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def _create_and_close(pool: Pool) -> None:
    with pool.get_connection() as connection:
        connection.execute("CREATE TABLE lost (value INTEGER)")
        connection.close()


def test_use_after_close_is_an_error_at_once(pool: Pool) -> None:
    with pool.get_connection() as connection:
        pass
    pool.close_all()
    pool.close_all()

    with pytest.raises(PoolClosed):
        _enter(pool)
    with pytest.raises(PoolClosed):
        connection.execute("SELECT 1")
    assert not list(pool.path.parent.glob("*-wal")), "every connection was closed"


def test_close_ends_waits_and_lets_the_holder_finish(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "market.db", size=1)
    with ThreadPoolExecutor(1) as threads, pool.get_connection() as connection:
        waiting = threads.submit(_enter, pool)
        while pool.stats().waiting == 0:
            threading.Event().wait(0.001)
        pool.close_all()
        with pytest.raises(PoolClosed):
            waiting.result(5)
        connection.execute("CREATE TABLE kept (value INTEGER)")

    with closing(sqlite3.connect(pool.path)) as reader:
        assert reader.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_refused_and_does_not_harm_its_parent(tmp_path: Path) -> None:
    said = run(
        """
        import os, sys
        from pathlib import Path
        from services.domain.errors import PoolClosed
        from services.storage.pool import Pool

        pool = Pool(Path(sys.argv[1]))
        with pool.get_connection() as connection:
            connection.execute("CREATE TABLE kept (value INTEGER)")
            child = os.fork()
            if child == 0:
                try:
                    with pool.get_connection():
                        os._exit(1)
                except PoolClosed:
                    pool.close_all()
                    os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            connection.execute("INSERT INTO kept VALUES (1)")
        with pool.get_connection(write=False) as connection:
            print(connection.execute("SELECT value FROM kept").fetchone()["value"])
        pool.close_all()
        """,
        tmp_path / "market.db",
    )

    assert said == "1"


@pytest.mark.parametrize("options", [{"size": 0}, {"busy_timeout": 0}, {"attach": {"a b": Path("x")}}])
def test_nonsense_is_refused(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        Pool(tmp_path / "market.db", **options)  # type: ignore[arg-type]


def test_a_folder_that_does_not_exist_is_said_in_words_and_costs_no_connection(tmp_path: Path) -> None:
    with closing(Pool(tmp_path / "nowhere" / "market.db", size=1)) as pool:
        for _ in range(2):
            with pytest.raises(StorageError, match="cannot be made"):
                _enter(pool)
        pool.path.parent.mkdir()
        _enter(pool)


# -- many threads --------------------------------------------------------------------------------------------------


def _bear_load(path: Path, seconds: float) -> None:
    with closing(Pool(path)) as pool:
        with pool.get_connection() as connection:
            connection.execute(CREATE)
            connection.execute(START)

        load = run_load(pool.get_connection, threads=32, seconds=seconds)

        assert load.locked == 0
        assert load.total == load.rounds, "an update was lost"
        assert load.fairness >= 0.5, load.served


def test_32_threads_that_read_then_write_lose_nothing_and_nobody_starves(tmp_path: Path) -> None:
    _bear_load(tmp_path / "market.db", 1.0)


@pytest.mark.soak
def test_32_threads_for_30_seconds(tmp_path: Path) -> None:
    _bear_load(tmp_path / "market.db", 30.0)


OTHER_PROCESS = """
    import sys
    from pathlib import Path
    from services.storage.pool import Pool

    pool = Pool(Path(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        with pool.get_connection() as connection:
            total = connection.execute("SELECT total FROM counter").fetchone()["total"]
            connection.execute("UPDATE counter SET total = ?", (total + 1,))
    pool.close_all()
"""


def test_threads_of_two_processes_share_one_file_without_a_lost_update(tmp_path: Path) -> None:
    with closing(Pool(tmp_path / "market.db")) as pool:
        with pool.get_connection() as connection:
            connection.execute(CREATE)
            connection.execute(START)
        others = [start(OTHER_PROCESS, pool.path, 300) for _ in range(2)]

        def go_round(_: int) -> None:
            for _ in range(100):
                with pool.get_connection() as connection:
                    raise_counter(connection)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(go_round, range(4)))
        for other in others:
            finish(other)

        with pool.get_connection(write=False) as connection:
            assert connection.execute("SELECT total FROM counter").fetchone()["total"] == 1000
