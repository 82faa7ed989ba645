"""The market feed, relayed: for each of our connections one of Upstox's, frames passed on as they come, both ways."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from services.domain.errors import BrokerError
from services.paper.envelope import failure, refusal
from services.paper.feed.stream import Stream
from services.paper.relay.upstream import Upstream
from services.wire.endpoints import FEED_AUTHORIZE

MOST = 2
"""Connections that Upstox gives to one user."""
OPEN_SECONDS = 10.0
MAX_FRAME = 64 * 1024 * 1024
GOING_AWAY = 1012

log = logging.getLogger(__name__)


class RelayFeed:
    """Stands where the simulated market feed stands."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._streams: set[Stream] = set()

    def has_room(self, user_id: str) -> bool:
        """May one more be opened?"""
        return len(self._streams) < MOST

    def report(self) -> list[dict[str, object]]:
        """Each open connection: its user, frames sent, whether it is mute."""
        return [
            {"user_id": one.claims.user_id, "keys": {}, "frames": one.frames, "mute": one.muted}
            for one in self._streams
        ]

    async def serve(self, websocket: WebSocket, stream: Stream) -> None:
        """Open Upstox's feed first, then accept, then pass on until either side ends. Without Upstox the handshake is
        refused in its words: a feed that is open and mute would look like a quiet market."""
        self._streams.add(stream)  # before the first await: two handshakes at once must not both get in
        try:
            try:
                beyond = await self._open()
            except BrokerError as refused:
                await websocket.send_denial_response(failure(websocket, refused))
                return
            async with beyond:
                await websocket.accept()
                await _pass_on(websocket, stream, beyond)
        finally:
            self._streams.discard(stream)

    async def _open(self) -> ClientConnection:
        reply = await asyncio.to_thread(self._upstream.get, FEED_AUTHORIZE.published[0].path)
        if reply.status != 200:
            raise refusal("UDAPI10000", status=403, message=f"Upstox does not open its feed (HTTP {reply.status})")
        try:
            told = orjson.loads(reply.body)["data"]
            address = told.get("authorized_redirect_uri") or told["authorizedRedirectUri"]
            return await connect(
                address, open_timeout=OPEN_SECONDS, max_size=MAX_FRAME, compression=None, proxy=None, max_queue=None
            )
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise refusal("UDAPI100500", status=503, message="Upstox names no address of its feed") from error
        except InvalidStatus as error:
            status = error.response.status_code
            raise refusal("UDAPI10000", status=status, message="Upstox refuses the handshake of its feed") from None
        except (OSError, TimeoutError, WebSocketException):  # their texts may hold the address with its code
            raise refusal("UDAPI100500", status=503, message="Upstox's feed cannot be reached") from None


async def _pass_on(websocket: WebSocket, stream: Stream, beyond: ClientConnection) -> None:
    async def outwards() -> None:
        while (message := await websocket.receive())["type"] == "websocket.receive":
            raw = message.get("bytes")
            if raw:
                await beyond.send(raw)

    async def inwards() -> None:
        async for frame in beyond:
            await stream.send(frame)

    ways = {asyncio.create_task(outwards()), asyncio.create_task(inwards())}
    done, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for one in left:
        one.cancel()
    await asyncio.wait(ways)
    for one in done:
        error = one.exception()
        if error is not None and not isinstance(error, ConnectionClosed | WebSocketDisconnect):
            raise error
    log.info("live prices: the feed has ended")
    with suppress(RuntimeError, WebSocketDisconnect):  # our own side has ended it
        await websocket.close(GOING_AWAY)
