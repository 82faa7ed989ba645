"""One connection of a stream, from its address to its end, and what to do then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from services.domain.accounts import Token
from services.domain.clock import Clock
from services.domain.errors import BrokerError, HandedOver, LoginRequired, NoHolder, RedisAway, UpstoxError
from services.feed.health import ConnectionRecord, EndKind, HealthBook
from services.live_feed.resting import Rest, Resting, kind_of_end
from services.transport.failures import ErrorSink
from services.transport.feed_connection import Connection

LOOK_SECONDS = 1.0
"""How often the thread looks at its token and at the silence, while connected."""
TOKEN_SECONDS = 5.0
RECORD_SECONDS = 60.0
"""How often an open connection's row in the books is brought up to date."""
_ASKED = "it was asked to end"
_AMONG_US = (HandedOver, NoHolder, RedisAway)
"""The broker has no part in these."""

log = logging.getLogger(__name__)


class Talk(Protocol):
    """What a stream says and hears. Everything is called by the stream's thread."""

    def authorise(self) -> str:
        """A fresh address to connect to. Raises what the broker's refusal means."""

    def opened(self, now: float) -> None:
        """A connection is open; the broker knows nothing yet."""

    def next_request(self, now: float) -> bytes | None:
        """What is to be sent now. Asked before each `receive`."""

    def received(self, payload: bytes, now: float) -> None:
        """A message has come."""

    def why_replace(self, now: float) -> str | None:
        """A reason to give this connection up, if there is one. Asked every second."""

    def lost(self) -> None:
        """The connection is over."""


class ConnectionBook(Protocol):
    """Where connections are written down: when they open, while they last, when they end. Must not wait."""

    def __call__(self, record: ConnectionRecord) -> None: ...


class Course:
    """Connects, talks until there is a reason to end, and says how long to rest. `run` belongs to the stream's thread;
    `wake` and `abort` to any.

    `leaving()`: does nobody want the stream any more? `connected()` and `changed()` are called when a connection is
    open, and when the state is another one.
    """

    def __init__(
        self,
        *,
        name: str,
        talk: Talk,
        connect: Callable[[], Connection],
        token: Callable[[], Token],
        health: HealthBook,
        clock: Clock,
        book: ConnectionBook | None,
        error_sink: ErrorSink | None,
        resting: Resting,
        leaving: Callable[[], bool],
        connected: Callable[[], None],
        changed: Callable[[], None],
        look_seconds: float = LOOK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._talk = talk
        self._connect = connect
        self._token = token
        self._health = health
        self._clock = clock
        self._book = book
        self._error_sink = error_sink
        self._resting = resting
        self._leaving = leaving
        self._connected = connected
        self._changed = changed
        self._look_seconds = look_seconds
        self._monotonic = monotonic
        self._left: str | None = None  # the token that a connection was last given up for
        self._guard = Lock()  # guards the next one
        self._connection: Connection | None = None

    def wake(self) -> None:
        """There may be something to send, or a reason to end."""
        with self._guard:
            connection = self._connection
        if connection is not None:
            connection.wake()

    def abort(self) -> None:
        """End whatever the connection waits for."""
        with self._guard:
            connection = self._connection
        if connection is not None:
            connection.abort()

    def run(self) -> Rest | None:
        """One attempt: how to rest then; `None` where nobody wants another."""
        self._health.connecting()
        self._changed()
        connection = self._connect()
        with self._guard:
            self._connection = connection
        token: Token | None = None
        try:
            token = self._token()
            url = self._talk.authorise()
            token = self._token()  # the one before may have been dropped on the way
            reason, at_once = _ASKED, False
            if not self._leaving():
                self._open(connection, url)
                reason, at_once = self._live(connection, token)
        except UpstoxError as error:
            log.info("%s: %s", self._name, error)
            self._close(connection, str(error), kind_of_end(error, opened=self._health.uptime > 0))
            return None if self._leaving() else self._resting.after(error, token)
        except BaseException:
            self._close(connection, "a fault of the desk's own", EndKind.FAULT)
            raise
        self._close(connection, reason, EndKind.TOKEN if at_once else EndKind.MUTE)
        if self._leaving():
            return None
        log.info("%s: %s", self._name, reason)
        if at_once and token.secret != self._left:
            self._left = token.secret
            return self._resting.at_once(reason)
        return self._resting.after_loss(reason)  # left this token before: whatever that means, not in a circle

    def _open(self, connection: Connection, url: str) -> None:
        try:
            connection.open(url)
        except UpstoxError as error:
            if self._error_sink is not None and not self._leaving() and not isinstance(error, _AMONG_US):
                self._error_sink(
                    type(error).__name__,
                    str(error),
                    status_code=error.status if isinstance(error, BrokerError) else None,
                    endpoint=self._name,
                    retry_count=self._resting.refusals,
                    context=None,
                )
            raise
        self._resting.accepted()
        self._connected()
        self._health.opened()
        self._talk.opened(self._monotonic())
        log.info("%s: connected", self._name)
        self._write_down()
        self._changed()

    def _live(self, connection: Connection, token: Token) -> tuple[str, bool]:
        """Send and receive until there is a reason to end: the reason, and whether to connect again at once."""
        talk, monotonic = self._talk, self._monotonic
        look_at = token_at = monotonic()
        record_at = look_at + RECORD_SECONDS
        while not self._leaving():
            now = monotonic()
            if now >= look_at:
                look_at = now + self._look_seconds
                if token.expires <= self._clock.now():
                    return "the token has ended", True
                if (reason := talk.why_replace(now)) is not None:
                    return reason, False
                if now >= token_at:
                    token_at = now + TOKEN_SECONDS
                    if self._replaced(token):
                        return "another login, or none, is in force", True
                if now >= record_at:
                    record_at = now + RECORD_SECONDS
                    self._write_down()
            request = talk.next_request(now)
            if request is not None:
                connection.send(request)
            payload = connection.receive(0.0 if request is not None else look_at - now)
            if payload is not None:
                talk.received(payload, monotonic())
        return _ASKED, False

    def _close(self, connection: Connection, reason: str, kind: EndKind) -> None:
        with self._guard:
            self._connection = None
        self._resting.lived(self._health.uptime)
        left = self._leaving()
        record = self._health.ended(_ASKED if left else reason, EndKind.ASKED if left else kind)
        self._changed()  # from here on nothing counts as fresh
        connection.close()
        self._talk.lost()
        if record is not None and self._book is not None:
            self._book(record)

    def _write_down(self) -> None:
        record = self._health.record()
        if record is not None and self._book is not None:
            self._book(record)

    def _replaced(self, token: Token) -> bool:
        """Is `token` no more the one in force? (Signed out, about to end, or another person's now.)"""
        try:
            return self._token().secret != token.secret
        except LoginRequired:
            return True
        except UpstoxError as error:
            log.info("%s: the token could not be looked at: %s", self._name, error)
            return False
