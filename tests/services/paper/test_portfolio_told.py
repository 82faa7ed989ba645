"""Positions, holdings and funds have the members and types of the published samples."""

from __future__ import annotations

from datetime import datetime

from services.domain.clock import IST
from services.paper import portfolio_told as told
from services.paper.trading.position_values import Holding, HoldingNow, Position
from services.paper.trading.values import MoneyState
from tests.support.paper import RELIANCE, KnownMarket
from tests.support.samples import kinds, sample

NOW = datetime(2026, 11, 20, 11, 15, tzinfo=IST)
MARKET = KnownMarket()
POSITION = Position(
    key=RELIANCE, product="D", segment="NSE_EQ", exchange="NSE", symbol="RELIANCE", multiplier=1, day_buy_quantity=10,
    day_buy_value=146_995_000, cost=146_995_000,
)  # fmt: skip
HOLDING = HoldingNow(
    Holding("INE002A01018", RELIANCE, "NSE_EQ", "NSE", "RELIANCE", "RELIANCE INDUSTRIES LTD", 40, 5, 362_300_000),
    used=3,
)
MONEY = MoneyState(
    opening=2_000_000_000, balance=2_000_000_000, available=1_853_012_500, used=146_987_500, delivery=146_987_500,
    intraday_and_funded=0, span=0, exposure=0, premium=0, realised=0, unrealised=0, charges=0, sold_holdings=0,
)  # fmt: skip


def prices() -> told.Prices:
    return told.Prices(MARKET, {RELIANCE}, NOW)


def test_a_position_is_the_documented_one_but_for_its_average() -> None:
    written = sample("positions")["data"][0] | {"average_price": 1469.95}

    assert told.tell_position(POSITION, prices()) == written


def test_a_position_update_is_the_documented_one() -> None:
    assert told.tell_position_update(POSITION) == sample("ws_portfolio_position")


def test_a_position_whose_instrument_is_gone_is_told_at_its_own_average() -> None:
    gone = Position(
        "NSE_FO|1", "D", "NSE_FO", "NFO", "OLD", 1, overnight_quantity=65, overnight_buy_quantity=65,
        overnight_buy_amount=65 * 1_000_000, cost=65 * 1_000_000,
    )  # fmt: skip

    row = told.tell_position(gone, told.Prices(MARKET, {gone.key}, NOW))

    assert (row["last_price"], row["unrealised"], row["close_price"]) == (100.0, 0.0, 0.0)


def test_a_holding_has_the_documented_members_and_a_computed_change() -> None:
    row = told.tell_holding(HOLDING, prices())

    assert kinds(row) == kinds(sample("holdings")["data"][0])
    assert (row["average_price"], row["cnc_used_quantity"], row["t1_quantity"]) == (905.75, 3, 5)
    assert (row["day_change"], row["day_change_percentage"], row["pnl"]) == (7.3, 0.4982, 22670.0)
    assert kinds(told.tell_holding_update(HOLDING)) == kinds(sample("ws_portfolio_holding"))


def test_funds_are_the_documented_ones() -> None:
    assert told.tell_funds_v2(MONEY) == sample("funds_v2")["data"]
    assert told.tell_funds_v3(MONEY) == sample("funds_v3")["data"]
