"""What the parts have counted, as parts of a snapshot. Nothing here asks the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from services.feed.health import StreamHealth
from services.feed.latency import Latency
from services.ledger.engine import Ledger
from services.measures.calls_now import BudgetNow, OperationNow, RestNow, Spread, WindowNow
from services.measures.snapshot import FeedNow
from services.measures.storage_now import PoolNow, StorageNow, WriterNow
from services.storage.pool import Pool
from services.storage.tick_writer import TickWriterStats
from services.transport.order_times import BOUNDS_SECONDS as ORDER_BOUNDS
from services.transport.order_times import OrderPart, OrderTimes
from services.transport.route_report import BOUNDS_SECONDS, RouteReports
from services.wire.rate_windows import Gate

EVERY_BOUND = 3
"""Of the bounds of a hop's histogram every third is told on: each twice the one before."""


def rest_now(reports: RouteReports, gate: Gate) -> RestNow:
    """Calls to the broker, and what is left of its limits."""
    reach = reports.reach()
    return RestNow(
        operations=tuple(
            OperationNow(
                operation=one.operation,
                version=one.version,
                answers=one.answers,
                took=spread(BOUNDS_SECONDS, one.buckets, one.seconds),
                retries=one.retries,
                fallbacks=one.fallbacks,
            )
            for one in reports.versions()
        ),
        budgets=tuple(
            BudgetNow(
                name,
                tuple(WindowNow(one.limit.seconds, one.limit.calls, one.used, one.frees_in) for one in windows),
                closed,
            )
            for name, (windows, closed) in gate.budgets().items()
        ),
        last_answer_ago=reach.answered_ago,
        last_success_ago=reach.succeeded_ago,
        failing_since=reach.failing_for,
        last_failure=reach.failure,
    )


def spread(bounds: Iterable[float], counts: Iterable[int], total: float) -> Spread:
    """A histogram of `counts` by `bounds`, with one more count for what lies beyond the last of them."""
    return Spread(tuple(zip((*bounds, float("inf")), counts, strict=True)), total)


def order_spreads(times: OrderTimes) -> Mapping[OrderPart, Spread]:
    """How long writes took, part by part."""
    return {part: spread(ORDER_BOUNDS, buckets, seconds) for part, (buckets, seconds) in times.all().items()}


def feed_now(
    name: str,
    health: StreamHealth,
    *,
    expected: bool = False,
    silent_seconds: float | None = None,
    latency: Latency | None = None,
) -> FeedNow:
    """A stream of the broker."""
    return FeedNow(
        name=name,
        state=health.state.value,
        reason=health.reason,
        connected=health.connected,
        uptime_seconds=health.uptime_seconds,
        messages=health.messages_received,
        updates=health.updates_received,
        updates_per_second=health.updates_per_second,
        last_message_ago=health.last_message_ago_seconds,
        last_update_ago=health.last_update_ago_seconds,
        reconnects=health.reconnect_count,
        ends={kind.value: count for kind, count in health.ends_by_kind.items()},
        bad_frames=health.bad_frames,
        unknown_rows=health.unknown,
        subscribed=health.subscribed_count,
        sent=health.sent_count,
        silent_keys=len(health.silent),
        expected=expected,
        silent_seconds=silent_seconds,
        hops={} if latency is None else hops(latency),
    )


def hops(latency: Latency) -> dict[str, Spread]:
    """The histograms of a price's way, in seconds. The sum is an estimate: a price counts with its bucket's bound."""
    found = {}
    for step, histogram in latency.steps():
        buckets = histogram.buckets()
        merged: list[tuple[float, int]] = []
        waiting = 0
        for place, (bound, count) in enumerate(buckets):
            waiting += count
            if place % EVERY_BOUND == 0 or place + 1 == len(buckets):
                merged.append((bound / 1000, waiting))
                waiting = 0
        total = sum(bound / 1000 * count for bound, count in buckets if bound != float("inf"))
        found[step.value] = Spread(tuple(merged), total)
    return found


def storage_now(
    *,
    folder: Path,
    pools: Iterable[Pool],
    ledger: Ledger | None,
    writer: TickWriterStats | None,
    dropped_ago: float | None,
    faults: Mapping[str, str],
    lost_errors: int,
) -> StorageNow:
    """Files and disk."""
    free, total = _disk(folder)
    found = [pool_now(pool) for pool in pools]
    if ledger is not None:
        found.append(ledger_pool(ledger))
    return StorageNow(
        pools=tuple(found),
        writer=None if writer is None else writer_now(writer, dropped_ago),
        folder=str(folder),
        free_bytes=free,
        total_bytes=total,
        read_only=is_read_only(folder),
        faults=dict(faults),
        lost_errors=lost_errors,
    )


def pool_now(pool: Pool) -> PoolNow:
    stats = pool.stats()
    return PoolNow(
        name=pool.path.name,
        size=stats.size,
        in_use=stats.in_use,
        waiting=stats.waiting,
        checkouts=stats.checkouts,
        waits=stats.waited,
        exhausted=stats.exhausted,
        longest_wait=stats.longest_wait_seconds,
        held_up=stats.held_up,
        file_bytes=size_of(pool.path),
        wal_bytes=size_of(Path(f"{pool.path}-wal")),
    )


def ledger_pool(ledger: Ledger) -> PoolNow:
    """A ledger in a file has no pool: each transaction opens the file, and one at a time writes."""
    stats = ledger.stats()
    path = ledger.path if stats.server is None else None
    return PoolNow(
        name=ledger.name,
        size=1 if stats.server is None else stats.server.size,
        in_use=stats.inside,
        waiting=stats.waiting,
        checkouts=stats.writes,
        waits=stats.waited,
        exhausted=stats.exhausted,
        longest_wait=stats.longest_wait_seconds,
        held_up=stats.held_up,
        file_bytes=None if path is None else size_of(path),
        wal_bytes=None if path is None else size_of(Path(f"{path}-wal")),
    )


def writer_now(stats: TickWriterStats, dropped_ago: float | None) -> WriterNow:
    return WriterNow(
        waiting=stats.waiting,
        most_waiting=stats.most_waiting,
        oldest_seconds=stats.oldest_seconds,
        written=stats.written,
        flushes=stats.flushes,
        failures=stats.failures,
        failing_seconds=stats.failing_seconds,
        last_flush=stats.last_flush_seconds,
        longest_flush=stats.longest_flush_seconds,
        flush_seconds=stats.flush_seconds,
        dropped=dict(stats.dropped),
        dropped_ago=dropped_ago,
        trouble=stats.trouble,
    )


def size_of(path: Path) -> int | None:
    """Bytes; `None`: there is no such file."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def is_read_only(folder: Path) -> bool | None:
    """Does its file system take no writes? `None`: the operating system does not tell, or not now."""
    if not hasattr(os, "statvfs"):
        return None
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return None


def _disk(folder: Path) -> tuple[int | None, int | None]:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None, None
    return usage.free, usage.total
