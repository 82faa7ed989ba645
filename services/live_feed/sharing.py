"""Which way a stream of this process goes: to the broker, if this process holds the lease, else to the one that does.

A `SharedWay` gives a stream its connections. Each is of one role; when the role changes it ends, and the stream opens
the next one at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Protocol

import orjson

from services.live_feed.held import HeldConnection
from services.shared.lag import Lag, LagNow, RedisTime
from services.shared.link import RedisLink
from services.shared.publisher import Publisher, PublisherNow
from services.shared.relay import OPEN_SECONDS, SILENCE_SECONDS, Followed, RelayConnection
from services.shared.subscription import Subscription
from services.shared.wants import Wants
from services.transport.feed_connection import Connection


class Role(StrEnum):
    """What this process is to a stream of the desk."""

    HOLDER = "holder"
    """It holds the lease: the one connection to the broker is its own."""
    FOLLOWER = "follower"
    """Another process holds it, and sends on what comes."""
    NONE = "none"
    """Redis is away: nobody may open a connection without the lease."""


class LeaseToken(Protocol):
    """This process's side of the lease."""

    @property
    def token(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class SharedNow:
    """How the sharing of one stream does in this process. Counts are since the process began."""

    stream: str
    """`market` or `portfolio`."""
    role: Role
    token: int | None
    """The fencing token, if this process holds the lease."""
    sent: PublisherNow
    """As holder: what was sent to the others."""
    wanting: int
    """As holder: how many other processes want the stream."""
    batches: int
    """As follower: what came."""
    frames: int
    missed: int
    """Batches that did not come; each time everything was asked for anew."""
    stale: int
    """Batches of a process that had lost the lease; not accepted."""
    lag: LagNow | None
    """Of the last ten seconds; `None`: nothing came, or this process is the holder."""
    last_batch_ago_seconds: float | None


class SharedWay:
    """One stream's way, and its `slots`: the lease stands in for those. `control` is the channel on which processes
    tell each other what they want."""

    def __init__(
        self,
        *,
        stream: str,
        name: str,
        link: RedisLink,
        lease: LeaseToken,
        process: str,
        control: str,
        redis_time: RedisTime,
        connect: Callable[[], Connection],
        opening: float = OPEN_SECONDS,
        silence: float = SILENCE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`connect()` makes a connection to the broker. `name` is for messages."""
        self.stream = stream
        self.wants = Wants(link, stream=stream, process=process)
        self.wanting = 0
        self.why: Callable[[], str] = lambda: "it has not connected yet"
        """Why the stream is not connected, in words; set by whoever has it."""
        self._name = name
        self._link = link
        self._lease = lease
        self._process = process
        self._control = control
        self._channel = link.key("frames", stream)
        self._redis_time = redis_time
        self._connect = connect
        self._opening = opening
        self._silence = silence
        self._monotonic = monotonic
        self._book = Followed()
        self._lag = Lag(monotonic=monotonic)
        self.publisher = Publisher(
            link,
            channel=self._channel,
            token=self._token,
            redis_time=redis_time,
            refused=self._refused,
            announce=lambda: self._tell({"up": True}),
            why=lambda: self.why(),
            monotonic=monotonic,
        )
        self._guard = Lock()  # guards the next one
        self._current: HeldConnection | RelayConnection | None = None
        self._following = self._withdraw = False
        self._spent = 0  # a token of ours that Redis has refused, whatever the lease still believes

    # -- what a stream asks ------------------------------------------------------------------------------------

    @property
    def held(self) -> int | None:
        """The stream's slot: there is none."""
        return None

    def take(self) -> bool:
        """May the stream try? Raises `RedisAway`: without Redis nobody knows who holds the stream."""
        if self._token() is None:
            self._link.run(lambda client: client.ping())
        return True

    def give_back(self) -> None:
        """The stream rests for good: nothing is wanted of its holder any more."""
        if self._following:
            self._following, self._withdraw = False, True  # told soon: nobody waits for Redis here

    def connect(self) -> Connection:
        """A connection of the role of now."""
        token = self._token()
        made: HeldConnection | RelayConnection
        if token is not None:
            self._book.highest = max(self._book.highest, token)
            made = HeldConnection(
                self._connect(), token=token, current=self._token, out=self.publisher, name=self._name
            )
            self.give_back()
        else:
            self._following, self._withdraw = True, False
            made = RelayConnection(
                Subscription(self._link, self._channel, monotonic=self._monotonic),
                wants=self.wants,
                greet=self._greet,
                book=self._book,
                lag=self._lag,
                redis_time=self._redis_time,
                name=self._name,
                opening=self._opening,
                silence=self._silence,
                monotonic=self._monotonic,
            )
        with self._guard:
            self._current = made
        self.look()  # the role may have changed meanwhile
        return made

    def address_by(self, authorise: Callable[[], str]) -> str:
        """A fresh address where this process goes to the broker; none is needed else."""
        return authorise() if isinstance(self._current, HeldConnection) else ""

    # -- any thread --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """The role may have changed: end a connection that is of another one."""
        token = self._token()
        current = self._current
        if isinstance(current, HeldConnection) and current.token != token:
            self._hand_over("the lease is not this process's any more")
        elif isinstance(current, RelayConnection) and token is not None:
            self._hand_over("this process holds the lease from now on")

    def renew(self) -> None:
        """Keep this process's wants, or take them back. Raises `RedisAway`."""
        current = self._current
        if self._withdraw:
            self._withdraw = False
            self.wants.withdraw()
        if self._following and not self.wants.renew() and isinstance(current, RelayConnection):
            current.say_again()

    def now(self) -> SharedNow:
        """How it does. Asks nobody."""
        token, book = self._token(), self._book
        role = Role.HOLDER if token is not None else Role.FOLLOWER if self._link.state().up else Role.NONE
        last = book.last
        return SharedNow(
            stream=self.stream,
            role=role,
            token=token,
            sent=self.publisher.now(),
            wanting=self.wanting if token is not None else 0,
            batches=book.batches,
            frames=book.frames,
            missed=book.missed,
            stale=book.stale,
            lag=None if token is not None else self._lag.now(),
            last_batch_ago_seconds=None if last is None else max(0.0, self._monotonic() - last),
        )

    # -- inside ------------------------------------------------------------------------------------------------

    def _token(self) -> int | None:
        token = self._lease.token
        return None if token == self._spent else token

    def _refused(self, token: int) -> None:
        self._spent = token
        self._hand_over("Redis refused what this process sent: the lease is another's")

    def _hand_over(self, why: str) -> None:
        with self._guard:
            current = self._current
        if current is not None:
            current.hand_over(why)

    def _greet(self, again: list[str]) -> None:
        """Have the holder say that it is there, and ask the broker anew for what is wanted here."""
        self._tell({"again": again})

    def _tell(self, what: dict[str, object]) -> None:
        text = orjson.dumps({"stream": self.stream, "process": self._process, **what})
        self._link.run(lambda client: client.publish(self._control, text))
