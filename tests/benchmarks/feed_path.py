"""The whole way of prices: a real websocket from the load generator, connection, decoder, board, tick sink.

Generator and client are processes of their own; what was sent, and when, is told by the generator. The peers are the
official SDK's streamer, and the desk's connection without anything behind it: what the machine itself makes late.

`DESK_BENCH_STREAM_SECONDS=15` (usually 60) says how long the stream at 50,000 updates a second lasts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from dashboard.asgi import GC_THRESHOLDS, SWITCH_INTERVAL
from tests.benchmarks.feed_client import Followed, Task
from tests.benchmarks.feed_generator import generator
from tests.benchmarks.processes import process, running, used_by_others
from tests.benchmarks.surroundings import share_met
from tests.benchmarks.table import Row

TURNS = 3
BARS = {"ltpc": 3.5, "full": 9.0}
AS_FAST_AS_IT_GOES = 1_000_000
UPDATES = {("ours", "ltpc"): 200_000, ("sdk", "ltpc"): 60_000, ("ours", "full"): 100_000, ("sdk", "full"): 12_000}
"""About a second's work for each."""
RATE, KEYS, PER_FRAME = 50_000, 2_000, 50
USUAL_SECONDS, STORED_SECONDS, SHORT_SECONDS = 60.0, 6.0, 3.0
MOST_CPU, MOST_LATE_MS, MOST_LATE_BUSY_MS = 25.0, 5.0, 1.5
MOST_OF_OTHERS = 20.0
"""Percent of a core. Work beside it takes caches and clock away, and the same code needs more CPU."""


def run() -> list[Row]:
    """All rows; two minutes."""
    return [row for mode in BARS for row in _against_the_sdk(mode)] + _stream()


# -- one load --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """What one client made of one load, and what was sent to it."""

    client: Followed
    sent: dict[str, Any]
    others: float
    """What everything else on this machine used meanwhile, in percent of a core."""

    @property
    def cpu_us(self) -> float:
        """Of the client, an update."""
        return 1e6 * self.client.cpu_seconds / self.client.updates

    @property
    def per_second(self) -> float:
        return self.client.updates / self.client.seconds

    @property
    def complete(self) -> bool:
        """Did all come, and is every key's counter that of the last round?"""
        told = self.client
        return (told.updates, told.lowest, told.highest) == (self.sent["updates"], *[self.sent["rounds"]] * 2)


def load(
    way: str,
    mode: str,
    updates: int,
    rate: int,
    *,
    per_frame: int = PER_FRAME,
    store: bool = False,
    busy: bool = False,
) -> Load:
    """One client of one generator."""
    began, used = time.monotonic(), used_by_others()
    how = ["--keys", KEYS, "--rate", rate, "--mode", mode, "--per-frame", per_frame, "--seconds", updates / rate]
    with running(generator(*how)) as source, process("tests.benchmarks.feed_client") as client:
        task = task_of(source.hear(), way, mode, updates, store=store, busy=busy)
        answer = client.ask(asdict(task))
        sent = source.hear()
    others = 100 * (used_by_others() - used) / (time.monotonic() - began)
    return Load(Followed(**answer), sent, others)


def task_of(told: Mapping[str, Any], way: str, mode: str, updates: int, **options: bool) -> Task:
    """What a client of the generator that has `told` where it is has to do, with an interpreter as the desk has it."""
    return Task(
        base_url=told["base_url"],
        access_token=told["access_token"],
        keys=told["keys"],
        mode=mode,
        updates=updates,
        way=way,
        switch_interval=SWITCH_INTERVAL,
        gc_thresholds=list(GC_THRESHOLDS),
        **options,
    )


# -- against the SDK -------------------------------------------------------------------------------------------------


def _against_the_sdk(mode: str) -> list[Row]:
    runs: dict[str, list[Load]] = {"ours": [], "sdk": []}
    for _ in range(TURNS):
        for way, done in runs.items():
            done.append(load(way, mode, UPDATES[way, mode], AS_FAST_AS_IT_GOES))
    assert all(one.complete for done in runs.values() for one in done)
    ours, sdk = (median(one.cpu_us for one in runs[way]) for way in ("ours", "sdk"))
    fast, slow = (median(one.per_second for one in runs[way]) for way in ("ours", "sdk"))
    bare = load("bare", mode, UPDATES["ours", mode], AS_FAST_AS_IT_GOES).cpu_us
    how = f"websocket to board and tick sink, {PER_FRAME} a frame, as fast as it takes them"
    return [
        Row(f"{mode}, the whole path: CPU of an update", ours, sdk, sdk / ours, f">= {BARS[mode]:g}x",
            sdk / ours >= BARS[mode], "us", f"official SDK: rows kept by key; {how}; median of {TURNS}; floor: the "
            "desk's connection with the frames parsed and nothing read, which both have to pay", bare),
        Row("  updates taken", fast, slow, fast / slow, "", None, "/s", "generator and client share the machine"),
    ]  # fmt: skip


# -- 50,000 a second -------------------------------------------------------------------------------------------------


def _stream() -> list[Row]:
    seconds = float(os.environ.get("DESK_BENCH_STREAM_SECONDS", USUAL_SECONDS))
    updates, some, few = (int(RATE * min(seconds, most)) for most in (seconds, STORED_SECONDS, SHORT_SECONDS))
    ours = load("ours", "full", updates, RATE)
    after = load("bare", "full", few, RATE)
    stored = load("ours", "full", some, RATE, store=True)
    busy, busy_bare = load("ours", "full", few, RATE, busy=True), load("bare", "full", few, RATE, busy=True)
    return [
        *_nothing_lost(ours, stored, seconds),
        *_cpu(ours, stored, after),
        *_late(ours, after),
        _late_beside_work(busy, busy_bare),
    ]


def _nothing_lost(ours: Load, stored: Load, seconds: float) -> list[Row]:
    ticks = stored.sent["updates"] + KEYS
    whole = stored.complete and stored.client.ticks == stored.client.stored == ticks and not stored.client.dropped
    name = f"{RATE:,} full updates/s for {seconds:g} s"
    return [
        Row(f"{name}: arrived", ours.client.updates, ours.sent["updates"], None, "all", ours.complete, "updates",
            f"peer: sent; {ours.per_second:,.0f}/s; every key's counter is that of the last round"),
        Row("  ticks in SQLite", stored.client.stored, ticks, None, "all", whole, "ticks",
            f"{stored.client.seconds:.0f} s; peer: updates sent, and the snapshot; every update here is a trade"),
    ]  # fmt: skip


def _cpu(ours: Load, stored: Load, bare: Load) -> list[Row]:
    noisy = ours.others > MOST_OF_OTHERS
    met, remark = share_met(ours.client.share, MOST_CPU)
    note = (
        f"whole process, median of the seconds; {ours.cpu_us:.2f} us an update; peer: the connection alone, "
        f"{bare.cpu_us:.2f} us; everything else on the machine used {ours.others:.0f} %"
        + (", which takes caches and clock away" if noisy and not met else "")
        + remark
    )
    return [
        Row("  CPU of the client", ours.client.share, bare.client.share, None, f"<= {MOST_CPU:g} %",
            met, "% of a core", note),
        Row("  with every tick stored", stored.client.share, None, None, "", None, "% of a core",
            f"{stored.client.stored / stored.client.seconds:,.0f} ticks/s into SQLite; "
            f"{100 * stored.client.cpu_seconds / stored.client.seconds:.1f} % in all, with the last flush"),
    ]  # fmt: skip


def _late(ours: Load, bare: Load) -> list[Row]:
    control = bare.client.p99
    noisy = control > MOST_LATE_MS
    late = ours.client
    note = (
        f"median {late.p50:.2f} ms, worst {late.worst:.1f} ms; peer: the connection alone, afterwards; "
        f"the generator itself was at most {ours.sent['longest_delay_ms']:.1f} ms late"
    )
    return [
        Row("  sent to on the board, p99", late.p99, control, None, f"<= {MOST_LATE_MS:g} ms",
            late.p99 <= MOST_LATE_MS, "ms",
            note + ("; that alone was later than the goal" if noisy else "")),
        Row("  received to on the board, p99", late.received_p99, None, None, "", None, "ms",
            f"median {late.received_p50:.2f} ms; part of the above, from when the desk has the frame"),
    ]  # fmt: skip


def _late_beside_work(busy: Load, bare: Load) -> Row:
    p50 = busy.client.p50
    noisy = bare.client.p50 > MOST_LATE_BUSY_MS
    return Row(
        "  sent to on the board beside a busy thread, p50",
        p50,
        bare.client.p50,
        None,
        f"<= {MOST_LATE_BUSY_MS:g} ms",
        p50 <= MOST_LATE_BUSY_MS,
        "ms",
        f"p99 {busy.client.p99:.1f} ms; a busy thread hands over after {1000 * SWITCH_INTERVAL:g} ms; peer: the "
        "connection alone beside such a thread" + ("; that alone was later than the goal" if noisy else ""),
    )
