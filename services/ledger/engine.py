"""The ledger's engine: SQLAlchemy Core on SQLite, where a transaction that may write begins as a writer.

Left alone, the driver begins at the first write: two threads that read a row and then write it lose updates, and
nothing fails. So a hook says BEGIN IMMEDIATE, a ticket lets one thread of this process do so at a time, in the order of
asking, and `NullPool` keeps SQLAlchemy's own unfair queue out of it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import get_ident

import sqlalchemy as sa

from services.domain.errors import ConfigurationError, NestedCheckout, PoolClosed, PoolExhausted
from services.ledger.upgrade import upgrade_ledger
from services.sqlite.fair_queue import Closed, FairQueue, TimedOut
from services.sqlite.opening import in_words, open_file

LEDGER_FILE = "ledger.db"
"""Its name in a data folder."""
PATIENCE = 30.0
HELD_UP_SECONDS = 0.02
"""To begin takes microseconds where no other process is in the way; whose turn it is in this one is settled before."""


@dataclass(frozen=True, slots=True)
class LedgerStats:
    """Of one ledger, since it was opened; `inside` and `waiting` are as of now."""

    inside: int
    """Threads inside a transaction."""
    waiting: int
    """Threads that wait for their turn to write."""
    writes: int
    waited: int
    exhausted: int
    """Turns that did not come in time."""
    longest_wait_seconds: float
    held_up: int
    """Transactions that had to wait for another process's to end before they could begin."""


class Ledger:
    """One ledger file. `read()` and `write()` give a connection inside one transaction; one per thread at a time."""

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        self.path = path.absolute()
        self.closed = False
        self._patience = patience
        self._tickets = FairQueue(["the writer's ticket"])
        self._holders: set[int] = set()  # idents of the threads inside `read` or `write`
        self._pid = os.getpid()
        self._keeper: sqlite3.Connection | None = None
        self._engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=sa.NullPool)
        self._begun = self._held_up = 0
        sa.event.listen(self._engine, "begin", self._begin)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view of the ledger; it neither waits for writers nor stops them."""
        with self._held(), self._engine.connect().execution_options(read_only=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, timeout: float | None = None) -> Iterator[sa.Connection]:
        """A transaction that may read and then write: committed, to the disk, at the end of the block, rolled back if
        it raises. Raises `PoolExhausted` if its turn does not come within `timeout` seconds (default 30)."""
        with (
            self._held(),
            self._turn(self._patience if timeout is None else timeout),
            self._engine.begin() as connection,
        ):
            yield connection

    def keep_open(self) -> None:
        """Hold one connection that does nothing until `close`. Without it each transaction would be the last one to
        leave, and the last one folds the write-ahead log into the file: three waits for the disk instead of one."""
        if self._keeper is None:
            self._keeper = self._connect()
            self._keeper.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def stats(self) -> LedgerStats:
        turns = self._tickets.stats()
        return LedgerStats(
            inside=len(self._holders),
            waiting=turns.waiting,
            writes=self._begun,
            waited=turns.waited,
            exhausted=turns.timeouts,
            longest_wait_seconds=turns.longest_wait_seconds,
            held_up=self._held_up,
        )

    def close(self) -> None:
        """Refuse further use and end all waits. Who is inside a block finishes it."""
        self.closed = True
        if os.getpid() == self._pid:
            self._tickets.close()
            self._engine.dispose()
            if self._keeper is not None:
                self._keeper.close()

    @contextmanager
    def _held(self) -> Iterator[None]:
        me = get_ident()
        if self.closed or os.getpid() != self._pid:
            raise PoolClosed(f"the ledger {self.path.name} is closed in this process")
        if me in self._holders:
            raise NestedCheckout(f"this thread is inside a transaction of {self.path.name} already; use that one")
        self._holders.add(me)
        try:
            yield
        except sa.exc.DBAPIError as error:
            plain = in_words(error.orig, self.path) if isinstance(error.orig, sqlite3.Error) else None
            if plain is None:
                raise
            raise plain from error
        finally:
            self._holders.discard(me)

    @contextmanager
    def _turn(self, timeout: float) -> Iterator[None]:
        try:
            ticket = self._tickets.take(timeout)
        except TimedOut:
            raise PoolExhausted(f"{self.path.name}: the turn to write did not come within {timeout:g} s") from None
        except Closed:
            raise PoolClosed(f"the ledger {self.path.name} was closed") from None
        try:
            yield
        finally:
            self._tickets.give(ticket)

    def _begin(self, connection: sa.Connection) -> None:
        if connection.get_execution_options().get("read_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        began = time.monotonic()
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        self._begun += 1
        self._held_up += time.monotonic() - began >= HELD_UP_SECONDS

    def _connect(self) -> sqlite3.Connection:
        # FULL: what was committed survives a power cut. An order's intent must lie on the disk before the order leaves.
        connection = open_file(self.path, sqlite3.Connection, busy_timeout=self._patience, synchronous="FULL")
        connection.row_factory = None  # SQLAlchemy names the columns itself
        connection.execute("PRAGMA foreign_keys=ON")
        return connection


def open_ledger(url: str | Path, *, backups: Path, now: datetime) -> Ledger:
    """The ledger at `url` (a path, or `sqlite:///path`), made or upgraded if need be; an older one is copied into
    `backups` first.

    Raises `DataFolderTooNew` for a ledger of a newer version of the desk, `ConfigurationError` for an address that is
    not SQLite, `StorageError` if the file or the disk is at fault.
    """
    path = _path(url)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    ledger = Ledger(path)
    try:
        upgrade_ledger(ledger, backups=backups, now=now)
        ledger.keep_open()
    except BaseException:
        ledger.close()
        raise
    return ledger


def _path(url: str | Path) -> Path:
    if isinstance(url, Path) or "://" not in url:
        return Path(url)
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError("the ledger's address cannot be read; write sqlite:///path/to/ledger.db") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigurationError("the ledger is kept in a SQLite file; write sqlite:///path/to/ledger.db")
    return Path(parsed.database)
