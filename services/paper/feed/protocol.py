"""The server's websocket: uvicorn's, opened for what a feed needs of the connection below it."""

from __future__ import annotations

import logging
import socket
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PING_SECONDS = 10.0
"""A ping goes out when nothing was streamed for so long; the documents give no figure."""
PONG_SECONDS = 20.0
LARGEST_REQUEST = 1 << 20
_LAST_WORDS_SECONDS = 0.2

log = logging.getLogger(__name__)


class FeedProtocol(WebSocketsSansIOProtocol):
    """Hands itself to the application as `scope["state"]["websocket"]`; pings only while nothing is streamed; and lets
    go of a client that does not read, where uvicorn would wait for its buffer to drain."""

    def __init__(self, *given: Any, **named: Any) -> None:  # Any: passed on as uvicorn gives them
        super().__init__(*given, **named)
        self.app_state = {**self.app_state, "websocket": self}
        # uvicorn tells each handshake at INFO, with the code in its address; websockets tells headers at DEBUG.
        self.logger = self.conn.logger = log
        self.conn.debug = False
        if log.level == logging.NOTSET:
            log.setLevel(logging.WARNING)
        self._streamed = False

    def connection_made(self, transport: Any) -> None:  # Any: the base class narrows asyncio's type
        super().connection_made(transport)
        # asyncio leaves this out for sockets made by `create_server`; without it a frame waits for the last one's echo.
        if (wire := transport.get_extra_info("socket")) is not None:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send(self, message: Any) -> None:  # Any: uvicorn's own message types
        await super().send(message)
        if message["type"] == "websocket.send":
            self._streamed = True
        elif message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # refused in due form; uvicorn would report it as left unanswered

    def send_keepalive_ping(self) -> None:
        if self._streamed:
            self._streamed = False
            self.schedule_ping()
        else:
            super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._end_soon()

    def shutdown(self) -> None:
        super().shutdown()
        self._end_soon()

    @property
    def backlog(self) -> int:
        """Bytes that wait for the client to read."""
        return self.transport.get_write_buffer_size()

    def write(self, payload: bytes) -> None:
        """Send a binary frame past the application's way, without waiting: for a sender who minds the `backlog`."""
        size = len(payload)
        if size < 126:
            head = bytes((0x82, size))
        elif size < 1 << 16:
            head = b"\x82\x7e" + size.to_bytes(2, "big")
        else:
            head = b"\x82\x7f" + size.to_bytes(8, "big")
        self._streamed = True
        self.transport.write(head + payload)

    def cut(self) -> None:
        """End the connection under the websocket, throwing away what is not sent yet."""
        self.transport.abort()

    def tear(self, payload: bytes) -> None:
        """Send a frame's head with a part of `payload`, which is shorter than the head says, and end the connection."""
        head = b"\x82\x7f" + (2 * len(payload) + 1).to_bytes(8, "big")
        self.transport.write(head + payload)
        self.transport.close()

    def stop_reading(self) -> None:
        self.transport.pause_reading()

    def go_on_reading(self) -> None:
        if not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def _end_soon(self) -> None:
        if self.backlog:
            self.loop.call_later(_LAST_WORDS_SECONDS, self.transport.abort)


class WatchfulProtocol(FeedProtocol):
    """Pings while it streams as well: what is sent to a process that has stopped fills buffers, and tells nothing."""

    def send_keepalive_ping(self) -> None:
        self._streamed = False
        super().send_keepalive_ping()
