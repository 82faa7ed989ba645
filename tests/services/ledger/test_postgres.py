"""A ledger in PostgreSQL: away, slow, paused or cut off, it says so in time, keeps nothing half, and recovers alone."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from services.domain.errors import ConfigurationError, PoolExhausted, StorageError
from services.ledger.audit import Audit
from services.ledger.intents import Intents
from services.ledger.opening import open_ledger
from services.ledger.orders import Orders
from services.ledger.postgres import ServerLedger
from services.ledger.server_link import Waits
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, TRADER, book_order, new_intent
from tests.support.postgres import PASSWORD, TEMPLATE, PostgresServer, require_postgres, server_of_worker

FILES_ONLY = True
"""Not parametrised: it brings servers of its own."""

SOON = Waits(turn=5.0, connect=2, ping=0.3, statement=1.0, answer=1.5, idle=0.3)
CLOCK = FakeClock(NOW)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[ServerLedger]:
    with closing(ServerLedger(ledger_url, waits=SOON)) as made:
        yield made


@pytest.fixture(scope="module")
def server_of_module() -> Iterator[PostgresServer]:
    with PostgresServer(require_postgres()) as server:
        yield server


@pytest.fixture
def own_server(server_of_module: PostgresServer) -> tuple[PostgresServer, str]:
    """A server that the test may stop and pause, with a fresh ledger."""
    if not server_of_module.runs:
        server_of_module.start()
    url = server_of_module.new_database()
    open_ledger(url, backups=server_of_module.folder, now=NOW).close()
    return server_of_module, url


def _note(ledger: ServerLedger, what: str = "noted") -> None:
    Audit(ledger, CLOCK).add(TRADER, what)


def _noted(ledger: ServerLedger) -> list[str]:
    return [act.what for act in Audit(ledger, CLOCK).recent()]


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["postgresql://desk:hunter2@db", "postgresql://desk:hunter2@db/x?nonsense=1", "postgres://a:hunter2@[/x"]
)
def test_an_address_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the ledger's address") as caught:
        ServerLedger(url)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_ledger_is_named_by_its_database_and_never_shows_the_password() -> None:
    url = "postgresql+psycopg://desk:s%40cret-word@db.lan,db2.lan:5433/ledger?sslmode=verify-full"

    with closing(ServerLedger(url)) as ledger:
        assert ledger.name == "PostgreSQL database ledger on db.lan,db2.lan"
        assert "s@cret-word" not in repr(vars(ledger)) + ledger.dumping
        with pytest.raises(ConfigurationError, match="not a file"):
            assert ledger.path


def test_nobody_there_is_said_at_once_and_without_the_password(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://desk:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}/desk"
        with pytest.raises(StorageError, match=r"does not answer \(.*refused") as caught:
            open_ledger(url, backups=tmp_path, now=NOW)

    shown: BaseException | None = caught.value
    while shown is not None:
        assert PASSWORD not in f"{shown}{shown!r}"
        shown = shown.__cause__ or shown.__context__


# -- away and back -----------------------------------------------------------------------------------------------------


def test_after_a_restart_or_a_crash_of_the_server_the_same_ledger_goes_on(
    own_server: tuple[PostgresServer, str],
) -> None:
    server, url = own_server
    with closing(ServerLedger(url)) as ledger:
        _note(ledger, "before")
        for how in (signal.SIGINT, signal.SIGQUIT):
            server.stop(how)
            for use in (_noted, _note, _noted):
                with pytest.raises(StorageError, match="PostgreSQL database"):
                    use(ledger)
            seen = ledger.stats().server
            assert seen is not None
            assert "does not answer" in seen.problem
            server.start()
            _again(ledger)

        assert "before" in _noted(ledger)
        seen = ledger.stats().server
        assert seen is not None
        assert (seen.problem, seen.failures >= 6, seen.made >= 3) == ("", True, True)


def _again(ledger: ServerLedger) -> None:
    """Until it answers: for a moment after a failure nobody tries."""
    for _ in range(200):
        try:
            return _note(ledger, "after")
        except StorageError:
            threading.Event().wait(0.05)
    raise AssertionError("the ledger did not recover")


def test_a_server_that_hangs_is_given_up_in_time_and_found_again(own_server: tuple[PostgresServer, str]) -> None:
    server, url = own_server
    with closing(ServerLedger(url, waits=SOON)) as ledger:
        _note(ledger, "before")
        server.pause()
        try:
            with pytest.raises(StorageError, match=r"does not answer"):
                _note(ledger, "never")
            with pytest.raises(StorageError, match=r"does not answer"):
                _noted(ledger)
        finally:
            server.wake()
        _again(ledger)

        assert _noted(ledger)[-1] == "before"
        assert "never" not in _noted(ledger)


def test_a_slow_statement_is_ended_by_the_server(ledger: ServerLedger) -> None:
    with pytest.raises(StorageError, match="took too long"), ledger.read() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(30)")
    assert _noted(ledger) == []


def test_a_desk_may_be_started_before_its_server(own_server: tuple[PostgresServer, str], tmp_path: Path) -> None:
    server, _ = own_server
    url = server.new_database()
    server.stop()
    with closing(open_ledger(url, backups=tmp_path, now=NOW, mode="paper", later=True)) as ledger:
        assert isinstance(ledger, ServerLedger)
        with pytest.raises(StorageError, match="does not answer"):
            _noted(ledger)
        server.start()
        _again(ledger)

        assert _noted(ledger) == ["after"]


def test_a_ledger_belongs_to_one_mode(ledger_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        open_ledger(ledger_url, backups=tmp_path, now=NOW, mode="paper").close()

    with pytest.raises(ConfigurationError, match="desk in paper mode, and this one is in live mode") as caught:
        open_ledger(ledger_url, backups=tmp_path, now=NOW, mode="live", later=True)
    assert PASSWORD not in str(caught.value)


# -- one writer --------------------------------------------------------------------------------------------------------


def test_whoever_stands_still_in_a_transaction_loses_it_and_others_write(ledger: ServerLedger, ledger_url: str) -> None:
    inside, others_wrote = threading.Event(), threading.Event()

    def stand_still() -> None:
        with ledger.write() as connection:
            connection.exec_driver_sql("DELETE FROM watchlists")
            inside.set()
            others_wrote.wait(30)

    with ThreadPoolExecutor(1) as threads, closing(ServerLedger(ledger_url)) as other:
        paused = threads.submit(stand_still)
        inside.wait(30)
        _note(other, "the other")
        others_wrote.set()
        error = paused.exception(30)

    assert isinstance(error, StorageError)
    assert str(error).endswith("nothing of it was kept")
    assert _noted(ledger) == ["the other"]


def test_another_process_that_keeps_writing_is_waited_for_a_bounded_time(ledger: ServerLedger, ledger_url: str) -> None:
    with closing(ServerLedger(ledger_url)) as other, other.write():
        with pytest.raises(PoolExhausted, match="another process kept writing"), ledger.write(timeout=0.2):
            pass
        assert _noted(ledger) == [], "readers wait for nobody"


def test_readers_take_turns_and_wait_a_bounded_time(ledger_url: str) -> None:
    with (
        closing(ServerLedger(ledger_url, waits=Waits(turn=0.1), readers=1)) as ledger,
        ledger.read(),
        ThreadPoolExecutor(1) as threads,
    ):
        error = threads.submit(_noted, ledger).exception(30)
        stats = ledger.stats()

    assert isinstance(error, PoolExhausted)
    assert stats.server is not None
    assert (stats.inside, stats.exhausted, stats.server.size) == (1, 1, 2)


def test_a_reader_cannot_write(ledger: ServerLedger) -> None:
    with pytest.raises(StorageError, match="takes no writes"), ledger.read() as connection:
        connection.exec_driver_sql("DELETE FROM watchlists")


def test_what_is_committed_is_on_the_disk_whatever_the_server_was_told(ledger_url: str) -> None:
    name = ledger_url.rpartition("/")[2]
    server_of_worker().run(f"ALTER DATABASE {name} SET synchronous_commit = off")

    with closing(ServerLedger(ledger_url)) as ledger, ledger.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"


# -- the answer to a commit --------------------------------------------------------------------------------------------


@contextmanager
def _losing_the_answer_to_a_commit(server: PostgresServer) -> Iterator[int]:
    """A way to the server that ends, from the client's side, between a COMMIT and its answer."""
    listening = socket.create_server(("127.0.0.1", 0))

    def pass_on(client: socket.socket, upstream: socket.socket) -> None:
        with client, upstream:
            while data := client.recv(65536):
                upstream.sendall(data)
                if b"COMMIT" in data:
                    upstream.recv(65536)  # it is done, and nobody hears of it
                    return

    def pass_back(client: socket.socket, upstream: socket.socket) -> None:
        try:
            while data := upstream.recv(65536, socket.MSG_PEEK):
                if b"COMMIT" in data:
                    return
                client.sendall(upstream.recv(len(data)))
        except OSError:
            pass

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", server.port))
            for way in (pass_on, pass_back):
                threading.Thread(target=way, args=(client, upstream), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def test_a_commit_whose_answer_is_lost_is_an_error_and_the_same_press_finds_what_was_kept(ledger_url: str) -> None:
    with (
        _losing_the_answer_to_a_commit(server_of_worker()) as port,
        closing(ServerLedger(_by(ledger_url, port), waits=SOON)) as cut,
        pytest.raises(StorageError, match="may be kept or not"),
    ):
        Intents(cut, CLOCK).prepare(new_intent("click", tag="t1"), allow=lambda met: None)

    with closing(ServerLedger(ledger_url)) as ledger:
        again = Intents(ledger, CLOCK).prepare(new_intent("click", tag="t1"), allow=lambda met: None)
        assert again.repeated, "it was kept: the same press sends nothing"


def _by(url: str, port: int) -> str:
    return f"postgresql://desk:x@127.0.0.1:{port}/{url.rpartition('/')[2]}?sslmode=disable&gssencmode=disable"


def test_a_session_that_the_server_ends_before_the_commit_keeps_nothing(ledger: ServerLedger, ledger_url: str) -> None:
    def cut_off() -> None:
        with ledger.write() as connection:
            connection.exec_driver_sql("INSERT INTO settlement_prices VALUES ('X', 1, '', '', '', '2026-01-01')")
            me = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with psycopg.connect(ledger_url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 30000)", (me,))

    with pytest.raises(StorageError, match="may be kept or not"):
        cut_off()

    with ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM settlement_prices").scalar_one() == 0


def test_what_was_read_counts_though_the_session_ended_meanwhile(ledger: ServerLedger, ledger_url: str) -> None:
    with ledger.read() as connection:
        me = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(ledger_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 30000)", (me,))

    assert _noted(ledger) == []


# -- what differs from a file ------------------------------------------------------------------------------------------


def test_texts_may_be_of_any_length_and_are_ordered_by_their_bytes(ledger: ServerLedger) -> None:
    orders = Orders(ledger, CLOCK)
    orders.apply(book_order("1", symbol="S" * 300, message="m" * 3000), source="a source that nobody thought of")
    with ledger.write() as connection:
        for name in ("b", "B", "a", "_", "Z", "é"):
            connection.exec_driver_sql(f"INSERT INTO settlement_prices VALUES ('{name}', 1, '', '', '', '2026-01-01')")

    found = orders.get("1")
    assert found is not None
    assert found.symbol == "S" * 300
    with ledger.read() as connection:
        names = connection.exec_driver_sql("SELECT instrument FROM settlement_prices ORDER BY instrument").scalars()
        assert list(names) == sorted(["b", "B", "a", "_", "Z", "é"])


def test_what_no_text_can_hold_is_said_in_words(ledger: ServerLedger) -> None:
    with pytest.raises(StorageError, match="what should be kept cannot be"):
        Orders(ledger, CLOCK).apply(book_order("1", message="a zero: \0"), source="book")


def test_the_template_of_these_tests_sorts_by_a_language() -> None:
    with psycopg.connect(server_of_worker().url(TEMPLATE)) as connection:
        row = connection.execute("SELECT 'a' < 'B' COLLATE \"default\"").fetchone()
    assert row == (True,)


def test_a_moment_comes_back_as_it_was_whatever_the_servers_zone(ledger_url: str) -> None:
    name = ledger_url.rpartition("/")[2]
    server_of_worker().run(f"ALTER DATABASE {name} SET timezone = 'Asia/Kolkata'")
    at = datetime(2026, 11, 20, 3, 45, 0, 123456, tzinfo=UTC)

    with closing(ServerLedger(ledger_url)) as ledger:
        written = Audit(ledger, FakeClock(at)).add(TRADER, "x")
        (found,) = Audit(ledger, FakeClock(at)).recent()

    assert (found, found.at, found.at.tzinfo) == (written, at, UTC)
