"""Fills that only the history tells are given their order where nothing else is possible, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.domain.orders import PastTrade, Side
from services.ledger.engine import Ledger
from services.ledger.orders import Orders
from services.ledger.trades import Trades
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, RELIANCE, book_order, new_ledger, trade

HISTORY = "past trades"
ONE, TWO = "261120000000001", "261120000000002"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def orders(ledger: Ledger) -> Orders:
    return Orders(ledger, FakeClock(NOW))


@pytest.fixture
def trades(ledger: Ledger) -> Trades:
    return Trades(ledger, FakeClock(NOW))


def filled(order_id: str, quantity: int, **changes: Any) -> Any:
    told = {"status": "complete", "quantity": quantity, "filled_quantity": quantity, "pending_quantity": 0}
    return book_order(order_id, **told | changes)


def past(trade_id: str, quantity: int, side: Side = Side.BUY) -> PastTrade:
    price = Decimal("1234.45")
    return PastTrade(
        trade_id=trade_id, key=RELIANCE, segment="EQ", exchange="NSE", side=side, quantity=quantity, price=price,
        amount=quantity * price, traded_on="2026-11-20", symbol="RELIANCE", name="RELIANCE INDUSTRIES",
    )  # fmt: skip


def known(trades: Trades) -> dict[str, tuple[str, str]]:
    return {one.trade_id: (one.order_id, one.product) for one in trades.of_day(NOW.date())}


def test_the_fills_of_an_order_whose_fills_were_missed_are_its_own(orders: Orders, trades: Trades) -> None:
    orders.apply_many([filled(ONE, 10, product="I")], "book")

    trades.add([past("1", 4), past("2", 6)], HISTORY)

    assert known(trades) == {"1": (ONE, "I"), "2": (ONE, "I")}


def test_what_was_told_on_the_day_is_taken_off_first(orders: Orders, trades: Trades) -> None:
    orders.apply_many([filled(ONE, 10), filled(TWO, 5, product="I")], "book")
    trades.add([trade("1", order_id=ONE, quantity=10)], "trades")

    trades.add([past("1", 10), past("2", 5)], HISTORY)

    assert known(trades) == {"1": (ONE, "D"), "2": (TWO, "I")}


def test_of_several_orders_of_one_product_the_product_is_known_and_the_order_is_not(
    orders: Orders, trades: Trades
) -> None:
    orders.apply_many([filled(ONE, 10), filled(TWO, 5)], "book")

    trades.add([past("1", 10), past("2", 5)], HISTORY)

    assert known(trades) == {"1": ("", "D"), "2": ("", "D")}


@pytest.mark.parametrize(
    "book",
    [
        [],
        [filled(ONE, 9)],
        [filled(ONE, 11)],
        [filled(ONE, 10, side=Side.SELL)],
        [filled(ONE, 5), filled(TWO, 5, product="I")],
        [book_order(ONE, quantity=20, filled_quantity=10, pending_quantity=10)],
    ],
    ids=["no order", "fewer units", "more units", "the other side", "two products", "an order that is not at its end"],
)
def test_what_is_not_certain_stays_empty(orders: Orders, trades: Trades, book: list[Any]) -> None:
    orders.apply_many(book, "book")

    trades.add([past("1", 10)], HISTORY)

    assert known(trades) == {"1": ("", "")}


def test_beside_a_fill_without_an_order_nothing_is_certain(orders: Orders, trades: Trades) -> None:
    trades.add([past("1", 10)], HISTORY)
    orders.apply_many([filled(ONE, 10)], "book")

    trades.add([past("2", 10)], HISTORY)

    assert known(trades) == {"1": ("", ""), "2": ("", "")}
