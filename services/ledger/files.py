"""The ledger in a file: SQLAlchemy Core on SQLite, where a transaction that may write begins as a writer.

Left alone, the driver begins at the first write: two threads that read a row and then write it lose updates, and
nothing fails. So a hook says BEGIN IMMEDIATE, a ticket lets one thread of this process do so at a time, in the order of
asking. SQLAlchemy's pool keeps a few connections between transactions, since to open one costs more than most of them,
and is told never to let anybody wait: its own queue is unfair.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from services.domain.errors import StorageError
from services.ledger.engine import HELD_UP_SECONDS, Ledger
from services.sqlite.opening import in_words, is_busy, open_file

PATIENCE = 30.0
KEPT = 4
"""Connections that stay open between transactions."""


class FileLedger(Ledger):
    """One ledger file. A turn to write is waited for at most 30 seconds."""

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        self._path = path.absolute()
        engine = sa.create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=sa.QueuePool,
            pool_size=KEPT,
            max_overflow=-1,  # beyond those as many as are asked for: nobody waits here
            pool_use_lifo=True,
        )
        super().__init__(self._path.name, engine, patience=patience)
        self._pool = engine.pool
        self._keeper: sqlite3.Connection | None = None
        sa.event.listen(engine, "begin", self._begin)
        sa.event.listen(engine, "handle_error", _let_go)

    @property
    def path(self) -> Path:
        return self._path

    def keep_open(self) -> None:
        """Hold one connection that does nothing until `close`. Without it each transaction would be the last one to
        leave, and the last one folds the write-ahead log into the file: three waits for the disk instead of one."""
        if self._keeper is None:
            self._keeper = self._connect()
            self._keeper.execute("SELECT count(*) FROM sqlite_master").fetchone()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with (
            self._given_back(),
            self._engine.connect().execution_options(read_only=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _writing(self, patience: float) -> Iterator[sa.Connection]:
        with self._given_back(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _given_back(self) -> Iterator[None]:
        """Who was inside a block when the ledger was closed leaves no connection behind."""
        try:
            yield
        finally:
            if self.closed:
                self._pool.dispose()

    def _in_words(self, error: sa.exc.DBAPIError) -> StorageError | None:
        return in_words(error.orig, self._path) if isinstance(error.orig, sqlite3.Error) else None

    def _close(self) -> None:
        self._pool.dispose()  # not the engine, which would give who is just coming in another pool
        if self._keeper is not None:
            self._keeper.close()

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
        connection = open_file(self._path, sqlite3.Connection, busy_timeout=self._patience, synchronous="FULL")
        connection.row_factory = None  # SQLAlchemy names the columns itself
        connection.execute("PRAGMA foreign_keys=ON")
        return connection


def _let_go(context: sa.engine.ExceptionContext) -> None:
    """Where the file or the disk is at fault no connection is kept: one that was opened while the disk could not be
    written could not write for ever."""
    error = context.original_exception
    if not isinstance(error, sqlite3.Error) or is_busy(error) or in_words(error, Path()) is None:
        return
    if context.connection is not None and not context.connection.invalidated:
        with suppress(sqlite3.Error):  # to close is not enough: the error's traceback still holds a statement
            context.connection.connection.rollback()
    context.is_disconnect = True
