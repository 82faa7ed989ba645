"""Snapshots of a desk that does well, to be spoilt by tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.domain.processes import ProcessSeen
from services.measures.calls_now import BudgetNow, OperationNow, RestNow, Spread, WindowNow
from services.measures.shared_now import FanOutNow, PostgresNow, RedisNow, SharingNow
from services.measures.snapshot import (
    CacheNow,
    ClockNow,
    ErrorsNow,
    FeedNow,
    LedgerNow,
    MarketNow,
    OrdersNow,
    ProcessNow,
    PushNow,
    Snapshot,
    TokenNow,
)
from services.measures.storage_now import PoolNow, StorageNow, WriterNow

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
INF = float("inf")


def spread(*counts: int, total: float = 0.0) -> Spread:
    """A histogram with bounds of 0.01, 0.1 and 1 second, and what lies beyond."""
    return Spread(tuple(zip((0.01, 0.1, 1.0, INF), (*counts, 0, 0, 0, 0), strict=False)), total)


REST = RestNow(
    operations=(
        OperationNow("quotes", "v3", {"2xx": 95, "5xx": 5}, spread(50, 40, 10, total=9.5), retries=4, fallbacks=1),
        OperationNow("order_book", "v2", {"2xx": 10}, spread(10, total=0.05), retries=0, fallbacks=0),
    ),
    budgets=(
        BudgetNow("quotes", (WindowNow(1.0, 50, 0, 0.0), WindowNow(60.0, 500, 100, 10.0)), 0.0),
        BudgetNow("group orders", (WindowNow(1.0, 10, 1, 0.5),), 0.0),
    ),
    last_answer_ago=1.0,
    last_success_ago=1.0,
)
FEED = FeedNow(
    name="market", state="connected", reason="", connected=True, uptime_seconds=600.0, messages=1000, updates=5000,
    updates_per_second=12.0, last_message_ago=0.2, last_update_ago=0.4, reconnects=0, ends={"lost": 0, "mute": 0},
    bad_frames=0, unknown_rows=0, subscribed=30, sent=30, silent_keys=0, expected=True, silent_seconds=None,
    hops={"exchange to received": spread(90, 10), "received to board": spread(100)},
)  # fmt: skip
WRITER = WriterNow(
    waiting=0, most_waiting=250_000, oldest_seconds=None, written=5000, flushes=100, failures=0, failing_seconds=None,
    last_flush=0.002, longest_flush=0.02, flush_seconds=0.3, dropped={}, dropped_ago=None, trouble="",
)  # fmt: skip
STORAGE = StorageNow(
    pools=(
        PoolNow("market_data.db", 5, 1, 0, 900, 3, 0, 0.01, 0, 1_000_000, 4096),
        PoolNow("ledger.db", 1, 0, 0, 20, 0, 0, 0.0, 0, 200_000, None),
    ),
    writer=WRITER, folder="/data", free_bytes=50_000_000_000, total_bytes=100_000_000_000,
)  # fmt: skip
WELL = Snapshot(
    at=NOW,
    rest=REST,
    feed=FEED,
    portfolio_feed=replace(FEED, name="portfolio", subscribed=0, expected=False, hops={}),
    push=PushNow(clients=2, dropped=0, messages=400),
    cache=CacheNow(live=60, memory=10, store=0, broker=10, shared=20, unwritten=3),
    storage=STORAGE,
    ledger=LedgerNow("0005", 0),
    orders=OrdersNow("", 0, None, spread(1), spread(0, 1), spread(0, 1)),
    errors=ErrorsNow(0.4, 5.0, {"BrokerFault": 2}),
    token=TokenNow("access", datetime(2026, 11, 20, 22, 0, tzinfo=UTC), 61_200.0, None),
    market=MarketNow("open", True, datetime(2026, 11, 20, 10, 0, tzinfo=UTC), "closed", "", 0, {}, False),
    process=ProcessNow(42, 600.0, 30.0, 250_000_000, 25, 60, 1024, "upb"),
    clock=ClockNow(0.02, 0, None, None, 1.0),
)
"""Everything as it should be, in session."""


def but(part: str, **changed: Any) -> Snapshot:
    """`WELL` with members of one part changed: `but("feed", connected=False)`."""
    return replace(WELL, **{part: replace(getattr(WELL, part), **changed)})


SHARED = replace(
    WELL,
    shared=SharingNow(
        redis=RedisNow(True, 600.0, "", 0.21),
        postgres=PostgresNow("PostgreSQL database desk on 10.0.0.20", 9, 4, 4, 0, 0.12, "", 0.0),
        leads=False,
        holder="desk-2",
        token=1_795_000_000_123,
        held_since=NOW,
        members=tuple(
            ProcessSeen(
                f"vm-{number}", f"desk-{number}", "vm", 40 + number, "0.1.0", f"vm:850{number}", NOW, 0.4,
                number == 2, number == 1, {"lag_p99_ms": 2.0 * number},
            )
            for number in range(1, 5)
        ),
        streams=(
            FanOutNow("market", "follower", 0, 0, 0, 0, 900, 4000, 0, 0, 1.1, 4.2, 0.05),
            FanOutNow("portfolio", "follower", 0, 0, 0, 0, 40, 0, 0, 0, None, None, 0.9),
        ),
        expected=4,
    ),
)  # fmt: skip
"""The same, one process of four."""


def shared_but(**changed: Any) -> Snapshot:
    """`SHARED` with members of what is shared changed."""
    assert SHARED.shared is not None
    return replace(SHARED, shared=replace(SHARED.shared, **changed))
