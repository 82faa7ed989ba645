"""The broker of the push benchmark, in a process of its own: the paper broker with the load generator's market feed.

Frames are encoded beforehand; each row's time of the last trade is the instant of its sending, in epoch milliseconds.
Reads one `Ticking` as a JSON line, writes one line when it is ready; ends on SIGTERM or when its input ends.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from services.paper import server as paper
from services.paper.broker import Broker
from services.paper.clock import PaperClock
from services.paper.feed.load import Load, LoadFeed
from services.paper.feed.reel import Reel
from services.paper.feed.requests import Mode
from services.paper.feed.tickets import AUTHORISED, FeedName
from services.paper.market import build_market
from services.paper.options import PaperOptions
from services.wire.endpoints import FEED_AUTHORIZE, MARKET_FEED

_FOREVER = 100_000.0


@dataclass(frozen=True, slots=True)
class Ticking:
    """How many instruments tick, shares first, how often all of them together, and how many of them at once."""

    keys: int
    rate: int
    per_frame: int


class FeedBeside:
    """The broker's application, but for the market feed, which the load generator serves on the same loop. Its stream
    begins when a client has subscribed to every key."""

    def __init__(self, broker: ASGIApp, feed: LoadFeed) -> None:
        self._broker = broker
        self._feed = feed
        self._load = feed.app()
        self._streaming: asyncio.Task[None] | None = None
        ways = (*FEED_AUTHORIZE.published, *FEED_AUTHORIZE.guide)
        self._paths = {way.path for way in ways} | {MARKET_FEED.path, AUTHORISED[FeedName.MARKET]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") not in self._paths:
            await self._broker(scope, receive, send)
            return
        if self._streaming is None or self._streaming.done():
            self._streaming = asyncio.create_task(self._feed.stream())
        await self._load(scope, receive, send)


def main() -> None:
    """One broker."""
    ticking = Ticking(**orjson.loads(sys.stdin.readline()))
    clock = PaperClock.parse("always")
    market = build_market(seed=7, clock=clock, instruments=None, prices="simulated", candles=None)
    now = clock.now()
    tradable = [item for item in market.listings(now).values() if not item.segment.endswith("_INDEX")]
    ticked = [item.key for item in sorted(tradable, key=lambda item: item.segment != "NSE_EQ")][: ticking.keys]
    load = Load(ticking.keys, ticking.rate, Mode.FULL, _FOREVER, ticking.per_frame)
    feed = LoadFeed(load, Reel(market.snapshots(ticked, now), Mode.FULL, ticking.per_frame))
    build = paper.build_app  # type: ignore[attr-defined]  # taken from where it is used

    def build_app(broker: Broker) -> ASGIApp:
        return FeedBeside(build(broker), feed)

    with TemporaryDirectory() as folder, patch.object(paper, "build_app", build_app):
        server = paper.PaperServer(PaperOptions(Path(folder), limits=False), market=market, clock=clock).start()
        feed.token = server.access_token()
        ready = {"base_url": server.base_url, "access_token": feed.token, "keys": ticked}
        sys.stdout.write(orjson.dumps(ready).decode() + "\n")
        sys.stdout.flush()
        sys.stdin.read()  # until whoever started this lets go
        server.stop()


if __name__ == "__main__":
    main()
