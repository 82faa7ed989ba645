from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.domain.errors import BrokerError
from services.paper.gtt_bodies import read_gtt_modify, read_gtt_place, tell_gtt, tell_gtt_update
from services.paper.trading.gtt_orders import Gtt, GttWanted, Rule, RuleStatus, RuleWanted, Strategy, Trigger
from services.paper.trading.values import AUTOMATIC
from tests.support.paper import RELIANCE, KnownMarket
from tests.support.shared_data import shared

LISTINGS = KnownMarket().listings(datetime(2026, 11, 20, tzinfo=UTC))
ENTRY = {"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 1440.0}
TARGET = {"strategy": "TARGET", "trigger_type": "IMMEDIATE", "trigger_price": 1510.0}
STOP = {"strategy": "STOPLOSS", "trigger_type": "IMMEDIATE", "trigger_price": 1405.0, "trailing_gap": 5.0}
MULTIPLE: dict[str, Any] = {
    "type": "MULTIPLE",
    "quantity": 2,
    "product": "D",
    "instrument_token": RELIANCE,
    "transaction_type": "BUY",
    "rules": [ENTRY, TARGET, STOP],
}
SINGLE = MULTIPLE | {"type": "SINGLE", "rules": [ENTRY]}


def test_the_documented_bodies_are_read() -> None:
    for name, own in (("multiple", MULTIPLE), ("single", SINGLE)):
        sample = orjson.loads(shared(f"upstox/examples/request_gtt_place_{name}.json").read_bytes())
        assert read_gtt_place(sample, LISTINGS) == read_gtt_place(own, LISTINGS)
    sample = orjson.loads(shared("upstox/examples/request_gtt_modify.json").read_bytes())
    assert read_gtt_modify(sample) == (
        "GTT-CU26112000021013",
        "SINGLE",
        3,
        (RuleWanted(Strategy.ENTRY, Trigger.BELOW, 14_350_000),),
    )


def test_prices_gap_and_protection_are_read_exactly() -> None:
    body = MULTIPLE | {"rules": [ENTRY | {"market_protection": -1}, TARGET, STOP]}

    assert read_gtt_place(body, LISTINGS) == GttWanted(
        "MULTIPLE",
        RELIANCE,
        True,
        2,
        "D",
        (
            RuleWanted(Strategy.ENTRY, Trigger.BELOW, 14_400_000, protection=AUTOMATIC),
            RuleWanted(Strategy.TARGET, Trigger.IMMEDIATE, 15_100_000),
            RuleWanted(Strategy.STOPLOSS, Trigger.IMMEDIATE, 14_050_000, 50_000),
        ),
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "OCO"}, "UDAPI1126"),
        ({"quantity": 0}, "UDAPI1127"),
        ({"product": "CO"}, "UDAPI1128"),
        ({"instrument_token": "NSE_EQ|X"}, "UDAPI1129"),
        ({"instrument_token": None}, "UDAPI1026"),
        ({"transaction_type": None}, "UDAPI1130"),
        ({"rules": []}, "UDAPI1131"),
        ({"rules": None}, "UDAPI1131"),
        ({"rules": {}}, "UDAPI1131"),
        ({"rules": "ENTRY"}, "UDAPI100038"),
        ({"rules": [ENTRY | {"strategy": "EXIT"}, TARGET]}, "UDAPI1132"),
        ({"rules": [ENTRY | {"trigger_type": "AT"}, TARGET]}, "UDAPI1133"),
        ({"rules": [ENTRY]}, "UDAPI1137"),
        ({"rules": [ENTRY, TARGET, STOP, STOP]}, "UDAPI1137"),
        ({"type": "SINGLE"}, "UDAPI1136"),
        ({"type": "SINGLE", "rules": [TARGET]}, "UDAPI1141"),
        ({"rules": [TARGET, STOP]}, "UDAPI1141"),
        ({"rules": [ENTRY, ENTRY]}, "UDAPI1139"),
        ({"rules": [ENTRY, TARGET | {"trigger_type": "ABOVE"}]}, "UDAPI1143"),
        ({"rules": [ENTRY, TARGET | {"trigger_price": 0}]}, "UDAPI1138"),
        ({"rules": [ENTRY, TARGET | {"trailing_gap": 5}]}, "UDAPI1151"),
        ({"rules": [ENTRY | {"market_protection": 30}, TARGET]}, "UDAPI1159"),
    ],
)
def test_each_fault_has_its_code(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BrokerError) as refused:
        read_gtt_place(MULTIPLE | change, LISTINGS)
    assert refused.value.code == code


@pytest.mark.parametrize(("gtt_id", "code"), [(None, "UDAPI1134"), ("CU1", "UDAPI1135"), (7, "UDAPI1135")])
def test_an_id_has_its_form(gtt_id: object, code: str) -> None:
    with pytest.raises(BrokerError) as refused:
        read_gtt_modify({**SINGLE, "gtt_order_id": gtt_id})
    assert refused.value.code == code


def test_it_is_told_as_documented() -> None:
    def rule(strategy: Strategy, on: Trigger, at: int, status: RuleStatus, gap: int = 0) -> Rule:
        return Rule(strategy, on, at, gap, None, strategy is Strategy.ENTRY, status)

    gtt = Gtt(
        "GTT-CU26112000021013",
        "MULTIPLE",
        RELIANCE,
        True,
        2,
        "D",
        (
            rule(Strategy.ENTRY, Trigger.BELOW, 14_400_000, RuleStatus.SCHEDULED),
            rule(Strategy.TARGET, Trigger.IMMEDIATE, 15_100_000, RuleStatus.INACTIVE),
            rule(Strategy.STOPLOSS, Trigger.IMMEDIATE, 14_050_000, RuleStatus.INACTIVE, 50_000),
        ),
        1795146605000000,
        1826735399000000,
    )

    rest = orjson.loads(shared("upstox/examples/gtt_details.json").read_bytes())
    stream = orjson.loads(shared("upstox/examples/ws_portfolio_gtt_order.json").read_bytes())
    assert tell_gtt(gtt, "RELIANCE") == rest["data"][0]
    assert tell_gtt_update(gtt) == stream
