"""A broker of canned answers on a real socket, with faults on request: for what a client does when things go wrong."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.payloads import body
from tests.support.sockets import answer, serving

ANSWERS = {
    "/v3/market-quote/quotes": "quotes_v3",
    "/v2/market-quote/quotes": "quotes_v2",
    "/market-quote/quotes/v3/": "quotes_v3",
    "/v3/market-quote/ltp": "ltp_v3",
    "/v2/market-quote/ltp": "ltp_v2",
    "/v3/market-quote/ohlc": "ohlc_v3_day",
    "/v2/market-quote/ohlc": "ohlc_v2",
    "/v3/market-quote/option-greek": "greeks",
    "/v2/option/chain": "chain",
    "/v2/option/contract": "contracts",
    "/v3/historical-candle/": "candles",
    "/v2/historical-candle/": "candles",
    "/v2/market/status": "status_nse",
    "/market-status": "status_nse",
    "/v2/market/holidays": "holidays",
    "/market-holidays": "holidays",
    "/v2/market/timings": "timings",
    "/market-timings": "timings",
    "/v2/instruments/search": "search",
    "/v2/user/profile": "profile",
    "/v3/user/get-funds-and-margin": "funds_v3",
    "/v2/user/get-funds-and-margin": "funds_v2",
    "/v2/login/authorization/token": "token",
    "/v3/login/auth/token/request": "token_request",
    "/v2/logout": "logout",
    "/v3/order/place": "order_placed_v3",
    "/v2/order/place": "order_placed_v2",
    "/orders/v3/regular/create": "order_placed_v3",
    "/v3/order/modify": "order_changed",
    "/v2/order/modify": "order_changed",
    "/orders/v3/regular/modify": "order_changed",
    "/v3/order/cancel": "order_changed",
    "/v2/order/cancel": "order_changed",
    "/orders/v3/regular/cancel/": "order_changed",
    "/v2/order/multi/place": "multi_placed",
    "/v2/order/multi/cancel": "many_cancelled",
    "/v2/order/positions/exit": "many_cancelled",
    "/v2/order/retrieve-all": "order_book",
    "/orders": "order_book",
    "/v2/order/details": "order_details",
    "/v2/order/history": "order_history",
    "/v2/order/trades": "trades",
    "/trades": "trades",
    "/v2/charges/historical-trades": "past_trades",
    "/v3/order/gtt/": "gtt_ids",
    "/v3/order/gtt": "gtts",
    "/v2/portfolio/short-term-positions": "positions",
    "/v3/portfolio/mtf-positions": "positions",
    "/v2/portfolio/long-term-holdings": "holdings",
    "/v2/portfolio/convert-position": "converted",
    "/portfolio/positions/convert": "converted",
    "/v2/charges/brokerage": "brokerage",
    "/v2/charges/margin": "margin",
    "/v2/user/kill-switch": "kill_switch",
}


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def token(self) -> str | None:
        return self.headers.get("authorization")


Fault = Callable[["FakeUpstox", socket.socket], None]


@dataclass
class FakeUpstox:
    """`faults` are used up one per request; `standing` meets every request (for which it is true)."""

    base: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    standing: Callable[[Asked], Fault | None] = lambda asked: None
    over: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        return [unquote(asked.path) for asked in self.asked]

    def behave(self, connection: socket.socket, head: bytes) -> None:
        lines, _, rest = head.partition(b"\r\n\r\n")
        first, *headers = lines.decode().split("\r\n")
        method, target, _ = first.split(" ")
        told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
        while len(rest) < int(told.get("content-length", 0)):
            rest += connection.recv(65536)
        asked = Asked(method, target, told, rest)
        self.asked.append(asked)
        fault = self.faults.popleft() if self.faults else self.standing(asked)
        if fault is not None:
            fault(self, connection)
            return
        name = next((name for path, name in ANSWERS.items() if asked.path.startswith(path)), None)
        if name is None:
            connection.sendall(answer(body("error_404"), status="404 Not Found", headers=JSON))
        else:
            connection.sendall(answer(body(name), headers=JSON))


JSON = "Content-Type: application/json\r\nrequestId: req-42\r\nConnection: close\r\n"


@contextmanager
def fake_upstox() -> Iterator[FakeUpstox]:
    broker = FakeUpstox()
    with serving(broker.behave) as base:
        broker.base = base
        yield broker
        broker.over.set()


def status(code: int, name: str, *, headers: str = "") -> Fault:
    """The error `name` with this HTTP status."""
    return lambda broker, connection: connection.sendall(answer(body(name), status=f"{code} X", headers=JSON + headers))


def silence(broker: FakeUpstox, connection: socket.socket) -> None:
    broker.over.wait(30)


def garbage(broker: FakeUpstox, connection: socket.socket) -> None:
    connection.sendall(answer(b'{"status":"success","data":{"\xff\xfe<<<', headers=JSON))


def wrong_types(broker: FakeUpstox, connection: socket.socket) -> None:
    connection.sendall(answer(b'{"status":"success","data":{"a":{"last_price":"x"},"b":7}}', headers=JSON))


def truncated(broker: FakeUpstox, connection: socket.socket) -> None:
    connection.sendall(answer(b'{"status":"success","da', headers=JSON, length=4000))


def html_403(broker: FakeUpstox, connection: socket.socket) -> None:
    page = body("blocked.html")
    connection.sendall(answer(page, status="403 Forbidden", headers="Content-Type: text/html\r\nConnection: close\r\n"))


def dropped(broker: FakeUpstox, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
