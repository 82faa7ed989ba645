"""Quotes for everybody in this process: asked once, shared by all, fresh for five seconds.

A read goes memory -> what other processes were told, where there are any -> SQLite (only for what this process has
never seen, so in effect after a restart) -> the broker, in chunks, several at once, each key on at most one request at
a time. What screens watch is refreshed a little before it would expire, for the union of all watchers, so that they
find it in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Protocol

from services.domain.clock import Clock, epoch_ms
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.instruments import is_instrument_key, require_instrument_key
from services.domain.quote_batch import BadKeys, BatchResult, BookStats, ReadCounts, no_data
from services.domain.quote_row import QuoteRow
from services.domain.quotes import PriceSource
from services.domain.shared_quotes import SharedQuotes, Told
from services.quote_book.colder import ColderTiers
from services.quote_book.watching import LEASE_SECONDS, Watching
from services.storage.memory_tier import MemoryTier
from services.storage.quote_fetcher import Fetch, Fetched, QuoteFetcher
from services.storage.quote_store import QuoteMetric, QuoteStore
from services.storage.quote_writer import HitTally, QuoteWriter
from services.wire.chunks import MAX_KEYS, MAX_QUERY_CHARS

TTL_SECONDS = 5.0
FETCHERS = 4
HOUR_MS = 3_600_000


class Live(Protocol):
    """The live feed's side of quotes. Nothing here waits."""

    def current(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        """Rows of those keys that the feed keeps current now: no request can tell anything newer."""

    def keeps(self, underlying: Mapping[str, QuoteRow]) -> Collection[str]:
        """The keys of `current`, without the cost of rows."""

    def over(self, underlying: Mapping[str, QuoteRow]) -> dict[str, QuoteRow]:
        """All of `underlying`, each with what the feed has told since, if anything."""

    def want(self, keys: Collection[str], seconds: float) -> None:
        """Somebody looks at `keys` for so long."""


class QuoteBook:
    """The quotes of one market file. Safe to share between threads; make one per process and file, and close it.

    `fetch` asks the broker for at most `max_keys` keys. Ages go by `clock`; leases and latencies by `monotonic`.
    Threads: up to `fetchers` named `quote-fetch-*` (requests), `quote-writer` (SQLite), `quote-refresher` (only while
    somebody watches). One lock guards the memory tier, the flights, the leases and the tally; it is never held across
    the network or the disk.
    """

    def __init__(
        self,
        *,
        fetch: Fetch,
        store: QuoteStore,
        clock: Clock,
        source: Callable[[], PriceSource],
        live: Live | None = None,
        shared: SharedQuotes | None = None,
        back_in_reach: Callable[[], None] = lambda: None,
        ttl: float = TTL_SECONDS,
        fetchers: int = FETCHERS,
        max_keys: int = MAX_KEYS,
        max_chars: int = MAX_QUERY_CHARS,
        monotonic: Callable[[], float] = time.monotonic,
        refresh_in_background: bool = True,
    ) -> None:
        """`shared`: other processes that ask the same broker; one of them refreshes what is watched anywhere.
        `back_in_reach` is called when the refresher gets an answer again after nobody gave one."""
        self._store = store
        self._clock = clock
        self._live = live
        self._lock = Lock()
        self._memory = MemoryTier(ttl=ttl)
        self._bad = BadKeys()
        self._tally = HitTally()
        self._counts = ReadCounts()
        self._writer = QuoteWriter(store)
        self._colder = ColderTiers(store=store, clock=clock, lock=self._lock, memory=self._memory, shared=shared)
        self._fetcher = QuoteFetcher(
            fetch=fetch,
            clock=clock,
            source=source,
            monotonic=monotonic,
            lock=self._lock,
            memory=self._memory,
            bad=self._bad,
            arrived=self._writer.put,
            workers=fetchers,
            max_keys=max_keys,
            max_chars=max_chars,
            shared=shared,
        )
        self._watching = Watching(
            clock=clock,
            monotonic=monotonic,
            lock=self._lock,
            memory=self._memory,
            bad=self._bad,
            fetcher=self._fetcher,
            served=self._kept_live,
            shared=shared,
            note=self._note,
            back_in_reach=back_in_reach,
            ttl=ttl,
            max_keys=max_keys,
            in_background=refresh_in_background,
        )

    # -- reading -----------------------------------------------------------------------------------------------

    def get(self, keys: Iterable[str], *, use_cache: bool = True, use_v3: bool | None = None) -> BatchResult:
        """Quotes of `keys`, none older than the TTL, or of the live feed. Waits for the broker where memory has none.

        Never raises for a single key: what could not be had is in `problems` with its error. `use_cache=False` asks the
        broker even for what is fresh. `use_v3=False` asks its v2 call only (a cached row tells which one served it).
        """
        if isinstance(keys, str):
            raise InvalidRequest("a list of instrument keys is wanted, not a single text")
        asked = keys if isinstance(keys, list | tuple) else tuple(keys)
        now = self._clock.now()
        stamp = now.timestamp()
        live = self._live_rows(asked) if use_cache else {}
        with self._lock:
            found = self._memory.fresh(asked, stamp) if use_cache else {}
            if live:
                found = {key: live.get(key) or found[key] for key in asked if key in live or key in found}
            self._counts.live += len(live)
            if len(found) == len(asked):
                self._counts.memory += len(found) - len(live)
                metric = self._tally.add(len(found), int(stamp))
        if len(found) == len(asked):
            if metric is not None:
                self._writer.put(metric=metric)
            return BatchResult(found)
        return self._get_missing(dict.fromkeys(asked), found, now, live=len(live), use_cache=use_cache, use_v3=use_v3)

    def last_known(self, keys: Iterable[str], *, disk: bool = True) -> dict[str, QuoteRow]:
        """What was last heard of `keys`, of any age (each row tells when it was received). Makes no request; what this
        process has never seen is looked for in SQLite, unless the caller must not wait (`disk=False`)."""
        asked = list(dict.fromkeys(keys))
        with self._lock:
            rows = self._memory.any_age(asked)
        if disk and len(rows) < len(asked):
            self._colder.fill(key for key in asked if key not in rows)
            with self._lock:
                rows = self._memory.any_age(asked)
        return rows if self._live is None else self._live.over(rows)

    def _live_rows(self, keys: Collection[str]) -> dict[str, QuoteRow]:
        """Those of `keys` that need no request, for the feed keeps them current."""
        if self._live is None:
            return {}
        with self._lock:
            underlying = self._memory.any_age(keys)
        return self._live.current(underlying)

    def _kept_live(self, keys: Collection[str]) -> Collection[str]:
        """Those of `keys` that need no request, without their rows."""
        if self._live is None:
            return ()
        with self._lock:
            underlying = self._memory.any_age(keys)
        return self._live.keeps(underlying)

    # -- watching ----------------------------------------------------------------------------------------------

    def watch(self, holder: str, keys: Iterable[str], seconds: float = LEASE_SECONDS, *, on_feed: bool = True) -> None:
        """`holder` (a session, a page) looks at `keys` for the next `seconds`: keep them fresh. To be renewed by each
        run; what is not renewed falls away. No keys = it watches nothing. `on_feed=False`: it has the live feed tell
        them by itself."""
        wanted = [key for key in keys if is_instrument_key(key)]
        if self._live is not None and on_feed:
            self._live.want(wanted, seconds)
        self._watching.hold(holder, wanted, seconds)

    def look_for_others(self) -> None:
        """Other processes watch something, and this one refreshes for all."""
        self._watching.ensure()

    def refresh_watched(self) -> float | None:
        """One step of the refresher. Returns the seconds until the next look, `None` if nobody watches."""
        return self._watching.step()

    # -- what memory lacks -------------------------------------------------------------------------------------

    def _get_missing(
        self,
        asked: dict[str, None],
        found: dict[str, QuoteRow],
        now: datetime,
        *,
        live: int,
        use_cache: bool,
        use_v3: bool | None,
    ) -> BatchResult:
        """`get` for what memory did not answer whole."""
        problems: dict[str, UpstoxError] = {
            key: error for key in asked if key not in found and (error := _form_error(key)) is not None
        }
        with self._lock:
            if use_cache:
                problems.update((key, error) for key, error in self._bad.of(now.timestamp()).items() if key in asked)
            silent = self._memory.silent(asked.keys() - found.keys(), now.timestamp()) if use_cache else {}
        problems.update(silent)
        missing = [key for key in asked if key not in found and key not in problems]
        told = self._colder.told_elsewhere(missing, now) if use_cache and use_v3 is None else Told()
        if told:
            problems.update(no_data(told.silent))
            missing = [key for key in missing if key not in told.rows and key not in told.silent]
        stored = self._colder.stored(missing, now) if use_cache else {}
        missing = [key for key in missing if key not in stored]
        fetched = self._fetcher.ask(missing, use_cache=use_cache, use_v3=use_v3)
        memory_hits, db_hits, misses = len(found) + len(silent), len(told) + len(stored), len(missing)
        read = memory_hits + db_hits + misses
        with self._lock:
            self._counts.memory += memory_hits - live
            self._counts.shared += len(told)
            self._counts.store += len(stored)
            self._counts.broker += misses
        self._note(fetched, QuoteMetric(epoch_ms(now), read, memory_hits, db_hits, misses, api_calls=0))
        rows = {**found, **told.rows, **stored, **fetched.rows}
        problems.update(fetched.problems)
        if not problems:
            return BatchResult({key: rows[key] for key in asked})
        return BatchResult(
            {key: rows[key] for key in asked if key in rows},
            {key: problems[key] for key in asked if key not in rows},
        )

    def _note(self, fetched: Fetched, metric: QuoteMetric) -> None:
        """Write down one read that memory did not answer whole, or one refresh."""
        if fetched.own:
            metric = replace(
                metric,
                api_calls=sum(flight.calls for flight in fetched.own),
                fetch_ms=max(flight.fetch_ms for flight in fetched.own),
                api_version=fetched.own[0].api_version,
                error=None if fetched.failure is None else type(fetched.failure).__name__,
            )
        if fetched.own or metric.keys:
            self._writer.put(metric=metric)

    # -- for the owner -----------------------------------------------------------------------------------------

    def counts(self) -> ReadCounts:
        """Where keys were found since this process began. Reads no file."""
        with self._lock:
            return replace(self._counts, unwritten=self._writer.unwritten)

    def stats(self) -> BookStats:
        """How the cache does now and did in the last hour. Reads SQLite."""
        self._write_down_hits()
        self._writer.flush()
        now = self._clock.now()
        sums = self._store.metrics_since(epoch_ms(now) - HOUR_MS, epoch_ms(now) + 1000)
        stored = self._store.count(0)
        with self._lock:
            return BookStats(
                hits_1h=sums.memory_hits + sums.db_hits,
                misses_1h=sums.misses,
                api_calls_1h=sums.api_calls,
                errors_1h=sums.errors,
                avg_fetch_ms=sums.avg_fetch_ms,
                memory_entries=len(self._memory),
                db_entries=stored,
                bad_keys=tuple(self._bad.of(now.timestamp())),
            )

    def clear(self) -> None:
        """Forget every quote, in memory and in SQLite, and which keys were bad. Watchers and metrics stay."""
        with self._lock:
            self._memory.clear()
            self._bad.clear()
            self._colder.forget()
        self._writer.clear()

    def close(self) -> None:
        """End the threads, write what waits. Whoever still waits for a quote gets `NotSent`."""
        self._watching.close()
        self._fetcher.close()
        self._write_down_hits()
        self._writer.close()

    def _write_down_hits(self) -> None:
        with self._lock:
            metric = self._tally.take()
        self._writer.put(metric=metric)


@lru_cache(maxsize=20_000)
def _form_error(key: object) -> InvalidRequest | None:
    """Why `key` cannot be an instrument key."""
    try:
        require_instrument_key(key)
    except InvalidRequest as error:
        return error
    return None
