from __future__ import annotations

from decimal import Decimal

import orjson
import pytest

from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.margins import MarginLine
from services.domain.orders import OrderType, Product, Side, Validity
from services.wire import order_bodies
from tests.support.orders import RELIANCE, a_request


def _sent(body: object) -> object:
    """What a reader of the wire sees."""
    return orjson.loads(orjson.dumps(body))


def test_a_limit_order_carries_everything_but_protection() -> None:
    body = order_bodies.place_body(a_request(price=Decimal("1470.05"), validity=Validity.IOC, amo=True), "dk-1")

    assert _sent(body) == {
        "instrument_token": RELIANCE, "quantity": 10, "product": "D", "validity": "IOC", "price": 1470.05,
        "order_type": "LIMIT", "transaction_type": "BUY", "disclosed_quantity": 0, "trigger_price": 0.0,
        "is_amo": True, "tag": "dk-1", "slice": False,
    }  # fmt: skip


@pytest.mark.parametrize(("protection", "sent"), [(None, -1), (Decimal(-1), -1), (Decimal("2.5"), 2.5)])
def test_a_market_order_has_the_price_0_and_always_says_its_protection(
    protection: Decimal | None, sent: object
) -> None:
    body = order_bodies.place_body(a_request(order_type=OrderType.MARKET, market_protection=protection), "dk-1")

    assert (body["price"], body["trigger_price"], body["market_protection"]) == (0, 0, sent)


def test_a_stop_order_carries_its_trigger() -> None:
    body = order_bodies.place_body(a_request(order_type=OrderType.STOP_MARKET, trigger_price=Decimal("1475.5")), "dk-1")

    assert (body["order_type"], body["price"], body["trigger_price"], body["market_protection"]) == (
        "SL-M",
        0,
        1475.5,
        -1,
    )


def test_v2_gets_neither_slicing_nor_protection() -> None:
    body = order_bodies.place_body(a_request(slice=True), "dk-1", version="v2")

    assert "slice" not in body
    assert "market_protection" not in body


@pytest.mark.parametrize("tag", ["", "x" * 41, "a\nb", "₹"])
def test_a_tag_that_the_broker_would_not_keep_is_refused(tag: str) -> None:
    with pytest.raises(InvalidRequest):
        order_bodies.place_body(a_request(), tag)


def test_a_modification_sends_the_whole_order_with_its_new_total() -> None:
    body = order_bodies.modify_body("261120-1", a_request(quantity=15))

    assert _sent(body) == {
        "order_id": "261120-1", "quantity": 15, "validity": "DAY", "price": 1470.0, "order_type": "LIMIT",
        "disclosed_quantity": 0, "trigger_price": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("order_id", ["", "a b", "../x", "1&2", "ü"])
def test_what_is_no_order_id_never_leaves(order_id: str) -> None:
    with pytest.raises(InvalidRequest):
        order_bodies.checked_order_id(order_id)


def test_ten_lines_go_in_one_call_and_not_eleven() -> None:
    lines = [(f"line-{place}", a_request(), f"dk-{place}") for place in range(11)]

    assert [line["correlation_id"] for line in order_bodies.multi_place_body(lines[:10])] == [
        f"line-{place}" for place in range(10)
    ]
    for wrong in (lines, [], [lines[0], lines[0]], [("x" * 21, a_request(), "t")], [("", a_request(), "t")]):
        with pytest.raises(InvalidRequest):
            order_bodies.multi_place_body(wrong)


def test_a_conversion_says_both_products() -> None:
    assert order_bodies.convert_body(RELIANCE, Side.BUY, 3, Product.INTRADAY, Product.DELIVERY) == {
        "instrument_token": RELIANCE, "new_product": "D", "old_product": "I", "transaction_type": "BUY", "quantity": 3,
    }  # fmt: skip
    for old, new, quantity in (
        (Product.DELIVERY, Product.DELIVERY, 3),
        (Product.COVER, Product.DELIVERY, 3),
        (Product.INTRADAY, Product.DELIVERY, 0),
    ):
        with pytest.raises(InvalidRequest):
            order_bodies.convert_body(RELIANCE, Side.BUY, quantity, old, new)


BRACKET = GttRequest(
    RELIANCE,
    Side.BUY,
    2,
    Product.DELIVERY,
    (
        GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1440)),
        GttLeg(Strategy.TARGET, TriggerType.IMMEDIATE, Decimal(1510), market_protection=Decimal(3)),
        GttLeg(Strategy.STOPLOSS, TriggerType.IMMEDIATE, Decimal(1405), trailing_gap=Decimal(5)),
    ),
)


def test_a_waiting_order_with_exits() -> None:
    assert _sent(order_bodies.gtt_place_body(BRACKET)) == {
        "type": "MULTIPLE", "quantity": 2, "product": "D", "instrument_token": RELIANCE, "transaction_type": "BUY",
        "rules": [
            {"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 1440.0},
            {"strategy": "TARGET", "trigger_type": "IMMEDIATE", "trigger_price": 1510.0, "market_protection": 3.0},
            {"strategy": "STOPLOSS", "trigger_type": "IMMEDIATE", "trigger_price": 1405.0, "trailing_gap": 5.0},
        ],
    }  # fmt: skip
    changed = order_bodies.gtt_modify_body("GTT-C1", BRACKET)
    assert changed.keys() == {"type", "quantity", "gtt_order_id", "rules"}
    assert order_bodies.gtt_cancel_body("GTT-C1") == {"gtt_order_id": "GTT-C1"}
    with pytest.raises(InvalidRequest):
        order_bodies.gtt_cancel_body("261120000000042")


def test_margin_is_asked_for_20_lines_at_most_and_without_a_price_at_the_market() -> None:
    line = MarginLine(RELIANCE, Side.BUY, 10, "D", Decimal("1472.5"))

    assert order_bodies.margin_body([line, MarginLine(RELIANCE, Side.SELL, 1, "I")]) == {
        "instruments": [
            {"instrument_key": RELIANCE, "quantity": 10, "transaction_type": "BUY", "product": "D", "price": 1472.5},
            {"instrument_key": RELIANCE, "quantity": 1, "transaction_type": "SELL", "product": "I"},
        ]
    }
    for wrong in ([], [line] * 21):
        with pytest.raises(InvalidRequest):
            order_bodies.margin_body(wrong)
