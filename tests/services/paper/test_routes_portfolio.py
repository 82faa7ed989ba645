from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paper import RELIANCE, error_of
from tests.support.paper_trading import BookMarket, Trader, trading

CONVERT = "/v2/portfolio/convert-position"


@pytest.fixture
def market() -> BookMarket:
    return BookMarket()


@pytest.fixture
def trader(tmp_path: Path, market: BookMarket) -> Iterator[Trader]:
    with trading(tmp_path, market=market) as made:
        yield made


def conversion(**change: Any) -> dict[str, Any]:
    return {
        "instrument_token": RELIANCE,
        "old_product": "D",
        "new_product": "I",
        "transaction_type": "BUY",
        "quantity": 10,
    } | change


def test_a_position_is_marked_to_the_market(trader: Trader, market: BookMarket) -> None:
    trader.order(product="I")
    market.move(RELIANCE, 1480.0)

    [row] = trader.data("/v2/portfolio/short-term-positions")

    assert (row["quantity"], row["average_price"], row["last_price"]) == (10, 1472.6, 1480.0)
    assert (row["unrealised"], row["realised"], row["pnl"]) == (74.0, 0.0, 74.0)
    assert (row["exchange"], row["trading_symbol"], row["close_price"]) == ("NSE", "RELIANCE", 1465.2)


def test_a_closed_position_stays_with_what_it_brought(trader: Trader, market: BookMarket) -> None:
    trader.order(product="I")
    market.move(RELIANCE, 1480.0)
    trader.order(product="I", transaction_type="SELL")

    [row] = trader.data("/v2/portfolio/short-term-positions")

    assert (row["quantity"], row["realised"], row["unrealised"]) == (0, 73.0, 0.0)
    assert (row["day_buy_value"], row["day_sell_value"]) == (14726.0, 14799.0)


def test_margin_funded_positions_have_a_list_of_their_own(trader: Trader) -> None:
    trader.order(product="MTF")

    assert trader.data("/v2/portfolio/short-term-positions") == []
    assert [row["product"] for row in trader.data("/v3/portfolio/mtf-positions")] == ["MTF"]


@pytest.mark.parametrize(("method", "path"), [("PUT", CONVERT), ("POST", "/portfolio/positions/convert")])
def test_a_position_is_converted(trader: Trader, method: str, path: str) -> None:
    trader.order(product="D")

    answer = trader.send(method, path, json=conversion(quantity=4))

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"status": "success", "data": {"status": "complete"}}
    rows = trader.data("/v2/portfolio/short-term-positions")
    assert {row["product"]: row["quantity"] for row in rows} == {"D": 6, "I": 4}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"instrument_token": ""}, "UDAPI1026"),
        ({"new_product": "CNC"}, "UDAPI1054"),
        ({"new_product": "D"}, "UDAPI1054"),
        ({"old_product": None}, "UDAPI1054"),
        ({"transaction_type": "HOLD"}, "UDAPI1057"),
        ({"quantity": 0}, "UDAPI1052"),
        ({"quantity": "10"}, "UDAPI1053"),
        ({}, "UDAPI1034"),
    ],
)
def test_a_conversion_that_cannot_be_has_its_code(trader: Trader, change: dict[str, Any], code: str) -> None:
    assert error_of(trader.send("PUT", CONVERT, json=conversion(**change))) == (400, code)


def test_more_than_there_is_cannot_be_converted(trader: Trader) -> None:
    trader.order(product="D")

    assert error_of(trader.send("PUT", CONVERT, json=conversion(quantity=11))) == (400, "UDAPI1035")


def test_there_are_no_holdings_on_the_first_day(trader: Trader) -> None:
    trader.order(product="D")

    assert trader.data("/v2/portfolio/long-term-holdings") == []
