"""The broker's connection in the process that holds the lease."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.domain.errors import HandedOver, UpstoxError
from services.shared.publisher import Publisher
from services.transport.feed_connection import Connection

LOOK_SECONDS = 0.25
"""The holder looks at its lease so often where nothing comes."""


class HeldConnection:
    """What comes on it goes to the others as well. It ends with the lease, and nothing that comes after that is
    accepted, here or there."""

    def __init__(
        self, inner: Connection, *, token: int, current: Callable[[], int | None], out: Publisher, name: str
    ) -> None:
        self.token = token
        self._inner = inner
        self._current = current
        self._out = out
        self._name = name
        self._over: str | None = None

    def open(self, url: str) -> None:
        self._check()
        with self._ours():
            self._inner.open(url)
        self._out.opened(self.token)

    def receive(self, timeout: float) -> bytes | None:
        with self._ours():
            payload = self._inner.receive(min(timeout, LOOK_SECONDS))
        if payload is not None:
            self._out.put(payload)
        return payload

    def send(self, payload: bytes) -> None:
        self._check()
        with self._ours():
            self._inner.send(payload)

    def wake(self) -> None:
        self._inner.wake()

    def abort(self) -> None:
        self._inner.abort()

    def hand_over(self, why: str) -> None:
        """From any thread: end, and begin in the other role. Nothing is waited for: another may connect in a moment."""
        self._over = why
        self._inner.abort()

    def close(self) -> None:
        self._out.ended()
        self._inner.close()

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """Whatever comes of it, the lease says first whether it counts."""
        try:
            yield
        except UpstoxError:
            self._check()
            raise
        self._check()

    def _check(self) -> None:
        if self._over is not None:
            raise HandedOver(f"the {self._name}: {self._over}")
        if self._current() != self.token:
            raise HandedOver(f"the {self._name}: the lease is not this process's any more")
