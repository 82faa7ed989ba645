"""Connections to PostgreSQL of which every wait ends, and what can go wrong with them in words without a password."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from services.domain.errors import ConfigurationError, LedgerAway, PoolExhausted, StorageError

AWAY_SECONDS = 1.0
"""So long nobody tries again after the server was not there; who asks meanwhile is told so at once."""

_USUAL = {
    "application_name": f"desk {socket.gethostname()} {os.getpid()}",
    "target_session_attrs": "read-write",  # of several hosts the one that takes writes; a standby is none
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@dataclass(frozen=True, slots=True)
class Waits:
    """How long anything is waited for, in seconds."""

    turn: float = 10.0
    """Until it is one's turn to write or to read."""
    connect: int = 3
    ping: float = 3.0
    """A connection that was idle must answer so soon, else it is replaced."""
    statement: float = 12.0
    """The server itself gives a statement up after this."""
    answer: float = 15.0
    """And if it does not even do that (it hangs, the network is cut), the connection is given up from here."""
    idle: float = 10.0
    """A process that stands still in the middle of a transaction (paused, swapped out) loses it: others may write."""

    @property
    def options(self) -> str:
        """As the server is told."""
        return (
            f"-c statement_timeout={self.statement * 1000:.0f} "
            f"-c idle_in_transaction_session_timeout={self.idle * 1000:.0f} -c timezone=UTC"
        )


@dataclass(frozen=True, slots=True)
class Target:
    """Where a ledger's database is. `name` is for people; the rest may hold a password."""

    name: str
    waits: Waits
    parameters: dict[str, Any] = field(repr=False)  # Any: texts and numbers, as the driver takes them


def target_of(url: str, waits: Waits) -> Target:
    """What `url` names. Everything that libpq knows may stand in it (`sslmode`, `sslrootcert`, several hosts …), and
    goes before what is usual here. `ConfigurationError` if it cannot be read, without the address."""
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        given: dict[str, Any] = dict(conninfo_to_dict(plain))
    except psycopg.Error:
        raise ConfigurationError(
            "the ledger's address cannot be read; write postgresql://user:password@host/name, with letters such as "
            "@ : / ? # % in the password as %40 %3A %2F %3F %23 %25"
        ) from None
    if not given.get("dbname"):
        raise ConfigurationError("the ledger's address names no database; write postgresql://user:password@host/name")
    options = f"{waits.options} {given.pop('options', '')}".strip()
    where = given.get("host") or "this machine"
    port = given.get("port")
    name = f"PostgreSQL database {given['dbname']} on {where}" + (f":{port}" if port and "," not in port else "")
    return Target(name, waits, {**_USUAL, "connect_timeout": waits.connect, **given, "options": options})


class LedgerConnection(psycopg.Connection[Any]):
    """A connection whose every wait for the server ends after `limit` seconds; then it is closed from here, since
    nobody knows what the server still does with it. `None`: waits without end."""

    limit: float | None = None
    used: float = 0.0
    """When it answered last, by monotonic time."""

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """As the driver's, with the limit."""
        limit = self.limit if timeout is None else timeout
        try:
            found = super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
                raise psycopg.OperationalError(
                    "no answer" if limit is None else f"no answer within {limit:g} s"
                ) from None
            raise
        self.used = time.monotonic()
        return found

    def ping(self, seconds: float) -> float:
        """How long the server took to answer, in seconds. Raises `psycopg.Error` unless it does so soon."""
        limit, self.limit = self.limit, seconds
        try:
            self.autocommit = True
            asked = time.monotonic()
            self.execute("")
            took = time.monotonic() - asked
            self.autocommit = False
        finally:
            self.limit = limit
        return took


def connect(target: Target) -> LedgerConnection:
    """A connection of which a commit waits for the disk, whatever the server's own setting. Raises `psycopg.Error`."""
    connection = LedgerConnection.connect(autocommit=True, **target.parameters)
    connection.limit = target.waits.answer
    try:
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection


_WORDS = {
    "25006": "it takes no writes: it is a standby, or was set to read-only",
    "25P03": "this process stood still for too long in the middle of a transaction; nothing of it was kept",
    "28000": "it lets this user in only in another way; look into pg_hba.conf",
    "28P01": "it refuses the user or the password",
    "3D000": "there is no such database",
    "42501": "its user may not do this; give it the database and its schema",
    "53100": "the disk of the server is full",
    "53200": "the server is out of memory",
    "57014": "it took too long with a statement and gave it up",
    "57P01": "the server was shut down",
    "57P02": "the server crashed and starts anew",
    "57P03": "the server is starting or shutting down",
    "58030": "the disk of the server cannot be read or written",
    "XX001": "the server found damaged data; restore it",
    "XX002": "the server found a damaged index; rebuild it or restore the database",
}
_BUSY = {
    "55P03": "another process kept writing for too long",
    "40P01": "two transactions waited for each other",
    "40001": "another transaction was in the way",
    "53300": "the server takes no more connections",
}


def in_words(error: BaseException | None, target: Target) -> StorageError | None:
    """`error` of the driver as one of ours if the server or the way to it is at fault; `None` if the statement is."""
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate or ""
    if state in _BUSY:
        return PoolExhausted(f"{target.name}: {_BUSY[state]}")
    if state in _WORDS:
        return LedgerAway(f"{target.name}: {_WORDS[state]}")
    if isinstance(error, psycopg.DataError):  # a file would have taken it: a zero in a text, a number beyond 64 bits
        return StorageError(f"{target.name}: what should be kept cannot be ({_said(error, target)})")
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | psycopg.InternalError):
        return None
    return LedgerAway(f"{target.name} does not answer ({_said(error, target)})")


def was_over(error: BaseException | None) -> bool:
    """Does `error` of a commit say for certain that nothing was kept?"""
    return isinstance(error, psycopg.Error) and error.sqlstate == "25P03"


def _said(error: psycopg.Error, target: Target) -> str:
    """What the driver says, in one line, without secrets."""
    text = " ".join(str(error).split())
    for name in ("password", "sslpassword"):
        if secret := target.parameters.get(name):
            text = text.replace(str(secret), "…")
    for beside_the_point in (" Is the server running", " This probably means"):
        text = text.partition(beside_the_point)[0]
    return text.removeprefix("connection failed: ").removeprefix("consuming input failed: ")[:300].rstrip(". ")
