"""The portfolio stream: what happens to orders, positions and holdings, from whatever place they were changed.

Text frames, one JSON object each. Updates in a gap are lost and none is repeated, so whoever listens loads the books
over REST each time the stream opens, and only then applies updates.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import orjson

from services.domain.accounts import Token
from services.domain.clock import Clock
from services.feed.health import HealthBook, StreamHealth, StreamState
from services.feed.slots import Slots
from services.live_feed.course import LOOK_SECONDS, ConnectionBook
from services.live_feed.resting import Resting
from services.live_feed.stream import POLL_SECONDS, SlotKeeper, Stream
from services.storage.feed_metrics import PORTFOLIO
from services.transport.failures import ErrorSink
from services.transport.feed_connection import Connection

UPDATE_TYPES = ("order", "gtt_order", "position", "holding")

Update: TypeAlias = Mapping[str, object]
"""One update as the broker spells it. `update_type` is one of `UPDATE_TYPES`."""
Listener: TypeAlias = Callable[[Update], None]

log = logging.getLogger(__name__)


class PortfolioStream:
    """The stream and those who listen to it. Listeners run on its thread: what takes long belongs elsewhere."""

    def __init__(
        self,
        *,
        authorise: Callable[[Sequence[str]], str],
        connect: Callable[[], Connection],
        token: Callable[[], Token],
        clock: Clock,
        folder: Path | None = None,
        slots: SlotKeeper | None = None,
        update_types: Sequence[str] = UPDATE_TYPES,
        book: ConnectionBook | None = None,
        error_sink: ErrorSink | None = None,
        resting: Resting | None = None,
        look_seconds: float = LOOK_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`authorise(update_types)` gives a fresh address."""
        if slots is None:
            if folder is None:
                raise ValueError("a stream needs slots, or a folder for them")
            slots = Slots(folder, name="portfolio")
        self._slots = slots
        self._health = HealthBook(clock, name=PORTFOLIO, monotonic=monotonic)
        self._talk = _PortfolioTalk(lambda: authorise(update_types), self._health)
        self._stream = Stream(
            name="portfolio-feed",
            talk=self._talk,
            connect=connect,
            token=token,
            slots=slots,
            health=self._health,
            clock=clock,
            book=book,
            error_sink=error_sink,
            resting=resting,
            look_seconds=look_seconds,
            poll_seconds=poll_seconds,
            monotonic=monotonic,
        )

    def listen(self, listener: Listener, *, opened: Callable[[], None] | None = None) -> None:
        """Have `listener(update)` called for each update, and `opened()` each time the stream has come up: then the
        books have to be loaded anew."""
        self._talk.listeners = (*self._talk.listeners, listener)
        if opened is not None:
            self._talk.at_opening = (*self._talk.at_opening, opened)

    def connect(self, user: str = "desk", *, timeout: float = 0.0) -> bool:
        """`user` wants the stream up; waits at most `timeout` seconds for that. Is it up?"""
        if timeout <= 0:
            self._stream.want(user)
            return self.connected
        return self._stream.connect(user, timeout)

    def disconnect(self, user: str | None = None) -> None:
        """`user` (None: everybody) wants it up no more."""
        self._stream.unwant(user)

    def retry(self) -> None:
        """Try to connect now, if it is wanted and rests."""
        self._stream.retry()

    @property
    def connected(self) -> bool:
        return self._health.state is StreamState.CONNECTED

    def health(self) -> StreamHealth:
        """How the stream does now."""
        return self._health.snapshot(slot=self._slots.held)

    def begin_close(self) -> None:
        self._stream.begin_close()

    def close(self) -> None:
        self._stream.close()


class _PortfolioTalk:
    """The portfolio stream says nothing and hears JSON."""

    def __init__(self, authorise: Callable[[], str], health: HealthBook) -> None:
        self.authorise = authorise
        self.listeners: tuple[Listener, ...] = ()
        self.at_opening: tuple[Callable[[], None], ...] = ()
        self._health = health

    def opened(self, now: float) -> None:
        for tell in self.at_opening:
            _safely(tell)

    def next_request(self, now: float) -> bytes | None:
        return None

    def received(self, payload: bytes, now: float) -> None:
        update = _read(payload)
        if update is None:
            self._health.bad_frames += 1
        elif update["update_type"] not in UPDATE_TYPES:
            self._health.unknown += 1
            update = None
        self._health.message(now, int(update is not None))
        if update is not None:
            for listener in self.listeners:
                _safely(listener, update)

    def why_replace(self, now: float) -> str | None:
        return None  # silence is normal: pings alone tell whether it lives

    def lost(self) -> None:
        return


def _read(payload: bytes) -> Update | None:
    try:
        told = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) and isinstance(told.get("update_type"), str) else None


def _safely(tell: Callable[..., None], *given: Update) -> None:
    try:
        tell(*given)
    except Exception:  # the outermost of this thread for a listener: the others, and the next update, must not suffer
        log.exception("a listener of the portfolio stream failed")
