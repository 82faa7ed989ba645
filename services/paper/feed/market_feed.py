"""The market feed: who is connected, what each gets, and the beat at which the market is looked at.

Prices are looked at a few times a second; what has changed is encoded once and becomes due to every connection that
holds it. Each connection sends at its own pace: what changes again before it was sent goes out once, as it is then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Protocol, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from services.domain.clock import epoch_ms
from services.paper.feed.encoding import frame
from services.paper.feed.market_info import Statuses, market_info
from services.paper.feed.requests import Mode, read_request
from services.paper.feed.rows import Playback, Rows
from services.paper.feed.stream import Stream
from services.paper.feed.subscriptions import Subscriptions
from services.paper.model import Market
from services.paper.tokens import Claims
from services.wire.feed import feed_v3_pb2 as pb

BEAT_MS = 200
"""The market is looked at on each such part of a second of the broker's clock, and not more often in real time."""
CONNECTIONS, CONNECTIONS_PLUS = 2, 5
"""Market feeds of one user at a time."""
LARGEST_FRAME = 500
"""Instruments in one message."""
_PART = 250
"""Instruments worked out in one go; in between the server answers others."""
_JUST_AFTER = 0.001
_SHORTEST_BEAT = 0.004
_PAUSE_SECONDS = 1.0

_T = TypeVar("_T")

log = logging.getLogger(__name__)


class FeedClock(Protocol):
    """A clock that knows its speed (`BrokerClock`)."""

    @property
    def speed(self) -> float: ...
    def now(self) -> datetime: ...


class MarketFeed:
    """Serves every market feed of one broker. Used by the server's thread alone; its task `market-feed` lives as long
    as somebody is connected."""

    def __init__(
        self,
        *,
        market: Market,
        clock: FeedClock,
        statuses: Statuses,
        is_alive: Callable[[Claims], bool],
        plus: bool,
        limited: bool,
        playback: Playback | None = None,
    ) -> None:
        """`plus`: the account has Upstox Plus. `limited`: keep to the limits on connections and keys. `playback`: the
        market plays a recording, and is looked at whenever that has a frame."""
        self._clock = clock
        self._statuses = statuses
        self._is_alive = is_alive
        self._plus = plus
        self._limited = limited
        self._rows = Rows(market, playback)
        self._playback = playback
        self._connections: set[_Connection] = set()
        self._wanted: dict[str, set[Mode]] | None = None
        self._info = pb.MarketInfo()
        self._look_around_at = 0.0
        self._beat: asyncio.Task[None] | None = None

    def has_room(self, user_id: str) -> bool:
        """May this user open one more?"""
        most = CONNECTIONS_PLUS if self._plus else CONNECTIONS
        held = sum(connection.stream.claims.user_id == user_id for connection in self._connections)
        return not self._limited or held < most

    async def serve(self, websocket: WebSocket, stream: Stream) -> None:
        """Accept `websocket`, and stream until it ends."""
        connection = _Connection(stream, Subscriptions(plus=self._plus, limited=self._limited))
        self._connections.add(connection)  # before the first await: two handshakes at once must not both get in
        try:
            await websocket.accept()
            if self._beat is None:
                self._info = market_info(self._statuses, self._clock.now())
                self._beat = asyncio.create_task(self._go_on_beating(), name="market-feed")
            connection.tell(self._info)
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(connection.send_all(self._rows, self._clock))
                await self._obey_all(websocket, connection)
                sender.cancel()
        finally:
            self._connections.discard(connection)
            self._wanted = None

    def report(self) -> list[dict[str, object]]:
        """Each open connection: its user, its keys by mode, frames sent, whether it is mute."""
        return [
            {
                "user_id": connection.stream.claims.user_id,
                "keys": connection.subscriptions.counts(),
                "frames": connection.stream.frames,
                "mute": connection.stream.muted,
            }
            for connection in self._connections
        ]

    async def _obey_all(self, websocket: WebSocket, connection: _Connection) -> None:
        while (message := await websocket.receive())["type"] == "websocket.receive":
            raw = message.get("bytes")
            request = read_request(raw) if raw else None  # text frames are passed over
            if request is None:
                continue
            listings = self._rows.listings(self._clock.now())
            due = connection.subscriptions.apply(request, listings.__contains__)
            self._wanted = None
            for part in _parts(due, _PART):
                self._tell(self._rows.refresh(dict.fromkeys(part, (request.mode,)), self._clock.now()))
                connection.due(part)
                await asyncio.sleep(0)

    async def _go_on_beating(self) -> None:
        try:
            while self._connections:
                try:
                    await self._look()
                except Exception:  # the outermost loop
                    log.exception("the paper market feed stumbled, and goes on")
                    await asyncio.sleep(_PAUSE_SECONDS)
                await asyncio.sleep(self._until_next_beat())
        finally:
            self._beat = None

    async def _look(self) -> None:
        """Tell what has changed since the last look."""
        now = self._clock.now()
        self._look_around(now)
        for part in _parts(self._everything_wanted().items(), _PART):
            changed = self._rows.refresh(dict(part), now)
            if changed:
                self._tell(changed)
                await asyncio.sleep(0)

    def _tell(self, changed: list[tuple[str, Mode]]) -> None:
        """Whoever looks tells everybody: the next one finds nothing changed any more."""
        for connection in self._connections:
            connection.due(key for key, mode in changed if connection.subscriptions.mode_of(key) is mode)

    def _look_around(self, now: datetime) -> None:
        """Statuses and tokens, on an ordinary beat only: a recording is looked at far more often."""
        seconds = asyncio.get_running_loop().time()
        if seconds < self._look_around_at:
            return
        self._look_around_at = seconds + 0.9 * BEAT_MS / 1000
        info = market_info(self._statuses, now)
        for connection in self._connections:
            if not self._is_alive(connection.stream.claims):
                connection.stream.end_with_its_token()
            if info != self._info:
                connection.tell(info)
        self._info = info

    def _everything_wanted(self) -> Mapping[str, set[Mode]]:
        if self._wanted is None:
            wanted: dict[str, set[Mode]] = {}
            for connection in self._connections:
                for key, mode in connection.subscriptions.by_key().items():
                    wanted.setdefault(key, set()).add(mode)
            self._wanted = wanted
            self._rows.keep_only(wanted)
        return self._wanted

    def _until_next_beat(self) -> float:
        """Real seconds until the broker's clock is at its next beat: prices change on its whole seconds."""
        now_ms, speed = epoch_ms(self._clock.now()), self._clock.speed
        beat = BEAT_MS / 1000
        seconds = beat if speed > 1 else min((BEAT_MS - now_ms % BEAT_MS) / 1000 / speed, beat)
        change_ms = self._playback.next_change_ms() if self._playback is not None else None
        if change_ms is not None:
            seconds = min(seconds, max((change_ms - now_ms) / 1000 / speed, _SHORTEST_BEAT))
        return seconds + _JUST_AFTER


class _Connection:
    """One open market feed: its subscriptions, and what is due to it."""

    def __init__(self, stream: Stream, subscriptions: Subscriptions) -> None:
        self.stream = stream
        self.subscriptions = subscriptions
        self._due: dict[str, None] = {}
        self._info: pb.MarketInfo | None = None
        self._wake = asyncio.Event()

    def tell(self, info: pb.MarketInfo) -> None:
        """Send the status of all segments before anything else."""
        self._info = info
        self._wake.set()

    def due(self, keys: Iterable[str]) -> None:
        """Send the rows of `keys` next."""
        self._due.update(dict.fromkeys(keys))
        if self._due:
            self._wake.set()

    async def send_all(self, rows: Rows, clock: FeedClock) -> None:
        """Send what is due, until the client is gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._info is not None or self._due:
                    payload = self._next(rows, epoch_ms(clock.now()))
                    if payload is not None:
                        await self.stream.send(payload)
        except WebSocketDisconnect:
            return

    def _next(self, rows: Rows, at_ms: int) -> bytes | None:
        """The next frame; `None` where everything in it has been unsubscribed since."""
        if self._info is not None:
            info, self._info = self._info, None
            return pb.FeedResponse(type=pb.market_info, currentTs=at_ms, marketInfo=info).SerializeToString()
        keys = list(islice(self._due, LARGEST_FRAME))
        found = []
        for key in keys:
            del self._due[key]
            mode = self.subscriptions.mode_of(key)
            row = rows.get(key, mode) if mode is not None else None
            if row is not None:
                found.append(row)
        return frame(found, at_ms) if found else None


def _parts(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(list(items))
    while part := list(islice(remaining, size)):
        yield part
