"""The guide's order service, over the desk of the process and a paper broker of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from services.domain.actors import Actor
from services.domain.clock import ist_date
from services.domain.errors import (
    InvalidRequest,
    NotSent,
    OrderOutcomeUnknown,
    RequestRefused,
    UnknownInstrument,
    UpstoxError,
)
from services.domain.intents import IntentKind, IntentState
from services.order_manager_v3 import OrderManagerV3
from services.orders.views import Outcome
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime, use_runtime
from services.settings import load_settings

INFY = "NSE_EQ|INE009A01021"


class Rig:
    """A runtime over a paper broker with faults."""

    def __init__(self, server: PaperServer, runtime: Runtime) -> None:
        self.server = server
        self.rt = runtime
        self.orders = OrderManagerV3()

    def fault(self, **fault: Any) -> None:
        answer = requests.post(
            f"{self.server.base_url}/_paper/faults",
            json=fault,
            headers={"Authorization": f"Bearer {self.server.access_token()}"},
            timeout=5,
        )
        assert answer.status_code == 200, answer.text

    def heal(self) -> None:
        requests.delete(
            f"{self.server.base_url}/_paper/faults",
            headers={"Authorization": f"Bearer {self.server.access_token()}"},
            timeout=5,
        )

    def resting(self) -> float:
        """A price at which nothing is filled."""
        price = self.rt.quotes.get([INFY]).quotes[INFY]["ltp"]
        return float(Decimal(repr(price * 0.97)).quantize(Decimal(1)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperServer]:
    made = PaperServer(PaperOptions(folder=tmp_path_factory.mktemp("broker"), faults=True, limits=False))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def rig(server: PaperServer, tmp_path: Path) -> Iterator[Rig]:
    settings = load_settings(
        data_dir=tmp_path, api_base=server.base_url, access_token=server.access_token(), read_timeout=0.5
    )
    with Runtime(settings) as rt, use_runtime(rt):
        made = Rig(server, rt)
        yield made
        made.heal()


def test_an_order_is_placed_changed_and_cancelled(rig: Rig) -> None:
    order_id = rig.orders.place_order("INFY", "buy", np.int64(3), order_type="limit", price=rig.resting())
    changed = rig.orders.modify_order(order_id, quantity=4)
    cancelled = rig.orders.cancel_order(order_id)
    again = rig.orders.cancel_order(order_id)

    [row] = [row for row in rig.orders.get_order_book() if row["order_id"] == order_id]
    assert (changed, cancelled, again) == (True, True, False)
    assert (row["symbol"], row["instrument_key"], row["quantity"], row["status"], row["side"]) == (
        row["symbol"], INFY, 4, "cancelled", "BUY",
    )  # fmt: skip


def test_a_market_order_fills_and_its_trade_is_told(rig: Rig) -> None:
    order_id = rig.orders.place_order(symbol="INFY", side="BUY", quantity=1, product_type="MIS")

    trades = [row for row in rig.orders.get_trade_history() if row["order_id"] == order_id]

    today = ist_date(rig.rt.clock.now())
    dated = rig.orders.get_trade_history(today - timedelta(days=3), today)

    assert sum(row["quantity"] for row in trades) == 1
    assert isinstance(trades[0]["price"], Decimal)
    assert [row["trade_id"] for row in dated if row["order_id"] == order_id] == [row["trade_id"] for row in trades]
    assert rig.orders.modify_order(order_id, price=1850.5) is False
    assert rig.orders.cancel_order(order_id) is False


def test_the_same_decision_gives_the_first_order(rig: Rig) -> None:
    given: dict[str, Any] = {
        "symbol": "INFY",
        "side": "BUY",
        "quantity": 1,
        "order_type": "LIMIT",
        "price": rig.resting(),
    }

    first = rig.orders.place_order(**given, intent_id="mine", actor=Actor("asha"))
    again = rig.orders.place_order(**given, intent_id="mine")

    assert first == again
    assert rig.rt.intents.get("mine").actor.name == "asha"  # type: ignore[union-attr]


def test_what_the_broker_refuses_raises_with_its_code(rig: Rig) -> None:
    rig.fault(operation="order_place", kind="status", status=400, code="UDAPI1052")

    with pytest.raises(RequestRefused) as caught:
        rig.orders.place_order("INFY", "BUY", 1, "LIMIT", rig.resting())

    assert caught.value.code == "UDAPI1052"


def test_an_order_without_an_answer_raises_with_its_intent_and_tag(rig: Rig) -> None:
    rig.fault(operation="order_place", kind="no_answer_after")

    with pytest.raises(OrderOutcomeUnknown) as caught:
        rig.orders.place_order("INFY", "BUY", 1, "LIMIT", rig.resting(), intent_id="lost")

    intent = rig.rt.intents.get("lost")
    assert intent is not None
    assert (caught.value.intent_id, caught.value.tag) == ("lost", intent.tag)
    assert caught.value.outcome_unknown


def test_a_book_that_cannot_be_read_is_the_last_one_with_its_age(rig: Rig) -> None:
    order_id = rig.orders.place_order("INFY", "BUY", 1, "LIMIT", rig.resting())
    fresh = rig.orders.get_order_book()
    rig.fault(operation="order_book", kind="status", status=500, times=None)

    old = rig.orders.get_order_book()
    fills = rig.orders.get_trade_history()

    assert fresh.error is None
    assert fills.error == str(fills.failure) != "None", "they were not asked for: what is told is of before"
    assert order_id in {row["order_id"] for row in old}
    assert old.as_of is not None
    assert old.error is not None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"symbol": "NOSUCHTHING"}, UnknownInstrument),
        ({"side": "HOLD"}, InvalidRequest),
        ({"quantity": 1.5}, InvalidRequest),
        ({"quantity": 0}, InvalidRequest),
        ({"order_type": "STOP"}, InvalidRequest),
        ({"price": "cheap"}, InvalidRequest),
        ({"price": None}, InvalidRequest),
        ({"product_type": "CO"}, InvalidRequest),
        ({"validity": "GTC"}, InvalidRequest),
        ({"label": "no spaces please"}, InvalidRequest),
    ],
)
def test_nonsense_is_refused_before_anything_is_sent(
    rig: Rig, changes: dict[str, Any], error: type[UpstoxError]
) -> None:
    given = {"symbol": "INFY", "side": "BUY", "quantity": 1, "order_type": "LIMIT", "price": 1500.0, **changes}

    with pytest.raises(error):
        rig.orders.place_order(**given)

    assert rig.rt.intents.recent(10) == []


@pytest.mark.parametrize(
    ("state", "error"),
    [(IntentState.NOT_SENT, NotSent), (IntentState.ABSENT, NotSent), (IntentState.UNKNOWN, OrderOutcomeUnknown)],
)
def test_only_the_brokers_no_is_false(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, state: IntentState, error: type[UpstoxError]
) -> None:
    outcome = Outcome(state, "x", IntentKind.CANCEL, reason="why")
    monkeypatch.setattr(rig.rt.orders, "cancel", lambda *given, **named: outcome)

    with pytest.raises(error, match="why"):
        rig.orders.cancel_order("261120000000001")


def test_a_label_stands_behind_the_tag(rig: Rig) -> None:
    order_id = rig.orders.place_order("INFY", "BUY", 1, "LIMIT", rig.resting(), label="breakout-1")

    assert rig.rt.order_api.details(order_id).tag.endswith(".breakout-1")  # type: ignore[union-attr]
