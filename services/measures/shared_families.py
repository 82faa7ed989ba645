"""The measures of a desk of several processes, as Prometheus reads them: as each process sees the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric

from services.measures.families import counter, gauge
from services.measures.shared_now import FanOutNow, SharingNow


def shared_families(shared: SharingNow) -> Iterator[Metric]:
    """Redis, PostgreSQL, the lease, the processes, and the streams between them."""
    redis, ledger = shared.redis, shared.postgres
    if redis is not None:
        yield gauge("desk_redis_up", "1 while Redis answers.", [((), redis.up)])
        yield gauge(
            "desk_redis_seconds", "Of a question with its answer, smoothed.", [((), _seconds(redis.round_trip_ms))]
        )
        yield gauge("desk_lease_held", "1 at the process that holds the feed.", [((), shared.leads)])
        yield gauge("desk_lease_known", "1 while some process holds the feed.", [((), shared.holder is not None)])
        yield gauge("desk_lease_token", "The holder's fencing token: grows with each change.", [((), shared.token)])
        yield gauge("desk_processes", "Processes that tell of themselves.", [((), shared.alive)])
        yield gauge(
            "desk_processes_silent",
            "Processes that have told nothing for five seconds.",
            [((), len(shared.members) - shared.alive)],
        )
        yield gauge("desk_processes_expected", "DESK_PROCESSES.", [((), shared.expected)])
    if ledger is not None:
        yield gauge("desk_postgres_up", "1 unless the last transaction failed.", [((), not ledger.problem)])
        yield gauge(
            "desk_postgres_seconds", "The quickest of the last answers.", [((), _seconds(ledger.round_trip_ms))]
        )
        yield gauge("desk_postgres_connections", "That stand now.", [((), ledger.open)])
        yield counter("desk_postgres_connections_made", "Since the start.", [((), ledger.made)])
        yield counter("desk_postgres_failures", "Transactions that it broke off.", [((), ledger.failures)])
    if shared.streams:
        yield from _streams(shared.streams)


def _streams(streams: tuple[FanOutNow, ...]) -> Iterator[Metric]:
    def values(figure: Callable[[FanOutNow], float | None]) -> list[tuple[tuple[str, ...], float | None]]:
        return [((one.stream,), figure(one)) for one in streams]

    yield gauge(
        "desk_fanout_lag_seconds",
        "From the holder's receipt until this process had it, of the last ten seconds.",
        [
            ((one.stream, share), _seconds(ms))
            for one in streams
            for share, ms in (("0.5", one.lag_p50_ms), ("0.99", one.lag_p99_ms))
        ],
        "stream",
        "quantile",
    )
    counts: tuple[tuple[str, str, Callable[[FanOutNow], float]], ...] = (
        ("sent", "Batches that this process sent as the holder.", lambda one: one.sent_batches),
        ("refused", "Of these, refused: the lease was another's.", lambda one: one.refused),
        ("dropped", "Frames that Redis did not take in time.", lambda one: one.dropped),
        ("batches", "Batches that came from the holder.", lambda one: one.batches),
        ("missed", "Batches that did not come.", lambda one: one.missed),
        ("stale", "Batches of a holder that was none any more: not taken.", lambda one: one.stale),
    )
    for name, words, figure in counts:
        yield counter(f"desk_fanout_{name}", words, values(figure), "stream")


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000
