"""Sends what this process receives of a stream to all the others, in batches, while it holds the lease.

On a thread of its own, so that the stream's never waits for Redis: what comes while one batch is on its way is the next
one. By publish and subscribe, not by a Redis stream: prices are worth nothing a second later, they must not be kept
(nor written into Redis' own log), and whoever missed some needs a new snapshot from the broker, not the old frames.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Event, Thread

from services.domain.errors import RedisAway
from services.shared.batches import Batch
from services.shared.lag import RedisTime
from services.shared.lease import LEASE
from services.shared.link import RedisLink

WINDOW_SECONDS = 0.0015
"""Batches leave no closer together than this; the first frame after a pause leaves at once."""
BEAT_SECONDS = 1.0
"""With nothing to send the holder says so often that it is there."""
MOST_WAITING = 32 << 20
MOST_AT_ONCE = 1 << 20
"""Bytes that wait for Redis, and bytes in one batch."""
_PUBLISH = """
local token = redis.call('HGET', KEYS[1], 'token')
if not token then return -2 end
if token ~= ARGV[1] then return -1 end
return redis.call('PUBLISH', KEYS[2], ARGV[2])
"""
"""KEYS lease, channel; ARGV token, batch. -1: the lease is another's; -2: nobody has one (a Redis that has lost its
data is told of ours with the next renewal). Nothing was published then."""

_ANOTHERS, _NOBODYS = -1, -2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublisherNow:
    """Counted since the start."""

    batches: int
    frames: int
    refused: int
    """Batches that Redis refused: the lease was another's by then."""
    dropped: int
    """Frames that Redis did not take, or not in time. Whoever follows notices by the numbers."""
    waiting_bytes: int


class Publisher:
    """One stream's way out. `token()` is this process's fencing token of now, `None` without the lease."""

    def __init__(
        self,
        link: RedisLink,
        *,
        channel: str,
        token: Callable[[], int | None],
        redis_time: RedisTime,
        refused: Callable[[int], None] = lambda token: None,
        announce: Callable[[], None] = lambda: None,
        why: Callable[[], str] = lambda: "",
        window: float = WINDOW_SECONDS,
        beat: float = BEAT_SECONDS,
        most_waiting: int = MOST_WAITING,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Called on the publisher's thread: `refused(token)` when the lease is another's by now, `announce()` when a
        new connection to the broker is open (it may raise `RedisAway`). `why()` tells the others why there is none."""
        self._channel = channel
        self._keys = [link.key(LEASE), channel]
        self._publish = link.script(_PUBLISH)
        self._token = token
        self._redis_time = redis_time
        self._refused = refused
        self._announce = announce
        self._why = why
        self._window = window
        self._beat = beat
        self._most_waiting = most_waiting
        self._monotonic = monotonic
        self._told = Condition()  # guards the next ones, down to the counts
        self._frames: list[bytes] = []
        self._bytes = 0
        self._stamp_us = 0
        self._open: tuple[int, int] = (0, 0)  # token and number of the connection that is open; number 0: none is
        self._announced = 0
        self._first: bytes | None = None
        self._hurry = False
        self._connections = 0
        self._number = 0
        self._sent_at = 0.0
        self._batches = self._sent = self._refusals = self._dropped = 0
        self._stop = Event()
        self._thread: Thread | None = None

    # -- the stream's thread -----------------------------------------------------------------------------------

    def opened(self, token: int) -> None:
        """A connection to the broker is open, under that token."""
        with self._told:
            self._connections += 1
            self._open = (token, self._connections)
            self._first = None
            self._begin_again()

    def put(self, frame: bytes) -> None:
        """Have `frame` sent. Never waits."""
        with self._told:
            if not self._frames:
                self._stamp_us = self._redis_time.now_us()
                self._told.notify()
            elif self._bytes + len(frame) > self._most_waiting:
                self._dropped += len(self._frames)
                self._clear()
                self._number += 1  # a number that nobody will see: that is how they notice
            self._frames.append(frame)
            self._bytes += len(frame)

    def remember(self, frame: bytes) -> None:
        """Have every process that comes later begin with `frame`: the broker says it once."""
        self._first = frame

    def ended(self) -> None:
        """The connection is over, or could not be had."""
        with self._told:
            self._open = (0, 0)
            self._begin_again()

    # -- any thread --------------------------------------------------------------------------------------------

    def hurry(self) -> None:
        """Somebody new listens: say at once that we are there."""
        with self._told:
            self._hurry = True
            self._told.notify()

    def now(self) -> PublisherNow:
        with self._told:
            return PublisherNow(self._batches, self._sent, self._refusals, self._dropped, self._bytes)

    def start(self) -> None:
        """Begin, in a thread."""
        if self._thread is None and not self._stop.is_set():
            self._thread = Thread(target=self._run, name="publisher", daemon=True)
            self._thread.start()

    def begin_close(self) -> None:
        self._stop.set()
        with self._told:
            self._told.notify()

    def close(self, timeout: float = 2.0) -> None:
        self.begin_close()
        if self._thread is not None:
            self._thread.join(timeout)

    # -- its own thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._step()
            except Exception:  # outermost loop of a thread
                log.exception("a batch could not be sent to the other processes")
                self._stop.wait(self._beat)

    def _step(self) -> None:
        with self._told:
            self._told.wait_for(self._has_news, self._sent_at + self._beat - self._monotonic())
        if self._token() is None:
            with self._told:
                self._clear()  # whose they were, nobody knows any more
                self._sent_at, self._hurry = self._monotonic(), False
            return
        early = self._sent_at + self._window - self._monotonic()
        if early > 0:
            self._stop.wait(early)
        self.send()

    def send(self) -> None:
        """Send what waits, or that nothing does."""
        token = self._token()
        with self._told:
            batch = self._next(token)
            self._sent_at, self._hurry = self._monotonic(), False
        if batch is None:
            return
        count = len(batch.frames) if batch.connection else 0
        told: int | None = None
        try:
            told = self._publish(self._keys, [batch.token, batch.encode()])
            if told >= 0 and batch.connection > self._announced:
                self._announced = batch.connection
                self._announce()
        except RedisAway as error:
            log.info("a batch did not reach the other processes: %s", error)
        with self._told:
            if told is None or told == _NOBODYS:
                self._dropped += count
            elif told < 0:
                self._refusals += 1
            else:
                self._batches += 1
                self._sent += count
        if told == _ANOTHERS:
            self._refused(batch.token)

    def _next(self, token: int | None) -> Batch | None:
        """With the lock in hand: the next batch, which counts as sent; `None`: nothing may be said."""
        owner, connection = self._open
        if token is None:
            self._clear()
            return None
        self._number += 1
        if connection == 0 or owner != token:
            self._clear()
            return Batch(token, 0, self._number, 0, (self._why().encode(),))
        if self._hurry and self._first is not None:
            if not self._frames:
                self._stamp_us = self._redis_time.now_us()  # it is said again now: nobody is late with it
            self._frames.insert(0, self._first)
        frames, size = self._frames, 0
        for place, frame in enumerate(frames):
            size += len(frame)
            if size > MOST_AT_ONCE and place:
                batch = Batch(token, connection, self._number, self._stamp_us, frames[:place])
                self._frames = frames[place:]
                self._bytes -= sum(map(len, batch.frames))
                return batch
        stamp = self._stamp_us if frames else 0
        self._clear()
        return Batch(token, connection, self._number, stamp, frames)

    def _has_news(self) -> bool:
        return bool(self._frames) or self._hurry or self._stop.is_set()

    def _begin_again(self) -> None:
        self._clear()
        self._hurry = True
        self._told.notify()

    def _clear(self) -> None:
        self._frames, self._bytes = [], 0
