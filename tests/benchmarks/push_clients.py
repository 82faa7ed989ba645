"""Browsers that are not there: many clients of the desk's push channel, in one process.

Each line of input is a `Crowd`; it is answered by one line when all of it listen, and by a `Heard` after the time it
stays. Messages are counted; of some the rows are read: how old are the trades that they tell, by the wall clock?
"""

from __future__ import annotations

import selectors
import sys
import time
from dataclasses import asdict, dataclass
from statistics import quantiles

import orjson
import websocket

from dashboard.push.fields import PLACE
from dashboard.push.route import PATH
from tests.benchmarks.frames import Frames

READ_EVERY = 10
"""One message of so many is read."""
TRIES = 20
_TRADED, _FROM_FEED = PLACE["last_trade_ms"], PLACE["from_feed"]


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many clients, the n-th with the n-th of the lists (and from the beginning again)."""

    url: str
    token: str
    lists: list[list[str]]
    clients: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What came to them. Milliseconds from the sending of a tick by the broker to the arrival of its message."""

    messages: int
    bytes: int
    lost: int
    """Clients that were cut off."""
    ticks: int
    p50: float
    p95: float
    seconds: float
    cpu_seconds: float


class Listener(Frames):
    """One connection that is told of some instruments."""

    def __init__(self, url: str, token: str, keys: list[str]) -> None:
        super().__init__(_opened(url, token, keys))


def _opened(url: str, token: str, keys: list[str]) -> websocket.WebSocket:
    """A connection that was let in. Like a browser it tries again where it was not: the desk may be too busy to ask."""
    for _ in range(TRIES):
        opened = websocket.create_connection(url.replace("http", "ws", 1) + PATH, origin=url, timeout=20)
        opened.send(orjson.dumps({"t": "hello", "token": token, "rows": keys, "depth": []}).decode())
        told = opened.recv()
        if told:
            assert orjson.loads(told)["t"] == "state", told
            return opened
        opened.shutdown()  # type: ignore[no-untyped-call]  # the library's
    raise AssertionError("the desk lets no client in")


def listen(crowd: Crowd) -> Heard:
    """Let all of `crowd` listen for as long as it says."""
    lists = crowd.lists
    listeners = [Listener(crowd.url, crowd.token, lists[number % len(lists)]) for number in range(crowd.clients)]
    say({"listening": len(listeners)})
    late: list[float] = []
    lost = 0
    with selectors.DefaultSelector() as selector:
        for listener in listeners:
            selector.register(listener.sock, selectors.EVENT_READ, listener)
        began, used = time.monotonic(), time.process_time()
        while (left := began + crowd.seconds - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                listener = key.data
                if (messages := listener.read()) is None:
                    selector.unregister(listener.sock)
                    lost += 1
                    continue
                for text in messages:
                    if listener.messages % READ_EVERY == 0:
                        late += lateness(text)
        seconds, cpu = time.monotonic() - began, time.process_time() - used
    for listener in listeners:
        listener.close()
    return Heard(
        messages=sum(one.messages for one in listeners),
        bytes=sum(one.bytes for one in listeners),
        lost=lost,
        ticks=len(late),
        p50=quantiles(late, n=20)[9] if len(late) > 1 else 0.0,
        p95=quantiles(late, n=20)[18] if len(late) > 1 else 0.0,
        seconds=seconds,
        cpu_seconds=cpu,
    )


def lateness(text: bytes) -> list[float]:
    """Milliseconds since the trades that a message tells, by the wall clock."""
    now = time.time() * 1000
    return [now - row[_TRADED] for row in orjson.loads(text)["rows"].values() if row[_FROM_FEED]]


def say(what: object) -> None:
    sys.stdout.write(orjson.dumps(what).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """One crowd after the other."""
    for line in sys.stdin:
        crowd = Crowd(**orjson.loads(line))
        say(asdict(listen(crowd)))


if __name__ == "__main__":
    main()
