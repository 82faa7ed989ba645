from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.paper import CALL, FUTURE, NIFTY, RELIANCE, Client, error_of
from tests.support.paper_trading import trading
from tests.support.shared_data import shared

BROKERAGE, MARGIN = "/v2/charges/brokerage", "/v2/charges/margin"
ASKED = {"instrument_token": RELIANCE, "quantity": "10", "product": "D", "transaction_type": "BUY", "price": "1470"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("charges")
    with trading(folder) as made:
        yield made


def members(value: object) -> object:
    return {name: members(part) for name, part in value.items()} if isinstance(value, dict) else type(value).__name__


def line(**change: Any) -> dict[str, Any]:
    return {"instrument_key": RELIANCE, "quantity": 10, "transaction_type": "BUY", "product": "D"} | change


def test_brokerage_has_the_documented_members_and_adds_up(client: Client) -> None:
    charges = client.data(BROKERAGE, params=ASKED)["charges"]

    written = orjson.loads(shared("upstox/examples/brokerage.json").read_bytes())["data"]["charges"]
    assert members(charges) == members(written)
    # 14,700 rupees: STT 0.1% to the rupee, stamp duty 0.015%, exchange 0.0030699%, SEBI 0.0001%, GST 18% of 20.46.
    assert charges["taxes"] == {"gst": 3.68, "stt": 15.0, "stamp_duty": 2.21}
    assert charges["other_charges"] == {"transaction": 0.45, "clearing": 0.0, "ipft": 0.0, "sebi_turnover": 0.01}
    assert (charges["brokerage"], charges["total"]) == (20.0, 41.35)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"instrument_token": ""}, "UDAPI1059"),
        ({"instrument_token": "X"}, "UDAPI100011"),
        ({"instrument_token": NIFTY}, "UDAPI100011"),
        ({"quantity": ""}, "UDAPI1060"),
        ({"quantity": "0"}, "UDAPI1064"),
        ({"quantity": "1.5"}, "UDAPI1053"),
        ({"quantity": "ten"}, "UDAPI100036"),
        ({"quantity": "-1"}, "UDAPI100036"),
        ({"quantity": "inf"}, "UDAPI100036"),
        ({"quantity": "1e30"}, "UDAPI100036"),
        ({"product": "X"}, "UDAPI1063"),
        ({"transaction_type": "X"}, "UDAPI1062"),
        ({"price": ""}, "UDAPI1061"),
        ({"price": "0"}, "UDAPI1065"),
        ({"price": "NaN"}, "UDAPI100036"),
    ],
)
def test_wrong_parameters_have_their_codes(client: Client, change: dict[str, str], code: str) -> None:
    assert client.error(BROKERAGE, params=ASKED | change) == (400, code)


def test_margin_has_the_documented_members_and_adds_up(client: Client) -> None:
    sent = {"instruments": [line(price=1472.5), line(instrument_key=FUTURE, quantity=65)]}

    data = client.send("POST", MARGIN, json=sent).json()["data"]

    written = orjson.loads(shared("upstox/examples/margin.json").read_bytes())["data"]
    assert [members(one) for one in data["margins"]] == [members(one) for one in written["margins"]]
    assert set(data) == set(written)
    assert [one["total_margin"] for one in data["margins"]] == [14725.0, 780.0]
    assert data["required_margin"] == data["final_margin"] == 15505.0


def test_a_hedge_lowers_the_final_margin_only(client: Client) -> None:
    sold = line(instrument_key=CALL, quantity=65, transaction_type="SELL")
    bought = line(instrument_key=FUTURE, quantity=65)

    data = client.send("POST", MARGIN, json={"instruments": [sold, bought]}).json()["data"]

    assert data["required_margin"] == sum(one["total_margin"] for one in data["margins"])
    assert data["final_margin"] < data["required_margin"]


@pytest.mark.parametrize(
    ("instruments", "code"),
    [
        ([], "UDAPI100036"),
        (None, "UDAPI100038"),
        (["x"], "UDAPI100038"),
        ([line(instrument_key="RELIANCE")], "UDAPI1098"),
        ([line(instrument_key=None)], "UDAPI1098"),
        ([line(instrument_key="NSE_EQ|INE000000000")], "UDAPI1099"),
        ([line(quantity=0)], "UDAPI1096"),
        ([line(quantity=-1)], "UDAPI1096"),
        ([line(instrument_key=CALL, quantity=64)], "UDAPI1097"),
        ([line(product="CNC")], "UDAPI1054"),
        ([line(), line()], "UDAPI1103"),
        ([line(quantity=n + 1) for n in range(21)], "UDAPI1102"),
    ],
)
def test_wrong_lines_have_their_codes(client: Client, instruments: Any, code: str) -> None:
    assert error_of(client.send("POST", MARGIN, json={"instruments": instruments})) == (400, code)


def test_every_line_of_a_basket_may_name_its_instrument_once_per_side(client: Client) -> None:
    both = [line(), line(transaction_type="SELL")]

    assert client.send("POST", MARGIN, json={"instruments": both}).status_code == 200
