"""The ledger in a PostgreSQL database that several processes and machines share.

Whoever writes takes one advisory lock first, for the length of the transaction: writers of all processes come one after
the other, as `BEGIN IMMEDIATE` makes them in a file, so that whatever holds of the one engine holds of the other. The
unique constraints stand behind that. Readers see one state and wait for nobody.

Every wait ends. Its numbers: 3 s to connect, and for an idle connection to answer; 10 s for the turn to write or read;
12 s until the server gives a statement up, 15 s until the connection is given up from here; 10 s until the server ends
the transaction of a process that stands still in it. While the server is not there one call a second tries, the others
are told at once. Nothing has to be started anew when it is back.

Not for a pooler that hands out connections by transaction (PgBouncer's mode "transaction"): settings belong to sessions
here.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Lock, RLock
from typing import Any, cast

import psycopg
import sqlalchemy as sa

from services.domain.errors import LedgerAway, StorageError
from services.ledger.engine import HELD_UP_SECONDS, Ledger, LedgerStats, ServerStats
from services.ledger.server_link import (
    AWAY_SECONDS,
    LedgerConnection,
    Target,
    Waits,
    connect,
    in_words,
    target_of,
    was_over,
)
from services.sqlite.fair_queue import FairQueue

READERS = 8
"""Threads of this process that read at once; with the one that writes, its connections."""
WRITER = 0x5570734C
"""The advisory lock of whoever writes."""
FRESH_SECONDS = 1.0
"""A connection that answered so lately is not asked whether it is still there."""

log = logging.getLogger(__name__)


class ServerLedger(Ledger):
    """One ledger in PostgreSQL. A turn to write or to read is waited for at most 10 seconds."""

    def __init__(self, url: str, *, waits: Waits | None = None, readers: int = READERS) -> None:
        self._waits = Waits() if waits is None else waits
        self._target: Target = target_of(url, self._waits)
        engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=sa.QueuePool,
            pool_size=readers + 1,
            max_overflow=0,  # turns are given out by our own queues, in the order of asking
            pool_timeout=self._waits.turn,
            pool_use_lifo=True,
            pool_recycle=1800,
            hide_parameters=True,
        )
        super().__init__(self._target.name, engine, patience=self._waits.turn)
        self._size = readers + 1
        self._readers = FairQueue([f"reader {number}" for number in range(readers)])
        self._guard = Lock()  # guards what is counted below
        self._made = self._failures = 0
        self._problem, self._problem_since = "", 0.0
        self._away, self._away_until = "", 0.0  # empty: it is there
        self._prepare: Callable[[Ledger], None] | None = None
        self._preparing = RLock()  # held by whoever prepares; the others wait for it
        self._is_preparing = False
        self._answers: deque[float] = deque(maxlen=32)
        sa.event.listen(engine, "begin", self._begin)
        sa.event.listen(engine, "checkout", self._check)

    def prepare(self, prepare: Callable[[Ledger], None], *, later: bool) -> None:
        """Do `prepare` (the upgrade) before anything else. `later`: if the server is away now, then at the first use
        that finds it there, so that a desk may be started before its server."""
        self._prepare = prepare
        try:
            self._be_ready()
        except StorageError as error:
            if not later:
                raise
            log.warning("the ledger is not there yet: %s", error)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """As `Ledger.read`."""
        self._be_ready()
        with super().read() as connection:
            yield connection

    @contextmanager
    def write(self, timeout: float | None = None) -> Iterator[sa.Connection]:
        """As `Ledger.write`."""
        self._be_ready()
        with super().write(timeout) as connection:
            yield connection

    @property
    def dumping(self) -> str:
        """How its operators copy it and put a copy back, in words."""
        names = {"host": "host", "port": "port", "user": "username"}
        told = [f"--{names[name]}={value}" for name, value in self._target.parameters.items() if name in names]
        where = " ".join([*told, f"--dbname={self._target.parameters['dbname']}"])
        return (
            f"pg_dump --format=custom --file=ledger.dump {where}, and into an empty database "
            f"pg_restore --no-owner --single-transaction {where} ledger.dump; then look it over with `check`"
        )

    def keep_open(self) -> None:
        """Nothing to do: connections are kept anyway."""

    def stats(self) -> LedgerStats:
        reading = self._readers.stats()
        found = super().stats()
        pool = cast("sa.QueuePool", self._engine.pool)
        with self._guard:
            since = time.monotonic() - self._problem_since if self._problem else 0.0
            answers = list(self._answers)
            server = ServerStats(
                size=self._size,
                open=max(0, pool.checkedin() + pool.checkedout()),
                made=self._made,
                failures=self._failures,
                round_trip_ms=round(min(answers) * 1000, 3) if answers else None,
                problem=self._problem,
                problem_seconds=since,
            )
        return replace(
            found,
            waiting=found.waiting + reading.waiting,
            waited=found.waited + reading.waited,
            exhausted=found.exhausted + reading.timeouts,
            longest_wait_seconds=max(found.longest_wait_seconds, reading.longest_wait_seconds),
            server=server,
        )

    def _be_ready(self) -> None:
        if self._prepare is None:
            return
        with self._preparing:
            if self._prepare is None or self._is_preparing:  # the upgrade itself reads and writes
                return
            self._is_preparing = True
            try:
                self._prepare(self)
            finally:
                self._is_preparing = False
            self._prepare = None

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._turn(self._readers, self._patience, "read"), self._engine.connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True, reads=True)
            transaction = connection.begin()
            try:
                yield connection
            finally:
                try:
                    transaction.rollback()
                except sa.exc.DBAPIError:  # what was read was read, however long somebody thought about it since
                    connection.invalidate()
        self._went_well()

    @contextmanager
    def _writing(self, patience: float) -> Iterator[sa.Connection]:
        with self._engine.connect() as fresh:
            connection = fresh.execution_options(patience=patience)
            transaction = connection.begin()
            try:
                yield connection
            except BaseException:
                with suppress(sa.exc.DBAPIError):  # a connection that is gone has rolled back by that
                    transaction.rollback()
                raise
            try:
                transaction.commit()
            except sa.exc.DBAPIError as error:
                lost = in_words(error.orig, self._target)
                if lost is None:
                    raise
                words = str(lost)
                if not was_over(error.orig):
                    words += ". It happened while a transaction was being kept: it may be kept or not"
                self._went_wrong(words)
                raise LedgerAway(words) from error
        self._went_well()

    def _in_words(self, error: sa.exc.DBAPIError) -> StorageError | None:
        plain = in_words(error.orig, self._target)
        if plain is not None:
            self._went_wrong(str(plain))
        return plain

    def _close(self) -> None:
        self._readers.close()
        self._engine.dispose()

    def _begin(self, connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if options.get("reads", False):
            return
        patience: float = options["patience"]
        began = time.monotonic()
        if patience >= self._waits.statement:
            hurry_not(connection, patience + 2)
        connection.exec_driver_sql(
            "SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock(%s)",
            (f"{max(1, int(patience * 1000))}ms", WRITER),
        )
        self._begun += 1
        self._held_up += time.monotonic() - began >= HELD_UP_SECONDS

    def _check(self, raw: Any, record: Any, proxy: Any) -> None:  # Any: what SQLAlchemy hands over
        """A connection that lay idle must answer; else all of its age go, and a new one is made."""
        raw.limit = self._waits.answer
        if time.monotonic() - raw.used < FRESH_SECONDS:
            return
        try:
            self._answers.append(raw.ping(self._waits.ping))
        except psycopg.Error as error:
            raise sa.exc.InvalidatePoolError(str(error)) from error

    def _connect(self) -> LedgerConnection:
        now = time.monotonic()
        with self._guard:
            if self._away:
                if now < self._away_until:
                    raise psycopg.OperationalError(self._away)
                self._away_until = now + self._waits.connect + AWAY_SECONDS  # this one tries
        try:
            made = connect(self._target)
        except psycopg.Error as error:
            with self._guard:
                self._away, self._away_until = str(error) or "no connection", time.monotonic() + AWAY_SECONDS
            raise
        with self._guard:
            self._away = ""
            self._made += 1
        return made

    def _went_wrong(self, words: str) -> None:
        with self._guard:
            if not self._problem:
                self._problem_since = time.monotonic()
            self._problem = words
            self._failures += 1

    def _went_well(self) -> None:
        if self._problem:
            with self._guard:
                self._problem = ""


def hurry_not(connection: sa.Connection, seconds: float | None = None) -> None:
    """Let each statement of this transaction take so long; `None`: as long as it takes, and the pauses between them
    too, as an upgrade needs it."""
    names = (
        ["statement_timeout"] if seconds is not None else ["statement_timeout", "idle_in_transaction_session_timeout"]
    )
    told = 0 if seconds is None else int(seconds * 1000)
    for name in names:
        connection.exec_driver_sql("SELECT set_config(%s, %s, true)", (name, str(told)))
    raw: Any = connection.connection.dbapi_connection  # Any: a `LedgerConnection`
    raw.limit = None if seconds is None else seconds + 3
