"""What the parts of a runtime know of the other processes of its desk, as measures. Asks nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.measures.shared_now import FanOutNow, PostgresNow, RedisNow, SharingNow

if TYPE_CHECKING:
    from services.live_feed.sharing import SharedNow
    from services.runtime.orders import OrdersRuntime
    from services.shared.shared import Shared


def sharing_of(runtime: OrdersRuntime) -> SharingNow | None:
    """How the processes do together; `None` for a desk of one, with its ledger in a file."""
    ledger = runtime.ledger if runtime.built("ledger") else None
    server = None if ledger is None else ledger.stats().server
    postgres = None
    if ledger is not None and server is not None:
        postgres = PostgresNow(
            name=ledger.name,
            size=server.size,
            open=server.open,
            made=server.made,
            failures=server.failures,
            round_trip_ms=server.round_trip_ms,
            problem=server.problem,
            problem_seconds=server.problem_seconds,
        )
    shared = runtime.shared if runtime.built("shared") else None
    if shared is None:
        return None if postgres is None else SharingNow(postgres=postgres)
    sharing = runtime.feed_sharing if runtime.built("feed_sharing") else None
    streams = () if sharing is None else tuple(_fan_out(one) for one in sharing.now())
    return _told(shared, postgres, streams, runtime.settings.processes)


def ledger_away(runtime: OrdersRuntime) -> str:
    """Why no order can be written down now, in words; empty while the last transaction went well, or in a file."""
    server = runtime.ledger.stats().server if runtime.built("ledger") else None
    return "" if server is None else server.problem


def _told(shared: Shared, postgres: PostgresNow | None, streams: tuple[FanOutNow, ...], expected: int) -> SharingNow:
    state, holder = shared.link.state(), shared.lease.holder()
    seen = shared.processes.all()
    names = {one.id: one.name for one in seen}
    return SharingNow(
        redis=RedisNow(state.up, state.seconds, state.problem, state.round_trip_ms),
        postgres=postgres,
        leads=shared.lease.leads(),
        holder=None if holder is None else names.get(holder.process, holder.process),
        token=None if holder is None else holder.token,
        held_since=None if holder is None else holder.since,
        members=tuple(replace(one, leads=holder is not None and one.id == holder.process) for one in seen),
        streams=streams,
        expected=expected,
    )


def _fan_out(one: SharedNow) -> FanOutNow:
    return FanOutNow(
        stream=one.stream,
        role=str(one.role),
        sent_batches=one.sent.batches,
        sent_frames=one.sent.frames,
        refused=one.sent.refused,
        dropped=one.sent.dropped,
        batches=one.batches,
        frames=one.frames,
        missed=one.missed,
        stale=one.stale,
        lag_p50_ms=None if one.lag is None else one.lag.p50_ms,
        lag_p99_ms=None if one.lag is None else one.lag.p99_ms,
        last_batch_ago=one.last_batch_ago_seconds,
    )
