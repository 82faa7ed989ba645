"""A process of its own that answers full-quote calls with prepared bytes, after a delay: `python -m ... DELAY_MS`.

It prints its port, then serves until its standard input ends. Answers are plain (not gzip) for both sides alike, and
are built once for each set of keys, so that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson

from tests.support.quote_example import FULL_QUOTE


def answer(keys: list[str]) -> bytes:
    """A whole HTTP answer with a quote for each of `keys`."""
    data = {f"NSE_EQ:S{key[-8:]}": {**FULL_QUOTE, "instrument_token": key, "symbol": f"S{key[-8:]}"} for key in keys}
    body = orjson.dumps({"status": "success", "data": data})
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def serve(delay: float) -> None:
    """Serve until standard input ends."""
    prepared: dict[str, bytes] = {}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                target = request.split(b" ", 2)[1].decode()
                if target not in prepared:
                    prepared[target] = answer(parse_qs(urlsplit(target).query)["instrument_key"][0].split(","))
                if delay:
                    await asyncio.sleep(delay)
                writer.write(prepared[target])
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the other side has gone, or the measurement is over
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


class QuoteServer:
    """The server as a context manager; `url` is where it listens."""

    def __init__(self, delay_ms: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.quote_server", str(delay_ms)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> QuoteServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate(timeout=5)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) / 1000))
