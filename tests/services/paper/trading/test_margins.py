from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.paper.trading.margins import BasketLine, LineMargin, hedge_benefit, line_margin

SHARE: dict[str, Any] = {"segment": "NSE_EQ", "mtf_bracket": 26.5}
FUTURE: dict[str, Any] = {
    "segment": "NSE_FO", "instrument_type": "FUT", "underlying_type": "INDEX", "underlying_key": "N", "expiry": 2,
}  # fmt: skip
CALL = FUTURE | {"instrument_type": "CE", "strike_price": 26000.0}
PUT = FUTURE | {"instrument_type": "PE", "strike_price": 26000.0}


def margin(row: dict[str, Any], side: str, quantity: int, price: str, product: str = "D") -> LineMargin:
    return line_margin(
        row,
        buys=side == "BUY",
        product=product,
        quantity=quantity,
        price=Decimal(price),
        spot=Decimal(25_000),
    )


def line(row: dict[str, Any], side: str, quantity: int = 65, price: str = "100") -> BasketLine:
    return BasketLine(row, side == "BUY", quantity, margin(row, side, quantity, price))


@pytest.mark.parametrize(
    ("side", "product", "paise"),
    [
        ("BUY", "D", 1_472_500),
        ("SELL", "D", 0),
        ("BUY", "I", 294_500),
        ("SELL", "I", 294_500),
        ("BUY", "MTF", 390_213),
    ],
)
def test_shares(side: str, product: str, paise: int) -> None:
    told = margin(SHARE, side, 10, "1472.50", product)

    assert told == LineMargin(equity=paise)
    assert told.total_paise == paise


def test_a_bought_option_blocks_its_premium_and_a_sold_one_a_share_of_its_underlying() -> None:
    assert margin(CALL, "BUY", 65, "187.80") == LineMargin(net_buy_premium=1_220_700)
    assert margin(CALL, "SELL", 65, "187.80") == LineMargin(span=16_250_000, exposure=3_250_000)


def test_a_future_blocks_a_share_of_its_value_on_either_side() -> None:
    assert margin(FUTURE, "BUY", 65, "25000") == margin(FUTURE, "SELL", 65, "25000")
    assert margin(FUTURE, "BUY", 65, "25000") == LineMargin(span=16_250_000, exposure=3_250_000)


def test_commodities_count_their_multiplier() -> None:
    crude = {"segment": "MCX_FO", "instrument_type": "FUT", "underlying_type": "COM", "qty_multiplier": 100.0}

    assert margin(crude, "BUY", 1, "5500") == LineMargin(span=4_400_000, exposure=825_000)


def test_a_future_against_a_future_owes_span_for_the_dearer_side_only() -> None:
    lines = [line(FUTURE, "BUY", 65, "25000"), line(FUTURE | {"expiry": 3}, "SELL", 130, "25100")]

    assert hedge_benefit(lines) == lines[0].margin.span


def test_a_straddle_owes_span_for_one_side_only() -> None:
    lines = [line(CALL, "SELL"), line(PUT, "SELL")]

    assert hedge_benefit(lines) == lines[0].margin.span


def test_a_bought_call_frees_a_sold_one_as_far_as_it_reaches() -> None:
    sold = line(CALL, "SELL", 130)

    freed = hedge_benefit([line(CALL | {"strike_price": 26500.0}, "BUY", 65), sold])

    assert freed == sold.margin.span * 8 // 20
    assert hedge_benefit([line(PUT, "BUY", 65), sold]) == 0
    assert hedge_benefit([line(CALL | {"expiry": 1}, "BUY", 65), sold]) == 0, "it ends before the sold one"


def test_lines_of_different_underlyings_do_not_help_each_other() -> None:
    assert hedge_benefit([line(FUTURE, "BUY"), line(FUTURE | {"underlying_key": "B"}, "SELL")]) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([SHARE, FUTURE, CALL, PUT]), st.sampled_from(["BUY", "SELL"]), st.integers(1, 10)),
        max_size=8,
    )
)
def test_a_basket_never_needs_less_than_nothing_nor_more_than_its_lines(
    wanted: list[tuple[dict[str, Any], str, int]],
) -> None:
    lines = [line(row, side, lots * 65) for row, side, lots in wanted]

    assert 0 <= hedge_benefit(lines) <= sum(one.margin.span for one in lines)
