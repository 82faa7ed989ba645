from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paper import RELIANCE, error_of
from tests.support.paper_trading import BookMarket, Trader, trading

GTT = "/v3/order/gtt"
ENTRY: dict[str, Any] = {"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 1440.0}
TARGET: dict[str, Any] = {"strategy": "TARGET", "trigger_type": "IMMEDIATE", "trigger_price": 1510.0}


@pytest.fixture
def market() -> BookMarket:
    return BookMarket()


@pytest.fixture
def trader(tmp_path: Path, market: BookMarket) -> Iterator[Trader]:
    with trading(tmp_path, market=market) as made:
        yield made


def body(*rules: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {
        "type": "SINGLE" if len(rules) == 1 else "MULTIPLE",
        "quantity": 2,
        "product": "D",
        "instrument_token": RELIANCE,
        "transaction_type": "BUY",
        "rules": list(rules),
    } | change


def placed(trader: Trader, *rules: dict[str, Any]) -> str:
    answer = trader.send("POST", f"{GTT}/place", json=body(*rules))
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()["metadata"]["latency"], int)
    [gtt_id] = answer.json()["data"]["gtt_order_ids"]
    return str(gtt_id)


def states(trader: Trader, gtt_id: str) -> list[str]:
    [told] = trader.data(GTT, params={"gtt_order_id": gtt_id})
    return [rule["status"] for rule in told["rules"]]


def test_it_is_placed_listed_changed_and_cancelled(trader: Trader) -> None:
    first, second = placed(trader, ENTRY), placed(trader, ENTRY, TARGET)

    assert first.startswith("GTT-CU261120")
    assert [told["gtt_order_id"] for told in trader.data(GTT)] == [first, second]
    assert trader.data(GTT)[0]["trading_symbol"] == "RELIANCE"
    changed = {"type": "SINGLE", "quantity": 3, "gtt_order_id": first, "rules": [ENTRY | {"trigger_price": 1435.0}]}
    answer = trader.send("PUT", f"{GTT}/modify", json=changed)
    assert answer.json()["data"] == {"gtt_order_ids": [first]}
    [told] = trader.data(GTT, params={"gtt_order_id": first})
    assert (told["quantity"], told["rules"][0]["trigger_price"]) == (3, 1435.0)
    answer = trader.send("DELETE", f"{GTT}/cancel", json={"gtt_order_id": second})
    assert answer.json()["data"] == {"gtt_order_ids": [second]}
    assert states(trader, second) == ["CANCELLED", "CANCELLED"]


def test_a_price_that_comes_fires_it_and_its_order_holds_its_id(trader: Trader, market: BookMarket) -> None:
    gtt_id = placed(trader, ENTRY, TARGET)

    market.move(RELIANCE, 1439.0)
    # The clock stands still: what comes next is looked at with the next change of anything.
    trader.send("PUT", f"{GTT}/modify", json={**body(ENTRY, TARGET), "gtt_order_id": gtt_id})

    [told] = trader.data(GTT, params={"gtt_order_id": gtt_id})
    order = trader.details(told["rules"][0]["order_id"])
    assert (order["order_ref_id"], order["order_type"], order["price"]) == (gtt_id, "LIMIT", 1440.0)
    assert (order["status"], states(trader, gtt_id)) == ("complete", ["COMPLETED", "SCHEDULED"])


@pytest.mark.parametrize(
    ("method", "path", "sent", "code"),
    [
        ("POST", "place", body(ENTRY, ENTRY), "UDAPI1139"),
        ("POST", "place", body(TARGET), "UDAPI1141"),
        ("POST", "place", body(ENTRY, TARGET | {"trigger_price": 1400.0}), "UDAPI1144"),
        ("PUT", "modify", body(ENTRY), "UDAPI1134"),
        ("PUT", "modify", body(ENTRY, gtt_order_id="GTT-1"), "UDAPI1142"),
        ("DELETE", "cancel", {}, "UDAPI1134"),
        ("DELETE", "cancel", {"gtt_order_id": "7"}, "UDAPI1135"),
        ("DELETE", "cancel", {"gtt_order_id": "GTT-7"}, "UDAPI1142"),
    ],
)
def test_faults_have_their_codes(trader: Trader, method: str, path: str, sent: dict[str, Any], code: str) -> None:
    assert error_of(trader.send(method, f"{GTT}/{path}", json=sent)) == (400, code)
    assert trader.data(GTT) == []


def test_they_are_there_after_a_restart(tmp_path: Path) -> None:
    with trading(tmp_path) as trader:
        gtt_id = placed(trader, ENTRY, TARGET)
        before = trader.data(GTT)

    with trading(tmp_path) as trader:
        assert trader.data(GTT) == before
        assert states(trader, gtt_id) == ["SCHEDULED", "INACTIVE"]
