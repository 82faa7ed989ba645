"""The server's websocket, opened for those who send the same to many.

uvicorn's own way takes a message through six layers and frames it anew for every client. Here a text is framed once and
its bytes are handed to each connection. Made the server's by the launcher; where it is not, the usual way is taken.
"""

from __future__ import annotations

import socket
from typing import Any

from starlette.websockets import WebSocket
from uvicorn.config import WS_PROTOCOLS
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_OF_STREAMLIT = "websockets-sansio"
"""The name of the protocol that Streamlit asks uvicorn for."""
_STATE = "websocket"


class DirectProtocol(WebSocketsSansIOProtocol):
    """Hands itself to the application in the scope's state."""

    def __init__(self, *given: Any, **named: Any) -> None:  # Any: passed on as uvicorn gives them
        super().__init__(*given, **named)
        self.app_state = {**self.app_state, _STATE: self}

    def connection_made(self, transport: Any) -> None:  # Any: the base class narrows asyncio's type
        super().connection_made(transport)
        # asyncio does so for sockets that it makes itself, and the server's is made by Streamlit. Without it a message
        # waits until the browser has acknowledged the one before.
        made = transport.get_extra_info("socket")
        if made.family in (socket.AF_INET, socket.AF_INET6):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, frame: bytes) -> bool:
        """Send a whole frame now. False: not now, since the connection is over or takes no more at the moment."""
        if not self.writable.is_set() or self.disconnected or self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True

    def cut(self) -> None:
        """End the connection without a word, throwing away what the other side does not take."""
        self.transport.abort()


def use_direct_protocol() -> None:
    """Have the server that is started next speak through `DirectProtocol`."""
    WS_PROTOCOLS[_OF_STREAMLIT] = f"{DirectProtocol.__module__}:{DirectProtocol.__qualname__}"


def direct_protocol(opened: WebSocket) -> DirectProtocol | None:
    """What is below `opened`, if the server speaks through it."""
    protocol = opened.scope.get("state", {}).get(_STATE)
    return protocol if isinstance(protocol, DirectProtocol) else None


def text_frame(text: str) -> bytes:
    """`text` as a server's websocket frame: whole, not masked, not compressed."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + data
    return b"\x81\x7f" + size.to_bytes(8, "big") + data
