"""Tells a supervisor (systemd, by `Type=notify` and `WatchdogSec`) that the server is up, that it goes on, and that it
stops. Without one nothing is told.

The word that it goes on comes from the event loop itself: a server that hangs says nothing any more, and is started
anew. Whether the desk behind it can do its work is another question (`/readyz`): a broker that is away is no reason to
start anything anew.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress


class Supervisor:
    """The supervisor of this process, as its environment tells (`sd_notify(3)`)."""

    def __init__(self, environment: Mapping[str, str] = os.environ, *, pid: int | None = None) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._every = _half_of(environment, os.getpid() if pid is None else pid)

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Tell it that the server is up, then that it goes on, at the end that it stops."""
        if not self._address:
            yield
            return
        self.say("READY=1")
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            self.say("STOPPING=1")

    async def _beat(self) -> None:
        while self._every is not None:
            self.say("WATCHDOG=1")
            await asyncio.sleep(self._every)

    def say(self, what: str) -> None:
        """One message. A supervisor that does not listen is no trouble of the desk's."""
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(what.encode(), address)


def _half_of(environment: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two words: half of what the supervisor waits for. `None`: it does not wait for any."""
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    try:
        return int(environment["WATCHDOG_USEC"]) / 2_000_000
    except (KeyError, ValueError):
        return None
