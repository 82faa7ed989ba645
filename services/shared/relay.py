"""A stream as it comes to a process that does not hold it: over Redis, from the one that does.

To its stream this is a connection like any other: it opens, brings frames, takes requests, and ends with a reason. One
connection here stands for one connection of the holder to the broker. Whatever is doubtful ends it, and the stream then
opens it anew: a batch was missed, the holder says nothing, has lost its connection, or is another process by now.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from services.domain.errors import ConnectionLost, HandedOver, MalformedPayload, NoHolder
from services.domain.time_words import duration
from services.shared.batches import Batch, decode
from services.shared.lag import Lag, RedisTime
from services.shared.wants import Wants
from services.wire.feed.requests import FeedMethod, read

OPEN_SECONDS = 2.5
"""The holder is heard of every second."""
SILENCE_SECONDS = 3.0
MOST_LATE_MS = 5_000.0
"""Prices that come later than this (Redis kept them for a process that was paused, say) are no live prices any more."""


class Incoming(Protocol):
    """The messages of the stream's channel."""

    def open(self) -> None: ...
    def next(self, timeout: float) -> bytes | None: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Followed:
    """What came of one stream over Redis since the process began. One thread writes."""

    batches: int = 0
    frames: int = 0
    missed: int = 0
    """Batches that did not come; each time the connection was ended and everything asked for anew."""
    stale: int = 0
    """Batches of a process that had lost the lease: not accepted."""
    highest: int = 0
    """The highest fencing token seen. A lower one is never accepted again."""
    last: float | None = None
    """Monotonic instant of the last batch."""


class RelayConnection:
    """See above. `greet(keys)` tells the holder that somebody has come, or that `keys` are to be asked for anew."""

    def __init__(
        self,
        incoming: Incoming,
        *,
        wants: Wants,
        greet: Callable[[list[str]], None],
        book: Followed,
        lag: Lag,
        redis_time: RedisTime,
        name: str,
        opening: float = OPEN_SECONDS,
        silence: float = SILENCE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._incoming = incoming
        self._wants = wants
        self._greet = greet
        self._book = book
        self._lag = lag
        self._redis_time = redis_time
        self._name = name
        self._opening = opening
        self._silence = silence
        self._monotonic = monotonic
        self._frames: deque[bytes] = deque()
        self._of: Batch | None = None  # the last batch accepted
        self._silent_at = 0.0
        self._wanted: dict[str, str] = {}
        self._again: dict[str, None] = {}
        self._unsaid = False
        self._over: str | None = None

    # -- the stream's thread -----------------------------------------------------------------------------------

    def open(self, url: str) -> None:
        """Listen, and wait for the holder. Raises `NoHolder` (nobody holds the stream, or the holder has no connection)
        and `RedisAway`."""
        self._incoming.open()
        if not self._wants.renew():  # else what was wanted before stands until the stream has said what it wants now
            self._wants.say({})
        self._unsaid = True
        self._greet([])
        until = self._monotonic() + self._opening
        why = "none of the desk's processes holds it just now"
        while self._of is None:
            if self._over is not None:
                raise HandedOver(self._over)
            left = until - self._monotonic()
            if left <= 0:
                raise NoHolder(f"the {self._name}: {why}")
            message = self._incoming.next(left)
            if message is None:
                continue
            batch = _read(message, self._name)
            if batch.token < self._book.highest:
                self._book.stale += 1
            elif batch.connection == 0:
                why = f"the process that holds it has no connection: {_words(batch)}"
            else:
                self._accept(batch)

    def receive(self, timeout: float) -> bytes | None:
        """The next frame, as the broker sent it. `None`: none within `timeout` seconds, or somebody called `wake`.

        Raises `ConnectionLost` when this connection has to be given up, `RedisAway`, and `HandedOver` when the stream
        changed hands.
        """
        if self._over is not None:
            raise HandedOver(self._over)
        if self._frames:
            return self._frames.popleft()
        if self._unsaid and timeout > 0:
            self._say()
        until = self._monotonic() + timeout
        while True:
            now = self._monotonic()
            message = self._incoming.next(min(until, self._silent_at) - now)
            if self._over is not None:
                raise HandedOver(self._over)
            if message is not None:
                self._take(_read(message, self._name))
                if self._frames:
                    return self._frames.popleft()
                continue
            now = self._monotonic()
            if now >= self._silent_at:
                raise ConnectionLost(f"the {self._name}: its holder has said nothing for {self._silence:g} s")
            return None

    def send(self, payload: bytes) -> None:
        """One request, as it would go to the broker. All that is wanted is told to the holder before the next wait."""
        method, keys, mode = read(payload)
        if mode is None:
            for key in keys:
                self._wanted.pop(key, None)
        else:
            self._wanted.update(dict.fromkeys(keys, mode.value))
            if method is FeedMethod.SUBSCRIBE:
                self._again.update(dict.fromkeys(keys))
        self._unsaid = True

    def close(self) -> None:
        self._incoming.close()

    # -- any thread --------------------------------------------------------------------------------------------

    def wake(self) -> None:
        self._incoming.wake()

    def abort(self) -> None:
        self.hand_over(f"the {self._name} was told to end")

    def hand_over(self, why: str) -> None:
        """This process holds the stream from now on, or another does: end, and begin in the new role."""
        self._over = why
        self._incoming.wake()

    def say_again(self) -> None:
        """What was told to the holder is forgotten: tell it once more."""
        self._unsaid = True
        self._incoming.wake()

    # -- inside ------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        self._unsaid = False
        self._wants.say(self._wanted)
        again, self._again = list(self._again), {}
        self._greet(again)

    def _take(self, batch: Batch) -> None:
        book, of = self._book, self._of
        assert of is not None
        if batch.token < book.highest:
            book.stale += 1
            return
        if batch.token > of.token:
            raise HandedOver(f"another process holds the {self._name} from now on")
        if batch.connection == 0:
            raise ConnectionLost(f"the {self._name}: its holder has lost its connection ({_words(batch)})")
        if batch.connection != of.connection:
            raise HandedOver(f"the holder of the {self._name} has connected anew")
        if batch.number <= of.number:
            return  # came twice
        if missed := batch.number - of.number - 1:
            book.missed += missed
            raise ConnectionLost(f"the {self._name}: {missed:,} batches of its holder did not come")
        self._accept(batch)

    def _accept(self, batch: Batch) -> None:
        book, now = self._book, self._monotonic()
        self._of = Batch(batch.token, batch.connection, batch.number, batch.stamp_us)
        self._silent_at = now + self._silence
        book.highest = max(book.highest, batch.token)
        book.batches += 1
        book.last = now
        if not batch.frames:
            return
        at_us = self._redis_time.now_us()
        if batch.stamp_us and at_us:
            late_ms = max(0.0, (at_us - batch.stamp_us) / 1000)
            self._lag.record(late_ms)
            if late_ms > MOST_LATE_MS:
                raise ConnectionLost(f"the {self._name}: what its holder sends comes {duration(late_ms / 1000)} late")
        book.frames += len(batch.frames)
        self._frames.extend(batch.frames)


def _read(message: bytes, name: str) -> Batch:
    try:
        return decode(message)
    except MalformedPayload as error:
        raise ConnectionLost(f"the {name}: {error}") from error


def _words(batch: Batch) -> str:
    return b" ".join(batch.frames).decode(errors="replace") or "no reason given"
