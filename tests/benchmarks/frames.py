"""A websocket of a client that is no browser: frames are cut out of the bytes, so that hundreds cost little."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import websocket
from websocket import ABNF

_PIECE = 1 << 18
_TOLD = (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY)


class Frames:
    """What comes over an opened connection, without waiting. Pings are answered."""

    def __init__(self, opened: websocket.WebSocket) -> None:
        self._opened = opened
        assert opened.sock is not None
        self.sock: socket.socket = opened.sock
        self.sock.setblocking(False)
        self.messages = 0
        self.bytes = 0
        self._rest = b""

    def read(self) -> Iterator[bytes] | None:
        """The messages that have come; `None`: it was cut off."""
        try:
            piece = self.sock.recv(_PIECE)
        except BlockingIOError:
            return iter(())
        except ConnectionError:
            return None
        if not piece:
            return None
        self.bytes += len(piece)
        return self._cut(self._rest + piece)

    def send(self, payload: bytes) -> None:
        """A binary message; a full buffer is waited for. Where the other side has gone, reading tells it."""
        self.sock.setblocking(True)
        with suppress(ConnectionError):
            self.sock.sendall(ABNF.create_frame(payload, ABNF.OPCODE_BINARY).format())
        self.sock.setblocking(False)

    def _cut(self, piece: bytes) -> Iterator[bytes]:
        at = 0
        try:
            while len(piece) - at >= 2:
                size, begin = piece[at + 1], at + 2
                if size >= 126:
                    begin += 2 if size == 126 else 8
                    size = int.from_bytes(piece[at + 2 : begin], "big")
                if begin + size > len(piece):
                    break
                opcode, payload = piece[at] & 15, piece[begin : begin + size]
                at = begin + size
                if opcode in _TOLD:
                    self.messages += 1
                    yield payload
                elif opcode == ABNF.OPCODE_PING:
                    self.sock.send(ABNF.create_frame(payload, ABNF.OPCODE_PONG).format())
        finally:
            self._rest = piece[at:]

    def close(self) -> None:
        self._opened.shutdown()  # type: ignore[no-untyped-call]  # the library's
