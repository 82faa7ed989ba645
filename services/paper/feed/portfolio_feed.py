"""The portfolio feed: order, GTT, position and holding updates as text JSON, to whoever listens at that moment.

Nothing is kept for late comers: a client loads its books by REST, then listens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from threading import Lock

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.domain.errors import InvalidRequest
from services.paper.feed.stream import Stream
from services.paper.feed.update_faults import UPDATE_TYPES, Update, UpdateFault, UpdateFaults

MOST_WAITING = 1000
"""Updates that wait for a client which does not read. At one more it is cut off, and loads its books again."""


class PortfolioUpdates:
    """The hub between what happens to the account and the feeds that tell it. `publish` from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()  # around the set of listeners and the faults
        self._listeners: set[_Listener] = set()
        self._faults = UpdateFaults()

    def publish(self, update: Mapping[str, object]) -> None:
        """Send one update, in the broker's spelling, to every feed that asked for its `update_type`. Never blocks."""
        kind = update.get("update_type")
        if kind not in UPDATE_TYPES:
            raise InvalidRequest(f"update_type {kind!r}: one of {', '.join(sorted(UPDATE_TYPES))}")
        text = orjson.dumps(update).decode()
        with self._lock:
            self._tell(self._faults.meet((str(kind), text)))

    def add_fault(self, wanted: Mapping[str, object]) -> UpdateFault:
        """Let the next updates go wrong (shapes in `update_faults`). `InvalidRequest` names what is wrong."""
        with self._lock:
            return self._faults.add(wanted)

    def waiting_faults(self) -> list[dict[str, object]]:
        with self._lock:
            return self._faults.told()

    def clear_faults(self) -> None:
        """No fault waits any more; updates that were held back go out now."""
        with self._lock:
            self._tell(self._faults.clear())

    def _tell(self, updates: list[Update]) -> None:
        """Under the lock, so that updates keep their order; hearing one only schedules it."""
        for kind, text in updates:
            for listener in self._listeners:
                if kind in listener.update_types:
                    listener.hear(text)

    async def serve(self, websocket: WebSocket, stream: Stream, update_types: frozenset[str]) -> None:
        """Accept `websocket`, and stream until it ends."""
        listener = _Listener(stream, update_types, asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
        try:
            await websocket.accept()
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(listener.send_all())
                while (await websocket.receive())["type"] == "websocket.receive":
                    pass  # clients have nothing to say
                sender.cancel()
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def report(self) -> list[dict[str, object]]:
        """Each open feed: its user, what it asked for, frames sent."""
        with self._lock:
            listeners = list(self._listeners)
        return [
            {
                "user_id": listener.stream.claims.user_id,
                "update_types": sorted(listener.update_types),
                "frames": listener.stream.frames,
                "mute": listener.stream.muted,
            }
            for listener in listeners
        ]


class _Listener:
    """One open portfolio feed."""

    def __init__(self, stream: Stream, update_types: frozenset[str], loop: asyncio.AbstractEventLoop) -> None:
        self.stream = stream
        self.update_types = update_types
        self._loop = loop
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()

    def hear(self, text: str) -> None:
        """From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._take, text)
        except RuntimeError:  # the server has stopped between two lines
            return

    async def send_all(self) -> None:
        """Send what has been heard, until the client is gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self.stream.send(self._waiting.popleft())
        except WebSocketDisconnect:
            return

    def _take(self, text: str) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.stream.cut()
            return
        self._waiting.append(text)
        self._wake.set()
