"""A real PostgreSQL of a test's own: one server for each worker, on a port of its own, a database for every test.

The server sorts texts by the rules of a language, as those of operators do: what the ledger sorts must not follow it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import pytest

from services.ledger.opening import open_ledger
from tests.support.redis import free_port

STARTS_WITHIN = 30.0
PASSWORD = "hunter2-in-the-url"
ROOM = 1_000_000_000
TEMPLATE = "fresh_ledger"
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
_numbers = count(1)


def find_postgres() -> Path | None:
    """The folder of the server's programs, or None."""
    for name in ("postgres", "initdb"):
        if found := shutil.which(name):
            return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


def require_postgres() -> Path:
    """The server's programs; skips the test where there are none."""
    found = find_postgres()
    if found is None:
        pytest.skip("no PostgreSQL here (apt install postgresql)")
    return found


class PostgresServer:
    """`postgres` in memory where there is room. `stop` and `start` are a restart that loses nothing; `pause` and
    `wake` make every session of it mute."""

    def __init__(self, programs: Path, *options: str) -> None:
        self._programs = programs
        self._options = options
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="desk-postgres-", dir=_memory()))
        self._process: subprocess.Popen[bytes] | None = None
        self._paused: list[int] = []

    @property
    def runs(self) -> bool:
        return self._process is not None

    def url(self, database: str = "postgres") -> str:
        """The address of one database, with a password that nobody may see (the server itself asks for none)."""
        return f"postgresql://desk:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> Self:
        """Make it, if it is new, start it and wait until it answers."""
        data = self.folder / "data"
        if not data.exists():
            if os.geteuid() == 0:
                shutil.chown(self.folder, "postgres", "postgres")
            self._run(
                "initdb", "-D", str(data), "--no-sync", "--wal-segsize=1", "-A", "trust", "-U", "desk", "-E", "UTF8",
                "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US",
            )  # fmt: skip
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder,
            "fsync": "off", "full_page_writes": "off", "shared_buffers": "16MB", "max_connections": 90,
            "wal_level": "minimal", "max_wal_senders": 0, "jit": "off", "autovacuum": "off",
        }  # fmt: skip
        told = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self.folder / "log"
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [*_as_postgres(), str(self._programs / "postgres"), "-D", str(data), *told, *self._options],
                stdout=said,
                stderr=said,
                cwd=self.folder,
            )
        until = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"postgres did not start:\n{log.read_text()}") from None
                time.sleep(0.02)
                continue
            return self

    def run(self, statement: str, database: str = "postgres") -> None:
        """One statement as the owner of everything."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self, template: str = "template0") -> str:
        """A database of its own; gives its address."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def pause(self) -> None:
        """No session answers any more; new ones are not let in."""
        assert self._process is not None
        with psycopg.connect(self.url()) as connection:
            self._paused = [row[0] for row in connection.execute(_BACKENDS)]
        for number in (*self._paused, self._server_pid()):
            os.kill(number, signal.SIGSTOP)

    def wake(self) -> None:
        for number in (*self._paused, self._server_pid()):
            os.kill(number, signal.SIGCONT)
        self._paused = []

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends every session first, SIGQUIT is a crash."""
        if self._process is not None:
            os.kill(self._server_pid(), number)
            self._process.wait(timeout=60)
            self._process = None

    def close(self) -> None:
        if self._process is not None and self._paused:
            self.wake()
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _server_pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*_as_postgres(), str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr


def _memory() -> Path | None:
    """A folder in memory with room for a server; containers often have little."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < ROOM:
        return None
    return memory


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root. It ends with whoever started it, even if that one is killed."""
    program = shutil.which("setpriv")
    if program is None:
        return []
    ids = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return [program, *ids, "--pdeathsig", "QUIT"]


@cache
def server_of_worker() -> PostgresServer:
    """The server that all tests of this process share, with a fresh ledger as template. Not to be stopped or paused:
    `PostgresServer` makes one of a test's own."""
    server = PostgresServer(require_postgres()).start()
    atexit.register(server.close)
    server.run(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    open_ledger(server.url(TEMPLATE), backups=server.folder, now=datetime.now(UTC)).close()
    return server


def new_ledger_url() -> str:
    """The address of a fresh ledger on the worker's server."""
    return server_of_worker().new_database(TEMPLATE)


@cache
def _used_ledger() -> str:
    return new_ledger_url()


def emptied_ledger_url() -> str:
    """The address of a ledger that holds nothing: this process's one, emptied. Not for tests that change its tables."""
    url = _used_ledger()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EMPTY)
    return url


_EMPTY = """
DO $$ DECLARE one regclass; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;  -- no guards, no references
  FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %s', one);
  END LOOP;
  PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""


@pytest.fixture
def ledger_url() -> Iterator[str]:
    """A fresh ledger in PostgreSQL, dropped afterwards."""
    url = new_ledger_url()
    yield url
    server_of_worker().drop(url)
