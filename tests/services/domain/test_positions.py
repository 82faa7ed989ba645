from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.orders import Side
from services.domain.positions import (
    Holding,
    Position,
    PositionPnl,
    day_pnl,
    holding_pnl,
    position_pnl,
    sellable,
)
from services.wire.positions import parse_positions
from tests.support.payloads import data

TCS = "NSE_EQ|INE467B01029"
RUPEE = Decimal(1)


def _bought_today() -> Position:
    return Position(TCS, "D", 10, day_buy_quantity=10, day_buy_value=Decimal("14699.5"))


def test_an_open_position_of_today_is_worth_its_distance_from_the_average() -> None:
    assert position_pnl(_bought_today(), Decimal("1472.5")) == PositionPnl(Decimal(0), Decimal("25.5"))
    assert _bought_today().entry_price == Decimal("1469.95")


def test_a_closed_position_is_realised_to_the_paisa_and_no_price_moves_it() -> None:
    closed = Position(
        TCS,
        "I",
        0,
        day_buy_quantity=3,
        day_buy_value=Decimal("1000.00"),
        day_sell_quantity=3,
        day_sell_value=Decimal("1000.01"),
    )

    for price in (Decimal(1), Decimal(500)):
        assert position_pnl(closed, price) == PositionPnl(Decimal("0.01"), Decimal(0))
    assert (closed.side, closed.entry_price) == (None, None)


def test_a_part_that_was_sold_again_is_realised_at_average_prices() -> None:
    part = Position(
        TCS, "I", 6, day_buy_quantity=10, day_buy_value=Decimal(1000), day_sell_quantity=4, day_sell_value=Decimal(420)
    )

    assert position_pnl(part, Decimal(110)) == PositionPnl(Decimal(20), Decimal(60))


def test_counts_below_zero_are_summed_up_and_break_nothing() -> None:
    strange = Position(TCS, "I", 2, day_buy_quantity=-3, day_buy_value=Decimal(-300), day_sell_quantity=-5)

    assert position_pnl(strange, Decimal(100)).total == Decimal(500)


def test_a_carried_short_in_currency_counts_a_thousand_to_the_lot() -> None:
    short = parse_positions(data("positions"))[2]

    assert short.side is Side.SELL
    assert short.entry_price == Decimal("84.25")
    assert position_pnl(short, Decimal("84.20")).total == Decimal("100.0")
    assert day_pnl(short, Decimal("84.20")) == Decimal("40.0")


def test_the_day_of_a_carried_position_needs_yesterdays_close() -> None:
    carried = Position(TCS, "D", 5, overnight_quantity=5, overnight_buy_quantity=5, overnight_buy_amount=Decimal(500))

    assert day_pnl(carried, Decimal(103)) is None
    assert day_pnl(_bought_today(), Decimal("1472.5")) == Decimal("25.5")


@given(
    trades=st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 50), st.integers(1, 10**6)), max_size=8),
    ltp=st.integers(1, 10**6),
    multiplier=st.sampled_from([1, 1000]),
)
def test_what_is_realised_and_what_is_open_together_are_the_money_that_moved(
    trades: list[tuple[int, int, int]], ltp: int, multiplier: int
) -> None:
    bought = sum(quantity for sign, quantity, _ in trades if sign > 0)
    sold = sum(quantity for sign, quantity, _ in trades if sign < 0)
    paid = sum((Decimal(quantity * paise) / 100 for sign, quantity, paise in trades if sign > 0), Decimal(0))
    earned = sum((Decimal(quantity * paise) / 100 for sign, quantity, paise in trades if sign < 0), Decimal(0))
    position = Position(
        TCS,
        "I",
        bought - sold,
        multiplier=Decimal(multiplier),
        day_buy_quantity=bought,
        day_buy_value=paid,
        day_sell_quantity=sold,
        day_sell_value=earned,
    )
    price = Decimal(ltp) / 100

    pnl = position_pnl(position, price)

    assert abs(pnl.total - (earned - paid + (bought - sold) * price) * multiplier) < Decimal("1e-15") * RUPEE
    assert day_pnl(position, price) == pytest.approx(pnl.total)


def test_what_can_be_sold_of_a_holding() -> None:
    holding = Holding(TCS, "INE467B01029", 20, average_price=Decimal("2799.7"), t1_quantity=4, cnc_used_quantity=3)

    assert sellable(holding) == 17
    assert sellable(Holding(TCS, "INE467B01029", 2, cnc_used_quantity=5)) == 0
    assert holding_pnl(holding, Decimal("2846.0")) == Decimal("926.0")
    assert holding_pnl(Holding(TCS, "INE467B01029", 2), Decimal(1)) is None
