"""The row of history between two snapshots. Pure."""

from __future__ import annotations

from services.domain.clock import epoch_ms
from services.domain.health_row import HealthRow
from services.measures.calls_now import RestNow, Spread
from services.measures.snapshot import FeedNow, Snapshot

RECEIVED, BOARD, PAINTED = "exchange to received", "received to board", "sent to painted"


def row_between(before: Snapshot, after: Snapshot, seconds: float) -> HealthRow:
    """What happened from `before` to `after`, which were taken `seconds` apart, and how things stood at its end."""
    took = _rest_time(before.rest, after.rest)
    feed, storage, process = after.feed, after.storage, after.process
    writer = None if storage is None else storage.writer
    was = None if before.storage is None else before.storage.writer
    return HealthRow(
        at_ms=epoch_ms(after.at),
        seconds=round(seconds, 3),
        requests=_grown(_attempts(before.rest), _attempts(after.rest)),
        failures=_grown(_failed(before.rest), _failed(after.rest)),
        rest_p50=took.quantile(0.5),
        rest_p95=took.quantile(0.95),
        updates=_grown(_updates(before.feed), _updates(feed)),
        tick_age=None if feed is None or not feed.expected else feed.silent_seconds or 0.0,
        received_p95=_hop(before.feed, feed, RECEIVED).quantile(0.95),
        board_p95=_hop(before.feed, feed, BOARD).quantile(0.95),
        painted_p95=_hop(before.feed, feed, PAINTED).quantile(0.95),
        resident=process.resident_bytes,
        cpu=round((process.cpu_seconds - before.process.cpu_seconds) / seconds, 4),
        threads=process.threads,
        files=process.open_files,
        clients=None if after.push is None else after.push.clients,
        waiting=None if writer is None else writer.waiting,
        dropped=_grown(None if was is None else was.dropped_in_all, None if writer is None else writer.dropped_in_all),
        wal=None if storage is None else next((one.wal_bytes for one in storage.pools), None),
        errors=None if after.errors is None else round(after.errors.per_minute, 2),
    )


def _rest_time(before: RestNow | None, after: RestNow | None) -> Spread:
    """The answering times of all calls in between."""
    if after is None:
        return Spread()
    old = {} if before is None else {(one.operation, one.version): one.took for one in before.operations}
    sums: dict[float, int] = {}
    for one in after.operations:
        for bound, count in between(old.get((one.operation, one.version)), one.took).buckets:
            sums[bound] = sums.get(bound, 0) + count
    return Spread(tuple(sorted(sums.items())))


def _hop(before: FeedNow | None, after: FeedNow | None, name: str) -> Spread:
    if after is None or name not in after.hops:
        return Spread()
    return between(None if before is None else before.hops.get(name), after.hops[name])


def between(before: Spread | None, after: Spread) -> Spread:
    """What came to a histogram since it was `before`."""
    if before is None or len(before.buckets) != len(after.buckets):
        return after
    return Spread(
        tuple(
            (bound, max(0, count - old)) for (bound, count), (_, old) in zip(after.buckets, before.buckets, strict=True)
        ),
        max(0.0, after.total_seconds - before.total_seconds),
    )


def _attempts(rest: RestNow | None) -> int | None:
    return None if rest is None else sum(one.attempts for one in rest.operations)


def _failed(rest: RestNow | None) -> int | None:
    return None if rest is None else sum(one.failed for one in rest.operations)


def _updates(feed: FeedNow | None) -> int | None:
    return None if feed is None else feed.updates


def _grown(before: int | None, after: int | None) -> int | None:
    """By how much a count grew; one that is smaller than before began anew."""
    if after is None or before is None:
        return None
    return after - before if after >= before else after
