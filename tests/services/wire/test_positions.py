from __future__ import annotations

from decimal import Decimal

import pytest

from services.domain.errors import MalformedPayload
from services.wire.positions import parse_conversion, parse_holdings, parse_positions
from tests.support.payloads import data


def test_positions_open_closed_and_carried() -> None:
    day, closed, carried = parse_positions(data("positions"))

    assert (day.quantity, day.average_price, day.day_buy_value, day.day_sell_price) == (
        5, None, Decimal("14201.75"), None,
    )  # fmt: skip
    assert (day.last_price, day.close_price, day.symbol) == (Decimal("2846.0"), Decimal("2811.2"), "TCS")
    assert not closed.is_open
    assert closed.realised == Decimal("153.0")
    assert (carried.overnight_quantity, carried.overnight_sell_amount, carried.multiplier) == (
        -2, Decimal("168.5"), Decimal("1000.0"),
    )  # fmt: skip


def test_a_position_without_its_quantity_is_malformed() -> None:
    rows = data("positions")
    del rows[2]["quantity"]

    with pytest.raises(MalformedPayload) as caught:
        parse_positions(rows)

    assert caught.value.field == "data[2].quantity"


def test_holdings() -> None:
    (tcs,) = parse_holdings(data("holdings"))

    assert (tcs.isin, tcs.quantity, tcs.t1_quantity, tcs.cnc_used_quantity, tcs.collateral_quantity) == (
        "INE467B01029", 20, 4, 3, 5,
    )  # fmt: skip
    assert (tcs.average_price, tcs.haircut, tcs.pnl) == (Decimal("2799.7"), Decimal("0.2"), Decimal("926.0"))


def test_a_conversion_says_how_it_ended() -> None:
    assert parse_conversion(data("converted")) == "complete"
    with pytest.raises(MalformedPayload):
        parse_conversion({})
