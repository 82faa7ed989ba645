"""How the desk did in a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One stretch of time that ended at `at_ms` (ms since the epoch, UTC, the desk's clock). Times are in seconds.
    `None`: not known, or nothing of the kind happened. `seconds` is the stretch in real time."""

    at_ms: int
    seconds: float
    requests: float | None = None
    """Attempts to call the broker, and those of them that failed."""
    failures: float | None = None
    rest_p50: float | None = None
    rest_p95: float | None = None
    updates: float | None = None
    """Prices that the feed told."""
    tick_age: float | None = None
    """The longest that prices were missing while they were expected; 0.0 where none was missing."""
    received_p95: float | None = None
    """From the broker's sending to our receipt."""
    board_p95: float | None = None
    painted_p95: float | None = None
    resident: float | None = None
    """Bytes of memory."""
    cpu: float | None = None
    """Processor time per time: 1.0 is a whole core."""
    threads: float | None = None
    files: float | None = None
    clients: float | None = None
    """Browsers that listen."""
    waiting: float | None = None
    """Ticks that waited for the disk."""
    dropped: float | None = None
    wal: float | None = None
    """Bytes of the market file's write-ahead log."""
    errors: float | None = None
    """Failed requests a minute, over five minutes."""
