"""A process of its own that answers candle calls with prepared bytes: `python -m tests.benchmarks.candle_server`.

It prints its port, then serves until its standard input ends. 20 sessions of minutes or ten years of days, newest
first, as the API documents them; plain (not gzip) for both sides alike.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import orjson

from services.domain.clock import IST

MINUTES, DAYS = 7_500, 2_480
LAST = date(2026, 11, 19)


def starts(unit: str) -> list[datetime]:
    """When each bar begins, newest first."""
    days = [day for n in range(4_000) if (day := LAST - timedelta(days=n)).weekday() < 5][:DAYS]
    if unit == "days":
        return [datetime(day.year, day.month, day.day, tzinfo=IST) for day in days]
    last = [datetime(day.year, day.month, day.day, 15, 29, tzinfo=IST) for day in days[: MINUTES // 375]]
    return [end - timedelta(minutes=n) for end in last for n in range(375)]


def body(unit: str) -> bytes:
    """The answer for that unit."""
    dice, price, rows = random.Random(7), 4_000.0, []
    for start in starts(unit):
        price = round(price * (1 + dice.gauss(0, 0.0005)), 2)
        high, low, close = round(price + 1.05, 2), round(price - 2.1, 2), round(price + 0.5, 2)
        rows.append([start.isoformat(), price, high, low, close, dice.randrange(100, 99_999), 0])
    return orjson.dumps({"status": "success", "data": {"candles": rows}})


async def serve() -> None:
    """Serve until standard input ends."""
    prepared = {unit: body(unit) for unit in ("minutes", "days")}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                answer = prepared["days" if b"/days/" in request.split(b" ", 2)[1] else "minutes"]
                head = (
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
                    f"Content-Length: {len(answer)}\r\n\r\n"
                )
                writer.write(head.encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the other side has gone, or the measurement is over
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


class CandleServer:
    """The server as a context manager; `url` is where it listens."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.candle_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> CandleServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate(timeout=5)


if __name__ == "__main__":
    asyncio.run(serve())
