"""How the processes of one desk do together, as plain values: who is there, who leads, how far behind the others are,
and how Redis and PostgreSQL answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.processes import ProcessSeen


@dataclass(frozen=True, slots=True)
class RedisNow:
    """The way to Redis."""

    up: bool
    seconds: float
    """For how long it has been so."""
    problem: str
    """In words; empty while all is well."""
    round_trip_ms: float | None


@dataclass(frozen=True, slots=True)
class PostgresNow:
    """This process's connections to the ledger's server."""

    name: str
    """Where it is, without a password."""
    size: int
    open: int
    made: int
    """Connections since the start: grows when they are lost."""
    failures: int
    """Transactions that ended because the server was away, slow or restarted."""
    round_trip_ms: float | None
    problem: str
    """Why the last transaction failed, in words; empty: it did not."""
    problem_seconds: float


@dataclass(frozen=True, slots=True)
class FanOutNow:
    """One stream between the processes, as this one sees it. Counts are since it began."""

    stream: str
    """`market` or `portfolio`."""
    role: str
    """`holder`, `follower` or `none`."""
    sent_batches: int
    sent_frames: int
    refused: int
    """Batches that Redis refused, because the lease was another's by then."""
    dropped: int
    """Frames that Redis did not take in time."""
    batches: int
    frames: int
    missed: int
    stale: int
    """Batches of a process that had lost the lease; not accepted."""
    lag_p50_ms: float | None
    """Of the last ten seconds; `None`: nothing came, or this process is the holder."""
    lag_p99_ms: float | None
    last_batch_ago: float | None


@dataclass(frozen=True, slots=True)
class SharingNow:
    """All of it. `redis` and `postgres` are `None` where the desk has none."""

    redis: RedisNow | None = None
    postgres: PostgresNow | None = None
    leads: bool = False
    """Does this process hold the lease?"""
    holder: str | None = None
    """Who does, by name, as last seen; `None`: nobody."""
    token: int | None = None
    """The fencing token of the holder."""
    held_since: datetime | None = None
    members: tuple[ProcessSeen, ...] = ()
    streams: tuple[FanOutNow, ...] = ()
    expected: int = 1
    """`DESK_PROCESSES`: how many there may be."""

    @property
    def alive(self) -> int:
        return sum(one.alive for one in self.members)
