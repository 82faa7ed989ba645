"""The least that can send to a browser: stamps of the wall clock, a few kilobytes each, to whoever connects.

Reads how often as a JSON line, writes where it listens, ends when its input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

FILLING = "x" * 4000


async def main() -> None:
    """Serve until told to stop."""
    every: float = orjson.loads(sys.stdin.readline())["every"]

    async def tell(page: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await page.send(f"{time.time_ns() // 1_000_000} {FILLING}")
                await asyncio.sleep(every)

    async with serve(tell, "127.0.0.1", 0, compression=None) as server:
        [listener] = server.sockets
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        sys.stdout.write(orjson.dumps({"url": url}).decode() + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
