"""The measures as Prometheus reads them. Names by its conventions; every label takes a few words, which the desk's own
code or the broker's published routes name, never a key, a path or a message.

What is not known is left out of an answer: an absent series can be told from a zero, and alerted on.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from services.feed.health import StreamState
from services.measures.calls_now import RestNow
from services.measures.checks import Check, CheckState
from services.measures.families import counter, gauge, histogram, info
from services.measures.shared_families import shared_families
from services.measures.snapshot import FeedNow, Snapshot
from services.measures.storage_now import PoolNow, StorageNow

STATES = {CheckState.PASS: 0, CheckState.WARN: 1, CheckState.FAIL: 2}
"""What is not known has no sample."""

_Kind: TypeAlias = str
_FAMILIES: dict[_Kind, Callable[..., Metric]] = {"gauge": gauge, "counter": counter}


class Exposition:
    """What `/metrics` answers."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], checks: Callable[[], Iterable[Check]], *, mode: str, version: str
    ) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_DeskCollector(snapshot, checks, {"mode": mode, "version": version}))
        ProcessCollector(registry=self._registry)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """The answer and its content type, in the form that `accept` asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _DeskCollector(Collector):
    def __init__(
        self, snapshot: Callable[[], Snapshot], checks: Callable[[], Iterable[Check]], about: Mapping[str, str]
    ) -> None:
        self._snapshot = snapshot
        self._checks = checks
        self._about = about

    def collect(self) -> Iterator[Metric]:
        now = self._snapshot()
        yield info("desk_build", "What runs.", {**self._about, "python": platform.python_version()})
        yield info("desk_protobuf", "What decodes the feed.", {"implementation": now.process.protobuf})
        yield gauge(
            "desk_check_state",
            "The checks of the health page: 0 pass, 1 warn, 2 fail; none while it is not known.",
            [((check.name,), STATES[check.state]) for check in self._checks() if check.state in STATES],
            "check",
        )
        yield gauge(
            "desk_measure_unreadable",
            "1 for every part whose measures could not be read.",
            [((part,), 1) for part in now.problems],
            "part",
        )
        if now.rest is not None:
            yield from _rest(now.rest)
        feeds = [feed for feed in (now.feed, now.portfolio_feed) if feed is not None]
        if feeds:
            yield from _feeds(feeds)
        if now.storage is not None:
            yield from _storage(now.storage)
        yield from _desk(now)
        if now.shared is not None:
            yield from shared_families(now.shared)


def _rest(rest: RestNow) -> Iterator[Metric]:
    both = ("operation", "version")
    requests = CounterMetricFamily(
        "desk_rest_requests", "Attempts to call the broker, by what came of them.", labels=(*both, "outcome")
    )
    for one in rest.operations:
        for outcome, count in one.answers.items():
            requests.add_metric((one.operation, one.version, outcome), count)
    yield requests
    yield histogram(
        "desk_rest_seconds",
        "How long the broker took to answer.",
        [((one.operation, one.version), one.took) for one in rest.operations],
        *both,
    )
    yield counter(
        "desk_rest_retries",
        "Attempts that were repeated on the same route.",
        [((one.operation, one.version), one.retries) for one in rest.operations],
        *both,
    )
    yield counter(
        "desk_rest_fallbacks",
        "Calls that went on to another version of the API.",
        [((one.operation, one.version), one.fallbacks) for one in rest.operations],
        *both,
    )
    windows = [(one.name, f"{window.seconds:g}s", window) for one in rest.budgets for window in one.windows]
    yield gauge(
        "desk_rest_budget_left",
        "Calls that the broker's limit leaves now.",
        [((name, length), window.left) for name, length, window in windows],
        "budget",
        "window",
    )
    yield gauge(
        "desk_rest_budget_limit",
        "Calls that the broker allows in the window.",
        [((name, length), window.limit) for name, length, window in windows],
        "budget",
        "window",
    )
    yield gauge(
        "desk_rest_budget_closed_seconds",
        "For how long a 429 keeps the budget closed.",
        [((one.name,), one.closed_for) for one in rest.budgets],
        "budget",
    )
    yield gauge(
        "desk_rest_failing_seconds",
        "Since the first of the failures that no success has followed; 0 while calls succeed.",
        [((), rest.failing_since or 0.0)],
    )
    yield gauge("desk_rest_last_success_seconds", "Since a call succeeded last.", [((), rest.last_success_ago)])


def _feeds(feeds: list[FeedNow]) -> Iterator[Metric]:
    def by_stream(name: str, help: str, figure: Callable[[FeedNow], float | None], kind: _Kind = "gauge") -> Metric:
        return _FAMILIES[kind](name, help, [((feed.name,), figure(feed)) for feed in feeds], "stream")

    yield gauge(
        "desk_feed_state",
        "1 for the state that the stream is in, 0 for all others.",
        [
            ((feed.name, state.value.replace(" ", "_")), feed.state == state.value)
            for feed in feeds
            for state in StreamState
        ],
        "stream",
        "state",
    )
    yield by_stream("desk_feed_connected", "1 while connected.", lambda feed: feed.connected)
    yield by_stream("desk_feed_uptime_seconds", "Of the connection that is open.", lambda feed: feed.uptime_seconds)
    yield by_stream("desk_feed_messages", "Frames that came.", lambda feed: feed.messages, "counter")
    yield by_stream("desk_feed_updates", "Prices or updates in them.", lambda feed: feed.updates, "counter")
    yield by_stream("desk_feed_update_age_seconds", "Since the last of them.", lambda feed: feed.last_update_ago)
    yield by_stream("desk_feed_updates_per_second", "Over ten seconds.", lambda feed: feed.updates_per_second)
    yield by_stream("desk_feed_expected", "1 while prices should move.", lambda feed: feed.expected)
    yield by_stream(
        "desk_feed_silent_seconds",
        "For how long prices have been missing that should have come; 0 while they come or none is expected.",
        lambda feed: feed.silent_seconds or 0.0,
    )
    yield by_stream(
        "desk_feed_decode_errors", "Frames that could not be read.", lambda feed: feed.bad_frames, "counter"
    )
    yield by_stream(
        "desk_feed_unknown_rows",
        "Rows of a kind that the desk does not know.",
        lambda feed: feed.unknown_rows,
        "counter",
    )
    yield by_stream("desk_feed_reconnects", "Connections after the first.", lambda feed: feed.reconnects, "counter")
    yield by_stream("desk_feed_subscribed", "Instruments that are wanted.", lambda feed: feed.subscribed)
    yield by_stream("desk_feed_silent_instruments", "Of these: never came.", lambda feed: feed.silent_keys)
    yield counter(
        "desk_feed_ends",
        "Connections and attempts that ended, by reason.",
        [((feed.name, reason), count) for feed in feeds for reason, count in feed.ends.items()],
        "stream",
        "reason",
    )
    yield histogram(
        "desk_feed_hop_seconds",
        "How long a price takes on each stretch of its way. The sum is an estimate from the buckets.",
        [((hop.replace(" ", "_"),), spread) for feed in feeds for hop, spread in feed.hops.items()],
        "hop",
    )


def _storage(storage: StorageNow) -> Iterator[Metric]:
    def by_file(name: str, help: str, figure: Callable[[PoolNow], float | None], kind: _Kind = "gauge") -> Metric:
        return _FAMILIES[kind](name, help, [((pool.name,), figure(pool)) for pool in storage.pools], "file")

    yield by_file("desk_pool_size", "Connections that there may be.", lambda pool: pool.size)
    yield by_file("desk_pool_in_use", "Connections that are lent now.", lambda pool: pool.in_use)
    yield by_file(
        "desk_pool_waiting", "Threads that wait for one, or for their turn to write.", lambda pool: pool.waiting
    )
    yield by_file("desk_pool_checkouts", "Loans.", lambda pool: pool.checkouts, "counter")
    yield by_file("desk_pool_waits", "Waits.", lambda pool: pool.waits, "counter")
    yield by_file("desk_pool_exhausted", "Waits that ended without a turn.", lambda pool: pool.exhausted, "counter")
    yield by_file("desk_pool_longest_wait_seconds", "Since the start.", lambda pool: pool.longest_wait)
    yield by_file(
        "desk_pool_held_up", "Transactions that waited for another process.", lambda pool: pool.held_up, "counter"
    )
    yield by_file("desk_file_bytes", "Of the database file.", lambda pool: pool.file_bytes)
    yield by_file("desk_wal_bytes", "Of its write-ahead log.", lambda pool: pool.wal_bytes)
    yield gauge("desk_disk_free_bytes", "Of the disk with the data folder.", [((), storage.free_bytes)])
    yield gauge("desk_disk_total_bytes", "Of the disk with the data folder.", [((), storage.total_bytes)])
    yield gauge("desk_disk_read_only", "1 where the data folder takes no writes.", [((), storage.read_only)])
    yield gauge("desk_storage_faults", "Files that cannot be used.", [((), len(storage.faults))])
    yield counter("desk_errors_lost", "Errors that could not be kept.", [((), storage.lost_errors)])
    writer = storage.writer
    if writer is None:
        return
    yield gauge("desk_writer_waiting", "Ticks that wait for the disk.", [((), writer.waiting)])
    yield gauge("desk_writer_room", "Ticks for which there is room.", [((), writer.most_waiting)])
    yield gauge(
        "desk_writer_behind_seconds",
        "How long the oldest of them has waited; 0 for none.",
        [((), writer.oldest_seconds or 0.0)],
    )
    yield counter("desk_writer_written", "Ticks that were stored.", [((), writer.written)])
    yield counter(
        "desk_writer_dropped",
        "Ticks that were dropped, by reason.",
        [((reason.replace(" ", "_"),), count) for reason, count in writer.dropped.items()],
        "reason",
    )
    yield counter("desk_writer_failures", "Attempts that the disk refused.", [((), writer.failures)])
    flushes = SummaryMetricFamily("desk_writer_flush_seconds", "How long it took to store what waited.")
    flushes.add_metric((), writer.flushes, writer.flush_seconds)
    yield flushes


def _desk(now: Snapshot) -> Iterator[Metric]:
    if now.push is not None:
        yield gauge("desk_push_clients", "Browsers that listen.", [((), now.push.clients)])
        yield counter("desk_push_dropped", "Browsers that were too slow.", [((), now.push.dropped)])
        yield counter("desk_push_messages", "Messages to them.", [((), now.push.messages)])
    if now.cache is not None:
        cache = now.cache
        tiers = {"feed": cache.live, "memory": cache.memory, "shared": cache.shared, "store": cache.store}
        yield counter(
            "desk_cache_hits", "Quotes found, by tier.", [((tier,), count) for tier, count in tiers.items()], "tier"
        )
        yield counter("desk_cache_misses", "Quotes for which the broker was asked.", [((), cache.broker)])
        yield counter("desk_cache_unwritten", "Reads that could not be written down.", [((), cache.unwritten)])
    if now.orders is not None:
        parts = {"own": now.orders.own, "network": now.orders.network, "broker": now.orders.broker}
        yield histogram(
            "desk_order_seconds",
            "How long orders take: the desk's own time, the network, the broker's own latency.",
            [((part,), spread) for part, spread in parts.items()],
            "part",
        )
        yield gauge(
            "desk_orders_unknown", "Orders of which nobody knows what became of them.", [((), now.orders.unknown)]
        )
        yield gauge("desk_orders_ready", "1 while orders can be sent.", [((), not now.orders.ready)])
    if now.ledger is not None:
        yield gauge("desk_alerts_open", "Alerts that are not resolved.", [((), now.ledger.open_alerts)])
    if now.errors is not None:
        yield gauge("desk_errors_per_minute", "Failed requests, over five minutes.", [((), now.errors.per_minute)])
    if now.token is not None:
        yield gauge(
            "desk_token_valid",
            "1 while there is a token, by kind.",
            [((kind,), now.token.kind == kind) for kind in ("access", "read_only")],
            "kind",
        )
        yield gauge("desk_token_seconds_left", "Until it ends; 0 without one.", [((), now.token.seconds_left)])
    if now.market is not None:
        yield gauge("desk_market_in_session", "1 while prices of shares may move.", [((), now.market.in_session)])
        yield gauge(
            "desk_calendar_contradictions",
            "Where the broker contradicts the calendar.",
            [((), now.market.contradictions)],
        )
    if now.clock is not None:
        yield gauge(
            "desk_clock_offset_seconds",
            "This computer's clock ahead of the broker's.",
            [((), now.clock.offset_seconds)],
        )
        yield counter("desk_clock_jumps", "Jumps of the desk's clock.", [((), now.clock.jumps)])
    yield gauge("desk_threads", "Threads of this process.", [((), now.process.threads)])
    yield gauge("desk_uptime_seconds", "Of this process.", [((), now.process.uptime_seconds)])
