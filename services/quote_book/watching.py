"""Keeps fresh what somebody looks at: one refresher for the union of all who watch, in whichever process they are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

from services.domain.clock import Clock, epoch_ms
from services.domain.errors import BrokerFault, RedisAway, TransportError
from services.domain.leases import Leases
from services.domain.quote_batch import BadKeys, no_data
from services.domain.refresh_plan import plan_refresh
from services.domain.shared_quotes import SharedQuotes, Told
from services.storage.background import Recurring
from services.storage.memory_tier import MemoryTier
from services.storage.quote_fetcher import Fetched, QuoteFetcher
from services.storage.quote_store import QuoteMetric

LEASE_SECONDS = 15.0
SHORTEST_PERIOD = 1.0
"""Real seconds between two refreshes: a clock that runs 60 times as fast must not make 60 times the requests."""
SECONDS_A_CALL = 1.2
"""The broker allows 2,000 calls of a kind in half an hour, 1.1 a second; what is left over is for readers."""
LONGEST_PAUSE = 30.0
"""Between refreshes while the broker fails."""
PATIENCE = 1.5
"""What another process refreshes may be so many TTLs old before it is asked for here."""
FOLLOW_SECONDS = 0.25
"""Between looks at what another process refreshes."""
LOOK_AT_FEED_SECONDS = 1.0
"""While the live feed tells all that is watched, look so often whether it still does."""


class Watching:
    """Who looks at what, and the thread `quote-refresher`, alive while somebody does.

    `lock` is the quote book's; it guards `memory`, `bad` and the leases, and is never held while asking. `served` gives
    those of some keys that the live feed keeps current.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        lock: AbstractContextManager[object],
        memory: MemoryTier,
        bad: BadKeys,
        fetcher: QuoteFetcher,
        served: Callable[[Collection[str]], Collection[str]],
        shared: SharedQuotes | None,
        note: Callable[[Fetched, QuoteMetric], None],
        back_in_reach: Callable[[], None],
        ttl: float,
        max_keys: int,
        in_background: bool,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._lock = lock
        self._memory = memory
        self._bad = bad
        self._fetcher = fetcher
        self._served = served
        self._shared = shared
        self._note = note
        self._back_in_reach = back_in_reach
        self._ttl = ttl
        self._max_keys = max_keys
        self._leases = Leases()
        self._failed_refreshes = 0
        self._out_of_reach = False
        self._next_refresh = 0.0
        self._closed = False
        self._refresher = Recurring(self.step, name="quote-refresher") if in_background else None

    def hold(self, holder: str, keys: list[str], seconds: float) -> None:
        """`holder` looks at exactly `keys` for the next `seconds`."""
        with self._lock:
            self._leases.hold(holder, keys, until=self._monotonic() + seconds)
        if keys:
            self.ensure()

    def ensure(self) -> None:
        """There may be something to refresh."""
        if self._refresher is not None:
            self._refresher.ensure()

    def close(self) -> None:
        """Nobody watches any more; end the thread."""
        with self._lock:
            self._closed = True
            self._leases.clear()
        if self._refresher is not None:
            self._refresher.close()

    def step(self) -> float | None:
        """Fetch what is watched and about to expire. Returns the seconds until the next look, `None` if nobody
        watches."""
        clock_now, now = self._clock.now(), self._monotonic()
        elsewhere = [] if self._shared is None else self._shared.watched_elsewhere()
        with self._lock:
            bad = self._bad.of(clock_now.timestamp())
            watched = [key for key in self._leases.union(now) if key not in bad]
            for_all = [key for key in elsewhere if key not in bad]
        live = self._served(watched)
        own = [key for key in watched if key not in live]
        if self._shared is not None:
            self._shared.watch(own)
        silent = list(dict.fromkeys([*own, *for_all]))
        if not (watched or for_all) or self._closed:
            return None
        if now < self._next_refresh:
            return min(0.5, self._next_refresh - now)
        if not silent:
            return LOOK_AT_FEED_SECONDS
        with self._lock:
            ages = self._memory.ages(self._fetcher.on_the_ground(silent), clock_now.timestamp())
        plan = plan_refresh(ages, ttl=self._ttl, fetch_seconds=self._fetcher.last_seconds, chunk=self._max_keys)
        if plan.keys and self._shared is not None and self._shared.refreshed_elsewhere():
            return self._follow(self._shared, plan.keys, began=now)
        if plan.keys:
            self._refresh(plan.keys, began=now)
        return plan.wait

    def _follow(self, shared: SharedQuotes, keys: Collection[str], *, began: float) -> float:
        """Take what the process that refreshes for all was told; ask here for what it leaves to expire."""
        try:
            told = shared.fresh(keys)
        except RedisAway:
            told = Told()
        stamp = self._clock.now().timestamp()
        with self._lock:
            self._memory.put_told(told.rows, stamp)
            self._memory.put_silent(no_data(told.silent), stamp)
            ages = self._memory.ages(self._fetcher.on_the_ground(keys), stamp)
        if late := [key for key, age in ages.items() if age > self._ttl * PATIENCE or age < 0]:
            self._refresh(late, began=began)
        return FOLLOW_SECONDS

    def _refresh(self, keys: Collection[str], *, began: float) -> None:
        fetched = self._fetcher.ask(keys, use_cache=False)
        self._note(fetched, QuoteMetric(epoch_ms(self._clock.now()), 0, 0, 0, 0, 0))
        if fetched.rows or fetched.failure is None:
            if self._out_of_reach:
                self._out_of_reach = False
                self._back_in_reach()
            calls = sum(flight.calls for flight in fetched.own)
            self._failed_refreshes, pause = 0, max(SHORTEST_PERIOD, SECONDS_A_CALL * calls)
        else:  # readers get the error at once; only this thread holds back
            self._failed_refreshes += 1
            self._out_of_reach = isinstance(fetched.failure, TransportError | BrokerFault)
            pause = min(LONGEST_PAUSE, 2.0 ** min(self._failed_refreshes, 10))
        self._next_refresh = began + pause
