"""One open websocket of either feed, seen from the sending side; here it meets its faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from services.paper.feed.faults import FeedFault, FeedFaultKind, FeedFaults
from services.paper.feed.protocol import FeedProtocol
from services.paper.feed.tickets import FeedName
from services.paper.tokens import Claims

GARBAGE_BYTES = 200


class Stream:
    """Sends frames, unless it is muted or a fault waits for them. Used by the server's thread alone."""

    def __init__(self, websocket: WebSocket, feed: FeedName, claims: Claims, faults: FeedFaults | None) -> None:
        self.feed = feed
        self.claims = claims
        self.frames = 0
        """Data frames sent so far."""
        self._websocket = websocket
        self._faults = faults
        self._muted = False
        self._token_ended = False
        self._protocol: FeedProtocol = websocket.scope["state"]["websocket"]
        self._running = asyncio.Event()
        self._running.set()
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def muted(self) -> bool:
        return self._muted or self._token_ended

    async def send(self, payload: bytes | str) -> None:
        """Send one data frame: `bytes` binary, `str` as text. Waits while the client does not read; WebSocketDisconnect
        when it is gone."""
        if self.muted:
            return
        fault = self._faults.at_frame(self.feed) if self._faults is not None else None
        if fault is None:
            await self._put(payload)
        else:
            await self._spoil(fault, payload)

    def end_with_its_token(self) -> None:
        """The token behind this feed is dead: it stays open and says no more, as the broker's do after 03:30."""
        self._token_ended = True

    def cut(self) -> None:
        """End the connection without a word."""
        self._protocol.cut()

    async def hit(self, fault: FeedFault) -> None:
        """Meet a fault now, whether or not there is a frame to send."""
        with suppress(WebSocketDisconnect, RuntimeError):  # it has just ended
            await self._spoil(fault, None)

    def recover(self) -> None:
        """Forget the faults that last."""
        self._muted = False
        self._go_on()

    def ended(self) -> None:
        """The connection is gone: leave no timer behind."""
        for timer in self._timers:
            timer.cancel()
        self._running.set()

    async def _put(self, payload: bytes | str) -> None:
        await self._running.wait()
        self.frames += 1
        try:
            if isinstance(payload, bytes):
                await self._websocket.send_bytes(payload)
            else:
                await self._websocket.send_text(payload)
        except RuntimeError as late:  # closed from our side in between: by a fault, or for a ping without an answer
            raise WebSocketDisconnect(1006) from late

    async def _spoil(self, fault: FeedFault, payload: bytes | str | None) -> None:
        body = payload.encode() if isinstance(payload, str) else payload
        match fault.kind:
            case FeedFaultKind.DROP:
                self.cut()
            case FeedFaultKind.CLOSE:
                self._muted = True  # nothing may follow a close frame
                await self._websocket.close(fault.code)
            case FeedFaultKind.MUTE:
                self._muted = True
                if fault.ms:
                    self._later(fault.ms, self._unmute)
            case FeedFaultKind.SLOW:
                self._running.clear()
                self._protocol.stop_reading()
                self._later(fault.ms, self._go_on)
                if payload is not None:
                    await self._put(payload)
            case FeedFaultKind.GARBAGE:
                await self._put(os.urandom(GARBAGE_BYTES))
                if payload is not None:
                    await self._put(payload)
            case FeedFaultKind.TRUNCATED:
                whole = body or os.urandom(GARBAGE_BYTES)
                half = whole[: len(whole) // 2]
                await self._put(half.decode(errors="ignore") if isinstance(payload, str) else half)
            case FeedFaultKind.TORN:
                self._protocol.tear(body or os.urandom(GARBAGE_BYTES))
            case _:
                await self._put(payload or b"")

    def _later(self, ms: int, act: Callable[[], None]) -> None:
        self._timers = {timer for timer in self._timers if timer.when() > asyncio.get_running_loop().time()}
        self._timers.add(asyncio.get_running_loop().call_later(ms / 1000, act))

    def _unmute(self) -> None:
        self._muted = False

    def _go_on(self) -> None:
        if not self._running.is_set():
            self._running.set()
            self._protocol.go_on_reading()
