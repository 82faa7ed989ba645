from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from services.domain.errors import ConfigurationError, MalformedPayload, NoAnswer, NotSent
from services.transport.http import MAX_BODY_BYTES, Answer, HttpClient
from tests.support.sockets import answer, refusing, serving


@pytest.fixture
def client() -> Iterator[HttpClient]:
    made = HttpClient(connect_timeout=1.0, read_timeout=0.3)
    yield made
    made.close()


def test_an_answer_is_whole_and_timed(client: HttpClient) -> None:
    raw = answer(b'{"a":1}', headers="requestId: 77-a\r\nContent-Type: application/json\r\nRetry-After: 12\r\n")

    with serving(lambda connection, head: connection.sendall(raw)) as base:
        got = client.send("GET", f"{base}/x")

    assert (got.status, got.body, got.request_id, got.retry_after) == (200, b'{"a":1}', "77-a", 12.0)
    assert got.content_type == "application/json"
    assert got.elapsed_ms > 0
    assert '{"a":1}' not in repr(got)


def test_gzip_is_asked_for_and_taken_off(client: HttpClient) -> None:
    heads = []

    def behave(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(answer(gzip.compress(b"x" * 9000), headers="Content-Encoding: gzip\r\n"))

    with serving(behave) as base:
        got = client.send("GET", f"{base}/x")

    assert got.body == b"x" * 9000
    assert b"Accept-Encoding: gzip" in heads[0]


def test_the_request_names_an_ordinary_client_and_no_stranger_gets_in(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    heads = []
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password from-netrc\n")  # type: ignore[operator]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    def behave(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(answer(b"{}", headers="Set-Cookie: track=1\r\n"))

    with serving(behave) as base:
        client.send("GET", f"{base}/a", headers={"Authorization": "Bearer mine", "X-Keep": "yes"})
        client.send("GET", f"{base}/b")

    assert b"User-Agent: Mozilla/5.0" in heads[0]
    assert b"python-requests" not in heads[0]
    assert b"Authorization: Bearer mine" in heads[0]
    assert b"Authorization" not in heads[1]
    assert b"Cookie" not in heads[1]


def test_netrc_does_not_replace_the_token_even_when_the_environment_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    heads = []
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password from-netrc\n")  # type: ignore[operator]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def behave(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(answer(b"{}"))

    trusting = HttpClient(trust_env=True)
    with serving(behave) as base:
        trusting.send("GET", f"{base}/a", headers={"Authorization": "Bearer mine"})
    trusting.close()

    assert b"Authorization: Bearer mine" in heads[0]


def test_query_json_and_form_travel_as_they_should(client: HttpClient) -> None:
    with responses.RequestsMock() as broker:
        broker.add("GET", "http://b.test/q", body=b"{}")
        broker.add("POST", "http://b.test/j", body=b"{}")
        broker.add("POST", "http://b.test/f", body=b"{}")
        client.send("GET", "http://b.test/q", params={"instrument_key": "NSE_INDEX|Nifty 50,NSE_EQ|X"})
        client.send("POST", "http://b.test/j", json={"a": [1]})
        client.send("POST", "http://b.test/f", form={"code": "x y", "z": "1"})
        query, as_json, as_form = (call.request for call in broker.calls)

    assert query.url == "http://b.test/q?instrument_key=NSE_INDEX%7CNifty+50%2CNSE_EQ%7CX"
    assert (as_json.body, as_json.headers["Content-Type"]) == (b'{"a":[1]}', "application/json")
    assert (as_form.body, as_form.headers["Content-Type"]) == ("code=x+y&z=1", "application/x-www-form-urlencoded")


def test_a_long_query_arrives_whole_and_encoded(client: HttpClient) -> None:
    keys = ",".join(f"NSE_INDEX|Nifty & Co {number:03d}" for number in range(500))
    heads = []

    def behave(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(answer(b"{}"))

    with serving(behave) as base:
        client.send("GET", f"{base}/quotes", params={"instrument_key": keys})

    path, _, query = heads[0].split(b" ")[1].decode().partition("?")
    assert (path, parse_qs(query)) == ("/quotes", {"instrument_key": [keys]})
    assert b"x-desk" not in heads[0].lower()


def test_a_long_query_arrives_whole_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ",".join(f"NSE_EQ|INE{number:06d}018" for number in range(100))
    heads = []

    def behave(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(answer(b"{}"))

    with serving(behave) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        trusting = HttpClient(trust_env=True)
        trusting.send("GET", "http://broker.invalid/quotes", params={"instrument_key": keys})
        trusting.close()

    target = urlsplit(heads[0].split(b" ")[1].decode())
    assert (target.netloc, parse_qs(target.query)) == ("broker.invalid", {"instrument_key": [keys]})
    assert b"x-desk" not in heads[0].lower()


def test_an_encoded_path_is_not_encoded_again(client: HttpClient) -> None:
    heads = []

    def behave(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(answer(b"{}"))

    with serving(behave) as base:
        client.send("GET", f"{base}/v3/NSE_INDEX%7CNifty%2050/minutes/1")

    assert heads[0].startswith(b"GET /v3/NSE_INDEX%7CNifty%2050/minutes/1 HTTP/1.1")


def test_a_refused_connection_was_not_sent(client: HttpClient) -> None:
    with refusing() as base, pytest.raises(NotSent, match="takes no connection"):
        client.send("GET", f"{base}/x")


def test_an_unknown_name_was_not_sent(client: HttpClient) -> None:
    with pytest.raises(NotSent):
        client.send("GET", "http://no-such-host.invalid/x")


def test_an_older_refusal_that_is_being_handled_does_not_make_a_lost_answer_look_unsent(client: HttpClient) -> None:
    with refusing() as nobody, serving(lambda connection, head: None) as base:
        try:
            client.send("GET", f"{nobody}/x")
        except NotSent:
            with pytest.raises(NoAnswer):
                client.send("GET", f"{base}/x")


def test_silence_is_no_answer_within_the_read_timeout(client: HttpClient) -> None:
    gate = threading.Event()

    with serving(lambda connection, head: gate.wait(30) and None) as base:
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="did not answer in time"):
            client.send("GET", f"{base}/x")
        took = time.monotonic() - began
        gate.set()

    assert took < 1.5


def test_an_answer_that_is_known_to_be_slow_is_waited_for_beyond_the_clients_own_limit() -> None:
    hasty = HttpClient(read_timeout=0.05)

    def late(connection: socket.socket, head: bytes) -> None:
        threading.Event().wait(0.2)
        connection.sendall(answer(b"{}"))

    with serving(late) as base:
        assert hasty.send("GET", f"{base}/x", seconds=30, slow=True).status == 200
        with pytest.raises(NoAnswer):
            hasty.send("GET", f"{base}/x", seconds=30)
    hasty.close()


def test_the_caller_may_allow_less_time_than_the_client(client: HttpClient) -> None:
    gate = threading.Event()
    patient = HttpClient(read_timeout=30)

    with serving(lambda connection, head: gate.wait(30) and None) as base:
        began = time.monotonic()
        with pytest.raises(NoAnswer):
            patient.send("GET", f"{base}/x", seconds=0.2)
        took = time.monotonic() - began
        gate.set()
    patient.close()

    assert took < 1.5


def test_a_dropped_connection_is_no_answer(client: HttpClient) -> None:
    with serving(lambda connection, head: None) as base, pytest.raises(NoAnswer, match="closed the connection"):
        client.send("GET", f"{base}/x")


def test_a_body_that_breaks_off_is_no_answer(client: HttpClient) -> None:
    raw = answer(b'{"status":"succ', length=9000)

    with serving(lambda connection, head: connection.sendall(raw)) as base, pytest.raises(NoAnswer):
        client.send("GET", f"{base}/x")


def test_a_packed_body_that_breaks_off_is_no_answer(client: HttpClient) -> None:
    packed = gzip.compress(bytes(range(256)) * 200)
    raw = answer(packed[: len(packed) // 2], headers="Content-Encoding: gzip\r\n", length=len(packed))

    with serving(lambda connection, head: connection.sendall(raw)) as base, pytest.raises(NoAnswer):
        client.send("GET", f"{base}/x")


def test_a_chunked_body_that_breaks_off_is_no_answer(client: HttpClient) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n40\r\nonly"

    with serving(lambda connection, head: connection.sendall(raw)) as base, pytest.raises(NoAnswer):
        client.send("GET", f"{base}/x")


def test_a_chunked_body_is_read(client: HttpClient) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"

    with serving(lambda connection, head: connection.sendall(raw)) as base:
        assert client.send("GET", f"{base}/x").body == b"hello world"


def test_a_body_that_cannot_be_unpacked_is_malformed(client: HttpClient) -> None:
    raw = answer(b"this is not gzip", headers="Content-Encoding: gzip\r\n")

    with serving(lambda connection, head: connection.sendall(raw)) as base, pytest.raises(MalformedPayload):
        client.send("GET", f"{base}/x")


def test_something_that_is_not_http_is_malformed(client: HttpClient) -> None:
    with (
        serving(lambda connection, head: connection.sendall(b"SSH-2.0-x\r\n\r\n")) as base,
        pytest.raises(MalformedPayload),
    ):
        client.send("GET", f"{base}/x")


def test_a_dripping_answer_is_given_up(client: HttpClient) -> None:
    gate = threading.Event()

    def drip(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not gate.wait(0.05):
            connection.sendall(b"x")

    with serving(drip) as base:
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="did not finish"):
            client.send("GET", f"{base}/x")
        took = time.monotonic() - began
        gate.set()

    assert took < 2.0


def test_an_endless_answer_is_given_up(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.transport.http.MAX_BODY_BYTES", 100_000)
    raw = answer(gzip.compress(b"\0" * 5_000_000), headers="Content-Encoding: gzip\r\n")

    with (
        serving(lambda connection, head: connection.sendall(raw)) as base,
        pytest.raises(MalformedPayload, match="more than"),
    ):
        client.send("GET", f"{base}/x")
    assert MAX_BODY_BYTES > 10_000_000


def test_a_redirect_is_handed_back_and_not_followed(client: HttpClient) -> None:
    raw = answer(b"", status="302 Found", headers="Location: http://127.0.0.1:9/elsewhere\r\n")

    with serving(lambda connection, head: connection.sendall(raw)) as base:
        assert client.send("GET", f"{base}/x").status == 302


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1/x", "http://[::bad/x"])
def test_a_base_that_is_no_web_address_is_a_configuration_fault(client: HttpClient, url: str) -> None:
    with pytest.raises(ConfigurationError):
        client.send("GET", url)


def test_a_token_that_no_header_can_carry_is_not_repeated(client: HttpClient) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client.send("GET", "http://127.0.0.1:9/x", headers={"Authorization": "Bearer abc\ndef-secret"})

    assert "def-secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_messages_name_the_host_and_nothing_else_of_the_address(client: HttpClient) -> None:
    with refusing() as base, pytest.raises(NotSent) as caught:
        client.send("GET", f"{base}/v2/x", params={"code": "s3cr3t-code"})

    assert "s3cr3t-code" not in str(caught.value)
    assert base.removeprefix("http://") in str(caught.value)


def test_nothing_is_repeated_by_the_library(client: HttpClient) -> None:
    heads = []
    with serving(lambda connection, head: heads.append(head)) as base:
        for method in ("GET", "PUT", "DELETE", "POST"):
            with pytest.raises(NoAnswer):
                client.send(method, f"{base}/x")

    assert len(heads) == 4


def test_connections_are_kept(client: HttpClient) -> None:
    ports = set()

    def behave(connection: socket.socket, head: bytes) -> None:
        ports.add(connection.getpeername()[1])
        connection.sendall(answer(b"{}"))

    with serving(behave) as base:
        for _ in range(3):
            client.send("GET", f"{base}/x", headers={"X-Keep": "yes"})
        client.close()

    assert len(ports) == 1


def test_a_stream_is_read_piece_by_piece(client: HttpClient) -> None:
    raw = answer(b"0123456789", headers='ETag: "7"\r\n')

    with serving(lambda connection, head: connection.sendall(raw)) as base, client.stream("GET", f"{base}/f") as stream:
        assert (stream.status, stream.headers["ETag"]) == (200, '"7"')
        pieces = []
        while piece := stream.read(4):
            pieces.append(piece)

    assert b"".join(pieces) == b"0123456789"
    assert max(map(len, pieces)) <= 4


def test_a_stream_that_breaks_off_is_no_answer(client: HttpClient) -> None:
    raw = answer(b"0123", length=100)

    with serving(lambda connection, head: connection.sendall(raw)) as base, client.stream("GET", f"{base}/f") as stream:
        assert stream.read(4) == b"0123"
        with pytest.raises(NoAnswer):
            stream.read(4)


def test_a_stream_that_takes_too_long_is_given_up() -> None:
    now = [0.0]
    client = HttpClient(monotonic=lambda: now[0])

    with (
        serving(lambda connection, head: connection.sendall(answer(b"0123456789"))) as base,
        client.stream("GET", f"{base}/f", seconds=60) as stream,
    ):
        stream.read(2)
        now[0] = 61.0
        with pytest.raises(NoAnswer, match="too slowly"):
            stream.read(2)
    client.close()


def test_a_retry_after_in_another_form_is_ignored() -> None:
    assert Answer(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"", 1.0).retry_after is None
    assert Answer(429, {}, b"", 1.0).retry_after is None
