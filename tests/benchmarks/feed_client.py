"""One client of the load generator, in a process of its own: what it costs and how late its prices are.

Reads one `Task` as a JSON line, follows the feed until every update has come, writes one `Followed` as a JSON line.
The ways: `ours` (the desk's live feed with its board, ticks counted or stored), `sdk` (the official streamer, its rows
kept by key), `bare` (the desk's connection alone: what the machine itself makes late).
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from services.domain.accounts import Token, TokenKind
from services.domain.clock import HostClock
from services.domain.phases import Phase, PhaseNow
from services.feed.board import Board
from services.live_feed.feed import LiveFeed
from services.live_feed.market import Tick
from services.paper.feed.reel import FIRST_COUNT
from services.storage.tick_writer import TickWriter
from services.transport.feed_connection import FeedConnection
from services.transport.http import HttpClient
from services.transport.rate_gate import RateGate
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import RATE_LIMITS, Base, Limit, Profile
from services.wire.feed.feed_v3_pb2 import FeedResponse
from services.wire.feed.requests import FeedMethod, FeedMode, requests
from services.wire.feed.rows import BUY_QUANTITY, LTQ, PREV_CLOSE, VOLUME, Frame
from tests.support.ticks import open_pool

SILENCE_SECONDS = 10
"""No update for so long: the rest is lost."""
FIXED_HOST = "wss://api.upstox.com"


@dataclass(frozen=True, slots=True)
class Task:
    """What to follow, and how."""

    base_url: str
    access_token: str
    keys: list[str]
    mode: str
    updates: int
    """That will be streamed, beside the snapshot."""
    way: str
    switch_interval: float
    gc_thresholds: list[int]
    """The interpreter as the desk sets it up."""
    store: bool = False
    """Write every tick to SQLite."""
    busy: bool = False
    """A Python thread beside it that never rests, as if a page were drawn all the time."""


@dataclass(slots=True)
class Followed:
    """What came of it. Milliseconds of a frame from its sending (the generator's stamp, same machine, same clock)."""

    updates: int
    lowest: int
    highest: int
    """Of the counters of all keys, as they stand at the end, from the first round on."""
    seconds: float
    cpu_seconds: float
    """From the first update to the last, or until the last tick was stored."""
    share: float
    """Of a core, in percent: the median of the seconds."""
    p50: float
    p99: float
    worst: float
    received_p50: float = 0.0
    received_p99: float = 0.0
    """From the desk's receipt of a frame to the board."""
    ticks: int = 0
    """Handed to the tick sink."""
    stored: int = 0
    dropped: int = 0


@dataclass(slots=True)
class Watch:
    """Counts what is streamed, and the time."""

    expected: int
    updates: int = 0
    began: float = 0.0
    ended: float = 0.0
    used: float = 0.0
    """CPU of this process before the first update."""
    looks: list[tuple[float, float]] = field(default_factory=list)
    """Time and CPU of this process, each second."""
    late: list[float] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def saw(self, rows: int, sent: float) -> None:
        """So many rows of one frame, sent then, are where they belong."""
        now = time.monotonic()
        if not self.updates:
            self.began, self.used = now, time.process_time()
        self.late.append(now - sent)
        self.updates += rows
        if self.updates >= self.expected:
            self.ended = now
            self.done.set()

    def wait(self) -> None:
        """Until all has come, or nothing comes any more."""
        before, quiet = -1, 0
        while not self.done.wait(1.0) and quiet < SILENCE_SECONDS:
            self.looks.append((time.monotonic(), time.process_time()))
            quiet = quiet + 1 if self.updates == before else 0
            before = self.updates
        self.ended = self.ended or time.monotonic()

    def followed(self, counters: Sequence[int]) -> Followed:
        used = time.process_time() - self.used
        late = [1000 * seconds for seconds in self.late] or [0.0, 0.0]
        rounds = [count - FIRST_COUNT for count in counters]
        shares = [
            (after - before) / (then - now)
            for (now, before), (then, after) in pairwise(self.looks)
            if self.began <= now and then <= self.ended
        ]
        seconds = self.ended - self.began
        return Followed(
            updates=self.updates,
            lowest=min(rounds),
            highest=max(rounds),
            seconds=seconds,
            cpu_seconds=used,
            share=100 * (median(shares) if shares else used / seconds),
            p50=median(late),
            p99=quantiles(late, n=100)[98],
            worst=max(late),
        )


# -- ours ----------------------------------------------------------------------------------------------------------


class WatchedBoard(Board):
    """The desk's board, whose every frame is timed once it stands there."""

    def __init__(self, watch: Watch, mode: str) -> None:
        super().__init__()
        self._watch = watch
        self._count, self._sent = _places(mode)
        self.took: list[int] = []

    def apply(self, frame: Frame, received_ns: int) -> None:
        super().apply(frame, received_ns)
        feeds: list[Any] = frame.feeds
        if feeds[0][self._count] > FIRST_COUNT:
            self.took.append(time.monotonic_ns() - received_ns)
            self._watch.saw(len(feeds), feeds[0][self._sent])


def _places(mode: str) -> tuple[int, int]:
    """Where the counter and the time of sending stand in a row (see `services.paper.feed.reel`)."""
    return (LTQ, PREV_CLOSE) if mode == "ltpc" else (VOLUME, BUY_QUANTITY)


def ours(task: Task, folder: Path) -> Followed:
    """The desk's feed, as its runtime puts it together."""
    watch = Watch(task.updates)
    board = WatchedBoard(watch, task.mode)
    counted = [0]

    def count(received_ms: int, ticks: Sequence[Tick]) -> None:
        counted[0] += len(ticks)

    with ExitStack() as closings:
        api = closings.enter_context(api_of(task))
        clock = HostClock(time.time)
        token = Token(task.access_token, TokenKind.ACCESS, clock.now(), clock.now() + timedelta(hours=12))
        feed = LiveFeed(
            authorise=api.feed_authorize,
            connect=lambda: FeedConnection(local=True),
            token=lambda: token,
            clock=clock,
            phase=lambda segment, listing: PhaseNow(Phase.OPEN, "", None),
            folder=folder,
            board=board,
        )
        closings.callback(feed.close)
        feed.add_tick_sink(count)
        writer = TickWriter(closings.enter_context(open_pool(folder))) if task.store else None
        if writer is not None:
            closings.callback(writer.close)
            feed.add_tick_sink(writer.put)
        feed.hold("benchmark", task.keys, task.mode)
        assert feed.connect("benchmark"), feed.health()
        watch.wait()
        if writer is not None:
            assert writer.flush()
        column = "ltq" if task.mode == "ltpc" else "volume"
        found = watch.followed(board.snapshot(task.keys).rows[column].tolist())
        took = [one / 1e6 for one in board.took]
        found.received_p50, found.received_p99 = median(took), quantiles(took, n=100)[98]
        found.ticks = counted[0]
        if writer is not None:
            stats = writer.stats()
            found.stored, found.dropped = stats.written, stats.dropped_in_all
    return found


# -- the others ----------------------------------------------------------------------------------------------------


def sdk(task: Task, folder: Path) -> Followed:
    """The official streamer, its fixed host pointed at the generator; whoever listens keeps the rows by key."""
    import websocket

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import upstox_client

    usual, host = websocket.WebSocketApp, task.base_url.replace("http", "ws", 1)
    websocket.WebSocketApp = lambda url, **given: usual(url.replace(FIXED_HOST, host), **given)  # type: ignore
    configuration = upstox_client.Configuration()
    configuration.access_token = task.access_token
    streamer = upstox_client.MarketDataStreamerV3(upstox_client.ApiClient(configuration), task.keys, task.mode)
    watch = Watch(task.updates)
    latest: dict[str, Any] = {}

    def stamps(feed: dict[str, Any]) -> tuple[int, float]:
        if task.mode == "ltpc":
            return int(feed["ltpc"]["ltq"]), feed["ltpc"]["cp"]
        market = feed["fullFeed"]["marketFF"]
        return int(market["vtt"]), market["tbq"]

    def keep(message: dict[str, Any]) -> None:
        feeds = message.get("feeds")
        if not feeds:
            return
        latest.update(feeds)
        count, sent = stamps(next(iter(feeds.values())))
        if count > FIRST_COUNT:
            watch.saw(len(feeds), sent)

    streamer.on("message", keep)
    streamer.connect()
    watch.wait()
    found = watch.followed([stamps(latest[key])[0] for key in task.keys])
    streamer.disconnect_valid = True  # asked for by us: no reconnect
    return found


def bare(task: Task, folder: Path) -> Followed:
    """The connection alone; frames are parsed to find their stamps, and nothing is kept."""
    watch = Watch(task.updates)
    with api_of(task) as api, closing(FeedConnection(local=True)) as connection:
        connection.open(api.feed_authorize())
        for request in requests(FeedMethod.SUBSCRIBE, task.keys, FeedMode(task.mode), new_guid=lambda: "bare"):
            connection.send(request)
        while watch.updates < watch.expected and (payload := connection.receive(SILENCE_SECONDS)) is not None:
            feeds = FeedResponse.FromString(payload).feeds
            for key in feeds:
                ltpc, market = feeds[key].ltpc, feeds[key].fullFeed.marketFF
                count, sent = (ltpc.ltq, ltpc.cp) if task.mode == "ltpc" else (market.vtt, market.tbq)
                if count > FIRST_COUNT:
                    watch.saw(len(feeds), sent)
                break
    return watch.followed([FIRST_COUNT])


WAYS: dict[str, Callable[[Task, Path], Followed]] = {"ours": ours, "sdk": sdk, "bare": bare}


@contextmanager
def api_of(task: Task) -> Iterator[UpstoxApi]:
    """The desk's calls, with the generator's token and a gate that is wide open."""
    http = HttpClient()
    try:
        yield UpstoxApi(
            http=http,
            gate=RateGate(dict.fromkeys(RATE_LIMITS, (Limit(10**6, 1.0),))),
            bases=dict.fromkeys(Base, task.base_url),
            profile=Profile.UPSTOX,
            token=lambda writes: task.access_token,
            token_rejected=lambda secret: None,
            error_sink=lambda *args, **kwargs: None,
        )
    finally:
        http.close()


@contextmanager
def _busy(wanted: bool) -> Iterator[None]:
    """A thread that does nothing but run Python, if it is wanted."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            sum(number * number for number in range(1000))

    thread = threading.Thread(target=work, name="busy", daemon=True)
    if wanted:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if wanted:
            thread.join()


def main() -> None:
    """One task."""
    task = Task(**orjson.loads(sys.stdin.readline()))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*task.gc_thresholds)
    sys.setswitchinterval(task.switch_interval)
    with _busy(task.busy), TemporaryDirectory() as folder:
        found = WAYS[task.way](task, Path(folder))
    sys.stdout.write(orjson.dumps(asdict(found)).decode() + "\n")
    sys.stdout.flush()
    os._exit(0)  # the SDK leaves threads behind, and prints about them


if __name__ == "__main__":
    main()
