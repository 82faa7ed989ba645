"""The websocket of the push channel, over a real connection."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import orjson
import pytest
import uvicorn
import websocket
from starlette.applications import Starlette
from uvicorn.config import WS_PROTOCOLS
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from dashboard.push import route
from dashboard.push.fields import PLACE
from dashboard.push.hub import PushHub
from dashboard.push.protocol import DirectProtocol, use_direct_protocol
from dashboard.push.route import FORBIDDEN, POLICY, TRY_AGAIN, push_routes
from dashboard.push.tokens import PushTokens
from services.domain.quote_row import QuoteRow
from tests.support.push import FakePrices
from tests.support.quotes import wait_until
from tests.support.readings import RELIANCE, row


class Desk:
    """A server with nothing but the push route."""

    def __init__(self, prices: FakePrices, **options: Any) -> None:
        self.prices = prices
        self.hub = PushHub(lambda: prices, times_a_second=50, **options)
        self.tokens = PushTokens(b"key")
        self.port = 0

    def connect(self, *, origin: str | None = "own") -> websocket.WebSocket:
        own = f"http://127.0.0.1:{self.port}"
        page = websocket.WebSocket()
        try:
            page.connect(
                f"ws://127.0.0.1:{self.port}/push",
                origin=own if origin == "own" else origin,
                suppress_origin=origin is None,
                timeout=5,
            )
        except websocket.WebSocketException:
            page.shutdown()  # a refused handshake leaves its socket open
            raise
        return page

    def hello(self, page: websocket.WebSocket, **members: Any) -> None:
        said = {"t": "hello", "token": self.tokens.issue(), "rows": [RELIANCE], **members}
        page.send(orjson.dumps(said).decode())


@contextmanager
def serving(
    desk: Desk, *, ws: type[WebSocketsSansIOProtocol] = DirectProtocol, pumping: bool = False
) -> Iterator[Desk]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        pump = asyncio.create_task(desk.hub.run())
        yield
        pump.cancel()

    app = Starlette(routes=push_routes(lambda: desk.hub, lambda: desk.tokens), lifespan=lifespan)
    config = uvicorn.Config(
        app, ws=ws, log_config=None, lifespan="on" if pumping else "off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    desk.port = listener.getsockname()[1]
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield desk
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture
def desk() -> Iterator[Desk]:
    prices = FakePrices()
    prices.put(row(RELIANCE, 1500.0))
    with serving(Desk(prices)) as made:
        yield made


def code_of(page: websocket.WebSocket) -> int:
    opcode, data = page.recv_data()
    page.shutdown()  # after a close frame `close()` thinks that it has nothing to do
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    return int.from_bytes(data[:2], "big")


def test_a_page_is_told_the_state_and_lets_its_keys_go_when_it_ends(desk: Desk) -> None:
    with closing(desk.connect()) as page:
        desk.hello(page)
        state = orjson.loads(page.recv())
        assert state["rows"][RELIANCE][PLACE["ltp"]] == 1500.0
        assert len(desk.prices.held) == 1

    wait_until(lambda: desk.prices.held == {})


def test_a_wish_may_change(desk: Desk) -> None:
    with closing(desk.connect()) as page:
        desk.hello(page, rows=[])
        assert orjson.loads(page.recv())["rows"] == {}
        page.send(orjson.dumps({"t": "want", "depth": [RELIANCE]}).decode())

        assert list(orjson.loads(page.recv())["depth"]) == [RELIANCE]


def test_a_token_that_was_not_issued_here_is_refused(desk: Desk) -> None:
    with closing(desk.connect()) as page:
        desk.hello(page, token="guess")
        assert code_of(page) == FORBIDDEN


@pytest.mark.parametrize("said", ["nonsense", '{"t":"hello"}', '{"t":"want"}'])
def test_what_makes_no_sense_ends_the_connection(desk: Desk, said: str) -> None:
    with closing(desk.connect()) as page:
        page.send(said)
        assert code_of(page) == POLICY


def test_nonsense_later_on_ends_it_as_well_and_nothing_stays_held(desk: Desk) -> None:
    with closing(desk.connect()) as page:
        desk.hello(page)
        page.recv()
        page.send('{"t":"order"}')
        assert code_of(page) == POLICY
    wait_until(lambda: desk.prices.held == {})


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_only_pages_of_the_desk_may_open_it(desk: Desk, origin: str | None) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        desk.connect(origin=origin)


def test_one_more_than_fits_is_asked_to_come_again() -> None:
    with serving(Desk(FakePrices(), most_clients=1)) as desk, closing(desk.connect()) as first:
        desk.hello(first)
        first.recv()
        with closing(desk.connect()) as second:
            desk.hello(second)
            assert code_of(second) == TRY_AGAIN


@pytest.mark.parametrize("ws", [DirectProtocol, WebSocketsSansIOProtocol])
def test_changes_come_one_after_the_other_with_any_protocol(ws: type[WebSocketsSansIOProtocol]) -> None:
    prices = FakePrices()
    prices.put(row(RELIANCE, 1500.0))
    with serving(Desk(prices), ws=ws, pumping=True) as desk, closing(desk.connect()) as page:
        desk.hello(page)
        assert orjson.loads(page.recv())["t"] == "state"
        told = [1500.0]  # what the first message told; the pump may tell it once more
        for step in range(5):
            prices.put(row(RELIANCE, 1501.0 + step))
            while told[-1] != 1501.0 + step:
                message = orjson.loads(page.recv())
                if message["t"] == "diff":
                    told.append(message["rows"][RELIANCE][PLACE["ltp"]])
                    page.send(orjson.dumps({"t": "painted", "n": message["n"]}).decode())

        assert told == sorted(told)
        assert set(told) == {1500.0, 1501.0, 1502.0, 1503.0, 1504.0, 1505.0}


def test_a_page_that_reads_nothing_is_cut_off_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "SEND_SECONDS", 0.1)
    monkeypatch.setattr(route, "CLOSE_SECONDS", 0.1)
    prices = FakePrices()
    prices.put(*many(0.0))
    with (
        serving(Desk(prices), pumping=True) as desk,
        closing(desk.connect()) as page,
        closing(desk.connect()) as stuck,
    ):
        stuck.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        desk.hello(stuck, rows=[one["instrument_key"] for one in many(0.0)])
        wait_until(lambda: len(desk.prices.held) == 1)
        desk.hello(page)
        page.recv()
        turn = iter(range(1, 100_000))

        def let_go() -> bool:
            prices.put(*many(float(next(turn))))
            return len(desk.prices.held) == 1

        wait_until(let_go)
        assert list(desk.prices.held.values()) == [frozenset({RELIANCE})]
        while orjson.loads(page.recv())["rows"].get(RELIANCE) is None:
            pass


def many(step: float) -> list[QuoteRow]:
    """Rows whose messages are large."""
    return [row(f"NSE_EQ|INE{number:06d}018", 100.0 + step) for number in range(1500)] + [row(RELIANCE, 1500.0 + step)]


def test_the_launcher_makes_the_protocol_that_of_streamlits_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WS_PROTOCOLS, "websockets-sansio", WS_PROTOCOLS["websockets-sansio"])
    use_direct_protocol()

    config = uvicorn.Config(Starlette(), ws="websockets-sansio", log_config=None)
    config.load()
    assert config.ws_protocol_class is DirectProtocol
