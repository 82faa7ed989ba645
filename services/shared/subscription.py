"""Messages of a Redis channel, as they are published, over a connection of its own.

By hand on the library's connection, because its `PubSub` opens a lost connection again unasked: what was published in
between would be missed in silence. And a receiver has to be woken, by threads that must not ask the network for it.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from services.domain.errors import RedisAway
from services.shared.link import RedisLink

if TYPE_CHECKING:
    from redis.connection import AbstractConnection


class Subscription:
    """Opened once and closed once. One thread owns it; `wake` is for all others."""

    def __init__(self, link: RedisLink, channel: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._channel = channel
        self._monotonic = monotonic
        self._connection: AbstractConnection | None = None
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def open(self) -> None:
        """Connect and subscribe; what is published after this returns will come. Raises `RedisAway`."""
        pool = self._link.client.connection_pool
        made = pool.connection_class(**pool.connection_kwargs)
        self._connection = made

        def subscribe() -> None:
            made.connect()
            made.send_command("SUBSCRIBE", self._channel)
            made.read_response(disable_decoding=True)

        self._asked(subscribe)
        self._selector.register(_socket_of(made), selectors.EVENT_READ)

    def next(self, timeout: float) -> bytes | None:
        """The next message; `None`: none within `timeout` seconds, or somebody called `wake`. Raises `RedisAway` when
        the connection is over."""
        connection = self._connection
        if connection is None:
            raise RedisAway("nothing is subscribed to")
        until = self._monotonic() + timeout
        while True:
            while self._asked(connection.can_read):
                told = self._asked(lambda: connection.read_response(disable_decoding=True))
                if isinstance(told, list) and told[0] == b"message":
                    message: bytes = told[2]
                    return message
            if not self._wait(until - self._monotonic()):
                return None

    def _wait(self, seconds: float) -> bool:
        """Wait for bytes. False: in vain, or somebody called `wake`."""
        ready = self._selector.select(max(0.0, seconds))
        for key, _ in ready:
            if key.fileobj is self._woken:
                with suppress(BlockingIOError):
                    while self._woken.recv(4096):
                        pass
                return False
        return bool(ready)

    def _asked(self, ask: Callable[[], Any]) -> Any:  # Any: whatever Redis answers
        import redis.exceptions as faults

        try:
            return ask()
        except (faults.RedisError, OSError) as error:
            raise RedisAway(f"Redis does not answer: {error or type(error).__name__}") from error

    def wake(self) -> None:
        """Make a `next` that waits return."""
        with suppress(OSError):  # its buffer is full of earlier calls, or all is closed
            self._waker.send(b"\0")

    def close(self) -> None:
        """Free the sockets. A second call does nothing."""
        self._selector.close()
        self._waker.close()
        self._woken.close()
        if self._connection is not None:
            self._connection.disconnect()  # type: ignore[no-untyped-call]  # the library's
            self._connection = None


def _socket_of(connection: AbstractConnection) -> socket.socket:
    """The library has no public way to wait for a connection and something else at once."""
    found = connection._get_socket()
    if found is None:
        raise RedisAway("Redis does not answer: the connection has ended")
    return found
