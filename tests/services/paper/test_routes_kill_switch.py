from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.paper import CALL, error_of
from tests.support.paper_trading import Trader, limit, order, trading
from tests.support.shared_data import shared

SWITCH = "/v2/user/kill-switch"


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[Trader]:
    with trading(tmp_path) as made:
        yield made


def change(trader: Trader, **actions: str) -> Any:
    return trader.send("POST", SWITCH, json=[{"segment": name, "action": word} for name, word in actions.items()])


def killed(trader: Trader) -> set[str]:
    return {row["segment"] for row in trader.data(SWITCH) if row["kill_switch_enabled"]}


def test_all_segments_are_told_as_documented(trader: Trader) -> None:
    written = orjson.loads(shared("upstox/examples/kill_switch.json").read_bytes())["data"]

    told = trader.data(SWITCH)

    assert {row["segment"]: row["segment_status"] for row in told} == {
        row["segment"]: row["segment_status"] for row in written
    }
    assert all(set(row) == set(written[0]) for row in told)
    assert killed(trader) == set()


def test_disabling_cancels_what_waits_and_blocks_what_comes(trader: Trader) -> None:
    waits = trader.order(**limit(1400.0))

    answer = change(trader, NSE_EQ="DISABLE")

    assert answer.status_code == 200, answer.text
    assert killed(trader) == {"NSE_EQ"}
    assert trader.details(waits)["status"] == "cancelled"
    assert trader.send("POST", "/v3/order/place", json=order(**limit(1400.0))).status_code == 400
    trader.order(**limit(180.0), instrument_token=CALL, quantity=65)


def test_it_cannot_be_lifted_for_twelve_hours(trader: Trader) -> None:
    change(trader, NSE_EQ="DISABLE")

    assert change(trader, NSE_EQ="ENABLE").status_code == 400
    assert killed(trader) == {"NSE_EQ"}


def test_it_is_refused_while_a_position_is_open_and_then_nothing_changes(trader: Trader) -> None:
    trader.order(product="I")

    assert change(trader, NSE_FO="DISABLE", NSE_EQ="DISABLE").status_code == 400
    assert killed(trader) == set()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, "UDAPI100038"),
        ([], "UDAPI100036"),
        (["NSE_EQ"], "UDAPI100038"),
        ([{"segment": "NSE", "action": "DISABLE"}], "UDAPI1108"),
        ([{"segment": "NSE_EQ", "action": "OFF"}], "UDAPI100036"),
        (
            [{"segment": "NSE_EQ", "action": "DISABLE"}, {"segment": "NSE_EQ", "action": "ENABLE"}],
            "UDAPI100036",
        ),
    ],
)
def test_nonsense_has_its_code(trader: Trader, sent: Any, code: str) -> None:
    assert error_of(trader.send("POST", SWITCH, json=sent)) == (400, code)
    assert killed(trader) == set()


def test_it_outlives_a_restart(tmp_path: Path) -> None:
    with trading(tmp_path) as trader:
        change(trader, NSE_FO="DISABLE")

    with trading(tmp_path) as trader:
        assert killed(trader) == {"NSE_FO"}
