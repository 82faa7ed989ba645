"""Orders and trades have the members and types of the published samples; known values come out as they stand there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from services.domain.clock import IST, epoch_ms
from services.paper import order_told as told
from services.paper.trading.order_values import Fill, Order
from tests.support.paper import RELIANCE, KnownMarket
from tests.support.samples import kinds, sample

NOW = datetime(2026, 11, 20, 11, 15, tzinfo=IST)
MARKET = KnownMarket()
LISTINGS = MARKET.listings(NOW)


def ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(f"2026-11-20 {text}+05:30"))


ORDER = Order(
    order_id="261120010123456", number=1, key=RELIANCE, segment="NSE_EQ", exchange="NSE", symbol="RELIANCE", buys=True,
    quantity=10, product="D", order_type="LIMIT", validity="DAY", price=14_700_000, trigger=0, disclosed=0,
    protection=None, tag="dashboard", status="complete", day="2026-11-20", placed_ms=ms("09:31:12"),
    changed_ms=ms("09:31:13"), reference_id="57744821658411", exchange_id="1100000012345678",
    exchange_ms=ms("09:31:12"), filled=10, value=146_995_000,
)  # fmt: skip
FILL = Fill(
    trade_id="50091502", number=1, order_id="261120010123456", exchange_id="1100000012345678", key=RELIANCE,
    segment="NSE_EQ", exchange="NSE", symbol="RELIANCE", buys=True, quantity=6, price=14_699_000, product="D",
    order_type="LIMIT", reference_id="57744821658411", at_ms=ms("09:31:12"), order_ms=ms("09:31:12"),
    day="2026-11-20", multiplier=1, name="RELIANCE", isin="INE002A01018",
)  # fmt: skip


def test_an_order_of_the_book_is_the_documented_one() -> None:
    assert told.tell_order(ORDER, "7XX123", LISTINGS) == sample("order_book")["data"][0]
    assert told.tell_order(ORDER, "7XX123", LISTINGS) == sample("order_details")["data"]


def test_the_last_step_of_a_history_is_the_documented_one() -> None:
    assert told.tell_step(ORDER, "7XX123", LISTINGS) == sample("order_history")["data"][-1]


def test_an_order_that_never_reached_the_exchange_has_no_number_there() -> None:
    rejected = Order(**{name: getattr(ORDER, name) for name in ORDER.__slots__} | {
        "status": "rejected", "exchange_id": "", "exchange_ms": None, "filled": 0, "value": 0, "message": "No money",
        "raw_message": "RMS:Margin Exceeds", "tag": "",
    })  # fmt: skip

    book, step = told.tell_order(rejected, "U", LISTINGS), told.tell_step(rejected, "U", LISTINGS)
    update = told.tell_order_update(rejected, "U", LISTINGS)

    assert (book["exchange_order_id"], step["exchange_order_id"], update["exchange_order_id"]) == (None, "", "")
    assert (book["status_message"], book["status_message_raw"], book["tag"]) == ("No money", "RMS:Margin Exceeds", None)
    assert (book["exchange_timestamp"], book["average_price"], book["pending_quantity"]) == (None, 0.0, 0)


def test_an_order_update_has_the_documented_members() -> None:
    update, written = told.tell_order_update(ORDER, "7XX123", LISTINGS), sample("ws_portfolio_order")

    assert update | {"exchange_timestamp": written["exchange_timestamp"]} == written


def test_trades_are_the_documented_ones() -> None:
    assert told.tell_trade(FILL, LISTINGS) == sample("trades_for_day")["data"][0]
    past, written = told.tell_past_trade(FILL), sample("trades_historical")["data"][0]
    assert kinds(past) == kinds(written)
    assert (past["segment"], past["strike_price"], past["expiry"], past["symbol"]) == ("EQ", "0.0", "", "RELIANCE")


@pytest.mark.parametrize(
    ("segment", "word"), [("BSE_EQ", "EQ"), ("NSE_FO", "FO"), ("MCX_FO", "COM"), ("NSE_COM", "COM"), ("BCD_FO", "CD")]
)
def test_a_past_trade_names_what_its_segment_trades(segment: str, word: str) -> None:
    fill = Fill(**{name: getattr(FILL, name) for name in FILL.__slots__} | {"segment": segment})

    assert told.tell_past_trade(fill)["segment"] == word


def test_a_past_trade_in_a_contract_has_its_underlyings_symbol_as_documented() -> None:
    contract = replace(
        FILL, segment="NSE_FO", symbol="NIFTY26NOV26000CE", name="NIFTY", option_type="CE", strike=260_000_000,
        expiry="2026-11-24", isin="", buys=False, quantity=65, price=1_875_000, day="2026-11-18", trade_id="75217301",
        key="NSE_FO|56983",
    )  # fmt: skip

    assert told.tell_past_trade(contract) == sample("trades_historical")["data"][1]
