"""What every ledger does, whatever keeps it: one transaction for a thread at a time, one writer at a time.

`files` keeps it in a SQLite file, `postgres` in a PostgreSQL database; `opening` knows which. Whoever writes has read
what all writers before have written, in this process and in others: the limits and the uniqueness of intents stand on
that.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident

import sqlalchemy as sa

from services.domain.errors import ConfigurationError, NestedCheckout, PoolClosed, PoolExhausted, StorageError
from services.sqlite.fair_queue import Closed, FairQueue, TimedOut

LEDGER_FILE = "ledger.db"
"""Its name in a data folder."""
HELD_UP_SECONDS = 0.02
"""To begin takes much less where no other process is in the way; whose turn it is in this one is settled before."""


@dataclass(frozen=True, slots=True)
class LedgerStats:
    """Of one ledger, since it was opened; `inside` and `waiting` are as of now."""

    inside: int
    """Threads inside a transaction."""
    waiting: int
    """Threads that wait for their turn."""
    writes: int
    waited: int
    exhausted: int
    """Turns that did not come in time."""
    longest_wait_seconds: float
    held_up: int
    """Transactions that had to wait for another process's to end before they could begin."""
    server: ServerStats | None = None
    """`None`: it is a file."""


@dataclass(frozen=True, slots=True)
class ServerStats:
    """Of one process's connections to PostgreSQL."""

    size: int
    """Connections at most."""
    open: int
    """Connections that stand now."""
    made: int
    """Connections since the start: grows when they are lost."""
    failures: int
    """Transactions that ended because the server was away, slow or restarted."""
    round_trip_ms: float | None
    """The quickest of the last answers to an idle connection's "are you there"; `None`: none was asked yet."""
    problem: str
    """Why the last transaction failed; empty: it did not."""
    problem_seconds: float
    """How long there has been one."""


class Ledger(ABC):
    """One ledger. `read()` and `write()` give a connection inside one transaction; one per thread at a time."""

    def __init__(self, name: str, engine: sa.Engine, *, patience: float) -> None:
        self.name = name
        """For people: the file's name, or where the database is; never a password."""
        self.closed = False
        self._engine = engine
        self._patience = patience
        self._tickets = FairQueue(["the writer's ticket"])
        self._holders: set[int] = set()  # idents of the threads inside `read` or `write`
        self._pid = os.getpid()
        self._begun = self._held_up = 0

    @property
    def path(self) -> Path:
        """The file. Raises `ConfigurationError` for a ledger that is none."""
        raise ConfigurationError(f"{self.name} is not a file")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view of the ledger; it neither waits for writers nor stops them."""
        with self._held(), self._reading() as connection:
            yield connection

    @contextmanager
    def write(self, timeout: float | None = None) -> Iterator[sa.Connection]:
        """A transaction that may read and then write: committed, to the disk, at the end of the block, rolled back if
        it raises. Raises `PoolExhausted` if its turn does not come within `timeout` seconds."""
        patience = self._patience if timeout is None else timeout
        with self._held(), self._turn(self._tickets, patience, "write"), self._writing(patience) as connection:
            yield connection

    @abstractmethod
    def keep_open(self) -> None:
        """Be ready for use, until `close`."""

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
            self._close()

    # -- what the engines do -----------------------------------------------------------------------------------

    @abstractmethod
    def _reading(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that only reads."""

    @abstractmethod
    def _writing(self, patience: float) -> AbstractContextManager[sa.Connection]:
        """A transaction that no other writer of any process is beside; `patience`: seconds to wait for that."""

    @abstractmethod
    def _in_words(self, error: sa.exc.DBAPIError) -> StorageError | None:
        """`error` as one of ours; `None` if the statement itself is at fault."""

    @abstractmethod
    def _close(self) -> None:
        """Give back what is held."""

    # -- inside ------------------------------------------------------------------------------------------------

    @contextmanager
    def _held(self) -> Iterator[None]:
        me = get_ident()
        if self.closed or os.getpid() != self._pid:
            raise PoolClosed(f"the ledger {self.name} is closed in this process")
        if me in self._holders:
            raise NestedCheckout(f"this thread is inside a transaction of {self.name} already; use that one")
        self._holders.add(me)
        try:
            yield
        except sa.exc.DBAPIError as error:
            plain = self._in_words(error)
            if plain is None:
                raise
            raise plain from error
        finally:
            self._holders.discard(me)

    @contextmanager
    def _turn(self, tickets: FairQueue[str], timeout: float, what: str) -> Iterator[None]:
        try:
            ticket = tickets.take(timeout)
        except TimedOut:
            raise PoolExhausted(f"{self.name}: the turn to {what} did not come within {timeout:g} s") from None
        except Closed:
            raise PoolClosed(f"the ledger {self.name} was closed") from None
        try:
            yield
        finally:
            tickets.give(ticket)
