"""Where the measures of a runtime come from: every part that is built, asked for what it has counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.domain.calendar.calendar import market_of
from services.domain.phases import TRADING, PhaseNow
from services.ledger.upgrade import HEAD
from services.measures.calls_now import RestNow
from services.measures.gathering import feed_now, order_spreads, rest_now, storage_now
from services.measures.measures import Sources
from services.measures.snapshot import CacheNow, ErrorsNow, FeedNow, LedgerNow, MarketNow, OrdersNow, TokenNow
from services.measures.storage_now import StorageNow
from services.measures.watching import Growth, Silence
from services.runtime.team import ledger_away, sharing_of
from services.transport.order_times import OrderPart

if TYPE_CHECKING:
    from services.runtime.orders import OrdersRuntime

ERROR_MINUTES = 5.0
"""The guide's window."""
LEDGER_SECONDS = 5.0
"""Each read of the ledger opens its file: no more often than this."""
FILE_SECONDS = 0.5
"""So long a look waits for its turn at a file."""


def sources_of(runtime: OrdersRuntime) -> Sources:
    """The sources of `runtime`'s measures. Parts that nobody has used yet are not built for them."""
    parts = _Parts(runtime)
    return Sources(
        rest=parts.rest,
        feed=parts.feed,
        portfolio_feed=parts.portfolio_feed,
        cache=parts.cache,
        storage=parts.storage,
        ledger=parts.ledger,
        orders=parts.orders,
        errors=parts.errors,
        token=parts.token,
        market=parts.market,
        clock_offset=lambda: runtime.feed.clock_offset if runtime.built("feed") else None,
        shared=lambda: sharing_of(runtime),
    )


class _Parts:
    """One method for each source, and what two looks have to be compared for."""

    def __init__(self, runtime: OrdersRuntime) -> None:
        self._runtime = runtime
        self._silence = Silence()
        self._drops = Growth()
        self._ledger: tuple[float, LedgerNow] | None = None  # swapped whole

    def rest(self) -> RestNow | None:
        runtime = self._runtime
        return rest_now(runtime.api.caller.reports, runtime.gate) if runtime.built("api") else None

    def feed(self) -> FeedNow | None:
        runtime = self._runtime
        if not runtime.built("feed"):
            return None
        health = runtime.feed.health()
        segments = runtime.feed.segments()
        expected = runtime.prices_expected_in(segments)
        silent = self._silence.seconds(time.monotonic(), expected=expected, last_ago=health.last_update_ago_seconds)
        return feed_now("market", health, expected=expected, silent_seconds=silent, latency=runtime.feed.latency)

    def portfolio_feed(self) -> FeedNow | None:
        runtime = self._runtime
        return feed_now("portfolio", runtime.portfolio_feed.health()) if runtime.built("portfolio_feed") else None

    def cache(self) -> CacheNow | None:
        books = self._runtime.books()
        counts = [book.counts() for book in books]
        if not counts:
            return None
        return CacheNow(
            live=sum(one.live for one in counts),
            memory=sum(one.memory for one in counts),
            store=sum(one.store for one in counts),
            broker=sum(one.broker for one in counts),
            shared=sum(one.shared for one in counts),
            unwritten=sum(one.unwritten for one in counts),
        )

    def storage(self, faults: Mapping[str, str]) -> StorageNow:
        runtime = self._runtime
        writer = runtime.tick_writer_stats()
        dropped_ago = None
        if writer is not None:
            dropped_ago = self._drops.ago(time.monotonic(), writer.dropped_in_all)
        return storage_now(
            folder=runtime.folder,
            pools=runtime.pools(),
            ledger=runtime.ledger if runtime.built("ledger") else None,
            writer=writer,
            dropped_ago=dropped_ago,
            faults=faults,
            lost_errors=runtime.errors.dropped if runtime.built("errors") else 0,
        )

    def ledger(self) -> LedgerNow | None:
        runtime = self._runtime
        if not runtime.built("ledger"):
            return None
        now, kept = time.monotonic(), self._ledger
        if kept is not None and now - kept[0] < LEDGER_SECONDS:
            return kept[1]
        self._ledger = None  # should it fail now, the next look asks again
        found = LedgerNow(version=HEAD, open_alerts=len(runtime.alerts.all(open_only=True)))
        self._ledger = (now, found)
        return found

    def orders(self) -> OrdersNow | None:
        runtime = self._runtime
        if not runtime.built("orders"):
            return None
        not_ready = runtime.orders.ready() or ledger_away(
            runtime
        )  # until the first pass is done what is unknown is not known either
        unknown = None if not_ready else runtime.orders.open_intents()
        spreads = order_spreads(runtime.api.caller.order_times)
        oldest = None
        if unknown:
            age = (runtime.clock.now() - min(one.since for one in unknown)).total_seconds()
            oldest = max(0.0, age / runtime.speed)
        return OrdersNow(
            ready=not_ready,
            unknown=None if unknown is None else len(unknown),
            oldest_unknown_seconds=oldest,
            own=spreads[OrderPart.OWN],
            network=spreads[OrderPart.NETWORK],
            broker=spreads[OrderPart.BROKER],
        )

    def errors(self) -> ErrorsNow:
        breakdown = self._runtime.errors.breakdown(ERROR_MINUTES, timeout=FILE_SECONDS)
        return ErrorsNow(sum(breakdown.values()) / ERROR_MINUTES, ERROR_MINUTES, breakdown)

    def token(self) -> TokenNow | None:
        runtime = self._runtime
        if not runtime.built("login"):
            return None
        state = runtime.login.state()
        return TokenNow(
            kind=None if state.kind is None else state.kind.name.lower(),
            expires=state.expires,
            seconds_left=state.seconds_left / runtime.speed,
            problem=state.problem,
        )

    def market(self) -> MarketNow:
        calendar = self._runtime.calendar
        phase, state = calendar.phase(market_of("NSE_EQ")), calendar.state()
        return MarketNow(
            phase=_phase_in_words(phase),
            in_session=state.practice or phase.phase in TRADING,
            until=phase.until,
            then="" if phase.then is None else phase.then.value,
            reason=phase.reason,
            contradictions=len(state.contradictions),
            stale_sources={one.name: one.error for one in state.sources if one.error is not None},
            practice=state.practice,
        )


def _phase_in_words(phase: PhaseNow) -> str:
    told = f"Shares: {phase.phase.value}"
    return f"{told} ({phase.reason})" if phase.reason and phase.reason != phase.phase.value else told
