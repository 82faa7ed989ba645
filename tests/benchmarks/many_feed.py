"""The fan-out: one holder of the upstream feed, a real Redis, and processes that get everything over it.

Everything is a process of its own, on this one machine: load generator, Redis, holder, followers. The peer is the
holder: what the way from the broker takes without a Redis, on the same machine in the same run.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import Any

from tests.benchmarks.feed_client import Followed
from tests.benchmarks.feed_generator import generator
from tests.benchmarks.feed_path import task_of
from tests.benchmarks.many_client import Part, Taken
from tests.benchmarks.processes import Process, used_by_others
from tests.benchmarks.table import Row
from tests.support.redis import RedisServer, link_to, settle

FOLLOWERS, RATE, KEYS, PER_FRAME = 4, 50_000, 2_000, 50
USUAL_SECONDS = 8.0
MOST_LATE_MS, MOST_OF_OTHERS = 5.0, 20.0


def rows(redis: RedisServer) -> list[Row]:
    """The rows. Last prices have the bar; five processes that read full updates need all of two cores, so these are
    told without one."""
    seconds = float(os.environ.get("DESK_BENCH_STREAM_SECONDS", USUAL_SECONDS))
    return [*_rows(redis, "ltpc", seconds, bar=True), *_rows(redis, "full", seconds / 2.5, bar=False)]


def _rows(redis: RedisServer, mode: str, seconds: float, *, bar: bool) -> list[Row]:
    """Those of one load."""
    sent, taken, others = _load(redis, mode, int(RATE * seconds))
    holder, followers = taken[0], taken[1:]
    whole = [one for one in followers if _complete(one, sent)]
    passed_on = max(one.lag_p99 + one.board_p99 for one in followers)
    missed = bar and passed_on > MOST_LATE_MS and others > MOST_OF_OTHERS
    how = (
        f"{RATE:,} {mode} updates/s for {seconds:g} s, {PER_FRAME} a frame, to a holder and {FOLLOWERS} more processes"
    )
    batches = followers[0].batches
    return [
        Row(f"{how}: arrived in all of them", sum(one.followed.updates for one in followers),
            FOLLOWERS * sent["updates"], None, "all" if bar else "",
            (len(whole) == FOLLOWERS and _complete(holder, sent)) if bar else None, "updates",
            f"peer: sent; {batches:,} batches, {sent['updates'] / batches:.0f} updates in each; missed "
            f"{sum(one.missed for one in followers)}, dropped {holder.dropped}, refused {holder.refused}"),
        Row("  the holder's receipt to the others' boards, p99", passed_on, None, None,
            f"<= {MOST_LATE_MS:g} ms" if bar else "", passed_on <= MOST_LATE_MS if bar else None, "ms",
            f"the worst of {FOLLOWERS}: p99 until the batch had come ({_each(one.lag_p99 for one in followers)}, by "
            f"Redis' clock; medians {_each(one.lag_p50 for one in followers)}) plus p99 from then to the board "
            f"({_each(one.board_p99 for one in followers)}); everything else used {others:.0f} % of a core"
            + ("; the machine was not this part's own" if missed else "")),
        Row("  sent by the broker to the others' boards, p99", max(one.followed.p99 for one in followers),
            holder.followed.p99, None, "", None, "ms",
            f"medians {_each(one.followed.p50 for one in followers)}; peer: the holder's own board, median "
            f"{holder.followed.p50:.2f}: {FOLLOWERS + 3} busy processes on {os.cpu_count()} cores"),
        Row("  CPU of the holder", holder.followed.share, None, None, "", None, "% of a core",
            f"each of the others {_each(one.followed.share for one in followers)}; median of the seconds"),
    ]  # fmt: skip


def _each(figures: Any) -> str:
    return ", ".join(f"{figure:.2f}" for figure in figures)


def _complete(one: Taken, sent: dict[str, Any]) -> bool:
    told = one.followed
    return (told.updates, told.lowest, told.highest) == (sent["updates"], *[sent["rounds"]] * 2)


def _load(redis: RedisServer, mode: str, updates: int) -> tuple[dict[str, Any], list[Taken], float]:
    """What was sent, what came to the holder and to each follower, and what else ran meanwhile (% of a core)."""
    prefix = f"desk:benchmark:{mode}"
    link = link_to(redis, prefix=prefix)
    settle(link)
    link.close()
    arguments = ["--keys", KEYS, "--rate", RATE, "--mode", mode, "--per-frame", PER_FRAME]
    source = generator(*arguments, "--seconds", updates / RATE)
    parts = [Process("tests.benchmarks.many_client") for _ in range(1 + FOLLOWERS)]
    try:
        told = source.hear()
        for way, some in (("holder", parts[:1]), ("follower", parts[1:])):
            task = asdict(Part(asdict(task_of(told, way, mode, updates)), redis.url, prefix))
            for one in some:
                one.say(task)
            for one in some:
                assert one.hear() == {"ready": True}
        began, used = time.monotonic(), used_by_others() - _used_by(redis)
        for one in parts:
            one.say()
        for one in parts:
            assert one.hear() == {"done": True}
        sent = source.hear()
        passed, others = time.monotonic() - began, used_by_others() - _used_by(redis) - used
        own = float(sent["cpu_seconds"])
        taken = []
        for one in reversed(parts):
            one.say()
            found = one.hear()
            own += found["followed"]["cpu_seconds"]
            taken.append(Taken(**found | {"followed": Followed(**found["followed"])}))
    finally:
        for one in (source, *parts):
            one.kill()
    return sent, taken[::-1], max(0.0, 100 * (others - own) / passed)


def _used_by(redis: RedisServer) -> float:
    """CPU seconds of the Redis."""
    link = link_to(redis)
    told = link.client.info("cpu")
    link.close()
    return float(told["used_cpu_sys"]) + float(told["used_cpu_user"])
