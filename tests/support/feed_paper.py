"""Websocket clients for the paper broker's feeds, and a market whose prices a test moves."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import websocket

from services.paper.model import Level, Snapshot
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.wire.feed import feed_v3_pb2 as pb
from tests.support.paper import Client, Hands, KnownMarket

AUTHORIZE = "/v3/feed/market-data-feed/authorize"
DIRECT = "/v3/feed/market-data-feed"
PORTFOLIO_AUTHORIZE = "/v2/feed/portfolio-stream-feed/authorize"
PORTFOLIO_DIRECT = "/v2/feed/portfolio-stream-feed"
FEEDS = "/_paper/feeds"
FEED_FAULTS = "/_paper/feed-faults"
NOON = "2026-11-20T12:00:30+05:30"
SECONDS = 5.0
"""How long a test waits for what must come."""
QUIET_SECONDS = 0.45
"""How long it listens for what must not come: two beats and a little."""


class MovingMarket(KnownMarket):
    """The known market, whose prices stand until they are moved."""

    def __init__(self, spare: int = 0) -> None:
        super().__init__(spare)
        self.moved: dict[str, tuple[float, int]] = {}
        self.once = False
        """Hand out the same snapshot until a price moves, as the practice market does within a second."""
        self._handed_out: dict[str, Snapshot] = {}

    def move(self, key: str, ltp: float, *, volume: int = 5_000_000) -> None:
        self.moved = self.moved | {key: (ltp, volume)}
        self._handed_out = {}

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        found = [self._as_moved(snap) for snap in super().snapshots(keys, at)]
        if not self.once:
            return found
        return [self._handed_out.setdefault(snap.listing.key, snap) for snap in found]

    def _as_moved(self, snap: Snapshot) -> Snapshot:
        ltp, volume = self.moved.get(snap.listing.key, (snap.ltp, snap.volume))
        levels = tuple(Level(round(ltp - n / 10, 2), 100 + n, 5 + n) for n in range(len(snap.bids)))
        return replace(
            snap,
            ltp=ltp,
            volume=None if snap.volume is None else volume,
            last_trade_ms=1_795_153_503_845,
            bids=levels,
        )


def request_body(method: str, keys: Iterable[str], mode: str | None = None) -> bytes:
    data: dict[str, object] = {"instrumentKeys": list(keys)}
    if mode is not None:
        data["mode"] = mode
    return json.dumps({"guid": "any", "method": method, "data": data}).encode()


class FeedSocket:
    """One websocket, as a client without any cleverness holds it."""

    def __init__(self, url: str, **given: Any) -> None:
        self.raw = websocket.create_connection(url, **{"timeout": SECONDS, **given})

    def ask(self, method: str, keys: Iterable[str], mode: str | None = None) -> None:
        self.raw.send_binary(request_body(method, keys, mode))

    def frame(self) -> bytes:
        """The next data frame, as it came."""
        found = self.raw.recv()
        assert isinstance(found, bytes), found
        return found

    def message(self) -> pb.FeedResponse:
        return pb.FeedResponse.FromString(self.frame())

    def feeds(self, *keys: str) -> dict[str, pb.Feed]:
        """The last row of each of `keys`, read until all have come."""
        found: dict[str, pb.Feed] = {}
        while not found.keys() >= set(keys):
            found |= dict(self.message().feeds)
        return found

    def is_quiet(self) -> bool:
        """Does no data come for a while?"""
        self.raw.settimeout(QUIET_SECONDS)
        try:
            self.raw.recv()
        except websocket.WebSocketTimeoutException:
            return True
        finally:
            self.raw.settimeout(SECONDS)
        return False

    def end(self) -> int | None:
        """The code of the close frame that ends the connection, after whatever comes before; `None` without one."""
        try:
            while True:
                opcode, data = self.raw.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    return int.from_bytes(data[:2], "big")
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return None

    def close(self) -> None:
        with suppress(OSError, websocket.WebSocketException):
            self.raw.shutdown()


class FeedBench:
    """A broker with a moving market, its REST client, and the sockets that a test opened."""

    def __init__(self, server: PaperServer, market: MovingMarket, clock: Hands) -> None:
        self.server = server
        self.market = market
        self.clock = clock
        self.client = Client(server)
        self._sockets: list[FeedSocket] = []

    def address(self, path: str = AUTHORIZE, **given: Any) -> str:
        address = self.client.data(path, **given)["authorized_redirect_uri"]
        assert isinstance(address, str)
        return address

    def connect(self, url: str | None = None, **given: Any) -> FeedSocket:
        """A socket on a fresh address, or on `url`."""
        made = FeedSocket(url or self.address(), **given)
        self._sockets.append(made)
        return made

    def subscribed(self, *keys: str, mode: str = "full") -> FeedSocket:
        """A socket that has its market info and the snapshot of `keys`."""
        made = self.connect()
        assert made.message().type == pb.market_info
        made.ask("sub", keys, mode)
        made.feeds(*keys)
        return made

    def direct(self, path: str = DIRECT) -> str:
        return self.client.base.replace("http", "ws", 1) + path

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.server.access_token()}"}

    def order(self, kind: str, **more: Any) -> dict[str, Any]:
        """Ask for a fault."""
        answer = self.client.send("POST", FEED_FAULTS, json={"kind": kind, **more})
        assert answer.status_code == 200, answer.text
        told = answer.json()["data"]
        assert isinstance(told, dict)
        return told

    def open(self, feed: str = "market") -> list[dict[str, Any]]:
        """What the broker tells of its open feeds."""
        found = self.client.data(FEEDS)[feed]
        assert isinstance(found, list)
        return found

    def hang_up(self) -> None:
        """Close every socket, and wait until the broker knows."""
        while self._sockets:
            self._sockets.pop().close()
        eventually(lambda: not self.open() and not self.open("portfolio"))

    def close(self) -> None:
        while self._sockets:
            self._sockets.pop().close()
        self.client.session.close()
        self.server.stop()


@contextmanager
def feeding(folder: Path, *, instant: str = NOON, spare: int = 0, **given: Any) -> Iterator[FeedBench]:
    """A broker whose clock and prices the test moves."""
    market, clock = MovingMarket(spare), Hands(instant)
    server = PaperServer(PaperOptions(folder=folder, clock=instant, **given), market=market, clock=clock)  # type: ignore[arg-type]
    bench = FeedBench(server.start(), market, clock)
    try:
        yield bench
    finally:
        bench.close()


def eventually(holds: Callable[[], bool], *, pause: Callable[[float], None] = time.sleep) -> None:
    """Wait until `holds()`; AssertionError after a while."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        pause(0.01)


def handshake_status(url: str, **given: Any) -> int:
    """The HTTP status of a handshake that must be refused."""
    try:
        websocket.create_connection(url, **{"timeout": SECONDS, **given}).shutdown()
    except websocket.WebSocketBadStatusException as refused:
        return refused.status_code
    raise AssertionError("the handshake was not refused")


def stopped_reader(url: str, keys: Iterable[str]) -> socket.socket:
    """A connection that opens the websocket by hand, subscribes to `keys` in full and never reads."""
    host, path = url.removeprefix("ws://").split("/", 1)
    name, port = host.split(":")
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((name, int(port)))
    made.sendall(
        f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    made.settimeout(SECONDS)
    made.recv(12)  # accepted; that is all that is ever read
    body = request_body("sub", keys, "full")
    made.sendall(b"\x82\xfe" + len(body).to_bytes(2, "big") + bytes(4) + body)  # masked with zeros
    return made
