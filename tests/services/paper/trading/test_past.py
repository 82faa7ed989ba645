"""Trades of earlier days, booked into an account, and accounts that tests fill with many of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from services.domain.errors import BrokerError
from services.paper.accounts import FILE, AccountBook
from services.paper.sessions import Sessions
from services.paper.trading.order_values import Wanted
from services.paper.trading.past import PastDesk, PastOrder
from services.paper.trading.store import TradingStore
from services.paper.trading.timing import TradingHours
from tests.support.pnl_account import fill_account
from tests.support.trading import CALL, PLAIN, Account, SetMarket, at, e4


@pytest.fixture
def past(tmp_path: Path) -> Iterator[PastDesk]:
    AccountBook(tmp_path).close()
    store = TradingStore(tmp_path / FILE)
    hours = TradingHours(Sessions(always=False), practice=False)
    yield PastDesk(store, SetMarket(), hours, at("2026-11-16 09:00"))
    store.close()


def order(when: str, side: str, quantity: int, price: float, key: str = PLAIN, product: str = "D") -> PastOrder:
    return PastOrder(at(when), Wanted(key, side == "BUY", quantity, product, "LIMIT", price=e4(price)))


def test_orders_of_earlier_days_move_the_account_as_any_order_does(past: PastDesk, tmp_path: Path) -> None:
    booked = past.book(
        [
            order("2026-11-16 10:00", "BUY", 10, 101.5),
            PastOrder(
                at("2026-11-17 10:00"), Wanted(CALL, True, 130, "D", "LIMIT", price=e4(50)),
                ((65, e4(49.5)), (65, e4(50))),
            ),
            order("2026-11-18 11:00", "SELL", 4, 103.0),
        ]
    )  # fmt: skip
    past.go(at("2026-11-19 10:00"))

    assert booked == 4
    [row] = past.gains(date.min, date.max)
    assert (row.quantity, row.bought, row.sold, row.realised) == (4, "2026-11-16", "2026-11-18", e4(6))
    assert [note.day for note in past.charges(date.min, date.max)] == ["2026-11-16", "2026-11-17", "2026-11-18"]
    assert past.charges(date(2026, 11, 18), date.max)[0].depository == 20_00
    [held] = past.holdings()
    assert held.holding.quantity == 6
    [position] = past.positions()
    assert (position.key, position.quantity, position.average) == (CALL, 130, 49.75)
    account = Account(tmp_path, "2026-11-19 10:00:01")
    account.check()
    told, count = account.desk.past_trades(date(2026, 11, 1), date(2026, 11, 30))
    assert (count, [fill.day for fill in told]) == (4, ["2026-11-18", "2026-11-17", "2026-11-17", "2026-11-16"])
    account.close()


def test_what_is_not_there_cannot_be_sold(past: PastDesk) -> None:
    with pytest.raises(BrokerError, match="5 shares sold, 0 are there"):
        past.book([order("2026-11-16 10:00", "SELL", 5, 100.0)])
    with pytest.raises(BrokerError) as unknown:
        past.book([order("2026-11-16 10:00", "BUY", 5, 100.0, key="NSE_EQ|INE000000000")])

    assert unknown.value.code == "UDAPI100011"
    past.go(at("2026-11-17 10:00"))
    assert past.gains(date.min, date.max) == []
    assert past.past_trades(date(2026, 11, 1), date(2026, 11, 30)) == ([], 0)


@pytest.mark.parametrize(("fills", "parts"), [(10, 1), (300, 1), (300, 3)])
def test_an_account_is_filled_with_as_many_trades_as_are_asked_for(tmp_path: Path, fills: int, parts: int) -> None:
    filled = fill_account(tmp_path / "one", fills, parts=parts)
    again = fill_account(tmp_path / "two", fills, parts=parts)

    assert (filled.fills, filled.orders) == (fills, fills // parts)
    assert filled == again
    store, other = TradingStore(tmp_path / "one" / FILE), TradingStore(tmp_path / "two" / FILE)
    told = store.fills_before(1, "9999")
    assert [(one.key, one.price) for one in told] == [(one.key, one.price) for one in other.fills_before(1, "9999")]
    store.close()
    other.close()
