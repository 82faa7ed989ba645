from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paper import CALL, INFY, RELIANCE, error_of
from tests.support.paper_trading import Trader, limit, order, trading

MULTI = ("POST", "/v2/order/multi/place")


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[Trader]:
    with trading(tmp_path) as made:
        yield made


def line(name: str, **change: Any) -> dict[str, Any]:
    return order(**{"slice": False, **limit(1400.0), **change}) | {"correlation_id": name}


def test_all_lines_that_are_taken_answer_200(trader: Trader) -> None:
    answer = trader.send(*MULTI, json=[line("a"), line("b", transaction_type="SELL", product="I", price=1500.0)])

    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"status", "data", "errors", "summary"}
    assert (body["status"], body["errors"]) == ("success", None)
    assert body["summary"] == {"total": 2, "payload_error": 0, "success": 2, "error": 0}
    assert {row["correlation_id"] for row in body["data"]} == {"a", "b"}


def test_some_lines_that_are_refused_answer_207_and_are_named(trader: Trader) -> None:
    answer = trader.send(*MULTI, json=[line("a"), line("b", quantity=0), line("c", price="dear")])

    body = answer.json()
    assert (answer.status_code, body["status"]) == (207, "partial_success")
    assert [row["correlation_id"] for row in body["data"]] == ["a"]
    assert [(row["correlation_id"], row["error_code"]) for row in body["errors"]] == [
        ("b", "UDAPI1052"),
        ("c", "UDAPI100036"),
    ]
    assert all(row["error_code"] == row["errorCode"] for row in body["errors"])
    assert body["summary"] == {"total": 3, "payload_error": 1, "success": 1, "error": 1}
    assert len(trader.data("/v2/order/retrieve-all")) == 1


def test_nothing_but_refused_lines_answers_400(trader: Trader) -> None:
    answer = trader.send(*MULTI, json=[line("a", quantity=0)])

    body = answer.json()
    assert (answer.status_code, body["status"]) == (400, "error")
    assert "data" not in body
    assert body["summary"] == {"total": 1, "payload_error": 0, "success": 0, "error": 1}


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "UDAPI1114"),
        ({}, "UDAPI100038"),
        (["x"], "UDAPI100038"),
        ([line("a") for _ in range(11)], "UDAPI1118"),
        ([line("a"), line("a")], "UDAPI1117"),
        ([line("")], "UDAPI1115"),
        ([line("x" * 21)], "UDAPI1115"),
    ],
)
def test_a_list_that_is_wrong_as_a_whole_places_nothing(trader: Trader, lines: Any, code: str) -> None:
    assert error_of(trader.send(*MULTI, json=lines)) == (400, code)
    assert trader.data("/v2/order/retrieve-all") == []


def test_a_sliced_line_comes_back_in_numbered_parts(trader: Trader) -> None:
    sliced = line("big", instrument_token=CALL, quantity=1755 + 65, price=180.0, slice=True)

    body = trader.send(*MULTI, json=[sliced]).json()

    assert [row["correlation_id"] for row in body["data"]] == ["big_1", "big_2"]
    assert body["summary"]["success"] == 1


def test_cancelling_many_by_tag_and_by_segment(trader: Trader) -> None:
    mine = trader.order(**limit(1400.0), tag="mine")
    other = trader.order(**limit(90.0), instrument_token=INFY)
    option = trader.order(**limit(180.0), instrument_token=CALL, quantity=65)

    answer = trader.send("DELETE", "/v2/order/multi/cancel", params={"tag": "mine"})
    assert answer.status_code == 200
    assert answer.json()["data"] == {"order_ids": [mine]}
    assert answer.json()["summary"] == {"total": 1, "success": 1, "error": 0}

    answer = trader.send("DELETE", "/v2/order/multi/cancel", params={"segment": "NSE_FO"})
    assert answer.json()["data"] == {"order_ids": [option]}
    assert trader.details(other)["status"] == "open"

    assert trader.send("DELETE", "/v2/order/multi/cancel").json()["data"] == {"order_ids": [other]}
    assert error_of(trader.send("DELETE", "/v2/order/multi/cancel")) == (400, "UDAPI1109")


def test_bad_filters_have_their_codes(trader: Trader) -> None:
    for method, path in (("DELETE", "/v2/order/multi/cancel"), ("POST", "/v2/order/positions/exit")):
        assert error_of(trader.send(method, path, params={"segment": "NSE"})) == (400, "UDAPI1108")
        assert error_of(trader.send(method, path, params={"tag": "x" * 41})) == (400, "UDAPI1119")


def test_exiting_all_closes_what_is_open(trader: Trader) -> None:
    trader.order(product="I")
    trader.order(product="I", instrument_token=CALL, quantity=65)

    answer = trader.send("POST", "/v2/order/positions/exit")

    assert answer.status_code == 200, answer.text
    assert answer.json()["summary"] == {"total": 2, "success": 2, "error": 0}
    assert len(answer.json()["data"]["order_ids"]) == 2
    positions = trader.data("/v2/portfolio/short-term-positions")
    assert {row["instrument_token"]: row["quantity"] for row in positions} == {RELIANCE: 0, CALL: 0}
    assert error_of(trader.send("POST", "/v2/order/positions/exit")) == (400, "UDAPI1111")
