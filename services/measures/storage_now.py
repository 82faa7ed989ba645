"""Files, disk and the writer of ticks at one instant, as plain values. Units as in `snapshot`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

THE_LEDGER = "The ledger"
"""Its name among the faults of `StorageNow`."""


@dataclass(frozen=True, slots=True)
class PoolNow:
    """The connections to one database file."""

    name: str
    size: int
    in_use: int
    waiting: int
    checkouts: int
    waits: int
    exhausted: int
    longest_wait: float
    held_up: int
    """Transactions that waited for another process's to end before they could begin."""
    file_bytes: int | None
    wal_bytes: int | None


@dataclass(frozen=True, slots=True)
class WriterNow:
    """The writer of ticks."""

    waiting: int
    most_waiting: int
    """Ticks for which there is room."""
    oldest_seconds: float | None
    """How long the oldest of them has waited; `None`: none waits."""
    written: int
    flushes: int
    failures: int
    """Attempts that the disk refused."""
    failing_seconds: float | None
    """Since when every attempt has been refused; `None`: the last one worked."""
    last_flush: float | None
    longest_flush: float
    flush_seconds: float
    """All flushes together."""
    dropped: Mapping[str, int]
    dropped_ago: float | None
    """Since a tick was dropped last; `None`: none ever was."""
    trouble: str
    """Why the last attempt failed, in words; "" after one that worked."""

    @property
    def dropped_in_all(self) -> int:
        return sum(self.dropped.values())


@dataclass(frozen=True, slots=True)
class StorageNow:
    """Files and disk."""

    pools: tuple[PoolNow, ...] = ()
    writer: WriterNow | None = None
    folder: str = ""
    free_bytes: int | None = None
    total_bytes: int | None = None
    read_only: bool | None = False
    """The data folder's file system takes no writes; `None`: the operating system does not tell."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """What does not work, by file (`market_data.db`, `ledger.db`) or part (`ticks`, `error log`), in words."""
    lost_errors: int = 0
    """Errors that could not be kept."""

    @property
    def free_share(self) -> float | None:
        return None if self.free_bytes is None or not self.total_bytes else self.free_bytes / self.total_bytes
