"""The cache: a hit, a stampede, many sessions; held against a dict and a TTL cache with an entry for each key."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cachetools import TTLCache

from tests.benchmarks.desk import CountingBroker, open_book, share_keys
from tests.benchmarks.table import Row

TTL_SECONDS = 5.0
THREADS = 32
SESSIONS = 16
MINUTES = 10
START = datetime(2026, 11, 20, 5, 30, tzinfo=UTC)


def run() -> list[Row]:
    """Measure everything about the cache."""
    return [_memory_hit(), _stampede(), *_many_sessions(), _few_sessions()]


def _memory_hit() -> Row:
    keys = share_keys(500)
    with open_book(CountingBroker()) as book:
        plain = dict(book.get(keys).quotes)
        usual = _median_us(lambda: {key: plain[key] for key in keys})
        ours = _median_us(lambda: book.get(keys))
    return Row(
        "memory hit of 500 keys",
        ours,
        usual,
        ours / usual,
        "<= 5x",
        ours <= 5 * usual,
        "us",
        "peer: {key: d[key] for key in keys}; ours checks ages, locks and counts",
    )


def _stampede() -> Row:
    """All threads ask for the same 500 keys of a cold cache at the same moment."""
    keys = share_keys(500)
    broker = CountingBroker(seconds=0.02)
    with open_book(broker) as book:
        _at_once(lambda: book.get(keys))
        ours = broker.calls
    usual_broker = CountingBroker(seconds=0.02)
    usual = PerKeyCache(usual_broker, time.monotonic)
    _at_once(lambda: usual.read(keys))
    return Row(
        f"cold stampede, {THREADS} threads, 500 keys",
        ours,
        usual_broker.calls,
        usual_broker.calls / ours,
        "= 1 call",
        ours == 1,
        "calls",
        "peer: cachetools.TTLCache behind a lock",
    )


def _many_sessions() -> list[Row]:
    """Sessions with lists of their own that overlap, each read every two seconds."""
    lists = _watchlists(SESSIONS, of=200, each=40)
    ours, hit_rate = _simulate_ours(lists)
    usual = _simulate_usual(lists)
    schedule = f"{SESSIONS} lists of 40 out of 200 instruments, read every 2 s for {MINUTES} simulated minutes"
    return [
        Row(
            f"upstream calls, {SESSIONS} sessions",
            ours,
            usual,
            ours / usual,
            "<= 0.6x",
            ours <= 0.6 * usual,
            "calls",
            f"{schedule}; peer: one cachetools.TTLCache of {TTL_SECONDS:g} s, missing keys in one call for each read",
        ),
        Row("hit rate in it", hit_rate, None, None, "", None, "%", "by key"),
    ]


def _few_sessions() -> Row:
    """The guide's own claim."""
    _, hit_rate = _simulate_ours(_watchlists(4, of=100, each=50))
    return Row(
        "claim: 85-90 % hits, 4 sessions",
        hit_rate,
        85.0,
        hit_rate / 85.0,
        ">= 85 %",
        hit_rate >= 85.0,
        "%",
        f"4 lists of 50 out of 100 instruments, read every 2 s for {MINUTES} simulated minutes; peer = claimed",
    )


class PerKeyCache:
    """The usual way: a TTL entry for each key, what is missing fetched in one call, no account of others who ask."""

    def __init__(self, fetch: CountingBroker, timer: Callable[[], float]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._entries: TTLCache[str, Any] = TTLCache(maxsize=10_000, ttl=TTL_SECONDS, timer=timer)

    def read(self, keys: list[str]) -> dict[str, Any]:
        with self._lock:
            found = {key: self._entries[key] for key in keys if key in self._entries}
        missing = [key for key in keys if key not in found]
        if missing:
            fetched = self._fetch(missing).value
            with self._lock:
                self._entries.update(fetched)
            found.update(fetched)
        return found


class SimulatedTime:
    """A clock that is set, for both sides."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def _simulate_ours(lists: list[list[str]]) -> tuple[int, float]:
    """Calls and hit rate (%) of the quote book; its refresher is stepped when it would step itself."""
    clock, broker = SimulatedTime(), CountingBroker()
    with open_book(broker, clock=clock, monotonic=clock.monotonic, refresh_in_background=False) as book:
        next_step = 0.0
        for at, session in _reads(len(lists)):
            while next_step <= at:
                clock.seconds = next_step
                next_step += book.refresh_watched() or 0.5
            clock.seconds = at
            book.watch(f"session {session}", lists[session])
            book.get(lists[session])
        hit_rate = book.stats().hit_rate or 0.0
    return broker.calls, 100 * hit_rate


def _simulate_usual(lists: list[list[str]]) -> int:
    clock, broker = SimulatedTime(), CountingBroker()
    cache = PerKeyCache(broker, clock.monotonic)
    for at, session in _reads(len(lists)):
        clock.seconds = at
        cache.read(lists[session])
    return broker.calls


def _reads(sessions: int) -> list[tuple[float, int]]:
    """When which session reads: every two seconds, each from a moment of its own."""
    dice = random.Random(7)
    starts = [dice.uniform(0, 2) for _ in range(sessions)]
    return sorted((start + 2 * n, session) for session, start in enumerate(starts) for n in range(MINUTES * 30))


def _watchlists(sessions: int, *, of: int, each: int) -> list[list[str]]:
    dice = random.Random(11)
    return [dice.sample(share_keys(of), each) for _ in range(sessions)]


def _at_once(do: Callable[[], object]) -> None:
    gate = threading.Barrier(THREADS)

    def run_one() -> None:
        gate.wait()
        do()

    threads = [threading.Thread(target=run_one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _median_us(do: Callable[[], object]) -> float:
    times = []
    for _ in range(1000):
        began = time.perf_counter()
        do()
        times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)
