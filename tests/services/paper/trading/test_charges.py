from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.paper.trading.charges import Charges, charges_of, depository_plan

TODAY = date(2026, 11, 20)
SHARE = {"segment": "NSE_EQ", "exchange": "NSE", "instrument_type": "EQ", "isin": "INE002A01018", "name": "RELIANCE"}
BSE_SHARE = SHARE | {"segment": "BSE_EQ", "exchange": "BSE", "instrument_type": "A"}
FUTURE = {"segment": "NSE_FO", "exchange": "NSE", "instrument_type": "FUT", "underlying_symbol": "NIFTY"}
OPTION = FUTURE | {"instrument_type": "CE"}
SENSEX = {"segment": "BSE_FO", "exchange": "BSE", "instrument_type": "PE", "underlying_symbol": "SENSEX"}
USD = {"segment": "NCD_FO", "exchange": "NSE", "instrument_type": "FUT", "qty_multiplier": 1000.0}
CRUDE = {"segment": "MCX_FO", "exchange": "MCX", "instrument_type": "FUT", "qty_multiplier": 100.0}
FUND = SHARE | {"isin": "INF204KB14I2", "name": "NIPPON INDIA ETF NIFTY 50 BEES"}
GOLD = FUND | {"name": "NIPPON INDIA ETF GOLD BEES"}


def cost(row: dict[str, Any], side: str, quantity: int, price: str, product: str = "D", on: date = TODAY) -> Charges:
    return charges_of(row, buys=side == "BUY", product=product, quantity=quantity, price=Decimal(price), on=on)


def round_trip(row: dict[str, Any], quantity: int, bought: str, sold: str, product: str = "D") -> int:
    buy, sell = cost(row, "BUY", quantity, bought, product), cost(row, "SELL", quantity, sold, product)
    return buy.total_paise + sell.total_paise


def test_the_sample_of_the_broker_rounds_stt_to_the_rupee_and_stamp_duty_to_the_paisa() -> None:
    told = cost(SHARE, "BUY", 1, "174867")

    assert (told.stt, told.stamp_duty) == (17500, 2623)
    assert told.total_paise == sum(
        (told.brokerage, told.stt, told.stamp_duty, told.transaction, told.clearing, told.ipft, told.sebi_turnover)
    ) + told.gst  # fmt: skip


@pytest.mark.parametrize(
    ("row", "quantity", "bought", "sold", "product", "exact", "slack"),
    [
        (SHARE, 100, "1000", "1100", "D", "280.0553", "0.05"),  # without its DP charge of 20 + GST 3.60
        (SHARE, 100, "1000", "1005", "I", "82.8249", "0.50"),
        (FUTURE, 65, "25000", "25100", "D", "969.6135", "0.50"),
        (OPTION, 65, "100", "120", "D", "65.1072", "0.50"),
        (SENSEX, 20, "300", "250", "D", "59.1115", "0.55"),
        (BSE_SHARE, 10, "500", "495", "I", "13.5805", "0.30"),
        (BSE_SHARE, 5, "200", "210", "D", "49.4931", "0.10"),
        (USD, 10, "85.00", "85.10", "D", "58.0859", "0.05"),
        (CRUDE, 1, "5500", "5530", "D", "142.1339", "0.35"),
    ],
)
def test_round_trips_agree_with_worked_examples_but_for_the_rounding_of_stt(
    row: dict[str, Any], quantity: int, bought: str, sold: str, product: str, exact: str, slack: str
) -> None:
    paise = round_trip(row, quantity, bought, sold, product)

    # An STT rounded to whole rupees moves the total by half a rupee at most; the rest is rounded to paise.
    assert abs(Decimal(paise) / 100 - Decimal(exact)) <= Decimal(slack)


def test_a_tiny_sale_of_an_option_pays_the_flat_brokerage() -> None:
    told = cost(OPTION, "SELL", 65, "0.05")

    assert (told.brokerage, told.stt, told.gst) == (2000, 0, 360)


def test_brokerage_on_delivery_is_never_more_than_the_cap() -> None:
    assert cost(SHARE, "BUY", 1, "100").brokerage == 250
    assert cost(SHARE, "BUY", 1, "799").brokerage == 1998
    assert cost(SHARE, "BUY", 1, "801").brokerage == 2000


@pytest.mark.parametrize(
    ("on", "stt"), [(date(2024, 9, 30), 1300), (date(2024, 10, 1), 2000), (date(2026, 3, 31), 2000), (TODAY, 5000)]
)
def test_the_rate_is_that_of_the_trade_date(on: date, stt: int) -> None:
    assert cost(FUTURE, "SELL", 1, "100000", on=on).stt == stt


def test_the_exchanges_charge_and_its_fund_keep_their_sum_across_2026_03_01() -> None:
    before, after = (cost(SHARE, "BUY", 1, "10000000", on=on) for on in (date(2026, 2, 28), date(2026, 3, 1)))

    assert (before.transaction, before.ipft) == (29700, 1000)
    assert (after.transaction, after.ipft) == (30699, 1)


def test_only_the_buyer_pays_stamp_duty_and_only_sellers_of_derivatives_pay_stt() -> None:
    assert cost(SHARE, "SELL", 10, "1000").stamp_duty == 0
    assert cost(FUTURE, "BUY", 65, "25000").stt == 0
    assert cost(SHARE, "BUY", 10, "1000", "I").stt == 0
    assert cost(USD, "SELL", 10, "85").stt == 0


def test_units_of_funds_pay_their_own_stt() -> None:
    assert cost(FUND, "BUY", 1000, "300").stt == 0
    assert cost(FUND, "SELL", 1000, "300").stt == 300
    assert cost(GOLD, "SELL", 1000, "300").stt == 0


def test_margin_funding_pays_like_delivery_and_a_cover_order_like_intraday() -> None:
    assert cost(SHARE, "SELL", 10, "1000", "MTF") == cost(SHARE, "SELL", 10, "1000", "D")
    assert cost(SHARE, "SELL", 10, "1000", "CO") == cost(SHARE, "SELL", 10, "1000", "I")


def test_dear_groups_of_the_bse_cost_more() -> None:
    assert cost(BSE_SHARE | {"instrument_type": "X"}, "BUY", 10, "1000").transaction == 1000
    assert cost(BSE_SHARE, "BUY", 10, "1000").transaction == 38


def test_the_depository_plan_is_dated() -> None:
    assert depository_plan(date(2024, 1, 1)) == ("DP3A", 1850)
    assert depository_plan(TODAY) == ("DP3A", 2000)


@given(
    row=st.sampled_from([SHARE, BSE_SHARE, FUTURE, OPTION, SENSEX, USD, CRUDE, FUND]),
    side=st.sampled_from(["BUY", "SELL"]),
    product=st.sampled_from(["I", "D"]),
    quantity=st.integers(1, 100_000),
    paise=st.integers(1, 10_000_000),
)
def test_no_line_is_ever_below_zero_and_gst_is_18_percent_of_its_base(
    row: dict[str, Any], side: str, product: str, quantity: int, paise: int
) -> None:
    told = cost(row, side, quantity, str(Decimal(paise) / 100), product)

    lines = (told.brokerage, told.stt, told.stamp_duty, told.transaction, told.ipft, told.sebi_turnover, told.gst)
    assert min(lines) >= 0
    assert told.brokerage <= 2000
    assert told.stt % 100 == 0
    base = told.brokerage + told.transaction + told.ipft + told.sebi_turnover
    assert abs(told.gst * 100 - base * 18) <= 50
