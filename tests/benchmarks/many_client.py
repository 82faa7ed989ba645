"""One process of a desk that shares a feed, in a process of its own: holder or follower.

Reads one `Part` as a JSON line, connects, says that it is ready, and once it is told to go wants every instrument and
counts what comes, until every update has come. Writes what came of it as one JSON line.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import quantiles
from typing import Any

import orjson

from services.domain.accounts import Token, TokenKind
from services.domain.clock import HostClock
from services.domain.phases import Phase, PhaseNow
from services.live_feed.feed import LiveFeed
from services.live_feed.others import FeedSharing, OthersOfMarket
from services.shared.shared import Shared
from services.transport.feed_connection import FeedConnection
from tests.benchmarks.feed_client import Followed, Task, Watch, WatchedBoard, api_of

READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """What this process is to do. `task.way` is `holder` or `follower`."""

    task: dict[str, Any]
    redis_url: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it."""

    followed: Followed
    lag_p50: float
    lag_p99: float
    """Of the last ten seconds: from the holder's receipt until this process had the batch. 0: the holder itself."""
    board_p99: float
    """From then until it stood on this process's board."""
    batches: int
    missed: int
    dropped: int
    refused: int


def take_part(part: Part) -> Taken:
    """See above."""
    task = Task(**part.task)
    watch = Watch(task.updates)
    board = WatchedBoard(watch, task.mode)
    board.hold(task.keys)
    with ExitStack() as closings:
        shared = Shared(part.redis_url, prefix=part.prefix, name=task.way)
        closings.callback(shared.close)
        sharing = FeedSharing(link=shared.link, lease=shared.lease, listen=shared.lease.listen, process=shared.process)
        closings.callback(sharing.close)
        api = closings.enter_context(api_of(task))
        clock = HostClock(time.time)
        token = Token(task.access_token, TokenKind.ACCESS, clock.now(), clock.now() + timedelta(hours=12))
        way = sharing.way("market", name="market feed", connect=lambda: FeedConnection(local=True))
        feed = LiveFeed(
            authorise=lambda: way.address_by(api.feed_authorize),
            connect=way.connect,
            token=lambda: token,
            clock=clock,
            phase=lambda segment, listing: PhaseNow(Phase.OPEN, "", None),
            slots=way,
            board=board,
        )
        closings.callback(feed.close)
        sharing.attach(way, OthersOfMarket(feed))
        shared.start()
        _wait_for_role(shared, leads=task.way == "holder")
        end = time.monotonic() + READY_SECONDS
        while not feed.connect("benchmark", timeout=1.0):
            assert time.monotonic() < end, feed.health()
            feed.retry()
        _say({"ready": True})
        sys.stdin.readline()
        feed.hold("benchmark", task.keys, task.mode)
        watch.wait()
        column = "ltq" if task.mode == "ltpc" else "volume"
        followed = watch.followed(board.snapshot(task.keys).rows[column].tolist())
        now = way.now()
        _say({"done": True})
        sys.stdin.readline()  # the holder goes last
        return Taken(
            followed,
            0.0 if now.lag is None else now.lag.p50_ms,
            0.0 if now.lag is None else now.lag.p99_ms,
            quantiles(board.took, n=100)[98] / 1e6,
            now.sent.batches if now.token is not None else now.batches,
            now.missed,
            now.sent.dropped,
            now.sent.refused,
        )


def _wait_for_role(shared: Shared, *, leads: bool) -> None:
    end = time.monotonic() + READY_SECONDS
    while shared.lease.leads() is not leads or shared.lease.holder() is None:
        assert time.monotonic() < end, "the lease did not go as it should"
        time.sleep(0.01)


def _say(what: object) -> None:
    sys.stdout.write(orjson.dumps(what).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """One part."""
    part = Part(**orjson.loads(sys.stdin.readline()))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*part.task["gc_thresholds"])
    sys.setswitchinterval(part.task["switch_interval"])
    _say(asdict(take_part(part)))
    os._exit(0)


if __name__ == "__main__":
    main()
