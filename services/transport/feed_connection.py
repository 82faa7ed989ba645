"""One websocket connection to the broker, from handshake to end, and the one place where its errors become ours.

    open()     connect, TLS, handshake: bounded in time as a whole
    receive()  the next message, or None after `timeout` seconds or a `wake()`; answers pings and sends our own
    send()     one binary message
    wake()     from any thread: makes a `receive` that waits return
    abort()    from any thread: ends whatever this connection waits for

One thread owns the socket: it alone reads and writes, because a TLS connection must not be used by two at once. The
library's own loop (`run_forever`) would keep a second thread for pings, and hand over closes and errors as callbacks.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

from websocket import (
    ABNF,
    WebSocketAddressException,
    WebSocketBadStatusException,
    WebSocketException,
    WebSocketProxyException,
    WebSocketTimeoutException,
)

from services.domain.errors import (
    AccessDenied,
    BrokerError,
    ConfigurationError,
    ConnectionLost,
    MalformedPayload,
    NoAnswer,
    NotSent,
    TokenRejected,
    UpstoxError,
)
from services.settings import is_loopback
from services.transport.http import USER_AGENT
from services.transport.websocket_frames import SEND_SECONDS, Closed, FrameStream, TimedSocket
from services.wire.envelope import unwrap

OPEN_SECONDS = 10.0
"""TCP, TLS and handshake together."""
CONNECT_SECONDS = 3.05
"""TCP alone, for each of the host's addresses."""
CLOSE_SECONDS = 0.3
PING_SECONDS = 20.0
PONG_SECONDS = 10.0
_PIECE = 256 * 1024

log = logging.getLogger(__name__)


class Connection(Protocol):
    """What a stream needs of its connection."""

    def open(self, url: str) -> None: ...
    def receive(self, timeout: float) -> bytes | None: ...
    def send(self, payload: bytes) -> None: ...
    def wake(self) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...


class FeedConnection:
    """A connection that is opened once and closed once. `local`: only a broker on this machine may be at its other end
    (paper mode, rehearsal), plain `ws` allowed; else `wss` with a verified certificate."""

    def __init__(
        self,
        *,
        local: bool,
        trust_env: bool = False,
        name: str = "market feed",
        ping_seconds: float = PING_SECONDS,
        pong_seconds: float = PONG_SECONDS,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._local = local
        self._trust_env = trust_env
        self._name = name
        self._ping_seconds = ping_seconds
        self._pong_seconds = pong_seconds
        self._tls = tls
        self._monotonic = monotonic
        self._stream = FrameStream(monotonic)
        self._socket: socket.socket | None = None
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._aborted = False
        self._next_ping = 0.0
        self._pong_by: float | None = None

    # -- opening -----------------------------------------------------------------------------------------------

    def open(self, url: str) -> None:
        """Connect to an authorised address, which is good for one attempt.

        Raises `NotSent` (no way there), `NoAnswer`, `MalformedPayload` (no websocket there), `ConfigurationError` (an
        address that this process must not use), or what a refused handshake means: `TokenRejected` (401),
        `AccessDenied` (403), `RateLimited`, `BrokerFault`.
        """
        place = self._allowed(url)
        deadline = self._monotonic() + OPEN_SECONDS
        with self._translated(place):
            self._stream.connect(url, **self._way(url, deadline))  # type: ignore[no-untyped-call]  # the library's
            self._socket = self._stream.take_over()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._next_ping = self._monotonic() + self._ping_seconds
        if self._aborted:
            raise ConnectionLost(f"the {self._name} was told to end while it connected")

    def _allowed(self, url: str) -> str:
        """Host and port, if this process may go there."""
        address, _, _ = url.partition("?")
        parts = urlsplit(address)
        if self._local and not (parts.scheme in {"ws", "wss"} and is_loopback(address)):
            raise ConfigurationError("the broker names a feed address elsewhere; a paper desk stays on this machine")
        if not self._local and (parts.scheme != "wss" or not parts.hostname or "@" in parts.netloc):
            raise ConfigurationError("the broker names a feed address without TLS; it is not used")
        return parts.netloc

    def _way(self, url: str, deadline: float) -> dict[str, Any]:
        """Options of the library's `connect`. The socket is ours, because the library would read proxy settings of the
        environment unasked, and start each byte of a dripping handshake with a new timeout."""
        options: dict[str, Any] = {"redirect_limit": 0, "header": [f"User-Agent: {USER_AGENT}"]}
        if self._trust_env:
            self._stream.sock_opt.sslopt = {"context": self._tls()}
            return options | {"timeout": OPEN_SECONDS / 2}
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "wss"
        made = socket.create_connection((host, parts.port or (443 if secure else 80)), timeout=CONNECT_SECONDS)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = made
            if self._aborted:  # before the broker counts it as a connection
                raise ConnectionLost(f"the {self._name} was told to end while it connected")
            if secure:
                made.settimeout(max(0.05, deadline - self._monotonic()))
                made = self._socket = self._tls().wrap_socket(made, server_hostname=host)
        except BaseException:
            made.close()
            raise
        return options | {"socket": TimedSocket(made, lambda: deadline - self._monotonic())}

    # -- while it is open ----------------------------------------------------------------------------------------

    def receive(self, timeout: float) -> bytes | None:
        """The next message, text as its bytes. `None`: none within `timeout` seconds, or somebody called `wake`.

        Raises `ConnectionLost` when the connection is over: closed by the broker, cut, mute to our pings, or not
        speaking websocket any more.
        """
        with self._translated(self._name):
            until: float | None = None
            while True:
                message = self._stream.next_message()
                if message is not None:
                    return message
                now = self._monotonic()
                if until is None:
                    until = now + timeout
                if not self._wait(min(until, self._next_ping, self._pong_by or until) - now):
                    return None
                if not self._read() and self._monotonic() >= until:
                    self._keep_alive()
                    return None
                self._keep_alive()

    def send(self, payload: bytes) -> None:
        """Send one binary message; waits at most `SEND_SECONDS` for the broker to take it. Raises `ConnectionLost`."""
        with self._translated(self._name):
            self._stream.send(payload, ABNF.OPCODE_BINARY)

    def _wait(self, seconds: float) -> bool:
        """Wait for bytes. False: somebody called `wake`."""
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.fileobj is self._woken:
                with suppress(BlockingIOError):
                    while self._woken.recv(4096):
                        pass
                return False
        return True

    def _read(self) -> bool:
        """Take what has arrived. False: nothing has."""
        assert self._socket is not None
        try:
            piece = self._socket.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        if not piece:
            raise ConnectionLost(f"the {self._name} was cut without a close frame")
        self._stream.put(piece)
        self._pong_by = None  # whoever sends is alive; the pong may stand behind megabytes of prices
        return True

    def _keep_alive(self) -> None:
        now = self._monotonic()
        if self._pong_by is not None and now >= self._pong_by:
            raise ConnectionLost(f"the {self._name} did not answer a ping within {self._pong_seconds:g} s")
        if now >= self._next_ping:
            self._next_ping = now + self._ping_seconds
            self._stream.send(b"", ABNF.OPCODE_PING)
            self._pong_by = now + self._pong_seconds

    # -- from other threads, and the end -------------------------------------------------------------------------

    def wake(self) -> None:
        with suppress(OSError):  # its buffer is full of earlier calls, or all is closed
            self._waker.send(b"\0")

    def abort(self) -> None:
        self._aborted = True
        if (open_socket := self._socket) is not None:
            with suppress(OSError, ValueError):
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)  # of the TCP below: TLS is the owner's alone
        self.wake()

    def close(self) -> None:
        """Say goodbye, wait `CLOSE_SECONDS` at most for the other side to hang up, and free the sockets. A second call
        does nothing."""
        if self._socket is not None:
            if self._stream.connected and not self._aborted:
                self._stream.patience = CLOSE_SECONDS
                self._stream.send_close()
                with suppress(OSError):
                    self._drain(self._socket)
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._stream.shutdown()  # type: ignore[no-untyped-call]  # the library's
        if self._socket is not None:
            self._socket.close()
        self._selector.close()
        self._waker.close()
        self._woken.close()

    def _drain(self, sock: socket.socket) -> None:
        """Read on until the other side hangs up: closing with prices unread would reset the connection, and our close
        frame could be lost on the way."""
        until = self._monotonic() + CLOSE_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_READ)
            while (left := until - self._monotonic()) > 0 and selector.select(left):
                with suppress(BlockingIOError, ssl.SSLWantReadError):
                    if not sock.recv(_PIECE):
                        return

    # -- their errors -> ours ------------------------------------------------------------------------------------

    @contextmanager
    def _translated(self, place: str) -> Iterator[None]:
        """Their errors -> ours. What they say may hold the address with its code, so only our own words are passed on.

        The meaning depends on whether the connection was open already: `_socket` is non-blocking from then on.
        """
        opened = self._next_ping > 0.0
        try:
            yield
        except UpstoxError:
            raise
        except WebSocketBadStatusException as error:
            raise self._refusal(error) from None
        except (WebSocketException, OSError, ValueError, UnicodeError) as error:
            raise (self._lost(error) if opened else _not_opened(error, place)) from error

    def _refusal(self, error: WebSocketBadStatusException) -> UpstoxError:
        """What the refused handshake means. Its status decides; what the broker wrote beside it is kept."""
        headers, status = error.resp_headers or {}, error.status_code
        try:
            unwrap(
                status,
                error.resp_body or b"",
                endpoint=f"handshake of the {self._name}",
                request_id=headers.get("requestid") or headers.get("x-request-id"),
                content_type=headers.get("content-type", ""),
                retry_after=float(wait) if (wait := headers.get("retry-after", "")).isdecimal() else None,
            )
        except BrokerError as told:
            kind = {401: TokenRejected, 403: AccessDenied}.get(status)
            if kind is None or type(told) is kind:
                return told
            return kind(told.plain, status=status, code=told.code, endpoint=told.endpoint, request_id=told.request_id)
        except UpstoxError as told:
            return told
        return MalformedPayload(f"the {self._name} answers a handshake with HTTP {status}", field="status")

    def _lost(self, error: Exception) -> ConnectionLost:
        if isinstance(error, Closed):
            said = ": ".join(filter(None, [str(error.code or "no code"), error.reason]))
            return ConnectionLost(f"the broker closed the {self._name} ({said})", code=error.code)
        if isinstance(error, TimeoutError | WebSocketTimeoutException):
            return ConnectionLost(f"the {self._name} took no bytes for {SEND_SECONDS:g} s")
        if isinstance(error, OSError):
            return ConnectionLost(f"the {self._name} was cut without a close frame")
        return ConnectionLost(f"the {self._name} does not speak websocket any more")


def _not_opened(error: Exception, place: str) -> UpstoxError:
    """What a failed attempt to connect means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotSent(f"the certificate of {place} cannot be trusted")
    if isinstance(error, socket.gaierror | WebSocketAddressException):
        return NotSent(f"the name of {place} cannot be resolved")
    if isinstance(error, ConnectionRefusedError):
        return NotSent(f"{place} takes no connection")
    if isinstance(error, WebSocketProxyException):
        return NotSent(f"the proxy does not lead to {place}")
    if isinstance(error, TimeoutError | WebSocketTimeoutException):
        return NoAnswer(f"{place} did not answer in time")
    if isinstance(error, OSError):
        return NoAnswer(f"{place} closed the connection without an answer")
    if type(error) is WebSocketException or isinstance(error, ValueError):
        return MalformedPayload(f"{place} does not answer as a websocket", field="handshake")
    return NoAnswer(f"{place} closed the connection without an answer")
