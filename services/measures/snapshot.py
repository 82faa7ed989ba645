"""How the desk does at one instant, as plain values: for the health page, the alert rules and Prometheus.

Figures that could not be read are `None`, never zero, and `Snapshot.problems` says why. Counts run since the process
began; ages and times are real seconds, whatever the speed of the desk's clock; instants are of the desk's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.measures.calls_now import NO_TIMES, RestNow, Spread
from services.measures.shared_now import SharingNow
from services.measures.storage_now import StorageNow


@dataclass(frozen=True, slots=True)
class FeedNow:
    """A stream of the broker: the market feed, or the updates of orders."""

    name: str
    state: str
    reason: str
    connected: bool
    uptime_seconds: float
    messages: int
    updates: int
    updates_per_second: float
    last_message_ago: float | None
    last_update_ago: float | None
    reconnects: int
    ends: Mapping[str, int]
    """Ends of connections and of attempts by reason, each one of a fixed few words."""
    bad_frames: int
    unknown_rows: int
    subscribed: int
    sent: int
    silent_keys: int
    """Instruments that were asked for twice and never came."""
    expected: bool
    """Should prices of what is subscribed move now?"""
    silent_seconds: float | None
    """For how long prices have been missing that should have come; `None`: they come, or none is expected."""
    hops: Mapping[str, Spread] = field(default_factory=dict)
    """Times by hop: `exchange to received`, `received to board`, `board to sent`, `sent to painted` ..."""


@dataclass(frozen=True, slots=True)
class PushNow:
    """Browsers that listen."""

    clients: int
    dropped: int
    """Listeners that were let go because they were too slow."""
    messages: int
    """Sent, to all of them."""


@dataclass(frozen=True, slots=True)
class CacheNow:
    """Where quotes were found, in keys."""

    live: int
    """The feed's board had them."""
    memory: int
    store: int
    broker: int
    """Had to be asked for."""
    shared: int = 0
    """Another process had been told."""
    unwritten: int = 0
    """Reads that the statistics of the last hour lack: they could not be written down."""

    @property
    def hit_share(self) -> float | None:
        """0-1; `None` while nobody has asked for anything."""
        asked = self.live + self.memory + self.shared + self.store + self.broker
        return None if not asked else 1 - self.broker / asked


@dataclass(frozen=True, slots=True)
class LedgerNow:
    """What may not be lost."""

    version: str | None
    """Of its tables."""
    open_alerts: int | None


@dataclass(frozen=True, slots=True)
class OrdersNow:
    """The order desk."""

    ready: str
    """"" where something may be sent, else the sentence why not."""
    unknown: int | None
    """Decisions of which nobody knows yet what became of them. `None`: those of before the start are not looked up
    yet."""
    oldest_unknown_seconds: float | None
    own: Spread = NO_TIMES
    """From the decision to the request's leaving."""
    network: Spread = NO_TIMES
    """On the way there and back, without the broker's own time."""
    broker: Spread = NO_TIMES
    """The broker's own `latency`."""


@dataclass(frozen=True, slots=True)
class ErrorsNow:
    """Failed requests of the last minutes."""

    per_minute: float
    minutes: float
    breakdown: Mapping[str, int]
    """By type, the most frequent first."""


@dataclass(frozen=True, slots=True)
class TokenNow:
    """The token. `kind` is `access`, `read_only`, or `None` where a login is needed."""

    kind: str | None
    expires: datetime | None
    seconds_left: float
    problem: str | None


@dataclass(frozen=True, slots=True)
class MarketNow:
    """What the calendar says."""

    phase: str
    """Of equities, in words."""
    in_session: bool
    until: datetime | None
    then: str
    reason: str
    contradictions: int
    stale_sources: Mapping[str, str]
    """Sources of the calendar that did not answer, and why."""
    practice: bool


@dataclass(frozen=True, slots=True)
class ProcessNow:
    """This process. `None` where the operating system does not tell."""

    pid: int
    uptime_seconds: float
    cpu_seconds: float
    resident_bytes: int | None
    threads: int
    open_files: int | None
    most_files: int | None
    protobuf: str
    """The implementation that decodes the feed: `upb`, `cpp` or `python`."""


@dataclass(frozen=True, slots=True)
class ClockNow:
    """The clock. `offset_seconds`: how far the host's clock is ahead of the broker's, as the feed's frames tell; `None`
    while none did. `jump_seconds`: how far the desk's clock has moved against monotonic time in its last jump."""

    offset_seconds: float | None
    jumps: int
    jump_seconds: float | None
    jumped_ago: float | None
    speed: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it. A part that is `None` is not built, or could not be looked at: `problems` tells which."""

    at: datetime
    rest: RestNow | None
    feed: FeedNow | None
    portfolio_feed: FeedNow | None
    push: PushNow | None
    cache: CacheNow | None
    storage: StorageNow | None
    ledger: LedgerNow | None
    orders: OrdersNow | None
    errors: ErrorsNow | None
    token: TokenNow | None
    market: MarketNow | None
    process: ProcessNow
    clock: ClockNow | None
    problems: Mapping[str, str] = field(default_factory=dict)
    """Parts that could not be looked at, and why, in words."""
    shared: SharingNow | None = None
    """What it has in common with the other processes of a desk that has several."""
