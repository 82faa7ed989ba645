"""How the desk does at one instant, as plain values: for the health page, the alert rules and Prometheus.

Figures that could not be read are `None`, never zero, and `Snapshot.problems` says why. Counts run since the process
began; ages and times are real seconds, whatever the speed of the desk's clock; instants are of the desk's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Buckets = tuple[tuple[float, int], ...]
"""A histogram: upper bound in seconds (the last one infinite) and how many fell into that bucket alone."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Times of one kind, as a histogram and its sum (seconds)."""

    buckets: Buckets = ()
    total_seconds: float = 0.0

    @property
    def count(self) -> int:
        return sum(count for _, count in self.buckets)

    def quantile(self, share: float) -> float | None:
        """The time that `share` (0-1) of them took at most: the bound of its bucket. `None` without any."""
        left = share * self.count
        last = None
        for bound, count in self.buckets:
            if count:
                last = bound if bound != float("inf") else last
                left -= count
                if left <= 0:
                    return last
        return last


@dataclass(frozen=True, slots=True)
class OperationNow:
    """One operation of the broker over one version of its API."""

    operation: str
    version: str
    answers: Mapping[str, int]
    """Attempts by what came of them: `2xx` `3xx` `4xx` `5xx`, `no_answer`, `not_sent`, `malformed`."""
    took: Spread
    """Of attempts that were answered, whatever the answer."""
    retries: int
    fallbacks: int
    """How often this version's failure sent a call on to the next one."""

    @property
    def attempts(self) -> int:
        return sum(self.answers.values())

    @property
    def failed(self) -> int:
        return self.attempts - self.answers.get("2xx", 0) - self.answers.get("3xx", 0)


@dataclass(frozen=True, slots=True)
class WindowNow:
    """One documented window of a rate limit."""

    seconds: float
    limit: int
    used: int
    frees_in: float

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class BudgetNow:
    """What is left of a rate budget: an operation's own, or that of a group of operations."""

    name: str
    windows: tuple[WindowNow, ...]
    closed_for: float
    """Seconds for which the broker's 429 keeps it closed; 0.0 as a rule."""

    @property
    def share_left(self) -> float:
        """Of its tightest window, 0-1; 0 while it is closed."""
        return 0.0 if self.closed_for > 0 else min((one.left / one.limit for one in self.windows), default=1.0)


@dataclass(frozen=True, slots=True)
class RestNow:
    """Calls to the broker."""

    operations: tuple[OperationNow, ...] = ()
    budgets: tuple[BudgetNow, ...] = ()
    last_answer_ago: float | None = None
    """Seconds since the broker answered anything at all; `None`: it never has."""
    last_success_ago: float | None = None
    failing_since: float | None = None
    """Seconds since the first of the failures that no success has followed; `None`: the last call succeeded."""
    last_failure: str = ""
    """What the last failure was, in words, while it is the last thing that happened."""


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

    @property
    def hit_share(self) -> float | None:
        """0-1; `None` while nobody has asked for anything."""
        asked = self.live + self.memory + self.store + self.broker
        return None if not asked else 1 - self.broker / asked


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
    own: Spread = Spread()
    """From the decision to the request's leaving."""
    network: Spread = Spread()
    """On the way there and back, without the broker's own time."""
    broker: Spread = Spread()
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
