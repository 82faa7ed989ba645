"""The websocket library's parser without its waiting: over bytes that have arrived, on a socket that never blocks."""

from __future__ import annotations

import selectors
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from websocket import ABNF, STATUS_NORMAL, WebSocket, WebSocketException, WebSocketTimeoutException

from services.wire.envelope import plain_text

SEND_SECONDS = 5.0
"""A broker that does not take our bytes for so long is gone."""
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""A header that announces more is garbage; 5,000 full rows are 3 MB."""

_BINARY = 0x82
"""First byte of a frame that is a whole binary message."""
_TWO_BYTES, _EIGHT_BYTES = 126, 127
"""Its second byte where so many bytes of length follow; more: it is masked."""


class Closed(WebSocketException):
    """The broker's close frame has come. `code=None`: it holds none."""

    def __init__(self, payload: bytes) -> None:
        super().__init__("closed")
        self.code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else None
        self.reason = plain_text(payload[2:])


class FrameStream(WebSocket):
    """The library's parser over bytes that have arrived already: it never waits, and keeps a half message until its
    rest is there. One big read for many frames instead of three small ones for each."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__(enable_multithread=False, skip_utf8_validation=True)
        self._monotonic = monotonic
        self._piece = b""
        self._at = 0
        self.patience = SEND_SECONDS

    def take_over(self) -> socket.socket:
        """The socket of the handshake, from now on without blocking."""
        opened: object = self.sock  # the library hands back whatever it was given
        bare = opened.sock if isinstance(opened, TimedSocket) else opened
        assert isinstance(bare, socket.socket)
        bare.setblocking(False)
        self.sock = bare
        return bare

    def put(self, piece: bytes) -> None:
        """Bytes that have arrived. All earlier ones must have been taken: `next_message` returned None."""
        self._piece, self._at = piece, 0

    def next_message(self) -> bytes | None:
        """The next whole message, `None` if more bytes are needed. Answers pings. Raises `Closed` at a close frame."""
        if self._at == len(self._piece):
            return None
        if (plain := self._plain_message()) is not None:
            return plain
        try:
            opcode, frame = self.recv_data_frame()
        except WebSocketTimeoutException:
            return None
        if opcode == ABNF.OPCODE_CLOSE:
            raise Closed(frame.data)
        data: bytes = frame.data
        return data

    def _plain_message(self) -> bytes | None:
        """The next message where it is what nearly all are: one binary frame, not masked, all of it here, with nothing
        half read before it. The library takes as long over a frame as it takes to parse the prices in it."""
        piece, at, buffer = self._piece, self._at, self.frame_buffer
        left = len(piece) - at
        if left < 2 or piece[at] != _BINARY or buffer.header or buffer.recv_buffer or self.cont_frame.recving_frames:
            return None
        size, begin = piece[at + 1], at + 2
        if size >= _TWO_BYTES:
            if size > _EIGHT_BYTES:
                return None
            begin += 2 if size == _TWO_BYTES else 8
            size = int.from_bytes(piece[at + 2 : begin], "big")
        end = begin + size
        if end > len(piece):
            return None
        self._at = end
        return piece[begin:end]

    def send_close(self, status: int = STATUS_NORMAL, reason: str | bytes = b"") -> None:
        """Say goodbye, if the other side still listens: why it left matters more than whether it heard us."""
        with suppress(OSError, WebSocketException):
            super().send_close(status, reason)

    def _recv(self, bufsize: int) -> bytes:
        length = self.frame_buffer.length
        if length is not None and length > MAX_MESSAGE_BYTES:
            raise WebSocketException(f"a frame of {length} bytes is announced")
        piece = self._piece[self._at : self._at + bufsize]
        if not piece:
            raise WebSocketTimeoutException("more bytes are needed")
        self._at += len(piece)
        return piece

    def _send(self, data: bytes | str) -> int:
        """Give the socket, which does not block, as much as it takes; wait for room if it takes none."""
        if self.sock is None:
            raise OSError("closed")
        until = self._monotonic() + self.patience
        while True:
            try:
                return self.sock.send(data if isinstance(data, bytes) else data.encode())
            except (BlockingIOError, ssl.SSLWantWriteError):
                _wait_for(self.sock, selectors.EVENT_WRITE, until - self._monotonic())
            except ssl.SSLWantReadError:
                _wait_for(self.sock, selectors.EVENT_READ, until - self._monotonic())


def _wait_for(sock: socket.socket, event: int, seconds: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, event)
        if seconds <= 0 or not selector.select(seconds):
            raise TimeoutError("the peer takes no bytes")


class TimedSocket:
    """A socket whose steps all end by one deadline, for the handshake, which is read byte by byte."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self.sock = sock
        self._left = left

    def recv(self, size: int) -> bytes:
        self._limit()
        return self.sock.recv(size)

    def send(self, data: bytes) -> int:
        self._limit()
        return self.sock.send(data)

    def gettimeout(self) -> float | None:
        return self.sock.gettimeout()

    def fileno(self) -> int:
        return self.sock.fileno()

    def close(self) -> None:
        self.sock.close()

    def _limit(self) -> None:
        left = self._left()
        if left <= 0:
            raise TimeoutError("the handshake takes too long")
        self.sock.settimeout(left)
