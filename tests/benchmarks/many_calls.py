"""What sharing costs a call: quotes that another process was told, the turn of a request, and who leads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

from services.domain.shared_quotes import SharedQuotes
from services.shared.budget import SharedGate
from services.shared.link import RedisLink
from services.shared.packing import unpack
from services.shared.quotes import QuoteTier
from services.shared.shared import Shared
from services.transport.rate_gate import RateGate
from services.wire.endpoints import PROFILE, RATE_LIMITS, Limit
from tests.benchmarks.desk import CountingBroker, open_book, share_keys
from tests.benchmarks.surroundings import as_the_desk_runs
from tests.benchmarks.table import Row
from tests.support.redis import RedisServer, settle

QUOTES, TURNS, EACH, QUOTES_EACH = 500, 30, 40, 4
MOST_OF_BARE = 1.3
LONG = 600.0
WIDE = (Limit(10**6, 1.0), Limit(10**7, 60.0), Limit(10**8, 1800.0))
"""As many windows as the broker documents, none of them ever full."""


def rows(redis: RedisServer) -> list[Row]:
    """The rows."""
    shared = Shared(redis.url, prefix="desk:benchmark:calls", name="benchmark")
    settle(shared.link)
    shared.start()
    try:
        _until(shared.lease.leads)
        with as_the_desk_runs():
            return [*_quotes(shared), *_turns(shared)]
    finally:
        shared.close()


def _quotes(shared: Shared) -> list[Row]:
    keys = share_keys(QUOTES)
    tier = QuoteTier(shared.link, lease=shared.lease, processes=shared.processes, ttl=LONG)
    broker = CountingBroker()
    with open_book(broker, shared=tier) as teller, open_book(broker, shared=tier) as asker:
        assert len(teller.get(keys).quotes) == QUOTES
        _until(lambda: len(tier.fresh(keys)) == QUOTES)  # its own readers go first
        names = [shared.link.key("q1", key) for key in keys]
        assert len(_bare(shared.link, keys, names)) == QUOTES
        calls = broker.calls

        def ask() -> None:
            assert len(asker.get(keys).quotes) == QUOTES

        def bare() -> None:
            _bare(shared.link, keys, names)

        took = _medians({"bare": bare, "tier": lambda: _through(tier, keys)}, each=QUOTES_EACH)
        cold = _medians({"bare": bare, "book": ask}, before=asker.clear)
        assert broker.calls == calls, "the broker was asked for what Redis holds"
    how = f"peer: mget of the same values and their decoding; median of {TURNS * QUOTES_EACH}"
    return [
        Row(f"{QUOTES} quotes through the shared tier", took["tier"], took["bare"], took["tier"] / took["bare"],
            f"<= {MOST_OF_BARE:g}x", took["tier"] <= MOST_OF_BARE * took["bare"], "ms", how),
        Row("  through the quote book, its own memory empty", cold["book"], cold["bare"], cold["book"] / cold["bare"],
            "", None, "ms", "with what the book notes and keeps; the broker is not asked"),
    ]  # fmt: skip


def _bare(link: RedisLink, keys: list[str], names: list[str]) -> Mapping[str, object]:
    found = link.client.mget(names)
    return {key: unpack(packed) for key, packed in zip(keys, found, strict=True) if isinstance(packed, bytes)}


def _through(tier: SharedQuotes, keys: list[str]) -> None:
    assert len(tier.fresh(keys).rows) == QUOTES


def _turns(shared: Shared) -> list[Row]:
    """The turn of a call, where there is room: over Redis, and in this process alone."""
    own = RateGate(dict.fromkeys(RATE_LIMITS, WIDE))
    beside = RateGate(dict.fromkeys(RATE_LIMITS, WIDE))
    gate = SharedGate(shared.link, process=shared.process, own=own, limits=lambda bucket: WIDE)
    took = _medians(
        {
            "shared": lambda: gate.acquire(PROFILE, max_wait=1.0),
            "own": lambda: beside.acquire(PROFILE, max_wait=1.0),
            "ping": lambda: shared.link.client.ping(),
            "lease": lambda: [shared.lease.token for _ in range(1000)],
        },
        each=EACH,
    )
    added = 1000 * (took["shared"] - took["own"])
    return [
        Row("the shared budget adds to a call", added, 1000 * took["own"], None, "", None, "us",
            f"peer: the gate of one process; {len(WIDE)} windows, with room; a bare ping of Redis takes "
            f"{1000 * took['ping']:.0f} us here; median of {TURNS * EACH}"),
        Row("the lease adds to a call or a frame", 1000 * took["lease"] / 1000, None, None, "", None, "us",
            "a look at this process's own clock; Redis is asked by a thread, every 1.5 s"),
    ]  # fmt: skip


def _medians(
    what: Mapping[str, Callable[[], object]], *, each: int = 1, before: Callable[[], object] = lambda: None
) -> dict[str, float]:
    """Milliseconds, by name, in turns; `before` is called before each piece of a turn, and not counted."""
    times: dict[str, list[float]] = {name: [] for name in what}
    for turn in range(TURNS + 2):
        for name, do in what.items():
            before()
            for _ in range(each):
                began = time.perf_counter()
                do()
                if turn >= 2:
                    times[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
