from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.domain.errors import MalformedPayload
from services.domain.orders import BookOrder, Side, Status
from services.wire.orders import parse_details, parse_order_id, parse_orders, parse_placed
from tests.support.payloads import data

TCS = "NSE_EQ|INE467B01029"


def test_the_book() -> None:
    first, rejected, amo = parse_orders(data("order_book"))

    assert first == BookOrder(
        order_id="261120000000042",
        key=TCS,
        side=Side.BUY,
        quantity=12,
        order_type="LIMIT",
        product="D",
        validity="DAY",
        price=Decimal("2840.5"),
        trigger_price=Decimal("0.0"),
        status=Status.OPEN,
        filled_quantity=5,
        pending_quantity=7,
        average_price=Decimal("2840.35"),
        symbol="TCS-EQ",
        exchange="NSE",
        tag="dk-0001",
        exchange_order_id="1300000000000042",
        request_id="2",
        reference_id="90000000000042",
        variety="SIMPLE",
        placed_at=datetime(2026, 11, 20, 4, 45, 7, tzinfo=UTC),
        exchange_at=datetime(2026, 11, 20, 4, 45, 8, tzinfo=UTC),
    )
    assert (rejected.terminal, rejected.tag, rejected.exchange_order_id, rejected.exchange_at) == (
        True,
        None,
        None,
        None,
    )
    assert (rejected.message, rejected.raw_message) == ("Insufficient funds to place this order", "RMS:Margin Exceeds")
    assert (amo.amo, amo.status, amo.reference_id, amo.parent_order_id) == (
        True, Status.AMO_RECEIVED, "GTT-C26112000000001", None,
    )  # fmt: skip


def test_details_are_one_order_of_the_book() -> None:
    assert parse_details(data("order_details")) == parse_orders(data("order_book"))[0]


def test_history_leaves_out_what_is_pending_and_it_is_worked_out() -> None:
    states = parse_orders(data("order_history"))

    assert [state.status for state in states] == [
        "put order req received", "validation pending", "open pending", "open", "modified",
    ]  # fmt: skip
    assert [state.pending_quantity for state in states] == [12, 12, 12, 12, 7]
    assert states[0].request_id == "1"


def test_an_unknown_status_is_kept_as_it_came_in_lower_case() -> None:
    row = data("order_details") | {"status": " Frozen By Exchange "}

    assert parse_details(row).status == "frozen by exchange"


@pytest.mark.parametrize("name", ["order_id", "instrument_token", "transaction_type", "quantity", "status"])
def test_without_what_makes_it_an_order_the_answer_is_malformed(name: str) -> None:
    row = data("order_details")
    del row[name]

    with pytest.raises(MalformedPayload):
        parse_details(row)


def test_one_row_that_cannot_be_read_fails_the_book_and_is_named() -> None:
    rows = data("order_book")
    rows[1]["filled_quantity"] = "three"

    with pytest.raises(MalformedPayload) as caught:
        parse_orders(rows)

    assert caught.value.field == "data[1].filled_quantity"


@pytest.mark.parametrize("name", ["guid", "tag", "status_message", "variety", "order_ref_id", "validity", "price"])
def test_what_is_not_needed_may_be_missing_or_null(name: str) -> None:
    row = data("order_details")
    row[name] = None
    parse_details(row)
    del row[name]
    parse_details(row)


def test_the_ids_of_both_versions() -> None:
    assert parse_placed(data("order_placed_v3")) == ("261120000000042",)
    assert parse_placed(data("order_placed_v2")) == ("261120000000042",)
    assert parse_placed({"order_ids": ["a", 12]}) == ("a", "12")
    assert parse_order_id(data("order_changed")) == "261120000000042"


@pytest.mark.parametrize(
    "raw", [{}, {"order_ids": []}, {"order_ids": "a"}, {"order_ids": [None]}, {"order_id": ""}, None, []]
)
def test_an_acceptance_without_an_id_is_no_answer(raw: object) -> None:
    with pytest.raises(MalformedPayload):
        parse_placed(raw)
