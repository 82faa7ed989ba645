"""`python -m services.paper.feed.load`: a market feed under load, as a process of its own, for benchmarks.

It answers authorize and handshakes as the broker does and streams frames encoded beforehand (`reel` tells what counts
up in them), at a steady rate, from the moment that every client has subscribed to every key. Nothing is left out: a
client that cannot follow makes it late, and it says how late. One JSON line tells that it is ready, one at the end what
it sent to each client (beside the snapshots).
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import orjson
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn import Config, Server

from services.paper.clock import PaperClock
from services.paper.feed.market_info import EXCHANGE_OF_SEGMENT
from services.paper.feed.protocol import LARGEST_REQUEST, PING_SECONDS, PONG_SECONDS, FeedProtocol
from services.paper.feed.reel import FIRST_COUNT, Reel
from services.paper.feed.requests import Method, Mode, read_request
from services.paper.feed.tickets import AUTHORISED, FeedName, Ticket, Tickets
from services.paper.market import build_market
from services.paper.model import Snapshot
from services.paper.tokens import Claims
from services.wire.endpoints import FEED_AUTHORIZE, MARKET_FEED
from services.wire.feed import feed_v3_pb2 as pb

HOST = "127.0.0.1"
INSTANT = "2026-11-20T11:15:00+05:30x0.001"
MOST_BACKLOG = 1 << 20
"""Bytes that may wait for one client before the whole feed waits for it."""
PATIENCE_SECONDS = 300.0
"""How long it waits for its clients at the beginning, and for what is on its way at the end."""
_SNAPSHOT_ROWS = 500


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be sent."""

    keys: int = 2000
    rate: int = 50_000
    """Updates (rows) a second."""
    mode: Mode = Mode.FULL
    seconds: float = 10.0
    per_frame: int = 50
    clients: int = 1
    port: int = 0

    @property
    def updates(self) -> int:
        return int(self.rate * self.seconds)


@dataclass(slots=True)
class Sent:
    """What was sent to each client, as the last line tells it."""

    updates: int = 0
    frames: int = 0
    bytes: int = 0
    rounds: int = 0
    """Whole and begun: the counter of a key ends at `FIRST_COUNT` + `rounds`, or one less if its last one was not
    reached."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    longest_delay_ms: float = 0.0
    """Of a frame behind its time."""


class LoadFeed:
    """The server side of one load."""

    def __init__(self, load: Load, reel: Reel) -> None:
        self.token = secrets.token_urlsafe(24)
        self.sent = Sent()
        self._load = load
        self._reel = reel
        self._places = {key: place for place, key in enumerate(reel.keys)}
        self._tickets = Tickets(monotonic=time.monotonic)
        self._claims = Claims("load", "LOAD", datetime.max.replace(tzinfo=UTC))
        self._subscribed: dict[FeedProtocol, set[str]] = {}
        self._ready = asyncio.Event()

    def app(self) -> Starlette:
        """Authorize (both ways), the direct handshake, and the feed."""
        routes = [
            Route(way.path, self._authorize, methods=[way.method])
            for way in (*FEED_AUTHORIZE.published, *FEED_AUTHORIZE.guide)
        ]
        return Starlette(
            routes=[
                *routes,
                WebSocketRoute(MARKET_FEED.path, self._redirect),
                WebSocketRoute(AUTHORISED[FeedName.MARKET], self._serve),
            ]
        )

    async def stream(self) -> None:
        """Wait for the clients, then send everything. TimeoutError if they do not come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._ready.wait()
        began, used = time.monotonic(), time.process_time()
        total = self._load.updates
        while self.sent.updates < total and self._subscribed:
            self.sent.rounds += 1
            for place in range(len(self._reel)):
                await self._wait_until(began + self.sent.updates / self._load.rate)
                self._send(place)
                if self.sent.updates >= total:
                    break
        await self._drain()
        self.sent.seconds = time.monotonic() - began
        self.sent.cpu_seconds = time.process_time() - used

    async def _wait_until(self, due: float) -> None:
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
        while any(client.backlog > MOST_BACKLOG for client in self._subscribed):
            await asyncio.sleep(0.001)
        delay = 1000 * (time.monotonic() - due)
        self.sent.longest_delay_ms = max(self.sent.longest_delay_ms, delay)

    def _send(self, place: int) -> None:
        frame = self._reel.frame(place, self.sent.rounds, _now_ms(), time.monotonic())
        for client in self._subscribed:
            client.write(frame)
        self.sent.updates += self._reel.rows_in(place)
        self.sent.frames += 1
        self.sent.bytes += len(frame)

    async def _drain(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while any(client.backlog for client in self._subscribed) and time.monotonic() < end:
            await asyncio.sleep(0.005)

    def _address(self, asked: HTTPConnection) -> str | None:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return None
        return self._tickets.address(asked.headers["host"], Ticket(FeedName.MARKET, self._claims))

    async def _authorize(self, request: Request) -> Response:
        address = self._address(request)
        if address is None:
            return JSONResponse({"status": "error", "errors": [{"error_code": "UDAPI100050"}]}, 401)
        data = {"authorized_redirect_uri": address, "authorizedRedirectUri": address}
        return JSONResponse({"status": "success", "data": data})

    async def _redirect(self, websocket: WebSocket) -> None:
        address = self._address(websocket)
        answer = Response(status_code=401) if address is None else RedirectResponse(address, 302)
        await websocket.send_denial_response(answer)

    async def _serve(self, websocket: WebSocket) -> None:
        query = websocket.query_params
        if self._tickets.take(FeedName.MARKET, query.get("requestId", ""), query.get("code", "")) is None:
            await websocket.send_denial_response(Response(status_code=403))
            return
        await websocket.accept()
        client: FeedProtocol = websocket.scope["state"]["websocket"]
        self._subscribed[client] = set()
        client.write(pb.FeedResponse(type=pb.market_info, currentTs=_now_ms(), marketInfo=_INFO).SerializeToString())
        try:
            while (message := await websocket.receive())["type"] == "websocket.receive":
                self._obey(client, message.get("bytes") or b"")
        finally:
            del self._subscribed[client]

    def _obey(self, client: FeedProtocol, raw: bytes) -> None:
        """Only `sub` counts, in whatever mode: the rows are made for one."""
        request = read_request(raw)
        if request is None or request.method is not Method.SUB:
            return
        rows = [self._places[key] for key in request.keys if key in self._places]
        for start in range(0, len(rows), _SNAPSHOT_ROWS):
            client.write(self._reel.snapshot(rows[start : start + _SNAPSHOT_ROWS], _now_ms(), time.monotonic()))
        self._subscribed[client].update(request.keys)
        whole = sum(keys >= self._places.keys() for keys in self._subscribed.values())
        if whole >= self._load.clients:
            self._ready.set()


def snapshots(count: int, mode: Mode) -> list[Snapshot]:
    """Instruments of the practice market; for `option_greeks` its options. Where it has too few, some of them again
    under keys of their own."""
    clock = PaperClock.parse(INSTANT)
    market = build_market(seed=7, clock=clock, instruments=None, prices="simulated", candles=None)
    now = clock.now()
    keys = [
        item.key
        for item in market.listings(now).values()
        if not item.segment.endswith("_INDEX")
        and (mode is not Mode.OPTION_GREEKS or item.row.get("instrument_type") in {"CE", "PE"})
    ]
    found = market.snapshots(keys[:count], now)
    for number in range(count - len(found)):
        like = found[number % len(keys)]
        found.append(replace(like, listing=replace(like.listing, key=f"{like.listing.segment}|LOAD{number:06d}")))
    return found


async def run(load: Load, tell: Callable[[dict[str, object]], None]) -> int:
    """Serve one load. 0: everything is sent; 1: the clients did not come or went away, or somebody ended it."""
    reel = Reel(snapshots(load.keys, load.mode), load.mode, load.per_frame)
    feed = LoadFeed(load, reel)
    with socket.create_server((HOST, load.port)) as listener:
        server = _Server(
            Config(
                feed.app(),
                ws=FeedProtocol,
                ws_max_size=LARGEST_REQUEST,
                ws_ping_interval=PING_SECONDS,
                ws_ping_timeout=PONG_SECONDS,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        base_url = f"http://{HOST}:{listener.getsockname()[1]}"
        tell({"base_url": base_url, "access_token": feed.token, "first_count": FIRST_COUNT, "keys": reel.keys})
        streaming = asyncio.create_task(feed.stream())
        await asyncio.wait({serving, streaming}, return_when=asyncio.FIRST_COMPLETED)
        streaming.cancel()
        server.should_exit = True
        await serving
    tell(asdict(feed.sent))
    return 0 if feed.sent.updates >= load.updates else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """One load, as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m services.paper.feed.load", allow_abbrev=False)
    usual = Load()
    parser.add_argument("--keys", type=_count, default=usual.keys)
    parser.add_argument("--rate", type=_count, default=usual.rate, help="rows a second, all keys together")
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=usual.mode)
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--per-frame", type=_count, default=usual.per_frame, help="rows in one frame")
    parser.add_argument("--clients", type=_count, default=usual.clients, help="wait until so many have subscribed")
    parser.add_argument("--port", type=int, default=usual.port)
    given = parser.parse_args(arguments)
    load = Load(given.keys, given.rate, given.mode, given.seconds, given.per_frame, given.clients, given.port)
    return asyncio.run(run(load, _say))


class _Server(Server):
    """Leaves signals to us: uvicorn's way ends the process before the last line is told."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _say(told: dict[str, object]) -> None:
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    sys.stdout.flush()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


_INFO = pb.MarketInfo(segmentStatus=dict.fromkeys(EXCHANGE_OF_SEGMENT, pb.NORMAL_OPEN))


if __name__ == "__main__":
    sys.exit(main())
