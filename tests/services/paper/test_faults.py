from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from services.domain.errors import InvalidRequest
from services.paper.faults import Faults
from tests.support.paper import NIFTY, Client, error_of, running

LTP = "/v3/market-quote/ltp"
FAULTS = "/_paper/faults"


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("faults"), limits=False, faults=True) as made:
        yield made


@pytest.fixture
def client(shared_client: Client) -> Client:
    shared_client.send("DELETE", FAULTS)
    return shared_client


def order(client: Client, kind: str, operation: str = "ltp", **more: Any) -> None:
    answer = client.send("POST", FAULTS, json={"operation": operation, "kind": kind, **more})
    assert answer.status_code == 200, answer.text


def ltp(client: Client, **given: Any) -> requests.Response:
    return client.get(LTP, params={"instrument_key": NIFTY}, **given)


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"status": 500}, 500, "UDAPI100500"),
        ({"status": 429}, 429, "UDAPI10005"),
        ({"status": 401}, 401, "UDAPI100050"),
        ({"status": 404}, 404, "UDAPI100060"),
        ({"status": 403, "code": "UDAPI1154", "message": "blocked"}, 403, "UDAPI1154"),
        ({"status": 400, "code": "SOMETHING_NEW"}, 400, "SOMETHING_NEW"),
    ],
)
def test_a_status_is_answered_as_often_as_asked(client: Client, wanted: dict[str, Any], status: int, code: str) -> None:
    order(client, "status", times=2, **wanted)

    assert [error_of(ltp(client)) for _ in range(2)] == [(status, code)] * 2
    assert ltp(client).status_code == 200


def test_a_fault_meets_its_operation_and_version_only(client: Client) -> None:
    order(client, "status", version="v3", status=503, times=None)

    assert client.get("/v2/market-quote/ltp", params={"instrument_key": NIFTY}).status_code == 200
    assert client.get("/v2/user/profile").status_code == 200
    assert [ltp(client).status_code for _ in range(3)] == [503] * 3


def test_a_star_meets_every_operation_once(client: Client) -> None:
    order(client, "html_403", operation="*")

    assert client.get("/v2/market/status/NSE").status_code == 403
    assert client.get("/v2/market/status/NSE").status_code == 200


def test_the_edges_page_is_html(client: Client) -> None:
    order(client, "html_403")

    answer = ltp(client)

    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "1010" in answer.text


def test_garbage_is_not_json(client: Client) -> None:
    order(client, "garbage")

    answer = ltp(client)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("path", [LTP, "/v3/market-quote/quotes"])
def test_a_truncated_answer_ends_too_early(client: Client, path: str) -> None:
    order(client, "truncated", operation="*")

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(path, params={"instrument_key": NIFTY})


def test_a_dropped_connection_brings_no_byte(client: Client) -> None:
    order(client, "drop", times=2)

    with pytest.raises(requests.ConnectionError):
        ltp(client)
    with pytest.raises(requests.ConnectionError):
        requests.get(client.base + LTP, timeout=30)
    assert ltp(client).status_code == 200


def test_no_answer_before_leaves_the_client_waiting_and_does_nothing(client: Client) -> None:
    order(client, "no_answer_before", operation="logout")

    with pytest.raises(requests.ReadTimeout):
        client.send("DELETE", "/v2/logout", timeout=0.2)
    assert client.get("/v2/user/profile").status_code == 200


def test_no_answer_after_has_acted(tmp_path: Path) -> None:
    with running(tmp_path, faults=True) as client:
        order(client, "no_answer_after", operation="logout")

        with pytest.raises(requests.ReadTimeout):
            client.send("DELETE", "/v2/logout", timeout=0.2)

        assert client.error("/v2/user/profile") == (401, "UDAPI100050")


def test_slow_answers_are_right_and_do_not_hold_up_others(client: Client) -> None:
    order(client, "slow", ms=250)
    order(client, "slow", operation="profile", ms=30_000)
    with pytest.raises(requests.ReadTimeout):
        client.send("GET", "/v2/user/profile", timeout=0.1)

    began = time.monotonic()
    answer = ltp(client)

    assert answer.status_code == 200
    assert 0.2 < time.monotonic() - began < 5


def test_faults_are_listed_and_cleared(client: Client) -> None:
    order(client, "slow", ms=5, times=3)
    order(client, "drop", operation="quotes", version="v2")
    ltp(client)

    listed = client.data(FAULTS)
    assert [(row["operation"], row["kind"], row["times"]) for row in listed] == [
        ("ltp", "slow", 2),
        ("quotes", "drop", 1),
    ]
    assert client.send("DELETE", FAULTS).json()["data"] == []
    assert client.data(FAULTS) == []


def test_faults_need_a_token(client: Client) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = requests.request(method, client.base + FAULTS, json={"operation": "ltp", "kind": "drop"}, timeout=30)
        assert error_of(answer) == (401, "UDAPI100050")


def test_faults_are_never_open_without_the_flag(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        for method in ("GET", "POST", "DELETE"):
            answer = client.send(method, FAULTS, json={"operation": "ltp", "kind": "drop"})
            assert error_of(answer) == (404, "UDAPI100060")


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({}, "operation"),
        ({"operation": "nothing", "kind": "drop"}, "operation"),
        ({"operation": "ltp", "kind": "explode"}, "kind"),
        ({"operation": "ltp"}, "kind"),
        ({"operation": "ltp", "kind": "drop", "times": 0}, "times"),
        ({"operation": "ltp", "kind": "drop", "times": True}, "times"),
        ({"operation": "ltp", "kind": "status", "status": 200}, "status"),
        ({"operation": "ltp", "kind": "slow", "ms": -1}, "ms"),
        ({"operation": "ltp", "kind": "drop", "version": "v9"}, "version"),
        ({"operation": "ltp", "kind": "drop", "often": 3}, "often"),
    ],
)
def test_nonsense_is_refused_by_name(wanted: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        Faults(["ltp"]).add(wanted)


def test_faults_come_in_their_order() -> None:
    faults = Faults(["ltp"])
    faults.add({"operation": "ltp", "kind": "status", "status": 500})
    faults.add({"operation": "ltp", "kind": "drop"})

    kinds = [fault.kind if (fault := faults.take("ltp", "v3")) else None for _ in range(3)]

    assert kinds == ["status", "drop", None]
