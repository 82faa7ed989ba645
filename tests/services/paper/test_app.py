"""The gateway: what is routed, who is let in, how answers are wrapped."""

from __future__ import annotations

import gzip
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from services.paper.app import HANDLERS
from services.wire.endpoints import OPERATIONS, ORDER_OPERATIONS
from tests.support.paper import NIFTY, RELIANCE, Client, KnownMarket, error_of, running
from tests.support.shared_data import ROOT


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("gateway"), limits=False) as made:
        yield made


def test_every_row_of_the_route_table_has_a_handler_and_no_handler_is_idle() -> None:
    rows = {(op.name, row.version) for op in (*OPERATIONS, *ORDER_OPERATIONS) for row in (*op.published, *op.guide)}

    assert set(HANDLERS) == rows


def test_whatever_only_the_paper_broker_answers_is_documented_and_answered(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "services" / "paper").glob("routes_*.py"))
    documented = set(re.findall(r"`GET (/_paper/[a-z-]+)|`POST (/_paper/[a-z-]+)", text))

    told = {one or other for one, other in documented}
    assert told == set(re.findall(r'= "(/_paper/[a-z-]+)"', sources))
    with running(tmp_path, faults=True) as broker:
        missing = {path for path in told if "UDAPI100060" in broker.get(path).text}
    assert missing == {"/_paper/reset", "/_paper/read-only-token"}  # those take POST only


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2",
        "/v2/user/profile/",
        "/v2/market-quote/ohlc/NSE_FO%7C56983",
        "/v3/user/profile",
        "/v2/orders",
        "/_paper/faults",
        "/v2/portfolio/holdings",
        "//v2/user/profile",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_unrouted_path_is_the_gateways_404(client: Client, method: str, path: str) -> None:
    answer = client.send(method, path)

    assert error_of(answer) == (404, "UDAPI100060")


def test_a_wrong_method_is_refused_by_the_gateway(client: Client) -> None:
    answer = client.send("POST", "/v2/user/profile")

    assert error_of(answer) == (405, "UDAPI100060")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer x.y.z", "Basic dTpw", "bearer eyJhbGciOiJub25lIn0.e30."]
)
def test_calls_without_a_good_token_are_refused(client: Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for operation in OPERATIONS:
        for row in (*operation.published, *operation.guide):
            if not operation.needs_token or operation.name in {"intraday_bars", "history_bars"}:
                continue
            path = row.path.replace("{exchange}", "NSE")
            answer = requests.request(row.method, client.base + path, headers=headers, timeout=30)
            assert error_of(answer) == (401, "UDAPI100050"), row.path


@pytest.mark.parametrize(
    "path",
    [
        "/v2/market/holidays",
        "/v2/market/holidays/2026-11-24",
        "/v2/market/timings/2026-11-20",
        "/market-holidays",
        "/market-timings",
        "/v3/historical-candle/intraday/NSE_INDEX%7CNifty%2050/minutes/5",
        "/v3/historical-candle/NSE_INDEX%7CNifty%2050/minutes/5/2026-11-20/2026-11-18",
        "/v2/historical-candle/NSE_INDEX%7CNifty%2050/1minute/2026-11-20",
        "/market-quote/instruments/exchange/NSE.json.gz",
        "/_paper/clock",
    ],
)
def test_public_calls_need_no_token(client: Client, path: str) -> None:
    assert requests.get(client.base + path, timeout=30).status_code == 200


def test_every_answer_has_a_request_id_of_its_own(client: Client) -> None:
    ids = {client.get(path).headers["requestId"] for path in ("/v2/user/profile", "/nope", "/v2/user/profile")}

    assert len(ids) == 3


def test_an_error_names_the_value_that_was_bad_in_both_spellings(client: Client) -> None:
    answer = client.get("/v3/market-quote/ltp", params={"instrument_key": f"{RELIANCE},NSE_EQ|XXXX"})

    [entry] = answer.json()["errors"]
    assert entry == {
        "errorCode": "UDAPI1087",
        "message": "One of either symbol or instrument_key is invalid",
        "propertyPath": "instrument_key",
        "invalidValue": "NSE_EQ|XXXX",
        "error_code": "UDAPI1087",
        "property_path": "instrument_key",
        "invalid_value": "NSE_EQ|XXXX",
    }


def test_large_answers_are_packed_when_the_client_takes_it(client: Client) -> None:
    keys = {"instrument_key": f"{RELIANCE},{NIFTY}"}
    packed = client.get("/v3/market-quote/quotes", params=keys, stream=True)
    plain = client.get("/v3/market-quote/quotes", params=keys, headers={"Accept-Encoding": "identity"})
    small = client.get("/v3/market-quote/ltp", params={"instrument_key": NIFTY})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.raw.read()) == plain.content
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in small.headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost@evil", ""])
def test_a_name_that_was_pointed_at_this_machine_is_refused(client: Client, host: str) -> None:
    answer = client.get("/_paper/clock", headers={"Host": host})

    assert error_of(answer) == (400, "UDAPI10000")


def test_no_other_site_may_read_answers(client: Client) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}
    for answer in (client.send("OPTIONS", "/v2/logout", headers=asked), client.get("/_paper/clock", headers=asked)):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_it_listens_on_loopback_only(client: Client) -> None:
    port = urlsplit(client.base).port
    outside = socket.gethostbyname(socket.gethostname())
    if outside.startswith("127."):
        pytest.skip("this machine has no address but loopback")

    with pytest.raises(OSError, match=r"refused|timed out"):
        socket.create_connection((outside, port), timeout=1)


def test_the_clock_is_told(client: Client) -> None:
    told = client.get("/_paper/clock").json()

    assert told["now"].startswith("2026-11-20T11:15:0")
    assert told["now"].endswith("+05:30")
    assert told["epoch_ms"] // 1000 == 1795153500
    assert (told["mode"], told["speed"], told["source"]) == ("simulated", 0.000001, "simulated")
    assert told["instance"]


def test_the_rate_limit_answers_429_for_the_operation_alone(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        began = time.monotonic()
        answers = [client.get("/v3/market-quote/ltp", params={"instrument_key": NIFTY}) for _ in range(51)]
        took = time.monotonic() - began
        other = client.get("/v2/user/profile")

    if took >= 1.0:
        pytest.skip("this machine is too slow to make 51 calls in a second")
    assert [answer.status_code for answer in answers] == [200] * 50 + [429]
    assert error_of(answers[-1]) == (429, "UDAPI10005")
    assert other.status_code == 200


def test_an_unexpected_fault_is_a_500_in_the_envelope(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(KnownMarket):
        def snapshots(self, keys: object, at: object) -> list[object]:  # type: ignore[override]
            raise ZeroDivisionError("a fault of our own")

    with running(tmp_path, market=Broken()) as client:
        answer = client.get("/v3/market-quote/ltp", params={"instrument_key": NIFTY})

    assert error_of(answer) == (500, "UDAPI100500")
    assert "a fault of our own" in caplog.text


def test_a_body_without_end_is_refused(client: Client) -> None:
    answer = client.send("POST", "/market-quote/quotes/v3/", data=b"x" * (1 << 20) + b"x")

    assert error_of(answer) == (400, "UDAPI10000")
