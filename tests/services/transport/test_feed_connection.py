"""One websocket connection, against a server that follows a script."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from services.domain.errors import (
    AccessDenied,
    BrokerFault,
    ConfigurationError,
    ConnectionLost,
    MalformedPayload,
    NoAnswer,
    NotSent,
    RateLimited,
    TokenRejected,
    UpstoxError,
)
from services.transport import feed_connection
from services.transport.feed_connection import FeedConnection
from tests.support.clocks import FakeMonotonic
from tests.support.feed_server import (
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FeedServer,
    Peer,
    cut_at_once,
    feed_server,
    frame,
    good,
    market_info,
    refused,
    then_close,
    torn,
)
from tests.support.sockets import refusing
from tests.support.tls import tls_in_front

SOON = 5.0


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as made:
        yield made


@pytest.fixture
def connection() -> Iterator[FeedConnection]:
    made = FeedConnection(local=True)
    yield made
    made.close()


def _scripted(server: FeedServer, *pieces: bytes) -> None:
    """The server sends these bytes, one by one, and waits."""

    def script(peer: Peer) -> None:
        peer.accept()
        for piece in pieces:
            peer.raw(piece)
        peer.server.over.wait(SOON)

    server.scripts.append(script)


def _next(connection: FeedConnection) -> bytes:
    """The next message, though the connection's own clock stands still."""
    while (message := connection.receive(0.0)) is None:
        connection._selector.select(SOON)
    return message


def test_messages_come_as_they_were_sent(server: FeedServer, connection: FeedConnection) -> None:
    connection.open(server.address())

    assert connection.receive(SOON) == market_info()


def test_a_request_goes_out_as_one_binary_frame(server: FeedServer, connection: FeedConnection) -> None:
    seen = []

    def script(peer: Peer) -> None:
        peer.accept()
        seen.append(peer.read())
        peer.send(b"done")

    server.scripts.append(script)
    connection.open(server.address())

    connection.send(b'{"method":"sub"}' * 5000)

    assert connection.receive(SOON) == b"done"
    assert seen == [(2, b'{"method":"sub"}' * 5000)]


def test_the_address_is_used_with_its_code(server: FeedServer, connection: FeedConnection) -> None:
    connection.open(server.address())

    assert server.targets == ["/feed?requestId=r1&code=c1"]


def test_a_message_in_pieces_many_in_one_piece_and_a_split_one_are_all_whole(
    server: FeedServer, connection: FeedConnection
) -> None:
    big = bytes(range(256)) * 2000
    whole = frame(b"a") + frame(b"b") + frame(big) + frame(b"c1", fin=False) + frame(b"c2", CONTINUATION)
    _scripted(server, whole[:1], whole[1:3], whole[3:70_000], whole[70_000:])
    connection.open(server.address())

    assert [connection.receive(SOON) for _ in range(4)] == [b"a", b"b", big, b"c1c2"]


def test_text_comes_as_bytes(server: FeedServer, connection: FeedConnection) -> None:
    _scripted(server, frame("₹".encode(), TEXT))
    connection.open(server.address())

    assert connection.receive(SOON) == "₹".encode()


def test_without_a_message_it_returns_after_the_timeout(server: FeedServer, connection: FeedConnection) -> None:
    _scripted(server, frame(b"x" * 10)[:5])
    connection.open(server.address())

    assert connection.receive(0.0) is None
    assert connection.receive(0.01) is None


def test_waking_ends_the_wait_and_loses_nothing(server: FeedServer, connection: FeedConnection) -> None:
    _scripted(server)
    connection.open(server.address())
    waker = threading.Thread(target=connection.wake)

    waker.start()
    got = connection.receive(60.0)
    waker.join()

    assert got is None
    for _ in range(100_000):
        connection.wake()  # never blocks, however often
    assert connection.receive(SOON) is None
    assert connection.receive(0.0) is None


def test_the_servers_ping_is_answered(server: FeedServer, connection: FeedConnection) -> None:
    answers = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"are you there?", PING)
        answers.append(peer.read())
        peer.send(b"done")

    server.scripts.append(script)
    connection.open(server.address())

    assert connection.receive(SOON) == b"done"
    assert answers == [(PONG, b"are you there?")]


class TestPings:
    def test_a_ping_goes_out_when_it_is_due_and_its_pong_keeps_the_connection(self, server: FeedServer) -> None:
        clock = FakeMonotonic()
        pings = []

        def script(peer: Peer) -> None:
            peer.accept()
            while True:
                pings.append(peer.read())
                peer.send(b"", PONG)
                peer.send(b"after the pong")

        server.scripts.append(script)
        connection = FeedConnection(local=True, monotonic=clock)
        connection.open(server.address())

        for _ in range(3):
            clock.now += 20.5
            connection.receive(0.0)  # sends the ping
            clock.now += 9.5
            assert _next(connection) == b"after the pong"

        connection.close()
        assert pings[:3] == [(PING, b"")] * 3

    def test_a_connection_that_does_not_answer_a_ping_is_lost(self, server: FeedServer) -> None:
        clock = FakeMonotonic()
        _scripted(server)
        connection = FeedConnection(local=True, monotonic=clock)
        connection.open(server.address())

        clock.now += 20.5
        connection.receive(0.0)
        clock.now += 10.5
        with pytest.raises(ConnectionLost, match="did not answer a ping within 10 s"):
            connection.receive(0.0)

        connection.close()

    def test_data_that_waited_while_we_slept_proves_life(self, server: FeedServer) -> None:
        clock = FakeMonotonic()
        _scripted(server, frame(b"price"))
        connection = FeedConnection(local=True, monotonic=clock)
        connection.open(server.address())
        assert connection._selector.select(SOON)

        connection._next_ping = clock.now
        connection._pong_by = clock.now
        clock.now += 60

        assert connection.receive(0.0) == b"price"
        connection.close()


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, TokenRejected), (403, AccessDenied), (429, RateLimited), (503, BrokerFault)],
    )
    def test_a_refused_handshake_means_what_its_status_says(
        self, server: FeedServer, connection: FeedConnection, status: int, kind: type[UpstoxError]
    ) -> None:
        server.scripts.append(refused(status))

        with pytest.raises(kind):
            connection.open(server.address())

    def test_what_the_broker_wrote_beside_it_is_kept(self, server: FeedServer, connection: FeedConnection) -> None:
        body = b'{"status":"error","errors":[{"errorCode":"UDAPI1179","message":"Too many connections"}]}'
        server.scripts.append(refused(403, body))

        with pytest.raises(AccessDenied, match="Too many connections") as caught:
            connection.open(server.address())

        assert caught.value.code == "UDAPI1179"
        assert caught.value.request_id == "req-7"

    @pytest.mark.parametrize(("status", "kind"), [(401, TokenRejected), (403, AccessDenied)])
    def test_the_status_decides_whatever_the_code_in_the_body_means_elsewhere(
        self, server: FeedServer, connection: FeedConnection, status: int, kind: type[UpstoxError]
    ) -> None:
        body = b'{"status":"error","errors":[{"errorCode":"UDAPI10000","message":"The code is used"}]}'
        server.scripts.append(refused(status, body))

        with pytest.raises(kind, match=r"The code is used \(UDAPI10000"):
            connection.open(server.address())

    def test_neither_the_code_nor_the_page_around_it_stand_in_the_message(
        self, server: FeedServer, connection: FeedConnection
    ) -> None:
        server.scripts.append(refused(403, b"<html><title>Blocked</title>code=c1</html>", "text/html"))

        with pytest.raises(AccessDenied) as caught:
            connection.open(server.address())

        assert "Blocked" in str(caught.value)
        assert "c1" not in str(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("status", [200, 302])
    def test_an_answer_that_is_no_websocket_is_malformed(
        self, server: FeedServer, connection: FeedConnection, status: int
    ) -> None:
        server.scripts.append(refused(status, b'{"status":"success","data":{}}'))

        with pytest.raises(MalformedPayload):
            connection.open(server.address())

    def test_a_wrong_proof_of_the_handshake_is_malformed(self, server: FeedServer, connection: FeedConnection) -> None:
        server.scripts.append(
            lambda peer: peer.raw(
                b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n"
            )
        )

        with pytest.raises(MalformedPayload):
            connection.open(server.address())

    def test_a_cut_in_the_handshake_is_no_answer(self, server: FeedServer, connection: FeedConnection) -> None:
        server.scripts.append(cut_at_once)

        with pytest.raises(NoAnswer):
            connection.open(server.address())

    def test_nobody_there_is_not_sent(self, connection: FeedConnection) -> None:
        with refusing() as base, pytest.raises(NotSent):
            connection.open(base.replace("http", "ws"))

    def test_a_handshake_that_drips_ends_by_one_deadline(
        self, server: FeedServer, connection: FeedConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed_connection, "OPEN_SECONDS", 0.2)

        def drip(peer: Peer) -> None:
            while not peer.server.over.wait(0.02):
                peer.raw(b"H")

        server.scripts.append(drip)

        with pytest.raises(NoAnswer, match="in time"):
            connection.open(server.address())


class TestEnds:
    def test_a_close_frame_tells_its_code_and_reason(self, server: FeedServer, connection: FeedConnection) -> None:
        server.scripts.append(then_close(1008, "too many connections"))
        connection.open(server.address())
        connection.receive(SOON)

        with pytest.raises(ConnectionLost, match="1008: too many connections") as caught:
            connection.receive(SOON)

        assert caught.value.code == 1008

    def test_why_the_broker_left_is_known_though_it_hears_no_goodbye(
        self, server: FeedServer, connection: FeedConnection
    ) -> None:
        left = threading.Event()

        def script(peer: Peer) -> None:
            peer.accept()
            peer.close(1012, "restart")
            peer.cut()
            left.set()

        server.scripts.append(script)
        connection.open(server.address())
        connection._selector.select(SOON)
        connection._read()
        assert left.wait(SOON)

        with pytest.raises(ConnectionLost, match="1012: restart"):
            connection.receive(SOON)

    def test_a_torn_frame_is_a_cut(self, server: FeedServer, connection: FeedConnection) -> None:
        server.scripts.append(torn)
        connection.open(server.address())

        with pytest.raises(ConnectionLost, match="without a close frame") as caught:
            connection.receive(SOON)

        assert caught.value.code is None

    @pytest.mark.parametrize(
        "rubbish",
        [
            b"\xf2\x00",  # reserved bits
            b"\x8b\x00",  # an unknown opcode
            frame(b"late", CONTINUATION),
            b"\x82\x7f" + b"\x7f" * 8,  # nine exabytes
            b"\x88\x01\x00",  # half a close code
        ],
    )
    def test_what_is_no_websocket_any_more_ends_it(
        self, server: FeedServer, connection: FeedConnection, rubbish: bytes
    ) -> None:
        _scripted(server, rubbish + b"\x00" * 20)
        connection.open(server.address())

        with pytest.raises(ConnectionLost, match="does not speak websocket"):
            connection.receive(SOON)

    def test_random_bytes_never_raise_anything_else(self, server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed_connection, "CLOSE_SECONDS", 0.0)
        import random

        source = random.Random(7)
        for _ in range(50):
            _scripted(server, source.randbytes(source.randrange(1, 400)))
            connection = FeedConnection(local=True)
            connection.open(server.address())
            with suppress(ConnectionLost):
                for _ in range(5):
                    connection.receive(0.0)
            connection.close()
        server.over.set()

    def test_closing_says_goodbye_with_1000(self, server: FeedServer, connection: FeedConnection) -> None:
        connection.open(server.address())
        connection.receive(SOON)

        connection.close()

        server.wait_for(lambda: server.ended == [b"\x03\xe8"])

    def test_aborting_from_another_thread_ends_a_handshake_that_hangs(
        self, server: FeedServer, connection: FeedConnection
    ) -> None:
        server.scripts.append(lambda peer: peer.server.over.wait(SOON) and None)
        aborter = threading.Thread(
            target=lambda: (server.wait_for(lambda: bool(server.targets)), connection.abort()), daemon=True
        )
        aborter.start()

        with pytest.raises(UpstoxError):
            connection.open(server.address())

        aborter.join()

    def test_a_broker_that_takes_no_bytes_is_lost(
        self, server: FeedServer, connection: FeedConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _scripted(server)
        connection.open(server.address())
        connection._stream.patience = 0.05

        def flood() -> None:
            for _ in range(100):
                connection.send(b"x" * 1_000_000)

        with pytest.raises(ConnectionLost, match="took no bytes"):
            flood()

    def test_no_socket_is_left_over(self, server: FeedServer) -> None:
        server.scripts.extend([good, refused(403), cut_at_once])

        for _ in range(3):
            connection = FeedConnection(local=True)
            with suppress(UpstoxError):
                connection.open(server.address())
            connection.close()
            connection.close()
        del connection
        gc.collect()  # a socket left open would be a ResourceWarning, which fails the test


class TestWhereItMayGo:
    @pytest.mark.parametrize(
        "url",
        [
            "ws://feed.upstox.com/x?code=1",
            "wss://example.com/x",
            "http://127.0.0.1/x",
            "ws://127.0.0.1@evil.example/x",
            "ws://127.0.0.1.evil.example/x",
        ],
    )
    def test_a_paper_desk_stays_on_this_machine(self, connection: FeedConnection, url: str) -> None:
        with pytest.raises(ConfigurationError):
            connection.open(url)

    @pytest.mark.parametrize("url", ["ws://127.0.0.1:1/x", "ws://feed.upstox.com/x", "https://api.upstox.com/x", "x"])
    def test_a_live_desk_uses_tls_alone(self, url: str) -> None:
        connection = FeedConnection(local=False)

        with pytest.raises(ConfigurationError):
            connection.open(url)

        connection.close()

    def test_the_certificate_is_verified(self) -> None:
        connection = FeedConnection(local=False)
        context = connection._tls()

        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        connection.close()

    def test_a_server_without_tls_gets_no_request(self, server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed_connection, "OPEN_SECONDS", 0.2)
        connection = FeedConnection(local=False)

        with pytest.raises((NoAnswer, NotSent)):
            connection.open(server.address().replace("ws://127.0.0.1", "wss://localhost"))

        connection.close()
        assert server.targets == []

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, server: FeedServer, tmp_path: Path) -> None:
        connection = FeedConnection(local=False)

        with tls_in_front(server.base, tmp_path) as (port, _), pytest.raises(NotSent, match="cannot be trusted"):
            connection.open(f"wss://localhost:{port}/feed?code=1")

        connection.close()
        assert server.targets == []

    def test_over_tls_everything_is_as_it_is_without(self, server: FeedServer, tmp_path: Path) -> None:
        big = bytes(range(256)) * 4000

        def script(peer: Peer) -> None:
            peer.accept()
            _, request = peer.read()
            peer.send(big)
            peer.send(request)
            peer.server.over.wait(SOON)

        server.scripts.append(script)
        with tls_in_front(server.base, tmp_path) as (port, trusted):
            connection = FeedConnection(local=False, tls=lambda: trusted)
            connection.open(f"wss://localhost:{port}/feed?code=1")
            connection.send(b"r" * 200_000)

            assert _next(connection) == big
            assert _next(connection) == b"r" * 200_000
            assert connection.receive(0.0) is None
            connection.close()
            server.over.set()

    def test_proxies_of_the_environment_are_not_used_unasked(
        self, server: FeedServer, connection: FeedConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as proxy:
            for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
            monkeypatch.setenv("no_proxy", "nowhere")

            connection.open(server.address())

        assert len(server.targets) == 1
