from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.errors import BrokerError
from services.paper.envelope import ERRORS
from services.paper.members import price_units
from services.paper.order_bodies import check_order_id, read_correlation, read_modify, read_place
from services.paper.trading.order_values import Changes, Wanted
from services.paper.trading.values import AUTOMATIC
from tests.support.paper import NIFTY, RELIANCE, KnownMarket

LISTINGS = KnownMarket().listings(datetime(2026, 11, 20, tzinfo=UTC))
LIMIT: dict[str, Any] = {
    "quantity": 10,
    "product": "D",
    "validity": "DAY",
    "price": 1470.0,
    "tag": "dashboard",
    "instrument_token": RELIANCE,
    "order_type": "LIMIT",
    "transaction_type": "BUY",
    "disclosed_quantity": 0,
    "trigger_price": 0.0,
    "is_amo": False,
    "slice": False,
}
MARKET = LIMIT | {"order_type": "MARKET", "price": 0}
MODIFY: dict[str, Any] = {
    "order_id": "261120010123457",
    "validity": "DAY",
    "price": 1548.0,
    "order_type": "LIMIT",
    "trigger_price": 0.0,
}


def place(body: object, version: str = "v3") -> Wanted:
    return read_place(body, LISTINGS, version=version)


def code_of(body: object, version: str = "v3") -> str:
    with pytest.raises(BrokerError) as refused:
        place(body, version)
    assert refused.value.status == 400
    return str(refused.value.code)


def test_the_documented_limit_order_is_read_exactly() -> None:
    assert place(LIMIT) == Wanted(
        key=RELIANCE,
        buys=True,
        quantity=10,
        product="D",
        order_type="LIMIT",
        validity="DAY",
        price=14_700_000,
        protection=None,
        tag="dashboard",
    )


def test_the_documented_market_order_has_its_protection() -> None:
    assert place(MARKET | {"market_protection": -1}).protection == AUTOMATIC
    assert place(MARKET).protection == AUTOMATIC, "absent means automatic"
    assert place(MARKET | {"market_protection": 2.5}).protection == 250


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"instrument_token": ""}, "UDAPI1026"),
        ({"instrument_token": None}, "UDAPI1026"),
        ({"instrument_token": "RELIANCE"}, "UDAPI100011"),
        ({"instrument_token": "NSE_EQ|INE000000000"}, "UDAPI100011"),
        ({"instrument_token": NIFTY}, "UDAPI100011"),
        ({"quantity": 0}, "UDAPI1052"),
        ({"quantity": -1}, "UDAPI1053"),
        ({"quantity": "10"}, "UDAPI1053"),
        ({"quantity": 1.5}, "UDAPI1053"),
        ({"quantity": True}, "UDAPI1053"),
        ({"quantity": None}, "UDAPI1053"),
        ({"quantity": 10**12}, "UDAPI1053"),
        ({"product": None}, "UDAPI1054"),
        ({"product": "MIS"}, "UDAPI1054"),
        ({"product": "CO"}, "UDAPI1054"),
        ({"validity": None}, "UDAPI1007"),
        ({"validity": "GTD"}, "UDAPI1055"),
        ({"order_type": None}, "UDAPI1004"),
        ({"order_type": "limit"}, "UDAPI1056"),
        ({"order_type": ["LIMIT"]}, "UDAPI1056"),
        ({"transaction_type": "HOLD"}, "UDAPI1057"),
        ({"price": 0}, "UDAPI100036"),
        ({"price": -5}, "UDAPI100036"),
        ({"price": "1470"}, "UDAPI100036"),
        ({"price": None}, "UDAPI100036"),
        ({"price": 1470.00001}, "UDAPI100036"),
        ({"trigger_price": 1450}, "UDAPI1040"),
        ({"disclosed_quantity": 11}, "UDAPI100036"),
        ({"quantity": 100, "disclosed_quantity": 9}, "UDAPI100036"),
        ({"is_amo": None}, "UDAPI100036"),
        ({"is_amo": "false"}, "UDAPI100036"),
        ({"slice": 1}, "UDAPI100036"),
        ({"tag": "x" * 41}, "UDAPI1119"),
        ({"tag": 7}, "UDAPI1119"),
        ({"market_protection": 5}, "UDAPI1177"),
        ({"order_type": "SL", "trigger_price": 0}, "UDAPI100036"),
        ({"order_type": "SL", "trigger_price": 1450, "validity": "IOC"}, "UDAPI1055"),
        ({"order_type": "SL-M", "price": 1470, "trigger_price": 1450}, "UDAPI1040"),
        ({"order_type": "MARKET"}, "UDAPI1040"),
    ],
)
def test_each_fault_has_its_code(change: dict[str, Any], code: str) -> None:
    assert code_of(LIMIT | change) == code


@pytest.mark.parametrize(
    ("protection", "code"),
    [
        (0, "UDAPI1158"),
        (26, "UDAPI1159"),
        (0.5, "UDAPI1176"),
        (-2, "UDAPI1176"),
        ("5", "UDAPI1176"),
        (2.005, "UDAPI1176"),
    ],
)
def test_bad_protection_has_its_code(protection: object, code: str) -> None:
    assert code_of(MARKET | {"market_protection": protection}) == code


def test_v2_takes_no_market_order_and_does_not_slice() -> None:
    assert code_of(MARKET, "v2") == "UDAPI1158"
    assert code_of(LIMIT | {"order_type": "SL-M", "price": 0, "trigger_price": 1450}, "v2") == "UDAPI1158"
    assert not place(LIMIT | {"slice": True}, "v2").slices


@pytest.mark.parametrize("body", [None, [], "x", 3])
def test_what_is_no_object_is_refused(body: object) -> None:
    assert code_of(body) == "UDAPI100038"


def test_meaningless_protection_of_a_limit_order_is_passed_over() -> None:
    assert place(LIMIT | {"market_protection": 0}).protection is None
    assert place(LIMIT | {"market_protection": -1}).protection is None


@given(st.integers(1, 10**9))
def test_every_price_of_four_decimals_is_read_exactly(units: int) -> None:
    assert price_units(units / 10_000, "price") == units


@given(
    st.dictionaries(st.sampled_from(sorted(LIMIT)), st.none() | st.booleans() | st.integers() | st.text() | st.floats())
)
def test_no_body_is_ever_answered_with_anything_but_a_documented_code(change: dict[str, Any]) -> None:
    code = ""
    try:
        place(LIMIT | change)
    except BrokerError as refused:
        code = str(refused.code)
    assert code in {"", *ERRORS}


def test_a_change_without_options_leaves_them_alone() -> None:
    assert read_modify(MODIFY) == (
        "261120010123457",
        Changes(validity="DAY", order_type="LIMIT", price=15_480_000, trigger=0),
    )
    assert read_modify(MODIFY | {"quantity": 5, "disclosed_quantity": 0})[1].quantity == 5


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_id": ""}, "UDAPI1023"),
        ({"order_id": "1;2"}, "UDAPI1010"),
        ({"quantity": 0}, "UDAPI1052"),
        ({"order_type": None}, "UDAPI1004"),
        ({"validity": None}, "UDAPI1007"),
        ({"price": 0}, "UDAPI100036"),
        ({"order_type": "MARKET", "market_protection": 0, "price": 0}, "UDAPI1158"),
    ],
)
def test_faults_of_a_change_have_their_codes(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BrokerError) as refused:
        read_modify(MODIFY | change)
    assert refused.value.code == code


def test_order_ids_and_names_of_lines() -> None:
    assert check_order_id("26-A1") == "26-A1"
    assert read_correlation({"correlation_id": "rel-1"}) == "rel-1"
    for bad in ({}, {"correlation_id": ""}, {"correlation_id": "x" * 21}, {"correlation_id": 1}):
        with pytest.raises(BrokerError) as refused:
            read_correlation(bad)
        assert refused.value.code == "UDAPI1115"
