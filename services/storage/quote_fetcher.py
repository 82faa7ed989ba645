"""The way of a quote from the broker into the memory tier: one request for each key at a time, however many want it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from time import sleep
from typing import Protocol, TypeVar

from services.domain.clock import Clock
from services.domain.errors import NoAnswer, NoData, NotSent, RedisAway, UpstoxError
from services.domain.isolation import fetch_isolating
from services.domain.quote_batch import BadKeys, no_data
from services.domain.quote_row import QuoteRow, quote_row
from services.domain.quotes import PriceSource, Quote
from services.domain.shared_quotes import SharedQuotes, Told
from services.storage.background import Workers
from services.storage.memory_tier import MemoryTier
from services.storage.quote_flights import Flight, Flights
from services.wire.chunks import chunk_keys

T = TypeVar("T")

START_WITHIN = 10.0
"""Seconds that a request may wait for a free worker."""

log = logging.getLogger(__name__)


class Served(Protocol):
    """Quotes by instrument key, and the version of the API that told them."""

    @property
    def value(self) -> Mapping[str, Quote]: ...
    @property
    def api_version(self) -> str: ...


class Fetch(Protocol):
    """Asks the broker for the quotes of at most 500 keys. `use_v3` is given where a caller insists on a version."""

    def __call__(self, keys: Sequence[str], *, use_v3: bool | None = None) -> Served: ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking: each key has a row or a problem. `own`: the flights that this caller started."""

    rows: dict[str, QuoteRow]
    problems: dict[str, UpstoxError]
    own: tuple[Flight, ...]

    @property
    def failure(self) -> UpstoxError | None:
        """An error of this caller's requests, if there was one (silence is none)."""
        errors = (error for flight in self.own for error in flight.problems.values())
        return next((error for error in errors if not isinstance(error, NoData)), None)


class QuoteFetcher:
    """Fetches chunks of keys on up to `workers` threads (`quote-fetch-*`) and puts what comes into `memory`.

    `lock` is the quote book's; it guards `memory`, `bad` and the flights, and is never held while asking. `arrived`
    hears of new rows and must not wait for anything.
    """

    def __init__(
        self,
        *,
        fetch: Fetch,
        clock: Clock,
        source: Callable[[], PriceSource],
        monotonic: Callable[[], float],
        lock: AbstractContextManager[object],
        memory: MemoryTier,
        bad: BadKeys,
        arrived: Callable[[Mapping[str, QuoteRow]], None],
        workers: int,
        max_keys: int,
        max_chars: int,
        shared: SharedQuotes | None = None,
    ) -> None:
        """`shared`: other processes, that ask the same broker."""
        self._fetch = fetch
        self._clock = clock
        self._source = source
        self._monotonic = monotonic
        self._lock = lock
        self._memory = memory
        self._bad = bad
        self._arrived = arrived
        self._max_keys = max_keys
        self._max_chars = max_chars
        self._shared = shared
        self._flights = Flights()
        self._workers = Workers(workers, name="quote-fetch")
        self.last_seconds = 0.0
        """How long the last chunk took, by `clock`."""

    def ask(self, keys: Iterable[str], *, use_cache: bool = True, use_v3: bool | None = None) -> Fetched:
        """Rows of `keys` from the broker. Joins requests that are on their way for others, and takes what came in since
        the caller looked into memory. Waits until all have landed."""
        wanted = dict.fromkeys(keys)
        now = self._clock.now().timestamp()
        with self._lock:
            rows = self._memory.fresh(wanted, now) if use_cache else {}
            problems = self._memory.silent(wanted.keys() - rows.keys(), now) if use_cache else {}
            open_keys = [key for key in wanted if key not in rows and key not in problems]
            joined, rest = self._flights.split(open_keys)
            start_by = self._monotonic() + START_WITHIN
            own = tuple(Flight(chunk, start_by) for chunk in _chunks(tuple(rest), self._max_keys, self._max_chars))
            for flight in own:
                self._flights.add(flight)
        for flight in own:
            if not self._workers.submit(partial(self._fly, flight, use_v3, not use_cache)):
                self._abandon(flight)
        for flight in (*joined, *own):
            flight.wait()
            rows.update(_only(wanted, flight.rows))
            problems.update(_only(wanted, flight.problems))
        return Fetched(rows, problems, own)

    def on_the_ground(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that nobody is fetching now. Call it with the lock held."""
        return self._flights.split(keys)[1]

    def close(self) -> None:
        """Ask no more. Whoever still waits gets `NotSent`."""
        self._workers.close()
        with self._lock:
            waiting = self._flights.all()
        for flight in waiting:
            self._abandon(flight)

    def _fly(self, flight: Flight, use_v3: bool | None, again: bool) -> None:
        """Fetch one chunk, on a worker. One that waited too long for a worker is told so instead of being asked late:
        while the broker is mute, readers must not queue up behind each other's time limits."""
        if self._monotonic() > flight.start_by:
            late = NoAnswer(f"other requests took so long that this one did not start within {START_WITHIN:.0f} s")
            flight.problems = dict.fromkeys(flight.keys, late)
            self._land(flight)
            return
        began = self._monotonic()
        found = _Found()

        def landed() -> None:
            flight.rows, flight.problems = found.rows, found.problems
            flight.fetch_ms = (self._monotonic() - began) * 1000
            self._land(flight)

        try:
            if self._shared is None or use_v3 is not None:
                self._ask_broker(flight, flight.keys, use_v3, found)
                landed()
            else:
                self._ask_together(self._shared, flight, again, found, landed)
        except UpstoxError as error:  # to ask where the prices come from may fail as well
            found.problems.update({key: error for key in flight.keys if key not in found.rows})
            landed()
        finally:
            self._land(flight)
        sleep(0)  # lets go of the interpreter: whoever waits goes on before this thread tidies up

    def _ask_together(
        self, shared: SharedQuotes, flight: Flight, again: bool, found: _Found, landed: Callable[[], None]
    ) -> None:
        """Ask the broker for what no other process asks for just now, and wait for the rest. While what they share is
        away, this process asks for everything. Our own readers go on before the others are told."""
        try:
            claim = shared.claim(flight.keys, again=again)
        except RedisAway:
            self._ask_broker(flight, flight.keys, None, found)
            landed()
            return
        self._take(claim.told, found)
        mine = _Found()
        try:
            if claim.ours:
                self._ask_broker(flight, claim.ours, None, mine)
                found.add(mine)
            if not claim.theirs:
                landed()
        finally:
            self._hand_on(shared, claim.ours, mine)
        if claim.theirs:
            try:
                self._take(shared.wait(claim.theirs), found)
            except RedisAway as error:
                log.info("what another process asked for is asked here: %s", error)
            if left := tuple(key for key in claim.theirs if key not in found):
                self._ask_broker(flight, left, None, found)
            landed()

    def _take(self, told: Told, found: _Found) -> None:
        """What another process was told."""
        silent = no_data(told.silent)
        now = self._clock.now().timestamp()
        with self._lock:
            self._memory.put_told(told.rows, now)
            self._memory.put_silent(silent, now)
        found.rows.update(told.rows)
        found.problems.update(silent)

    def _hand_on(self, shared: SharedQuotes, claimed: tuple[str, ...], mine: _Found) -> None:
        """Let the other processes have what came, and go on where nothing did."""
        if not claimed:
            return
        silent = [key for key, error in mine.problems.items() if isinstance(error, NoData)]
        try:
            shared.put(mine.rows, silent)
            shared.give_up([key for key in claimed if key not in mine.rows and key not in silent])
        except RedisAway as error:
            log.info("the other processes were not told of %d quotes: %s", len(mine.rows), error)

    def _ask_broker(self, flight: Flight, keys: tuple[str, ...], use_v3: bool | None, found: _Found) -> None:
        before = self._clock.now()
        fetch = self._fetch if use_v3 is None else partial(self._fetch, use_v3=use_v3)
        result = fetch_isolating(fetch, keys)
        flight.calls += result.calls
        label, now = self._source().label, self._clock.now()
        rows = {
            key: quote_row(quote, received_at=now, source=label, api_version=served.api_version)
            for served in result.answers
            for key, quote in served.value.items()
        }
        silent = no_data(key for key in result.asked if key not in rows)
        found.rows.update(rows)
        found.problems.update({**result.bad, **result.failed, **silent})
        flight.api_version = result.answers[-1].api_version if result.answers else None
        with self._lock:
            self.last_seconds = (now - before).total_seconds()
            self._memory.put(rows, now.timestamp())
            self._memory.put_silent(silent, now.timestamp())
            self._bad.remove(rows)
            self._bad.add(result.bad, now.timestamp())
        self._arrived(rows)

    def _abandon(self, flight: Flight) -> None:
        flight.problems = dict.fromkeys(flight.keys, NotSent("the desk is closing; nothing is asked any more"))
        self._land(flight)

    def _land(self, flight: Flight) -> None:
        with self._lock:
            self._flights.remove(flight)
        flight.land()


@dataclass(slots=True)
class _Found:
    """What a flight has found so far: each key has a row or a problem."""

    rows: dict[str, QuoteRow] = field(default_factory=dict)
    problems: dict[str, UpstoxError] = field(default_factory=dict)

    def add(self, other: _Found) -> None:
        self.rows.update(other.rows)
        self.problems.update(other.problems)

    def __contains__(self, key: str) -> bool:
        return key in self.rows or key in self.problems


def _only(wanted: Mapping[str, object], found: Mapping[str, T]) -> Mapping[str, T]:
    """What of `found` is `wanted`: all of it as a rule, for most flights are one caller's."""
    return found if wanted.keys() >= found.keys() else {key: found[key] for key in found if key in wanted}


@lru_cache(maxsize=32)
def _chunks(keys: tuple[str, ...], max_keys: int, max_chars: int) -> tuple[tuple[str, ...], ...]:
    """Screens ask for the same keys again and again, and to measure 500 of them takes a millisecond."""
    return tuple(chunk_keys(keys, max_keys, max_chars))
