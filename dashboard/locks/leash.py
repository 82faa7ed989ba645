"""A websocket that can be ended from outside."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Send

ENDED = 4403
"""Close code of a websocket whose sign-in is over. The page loads itself again, and finds the gate."""


class Leashed:
    """A websocket that ends when `ended` is set, whatever the application on it does."""

    def __init__(self, receive: Receive, send: Send, ended: asyncio.Event) -> None:
        self._receive = receive
        self._send = send
        self._ended = ended
        self._ending = asyncio.create_task(ended.wait())
        self._closed = False

    async def receive(self) -> Message:
        getting = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait({getting, self._ending}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            getting.cancel()
            raise
        if not self._ended.is_set():
            return getting.result()
        getting.cancel()
        await self._say_goodbye()
        return {"type": "websocket.disconnect", "code": ENDED}

    async def send(self, message: Message) -> None:
        if self._closed:
            return  # the other side has been told; what comes late is for nobody
        if self._ended.is_set():
            await self._say_goodbye()
            return
        if message["type"] == "websocket.close":
            self._closed = True
        await self._send(message)

    def close(self) -> None:
        self._ending.cancel()

    async def _say_goodbye(self) -> None:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": ENDED, "reason": "signed out"})
