"""A fair pool of SQLite connections to one file: bounded waits, one writer at a time, misuse is an error at once.

By hand, because no package offers it: pools on `queue.Queue` starve threads, and a deferred BEGIN that reads and then
writes is "database is locked" at once, whatever the timeout (measured: `python -m tests.benchmarks pool`).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import TypeVar

from services.domain.errors import InvalidRequest, NestedCheckout, PoolClosed, PoolExhausted, StorageError
from services.sqlite.fair_queue import Closed, FairQueue, TimedOut
from services.sqlite.opening import file_uri, in_words, open_file
from services.storage.connection import LentConnection

T = TypeVar("T")


class _Slot:
    """A place for one connection, opened by whoever needs it first."""

    __slots__ = ("connection",)

    def __init__(self) -> None:
        self.connection: LentConnection | None = None


class _Ticket:
    """Whoever holds it may begin to write. It costs a third of the rate and makes the worst wait 20 times shorter than
    leaving writers to SQLite's own waiting, which sleeps and retries without an order."""


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Of one pool. Counted since it was made, but `in_use` and `waiting`, which are as of now."""

    size: int
    in_use: int
    waiting: int
    checkouts: int
    waited: int
    exhausted: int
    longest_wait_seconds: float
    held_up: int = 0
    """Transactions that had to wait for another process's to end before they could begin."""


class Pool:
    """At most `size` connections to `path`, lent one to a thread. `attach` names files that each one sees read-only.

    A forked child may not use it (SQLite forbids to carry connections over a fork): it gets `PoolClosed`.
    """

    def __init__(
        self, path: Path, *, size: int = 5, busy_timeout: float = 30.0, attach: Mapping[str, Path] | None = None
    ) -> None:
        if size < 1:
            raise InvalidRequest(f"a pool needs at least one connection, not {size}")
        if not busy_timeout > 0:
            raise InvalidRequest(f"the time to wait must be above 0 s, not {busy_timeout}")
        if any(not name.isidentifier() for name in attach or ()):
            raise InvalidRequest("the name of an attached file must be a plain word")
        self.path = Path(path).absolute()
        self.size = size
        self.closed = False
        self._patience = busy_timeout
        self._attach = dict(attach or {})
        self._slots = FairQueue(_Slot() for _ in range(size))
        self._tickets = FairQueue([_Ticket()])
        self._holders: set[int] = set()  # idents of the threads that hold a connection
        self._pid = os.getpid()
        self._held_up = 0  # only whoever has the ticket adds to it

    @contextmanager
    def get_connection(self, timeout: float | None = None, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection inside one transaction: committed at the end of the block, rolled back if it raises.

        `write=True` is `BEGIN IMMEDIATE` behind the writer ticket, safe for read-then-write; `write=False` is a
        consistent view for readers, and any number of them run beside a writer. Rows by name.

        All waiting together ends after `timeout` seconds (default: the pool's, 30). Raises `PoolExhausted` then,
        `PoolClosed` after close or fork, `NestedCheckout` if this thread holds one already (both at once), and
        `StorageError` in words if the file or the disk is at fault. The connection and its cursors end with the block.
        """
        me = get_ident()
        self._require_usable(me)
        deadline = time.monotonic() + (self._patience if timeout is None else timeout)
        ticket = self._take(self._tickets, deadline, "its turn to write") if write else None
        try:
            slot = self._take(self._slots, deadline, "a free connection")
            try:
                connection = self._ready(slot)
                try:
                    self._holders.add(me)
                    connection.lend("BEGIN IMMEDIATE" if write else "BEGIN", self._busy_ms(deadline))
                    yield connection
                    connection.settle(keep=True)
                finally:
                    self._holders.discard(me)
                    if not connection.take_back():
                        connection.discard()
                        slot.connection = None
            except sqlite3.Error as error:
                plain = in_words(error, self.path)
                if plain is None:
                    raise
                raise plain from error
            finally:
                if not self._slots.give(slot):
                    _empty(slot)
        finally:
            if ticket is not None:
                self._tickets.give(ticket)

    def close_all(self) -> None:
        """Close the free connections now, those in use when they come back; end all waits. Once is enough."""
        self.closed = True
        if os.getpid() != self._pid:
            return  # the parent's connections: touching them here would harm the parent
        self._tickets.close()
        for slot in self._slots.close():
            _empty(slot)

    close = close_all

    def stats(self) -> PoolStats:
        slots, tickets = self._slots.stats(), self._tickets.stats()
        return PoolStats(
            size=self.size,
            in_use=len(self._holders),
            waiting=slots.waiting + tickets.waiting,
            checkouts=slots.taken,
            waited=slots.waited + tickets.waited,
            exhausted=slots.timeouts + tickets.timeouts,
            longest_wait_seconds=max(slots.longest_wait_seconds, tickets.longest_wait_seconds),
            held_up=self._held_up,
        )

    def _require_usable(self, me: int) -> None:
        if os.getpid() != self._pid:
            raise PoolClosed(f"the pool of {self.path.name} belongs to the parent process; make one after the fork")
        if self.closed:
            raise PoolClosed(f"the pool of {self.path.name} is closed")
        if me in self._holders:
            raise NestedCheckout(f"this thread holds a connection to {self.path.name} already; use that one")

    def _take(self, queue: FairQueue[T], deadline: float, what: str) -> T:
        asked = time.monotonic()
        try:
            return queue.take(deadline - asked)
        except TimedOut:
            waited = time.monotonic() - asked
            raise PoolExhausted(f"{self.path.name}: {what} did not come within {waited:.1f} s") from None
        except Closed:
            raise PoolClosed(f"the pool of {self.path.name} was closed") from None

    def _ready(self, slot: _Slot) -> LentConnection:
        if slot.connection is None:
            slot.connection = self._open()
        return slot.connection

    def _open(self) -> LentConnection:
        made = open_file(self.path, LentConnection, busy_timeout=self._patience)
        made.busy_ms = round(self._patience * 1000)
        made.held_up = self._was_held_up
        try:
            for name, file in self._attach.items():
                sqlite3.Connection.execute(made, f"ATTACH ? AS {name}", (file_uri(file, "ro"),))
        except sqlite3.Error as error:
            made.discard()
            raise in_words(error, self.path) or StorageError(f"{self.path.name}: {error}") from error
        return made

    def _was_held_up(self) -> None:
        self._held_up += 1

    def _busy_ms(self, deadline: float) -> int:
        return max(0, round((deadline - time.monotonic()) * 1000))


def _empty(slot: _Slot) -> None:
    if slot.connection is not None:
        slot.connection.discard()
        slot.connection = None
