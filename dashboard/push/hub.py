"""Everybody who listens, and the pump that tells them what changed.

One pass of the pump, up to 40 times a second: ask the prices what changed, encode each changed instrument once,
join the pieces once for each set of instruments that somebody wants, and hand the same bytes to everybody who wants
that set. How the feed does is told each second, and at once when that changes. Nobody is waited for: what a connection
does not take at once goes into its mailbox, and whose mailbox is full is let go, reconnects and gets the whole state.
Runs on the server's event loop, all of it; what it asks for must not wait for anything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Protocol, TypeAlias

import orjson

from dashboard.push.fields import Row, depth_values, values
from dashboard.push.messages import Want
from dashboard.push.protocol import text_frame

TIMES_A_SECOND = 40.0
A_MESSAGE_SECONDS = 0.0008
"""The pause after a pass is at least this for each message that it sent: 1,250 a second in all, a fiftieth of a core or
so, however many listen."""
REST, MOST_REST_SECONDS = 3, 0.15
"""After a pass that took long the loop is left to others for so many times as long: where much changes it is told in
larger portions, instead of more often than pages can be drawn beside it."""
BEAT_SECONDS = 1.0
MAILBOX = 64
MOST_CLIENTS = 400
REMEMBERED = 400
"""Messages whose way to the screen is still measured."""

log = logging.getLogger(__name__)


class Prices(Protocol):
    """Where prices come from. Nothing here may wait: it is called on the event loop."""

    def hold(self, holder: str, keys: Collection[str]) -> None:
        """Keep `keys` current for `holder`, in place of what it held before, until it lets go."""

    def release(self, holder: str) -> None: ...

    def changed(self, cursor: int, keys: Collection[str]) -> tuple[int, Mapping[str, Row]]:
        """The rows of `keys` that changed after `cursor` (0: all that are known), and the cursor for the next time."""

    def word(self) -> Mapping[str, Any]:
        """How the feed does now, for the browser: `live`, `in_session`, `why`."""

    def now_ms(self) -> int:
        """The desk's clock."""


Write: TypeAlias = Callable[[bytes], bool]
"""Sends a websocket frame at once; False: the connection takes none now."""


class Client:
    """One open connection: what it wants, and its mailbox (`None` in it = let go). Whoever empties the mailbox sets
    `busy` while it sends. Where there is a `write`, nothing goes into the mailbox but what `write` does not take."""

    def __init__(self, name: str, want: Want, write: Write | None = None) -> None:
        self.name = name
        self.want = want
        self.mail: asyncio.Queue[str | None] = asyncio.Queue()
        self.busy = False
        self._write = write

    def take(self, frame: bytes) -> bool:
        """Send `frame` past the mailbox, if nothing waits in front of it. False: it was not sent."""
        return self._write is not None and not self.busy and self.mail.empty() and self._write(frame)


class PushHub:
    """The listeners of one process. Every method belongs to the event loop's thread."""

    def __init__(
        self,
        prices: Callable[[], Prices],
        *,
        painted: Callable[[float], None] = lambda seconds: None,
        sent: Callable[[Mapping[str, Row]], float | None] = lambda rows: None,
        whole_way: Callable[[float], None] = lambda seconds: None,
        news: Callable[[int], Sequence[Mapping[str, Any]]] = lambda after: (),
        times_a_second: float = TIMES_A_SECOND,
        most_clients: int = MOST_CLIENTS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`painted` hears how long a change took from its sending to the screen, in seconds; `sent` the rows that were
        handed to the connections just now, and may tell how long they had waited for that; `whole_way` hears the sum.
        `news` is asked for what happened after a number (member `n`), to be told to everybody at once; it must not wait
        either."""
        self._prices = prices
        self._painted = painted
        self._was_sent = sent
        self._whole_way = whole_way
        self._news = news
        self._newest = 0
        self._pause = 1 / times_a_second
        self._most = most_clients
        self._monotonic = monotonic
        self._clients: set[Client] = set()
        self._groups: dict[Want, set[Client]] = {}
        self._wanted: Want | None = None  # all of them together, until somebody comes, goes or looks elsewhere
        self._cursor = 0
        self._names = count(1)
        self._number = 0
        self._messages = 0  # of the last pass
        self._sent: OrderedDict[int, tuple[float, float | None]] = OrderedDict()
        self._last_beat = float("-inf")
        self._last_word = ""
        self.let_go = 0
        """Listeners that were too slow."""
        self.sent = 0
        """Messages, to all listeners."""

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def is_full(self) -> bool:
        return len(self._clients) >= self._most

    def join(self, want: Want, write: Write | None = None) -> Client:
        """A new listener. The first thing in its mailbox is the whole state of what it wants."""
        client = Client(f"push-{next(self._names)}", want, write)
        try:
            self._prices().hold(client.name, want.keys)
            client.mail.put_nowait(self._state(want))
        except BaseException:
            self._prices().release(client.name)
            raise
        self._clients.add(client)
        self._enter(client)
        return client

    def change(self, client: Client, want: Want) -> None:
        """`client` looks at something else now, and is told the whole state of it."""
        if client in self._clients and want != client.want:
            self._exit(client)
            client.want = want
            self._enter(client)
            self._prices().hold(client.name, want.keys)
            self._deliver(client, self._state(want))

    def leave(self, client: Client) -> None:
        """Its connection has ended; what only it held is let go."""
        self._forget(client)
        self._prices().release(client.name)

    def painted(self, number: int) -> None:
        """A browser has drawn message `number`. The way of its report back is measured with it: never too little."""
        if (sent := self._sent.get(number)) is not None:
            at, waited = sent
            took = self._monotonic() - at
            self._painted(took)
            if waited is not None:
                self._whole_way(waited + took)

    async def run(self) -> None:
        """The pump, until it is cancelled."""
        while True:
            started = self._monotonic()
            try:
                self.step()
            except Exception:  # outermost loop of a task: the next pass must come
                log.exception("telling the browsers what changed failed")
            await asyncio.sleep(self.rest(self._monotonic() - started))

    @property
    def pause(self) -> float:
        """Seconds from the last pass to the next."""
        return max(self._pause, A_MESSAGE_SECONDS * self._messages)

    def rest(self, took: float) -> float:
        """Seconds from the end of a pass that took so many to the next."""
        return max(0.01, self.pause - took, min(REST * took, MOST_REST_SECONDS))

    def step(self) -> None:
        """One pass of the pump."""
        self._messages = 0
        if not self._clients:
            return
        prices = self._prices()
        if self._wanted is None:
            self._wanted = _together(self._groups)
        self._cursor, rows = prices.changed(self._cursor, self._wanted.rows)
        pieces, deep = _pieces(rows), _depths(rows, self._wanted.depth)
        word = _encoded(prices.word())
        news = self._news(self._newest)
        beat = bool(news) or word != self._last_word or self._monotonic() - self._last_beat >= BEAT_SECONDS
        if beat:
            self._last_word, self._last_beat = word, self._monotonic()
        if not rows and not beat:
            return
        self._number += 1
        head = self._head(word)
        if news:
            self._newest = max(one["n"] for one in news)
            head = f'{head},"news":{orjson.dumps(list(news)).decode()}'
        for want, clients in list(self._groups.items()):
            mine = [pieces[key] for key in _common(want.rows, pieces)]
            below = [deep[key] for key in _common(want.depth, deep)]
            if not mine and not below and not beat:
                continue
            text = _text("diff" if mine or below else "beat", head, mine, below)
            frame = text_frame(text)
            self._messages += len(clients)
            for client in tuple(clients):
                if not client.take(frame):
                    self._deliver(client, text)
        self.sent += self._messages
        self._remember(self._was_sent(rows) if rows else None)

    def close(self) -> None:
        """Let everybody go."""
        for client in list(self._clients):
            client.mail.put_nowait(None)

    def _enter(self, client: Client) -> None:
        self._groups.setdefault(client.want, set()).add(client)
        self._wanted = None

    def _exit(self, client: Client) -> None:
        if (group := self._groups.get(client.want)) is not None:
            group.discard(client)
            if not group:
                del self._groups[client.want]
        self._wanted = None

    def _forget(self, client: Client) -> None:
        self._clients.discard(client)
        self._exit(client)

    def _state(self, want: Want) -> str:
        _, rows = self._prices().changed(0, want.keys)
        self._number += 1
        pieces, deep = _pieces(rows), _depths(rows, want.depth)
        text = _text(
            "state",
            self._head(_encoded(self._prices().word())),
            [pieces[key] for key in _common(want.rows, pieces)],
            [deep[key] for key in _common(want.depth, deep)],
        )
        self._remember()
        return text

    def _head(self, word: str) -> str:
        return f'"n":{self._number},"now":{self._prices().now_ms()},"feed":{word}'

    def _remember(self, waited: float | None = None) -> None:
        self._sent[self._number] = self._monotonic(), waited
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def _deliver(self, client: Client, text: str) -> None:
        if client.mail.qsize() < MAILBOX:
            client.mail.put_nowait(text)
            return
        self._forget(client)
        self.let_go += 1
        log.info("a browser is too slow for the push channel and starts anew")
        client.mail.put_nowait(None)


def _together(wants: Iterable[Want]) -> Want:
    """What any of them wants; as rows all keys, those of depths as well."""
    wants = list(wants)
    return Want(
        frozenset().union(*[want.keys for want in wants]),
        frozenset().union(*[want.depth for want in wants]),
    )


def _pieces(rows: Mapping[str, Row]) -> dict[str, str]:
    return {key: f"{_name(key)}:{orjson.dumps(values(row)).decode()}" for key, row in rows.items()}


def _depths(rows: Mapping[str, Row], wanted: frozenset[str]) -> dict[str, str]:
    return {key: f"{_name(key)}:{orjson.dumps(depth_values(rows[key])).decode()}" for key in _common(wanted, rows)}


@lru_cache(maxsize=10_000)
def _name(key: str) -> str:
    return _encoded(key)


def _encoded(what: str | Mapping[str, Any]) -> str:  # Any: as in `Prices`
    return orjson.dumps(what).decode()


def _common(wanted: frozenset[str], there: Mapping[str, object]) -> Iterable[str]:
    """What is in both; goes over the smaller."""
    return [key for key in there if key in wanted] if len(there) < len(wanted) else [k for k in wanted if k in there]


def _text(kind: str, head: str, rows: Iterable[str], depth: Iterable[str]) -> str:
    return f'{{"t":"{kind}",{head},"rows":{{{",".join(rows)}}},"depth":{{{",".join(depth)}}}}}'
