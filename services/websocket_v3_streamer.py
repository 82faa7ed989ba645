"""Live prices, as the v3 guide promises them: one connection, kept alive, with its health in figures.

from services.websocket_v3_streamer import WebSocketV3Streamer

ws = WebSocketV3Streamer()
ws.connect()
ws.subscribe(["NSE_EQ|INE009A01021"])
print(ws.get_health_status()["messages_received"])
"""

from __future__ import annotations

import itertools
import os
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import TypedDict

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.domain.errors import LoginRequired
from services.runtime import get_runtime
from services.self_check import INFOSYS, assure, main

_numbers = itertools.count(1)
_CHECK_SECONDS = 10.0


class HealthStatus(TypedDict):
    """How the feed does. The guide's figures first."""

    connected: bool
    uptime_seconds: float
    """Of the connection that is open; 0.0 without one."""
    messages_received: int
    """Frames of all connections since this process asked for the feed first."""
    messages_per_second: float
    """Over the last ten seconds."""
    last_message_ago_seconds: float | None
    """`None`: none has come yet."""
    reconnect_count: int
    subscribed_count: int
    """Instruments that this process wants, whoever asked for them."""
    timestamp: str
    """ISO 8601, UTC."""
    state: str
    """`off`, `connecting`, `connected`, `waiting to reconnect`, `login needed`, `refused`, `no free slot`."""
    reason: str
    """Why it is not connected; empty while it is."""


class WebSocketV3Streamer:
    """The live feed of this process. All streamers share its one connection, and each lets go of what it asked for
    alone: the connection ends when nobody wants it any more.

    Prices go to the live board and to the table `websocket_ticks_v3` of `db_path`.
    """

    def __init__(self, db_path: str = "market_data.db") -> None:
        """`db_path`: the market file, relative to the data folder. Nothing is connected yet."""
        self._feed = get_runtime().feed_in(db_path)
        self._name = f"streamer {next(_numbers)} of process {os.getpid()}"
        self._modes: dict[str, str] = {}
        weakref.finalize(self, self._feed.abandon, self._name).atexit = False

    def connect(self, *, timeout: float = 5.0) -> bool:
        """Connect, and stay connected: lost connections are restored until `disconnect`. Waits at most `timeout`
        seconds. True: it stands. False: not yet, or another two processes hold the account's connections
        (`get_health_status()` says which); it goes on trying.

        Raises `LoginRequired` with the login URL where a person has to log in; after that it connects by itself.
        """
        for mode in set(self._modes.values()):
            self._feed.hold(self._name, [key for key, its in self._modes.items() if its == mode], mode)
        if self._feed.connect(self._name, timeout=timeout):
            return True
        health = self._feed.health()
        if health.needs_login:
            raise LoginRequired(health.reason, login_url=health.login_url)
        return False

    def subscribe(self, instrument_keys: Iterable[str], mode: str = "full", *, timeout: float = 5.0) -> None:
        """Ask for `instrument_keys` in `mode`: `ltpc`, `option_greeks`, `full` or `full_d30`; one that was asked for
        before changes to it. Without a connection the wish is kept until there is one; with one, this waits until the
        broker was told, at most `timeout` seconds.

        Raises `InvalidRequest` for what is no instrument key or mode, and for more than the broker allows.
        """
        keys = instrument_keys if isinstance(instrument_keys, str) else list(instrument_keys)
        self._feed.hold(self._name, keys, mode)
        self._modes.update(dict.fromkeys(keys, mode))
        self._feed.settle(timeout)

    def unsubscribe(self, instrument_keys: Iterable[str]) -> None:
        """Let go of `instrument_keys`. They end at the broker after some seconds, unless somebody else here wants
        them. Raises `InvalidRequest` for a single text."""
        keys = instrument_keys if isinstance(instrument_keys, str) else list(instrument_keys)
        self._feed.drop(self._name, keys)
        for key in keys:
            self._modes.pop(key, None)

    def disconnect(self) -> None:
        """Let go of everything; `connect` would ask for the same instruments again. Unless somebody else in this
        process wants it, the connection ends, and stays so."""
        self._feed.release(self._name)
        self._feed.disconnect(self._name)

    def get_health_status(self) -> HealthStatus:
        """How the feed does: see `HealthStatus`."""
        health = self._feed.health()
        return {
            "connected": health.connected,
            "uptime_seconds": round(health.uptime_seconds, 1),
            "messages_received": health.messages_received,
            "messages_per_second": health.messages_per_second,
            "last_message_ago_seconds": health.last_message_ago_seconds,
            "reconnect_count": health.reconnect_count,
            "subscribed_count": health.subscribed_count,
            "timestamp": health.timestamp.isoformat(),
            "state": health.state.value,
            "reason": health.reason,
        }


def check_itself() -> Iterator[str]:
    """Connected, subscribed, and a price on the board; then everything let go."""
    streamer = WebSocketV3Streamer()
    assure(streamer.connect(), f"not connected: {streamer.get_health_status()['reason']}")
    streamer.subscribe([INFOSYS])
    board, until = get_runtime().feed.board, time.monotonic() + _CHECK_SECONDS
    while not board.snapshot([INFOSYS]).rows["version"][0] and time.monotonic() < until:
        time.sleep(0.05)
    health = streamer.get_health_status()
    assure(bool(board.snapshot([INFOSYS]).rows["version"][0]), f"no price within {_CHECK_SECONDS:g} s")
    yield f"{health['state']}, {health['subscribed_count']} instrument, {health['messages_received']} messages"
    streamer.disconnect()
    assure(not streamer.get_health_status()["connected"], "still connected after disconnect")
    yield "disconnected"


if __name__ == "__main__":
    main(check_itself)
