"""Faults of order calls: what is answered, and what the broker has done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.paper import error_of
from tests.support.paper_trading import Trader, limit, order, trading

FAULTS = "/_paper/faults"
ERRORS = (requests.Timeout, requests.ConnectionError)


@pytest.fixture(scope="module")
def shared_trader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trader]:
    folder: Path = tmp_path_factory.mktemp("order-faults")
    with trading(folder, faults=True) as made:
        yield made


@pytest.fixture
def trader(shared_trader: Trader) -> Trader:
    shared_trader.send("DELETE", FAULTS)
    shared_trader.send("POST", "/_paper/reset", json={"confirm": "PAPER1"})
    return shared_trader


def fault(trader: Trader, operation: str, kind: str, **more: Any) -> None:
    answer = trader.send("POST", FAULTS, json={"operation": operation, "kind": kind, **more})
    assert answer.status_code == 200, answer.text


def book(trader: Trader) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = trader.data("/v2/order/retrieve-all")
    return told


def place(trader: Trader, **given: Any) -> requests.Response:
    return trader.send("POST", "/v3/order/place", json=order(**limit(1400.0), tag="once"), **given)


@pytest.mark.parametrize(
    ("kind", "orders"), [("no_answer_before", 0), ("drop", 0), ("no_answer_after", 1), ("drop_after", 1)]
)
def test_a_placement_without_an_answer_was_done_or_not(trader: Trader, kind: str, orders: int) -> None:
    fault(trader, "order_place", kind)

    with pytest.raises(ERRORS):
        place(trader, timeout=0.3)

    assert len(book(trader)) == orders
    assert {step["order_id"] for step in trader.data("/v2/order/history", params={"tag": "once"})} == {
        one["order_id"] for one in book(trader)
    }


@pytest.mark.parametrize(("kind", "orders"), [("status", 0), ("status_after", 1)])
def test_a_server_error_says_nothing_of_what_was_done(trader: Trader, kind: str, orders: int) -> None:
    fault(trader, "order_place", kind, status=503)

    assert error_of(place(trader)) == (503, "UDAPI100500")
    assert len(book(trader)) == orders


@pytest.mark.parametrize("kind", ["garbage", "truncated"])
def test_an_answer_that_cannot_be_read_was_done(trader: Trader, kind: str) -> None:
    fault(trader, "order_place", kind)

    with pytest.raises(requests.RequestException):
        place(trader).json()

    assert len(book(trader)) == 1


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"status": 429}, (429, "UDAPI10005")),
        ({"status": 404, "version": "v3"}, (404, "UDAPI100060")),
        ({"status": 403, "code": "UDAPI1154"}, (403, "UDAPI1154")),
    ],
)
def test_a_refusal_at_the_gate_does_nothing(trader: Trader, wanted: dict[str, Any], told: tuple[int, str]) -> None:
    fault(trader, "order_place", "status", **wanted)

    assert error_of(place(trader)) == told
    assert book(trader) == []


def test_a_slow_placement_is_done_although_nobody_waits_for_it(trader: Trader) -> None:
    fault(trader, "order_place", "slow", ms=300)

    with pytest.raises(requests.ReadTimeout):
        place(trader, timeout=0.1)

    # Whoever asks at once does not see it yet; it comes all the same.
    fault(trader, "order_book", "slow", ms=600)
    assert len(book(trader)) == 1


def test_a_cancellation_without_an_answer_was_done(trader: Trader) -> None:
    order_id = trader.order(**limit(1400.0))
    fault(trader, "order_cancel", "no_answer_after")

    with pytest.raises(ERRORS):
        trader.send("DELETE", "/v3/order/cancel", params={"order_id": order_id}, timeout=0.3)

    assert trader.details(order_id)["status"] == "cancelled"


def test_a_modification_without_an_answer_was_not_done(trader: Trader) -> None:
    order_id = trader.order(**limit(1400.0))
    change = {"order_id": order_id, "validity": "DAY", "price": 1410.0, "order_type": "LIMIT", "trigger_price": 0}
    fault(trader, "order_modify", "no_answer_before")

    with pytest.raises(ERRORS):
        trader.send("PUT", "/v3/order/modify", json=change, timeout=0.3)

    assert trader.details(order_id)["price"] == 1400.0


@pytest.mark.parametrize(
    "operation",
    ["order_multi_place", "order_multi_cancel", "positions_exit", "gtt_place", "gtt_modify", "gtt_cancel",
     "position_convert", "kill_switch_set", "order_book", "positions", "holdings", "margin", "brokerage"],
)  # fmt: skip
def test_every_operation_takes_faults(trader: Trader, operation: str) -> None:
    fault(trader, operation, "status", status=500)

    assert [one["operation"] for one in trader.data(FAULTS)] == [operation]


def test_the_book_fails_and_comes_back(trader: Trader) -> None:
    trader.order(**limit(1400.0))
    fault(trader, "order_book", "status", status=500)

    assert trader.error("/v2/order/retrieve-all") == (500, "UDAPI100500")
    assert len(book(trader)) == 1
