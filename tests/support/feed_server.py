"""A websocket server whose every connection follows a script, down to the single byte: for what a feed meets.

with feed_server() as server:
    server.scripts.append(refused(403))     # the first connection
    ...                                     # the next ones are good: see `good`
"""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import orjson

from services.wire.feed.feed_v3_pb2 import FeedResponse
from tests.support.sockets import answer, serving

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(payload: bytes, opcode: int = BINARY, *, fin: bool = True, length: int | None = None) -> bytes:
    """A server's frame; its header may lie about the `length`."""
    size = len(payload) if length is None else length
    first = bytes([0x80 * fin | opcode])
    if size < 126:
        return first + bytes([size]) + payload
    if size < 1 << 16:
        return first + b"\x7e" + struct.pack("!H", size) + payload
    return first + b"\x7f" + struct.pack("!Q", size) + payload


class Peer:
    """One client, from the server's side."""

    def __init__(self, server: FeedServer, connection: socket.socket, head: bytes) -> None:
        self.server = server
        self.connection = connection
        self.head, _, self._rest = head.partition(b"\r\n\r\n")

    @property
    def target(self) -> str:
        return self.head.split(b" ")[1].decode()

    def accept(self) -> None:
        key = next(line for line in self.head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        digest = hashlib.sha1(key.split(b":")[1].strip() + _ACCEPT).digest()
        self.connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )

    def send(self, payload: bytes, opcode: int = BINARY) -> None:
        self.connection.sendall(frame(payload, opcode))

    def raw(self, data: bytes) -> None:
        self.connection.sendall(data)

    def close(self, code: int, reason: str = "") -> None:
        self.send(struct.pack("!H", code) + reason.encode(), CLOSE)

    def cut(self) -> None:
        """End the connection with a reset, as a network does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()

    def hang_up(self) -> None:
        """End the connection without a close frame while another thread may be reading from it."""
        self.connection.shutdown(socket.SHUT_RDWR)

    def read(self) -> tuple[int, bytes]:
        """The next frame of the client. `ConnectionError` when it is gone."""
        first, second = self._exactly(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._exactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._exactly(8))[0]
        assert second & 0x80, "a client must mask its frames"
        mask = self._exactly(4)
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self._exactly(size)))
        return first & 0x0F, payload

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            piece = self.connection.recv(65536)
            if not piece:
                raise ConnectionError("the client is gone")
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


Script = Callable[[Peer], None]


@dataclass
class FeedServer:
    """`scripts` are used up one per connection; afterwards every connection is a good one."""

    base: str = ""
    scripts: deque[Script] = field(default_factory=deque)
    standing: Script | None = None
    requests: list[dict[str, object]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    ended: list[bytes] = field(default_factory=list)
    """Payloads of the close frames that clients sent."""
    over: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)
    held: dict[str, str] = field(default_factory=dict)
    """What the newest connection is subscribed to."""
    open_peers: list[Peer] = field(default_factory=list)
    issued: int = 0

    def address(self) -> str:
        """A fresh address, good for one connection."""
        self.issued += 1
        return f"{self.base.replace('http', 'ws')}/feed?requestId=r{self.issued}&code=c{self.issued}"

    def behave(self, connection: socket.socket, head: bytes) -> None:
        connection.settimeout(20)
        peer = Peer(self, connection, head)
        with self.changed:
            self.targets.append(peer.target)
            script = self.scripts.popleft() if self.scripts else self.standing or good
            self.changed.notify_all()
        script(peer)

    def wait_for(self, done: Callable[[], bool], seconds: float = 10) -> None:
        """Wait for something to have come from a client."""
        with self.changed:
            assert self.changed.wait_for(done, seconds), "the client did not do what was waited for"

    def push(self, payload: bytes) -> None:
        """Send to every client that is there."""
        for peer in list(self.open_peers):
            peer.send(payload)

    def note(self, request: dict[str, object]) -> dict[str, str]:
        """Write a request down; what it newly subscribes, by mode."""
        data = request["data"]
        assert isinstance(data, dict)
        keys, mode = data["instrumentKeys"], data.get("mode", "ltpc")
        with self.changed:
            self.requests.append(request)
            if request["method"] == "unsub":
                for key in keys:
                    self.held.pop(key, None)
            else:
                self.held.update(dict.fromkeys(keys, mode))
            self.changed.notify_all()
        return {} if request["method"] == "unsub" else dict.fromkeys(keys, mode)


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    server = FeedServer()
    with serving(server.behave) as base:
        server.base = base
        yield server
        server.over.set()
        for peer in list(server.open_peers):
            with suppress(OSError):
                peer.connection.shutdown(socket.SHUT_RDWR)


# -- scripts -----------------------------------------------------------------------------------------------------------


def good(peer: Peer) -> None:
    """A connection as it should be: market information, then a snapshot of whatever is subscribed."""
    peer.accept()
    serve(peer)


def serve(peer: Peer, *, snapshots: bool = True) -> None:
    server = peer.server
    peer.send(market_info())
    with server.changed:
        server.held = {}
        server.open_peers.append(peer)
        server.changed.notify_all()
    try:
        with suppress(OSError):
            _answer_requests(peer, snapshots)
    finally:
        with server.changed:
            server.open_peers.remove(peer)
            server.changed.notify_all()


def _answer_requests(peer: Peer, snapshots: bool) -> None:
    server = peer.server
    while True:
        opcode, payload = peer.read()
        if opcode == PING:
            peer.send(payload, PONG)
        elif opcode == CLOSE:
            with server.changed:
                server.ended.append(payload)
                server.changed.notify_all()
            return
        elif opcode == BINARY:
            new = server.note(orjson.loads(payload))
            known = [key for key in new if "UNKNOWN" not in key]
            if known and snapshots:
                peer.send(prices(dict.fromkeys(known, 100.0)))


def mute(peer: Peer) -> None:
    """Open, answers pings, and tells no prices."""
    peer.accept()
    serve(peer, snapshots=False)


def refused(status: int, body: bytes = b"", kind: str = "application/json") -> Script:
    """The handshake is answered with `status`."""
    told = answer(body, status=f"{status} No", headers=f"Content-Type: {kind}\r\nrequestId: req-7\r\n")
    return lambda peer: peer.raw(told)


def cut_at_once(peer: Peer) -> None:
    """Dropped in the middle of the handshake."""
    peer.cut()


def then_cut(peer: Peer) -> None:
    """A good beginning, then a reset without a close frame."""
    peer.accept()
    peer.send(market_info())
    peer.read()
    peer.cut()


def then_close(code: int, reason: str = "") -> Script:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(market_info())
        peer.close(code, reason)
        peer.server.over.wait(0.2)

    return script


def garbage(peer: Peer) -> None:
    """Nonsense in whole frames, then all is well."""
    peer.accept()
    peer.send(b"\xff\xfe\x00garbage")
    peer.send(b"{}", TEXT)
    serve(peer)


def torn(peer: Peer) -> None:
    """The connection ends in the middle of a frame."""
    peer.accept()
    peer.raw(frame(b"x" * 50, length=5000))
    peer.cut()


def half_message(peer: Peer) -> None:
    """A message that holds only its first half, in a whole frame; then all is well."""
    peer.accept()
    whole = prices(dict.fromkeys((f"NSE_EQ|INE{n:09d}" for n in range(20)), 7.0))
    peer.send(whole[: len(whole) // 2])
    serve(peer)


def with_news(peer: Peer) -> None:
    """Prices with members that nobody has told us of, then all is well."""
    peer.accept()
    response = FeedResponse.FromString(prices({"NSE_EQ|INE002A01018": 55.0}))
    response.feeds["NSE_EQ|INE002A01018"].ltpc.MergeFromString(b"\x30\x05")
    peer.send(response.SerializeToString() + b"\x48\x01")
    serve(peer)


def bad_depth(peer: Peer) -> None:
    """A price whose depth cannot be read, then all is well."""
    peer.accept()
    peer.send(unreadable_depth("NSE_EQ|INE002A01018", 55.0))
    serve(peer)


# -- payloads ----------------------------------------------------------------------------------------------------------


def unreadable_depth(key: str, price: float) -> bytes:
    """A frame whose price is sound and whose depth is cut off."""
    response = FeedResponse(type=1, currentTs=1_795_000_000_000)
    response.feeds[key].fullFeed.marketFF.ltpc.ltp = price
    market = response.feeds[key].fullFeed.marketFF.SerializeToString() + b"\x12\x02\x0a\x09"
    full = b"\x0a" + bytes((len(market),)) + market
    feed = b"\x12" + bytes((len(full),)) + full
    entry = b"\x0a" + bytes((len(key),)) + key.encode() + b"\x12" + bytes((len(feed),)) + feed
    return b"\x08\x01\x12" + bytes((len(entry),)) + entry


def market_info(**segments: int) -> bytes:
    """The first message of a connection."""
    response = FeedResponse(type=2)
    for name, status in (segments or {"NSE_EQ": 2}).items():
        response.marketInfo.segmentStatus[name] = status
    response.currentTs = 1_795_000_000_000
    return response.SerializeToString()


def prices(by_key: dict[str, float], *, at_ms: int = 1_795_000_000_000, ltt_ms: int = 1_794_999_999_000) -> bytes:
    """Prices in ltpc mode."""
    response = FeedResponse(type=1, currentTs=at_ms)
    for key, price in by_key.items():
        ltpc = response.feeds[key].ltpc
        ltpc.ltp, ltpc.ltt, ltpc.ltq, ltpc.cp = price, ltt_ms, 5, 99.0
    return response.SerializeToString()
