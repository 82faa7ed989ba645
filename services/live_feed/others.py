"""The other processes of the desk: the one that holds the lease asks the broker for what they want as well.

One thread, `feed-sharing`, hears what processes tell each other, keeps this one's wants in Redis, and looks after the
roles. Messages may be lost; whatever they say is looked up every few seconds all the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from threading import Event, Thread
from typing import Protocol

import orjson

from services.domain.errors import InvalidRequest, RedisAway
from services.feed.health import StreamHealth
from services.live_feed.feed import LiveFeed
from services.live_feed.sharing import LeaseToken, SharedNow, SharedWay
from services.shared.lag import RedisTime
from services.shared.link import RedisLink
from services.shared.relay import OPEN_SECONDS, SILENCE_SECONDS
from services.shared.subscription import Subscription
from services.transport.feed_connection import Connection

LOOK_SECONDS = 2.0
"""How often wants are renewed, those of the others read, and Redis' clock asked."""
AWAY_SECONDS = 1.0
USER = "other processes"
_PIECE = 100

log = logging.getLogger(__name__)


class Kept(Protocol):
    """A stream of this process."""

    def connect(self, user: str, *, timeout: float) -> bool: ...
    def disconnect(self, user: str | None = None) -> None: ...
    def retry(self) -> None: ...
    @property
    def connected(self) -> bool: ...
    def health(self) -> StreamHealth: ...


class Others:
    """What the other processes want of one stream of this one, while it holds the lease."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self._wanted = False

    def want(self, wants: Mapping[str, Mapping[str, str]]) -> None:
        """They want exactly this, by process."""
        if bool(wants) is not self._wanted:
            self._wanted = bool(wants)
            if self._wanted:
                self.kept.connect(USER, timeout=0)
            else:
                self.kept.disconnect(USER)

    def again(self, keys: Iterable[str]) -> None:
        """Have the broker send a snapshot of `keys`."""


class OthersOfMarket(Others):
    """The same with instruments."""

    def __init__(self, feed: LiveFeed) -> None:
        super().__init__(feed)
        self._feed = feed
        self._held: dict[str, list[str]] = {}  # by holder, as it was asked for
        self._too_much: dict[str, list[str]] = {}  # the same, where there was no room for all

    def want(self, wants: Mapping[str, Mapping[str, str]]) -> None:
        asked: dict[str, tuple[str, list[str]]] = {}
        for process, wanted in wants.items():
            for key, mode in wanted.items():
                asked.setdefault(f"{process} {mode}", (mode, []))[1].append(key)
        for holder in self._held.keys() - asked.keys():
            self._feed.release(holder)
            del self._held[holder]
            self._too_much.pop(holder, None)
        for holder, (mode, keys) in asked.items():
            if self._held.get(holder) != keys:
                self._hold(holder, keys, mode)
        super().want(wants)

    def again(self, keys: Iterable[str]) -> None:
        self._feed.ask_again(keys)

    def _hold(self, holder: str, keys: list[str], mode: str) -> None:
        """All of `keys`, or as many as the account's limits leave room for: the rest lives on requests."""
        try:
            self._feed.replace(holder, keys, mode)
            self._held[holder] = keys
            self._too_much.pop(holder, None)
            return
        except InvalidRequest as error:
            if self._too_much.get(holder) != keys:
                log.warning("not all that %s wants of the feed can be had: %s", holder, error)
        self._too_much[holder] = keys
        self._feed.release(holder)
        self._held[holder] = []  # looked at again next time: there may be room then
        for place in range(0, len(keys), _PIECE):
            try:
                self._feed.hold(holder, keys[place : place + _PIECE], mode)
            except InvalidRequest:
                return


class FeedSharing:
    """The streams of this process, shared with the other processes of the desk. `lease` must be started and closed by
    its owner, after this one."""

    def __init__(
        self,
        *,
        link: RedisLink,
        lease: LeaseToken,
        listen: Callable[[Callable[[], None]], None],
        process: str,
        look: float = LOOK_SECONDS,
        away: float = AWAY_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`listen(callback)`: have `callback()` called after each change of the role. `process`: our name, unlike any
        other's."""
        self._link = link
        self._lease = lease
        self._process = process
        self._look_seconds = look
        self._away_seconds = away
        self._monotonic = monotonic
        self._control = link.key("streams")
        self._redis_time = RedisTime(link)
        self._ways: dict[str, SharedWay] = {}
        self._others: dict[str, Others] = {}
        self._stop = Event()
        self._incoming: Subscription | None = None
        self._look_at = 0.0
        self._thread: Thread | None = None
        listen(self._role_changed)

    def way(
        self,
        stream: str,
        *,
        name: str,
        connect: Callable[[], Connection],
        opening: float = OPEN_SECONDS,
        silence: float = SILENCE_SECONDS,
    ) -> SharedWay:
        """The way of one stream; `connect()` makes a connection to the broker. The holder's word is waited for so many
        seconds at first, and later."""
        made = self._ways[stream] = SharedWay(
            stream=stream,
            name=name,
            link=self._link,
            lease=self._lease,
            process=self._process,
            control=self._control,
            redis_time=self._redis_time,
            connect=connect,
            opening=opening,
            silence=silence,
            monotonic=self._monotonic,
        )
        return made

    def attach(self, way: SharedWay, others: Others) -> None:
        """The stream that goes this way is made: from now on it serves the others as well."""
        kept = others.kept
        way.why = lambda: (health := kept.health()).reason or health.state.value
        self._others[way.stream] = others
        way.publisher.start()
        self._start()

    def now(self) -> tuple[SharedNow, ...]:
        """How each stream's sharing does."""
        return tuple(way.now() for way in list(self._ways.values()))

    def begin_close(self) -> None:
        self._stop.set()
        if (incoming := self._incoming) is not None:
            incoming.wake()
        for way in list(self._ways.values()):
            way.publisher.begin_close()

    def close(self) -> None:
        """End the threads; a second at the most for each."""
        self.begin_close()
        for way in list(self._ways.values()):
            way.publisher.close(1.0)
        if self._thread is not None:
            self._thread.join(1.0)

    # -- the lease's thread ------------------------------------------------------------------------------------

    def _role_changed(self) -> None:
        for stream, way in list(self._ways.items()):
            way.look()
            way.publisher.hurry()
            if (others := self._others.get(stream)) is not None:
                others.kept.retry()
        self._look_at = 0.0
        if (incoming := self._incoming) is not None:
            incoming.wake()

    # -- our own thread ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None and not self._stop.is_set():
            self._thread = Thread(target=self._run, name="feed-sharing", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        away = False
        while not self._stop.is_set():
            incoming = self._incoming = Subscription(self._link, self._control, monotonic=self._monotonic)
            try:
                incoming.open()
                if away:
                    away = False
                    self._retry_all()
                self._live(incoming)
            except RedisAway as error:
                away = True
                log.info("the other processes cannot be heard: %s", error)
            except Exception:  # outermost loop of a thread
                log.exception("a fault while streams were shared")
            finally:
                incoming.close()
            self._step_aside()
            self._stop.wait(self._away_seconds)

    def _live(self, incoming: Subscription) -> None:
        self._look_at = 0.0
        while not self._stop.is_set():
            now = self._monotonic()
            if now >= self._look_at:
                self._look_at = now + self._look_seconds
                self._look()
            message = incoming.next(self._look_at - now)
            if message is not None:
                self._heard(message)

    def _look(self) -> None:
        self._redis_time.look()
        for stream, way in list(self._ways.items()):
            way.look()
            way.renew()
            self._serve(stream, way)
        self._step_aside()

    def _serve(self, stream: str, way: SharedWay) -> None:
        others = self._others.get(stream)
        if others is None or self._lease.token is None:
            return
        wants = way.wants.of_others()
        way.wanting = len(wants)
        others.want(wants)

    def _step_aside(self) -> None:
        """Without the lease, what others want is not ours to ask for."""
        if self._lease.token is None:
            for others in list(self._others.values()):
                others.want({})

    def _heard(self, message: bytes) -> None:
        try:
            told = orjson.loads(message)
            stream, process = told["stream"], told["process"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            log.warning("a message of another process cannot be read")
            return
        way, others = self._ways.get(stream), self._others.get(stream)
        if process == self._process or way is None or others is None:
            return
        if told.get("up"):
            if not others.kept.connected:
                others.kept.retry()
        elif self._lease.token is not None:
            way.publisher.hurry()
            self._serve(stream, way)
            others.again(told.get("again", ()))

    def _retry_all(self) -> None:
        for others in list(self._others.values()):
            others.kept.retry()
