"""One process of a desk that shares its feed, without a screen.

`python -m tests.support.sharing_child FOLDER BROKER TOKEN REDIS NAME`: takes part, wants some instruments and the
portfolio stream, and tells how it does, one JSON line ten times a second, until its input ends or it is killed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson

from services.live_feed.sharing import Role
from services.parts import part
from services.runtime import Runtime
from services.settings import load_settings
from services.shared.shared import Shared
from services.wire.feed.decoder import decode

KEYS = ("NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50")
TTL_SECONDS, RENEW_SECONDS, LEASE_LOOK_SECONDS = 3.0, 0.5, 0.2
TELL_SECONDS = 0.1


class ShortLease(Runtime):
    """A runtime whose lease runs out soon."""

    @part
    def shared(self) -> Shared:
        assert self.settings.redis_url is not None
        return Shared(
            self.settings.redis_url.get_secret_value(),
            prefix="desk:changes",
            name=self.settings.process_name,
            ttl=TTL_SECONDS,
            renew=RENEW_SECONDS,
            look=LEASE_LOOK_SECONDS,
        )


class Watched:
    """What came, and how old it was."""

    def __init__(self) -> None:
        self.last = 0.0
        """Monotonic (the machine's own) instant of the last price."""
        self.oldest = 0.0
        """Seconds between the broker's sending of a frame and its acceptance here, at most."""
        self.orders: list[str] = []

    def saw(self, received_ms: int, payload: bytes) -> None:
        frame = decode(payload)
        if frame.feeds:
            self.last = time.monotonic()
            self.oldest = max(self.oldest, (received_ms - frame.at_ms) / 1000)

    def heard(self, update: Any) -> None:
        if update["update_type"] == "order":
            self.orders.append(str(update.get("order_id", "")))


def main(folder: str, broker: str, token: str, redis: str, name: str) -> None:
    settings = load_settings(
        data_dir=Path(folder), api_base=broker, access_token=token, redis_url=redis, process_name=name
    )
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    watched = Watched()
    with ShortLease(settings) as rt:
        rt.feed.add_frame_sink(watched.saw)
        rt.portfolio_feed.listen(watched.heard)
        rt.feed.hold(name, KEYS, "ltpc")
        rt.feed.connect(timeout=0)
        rt.portfolio_feed.connect()
        rt.shared.start(name)
        while not ended.wait(TELL_SECONDS):
            sharing = rt.feed_sharing
            assert sharing is not None
            market, portfolio = sharing.now()
            told = {
                "pid": os.getpid(),
                "at": time.monotonic(),
                "leads": market.role is Role.HOLDER,
                "token": market.token,
                "connected": rt.feed.connected,
                "portfolio": rt.portfolio_feed.connected,
                "served": len(rt.feed.serves(KEYS)),
                "reason": rt.feed.health().reason,
                "last": watched.last,
                "oldest": watched.oldest,
                "orders": watched.orders[-50:],
                "stale": market.stale + portfolio.stale,
                "missed": market.missed,
            }
            sys.stdout.write(orjson.dumps(told).decode() + "\n")
            sys.stdout.flush()
    os._exit(0)  # a broker that was killed meanwhile may hold threads for as long as their timeouts


if __name__ == "__main__":
    main(*sys.argv[1:])
