"""Positions, holdings and money for everybody in a process."""

from __future__ import annotations

from decimal import Decimal
from threading import Barrier

import pytest

from services.domain.accounts import Funds
from services.domain.errors import BrokerFault, RouteMissing
from services.portfolio_book.book import PortfolioBook
from services.portfolio_book.marks import PriceFrom
from tests.support.clocks import FakeClock, FakeMonotonic
from tests.support.portfolio import (
    CALL,
    HDFC,
    INFY,
    NOW,
    RELIANCE,
    FakeQuotes,
    HandWorkers,
    bought_today,
    carried,
    closed_today,
    held,
    rupees,
)  # fmt: skip

FAULT = BrokerFault("broken", status=500, code="UDAPI100500")
FUNDS = Funds(rupees("185301.25"), rupees("14698.75"), "v3")


class Account:
    """A broker's answers and a book over them."""

    def __init__(self) -> None:
        self.told = {"positions": [bought_today(), closed_today(), carried()], "mtf": [], "holdings": [held()],
                     "funds": FUNDS}  # fmt: skip
        self.asked = dict.fromkeys(self.told, 0)
        self.quotes, self.workers = FakeQuotes(), HandWorkers()
        self.clock, self.monotonic = FakeClock(NOW), FakeMonotonic()
        self.book = PortfolioBook(
            positions=lambda: self.tell("positions"), mtf_positions=lambda: self.tell("mtf"),
            holdings=lambda: self.tell("holdings"), funds=lambda: self.tell("funds"), quotes=lambda: self.quotes,
            clock=self.clock, monotonic=self.monotonic, workers=self.workers,
        )  # fmt: skip

    def tell(self, what):
        self.asked[what] += 1
        answer = self.told[what]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def positions(self):
        self.book.positions()
        self.workers.run()
        return self.book.positions()

    def holdings(self):
        self.book.holdings()
        self.workers.run()
        return self.book.holdings()

    def later(self, seconds):
        self.monotonic.now += seconds
        self.clock.move(seconds=seconds)


@pytest.fixture
def account() -> Account:
    return Account()


def test_open_positions_come_first_and_closed_ones_stay_for_their_profit(account):
    view = account.positions()

    assert [row.position.key for row in view.rows] == [CALL, RELIANCE, HDFC]
    assert [row.is_open for row in view.rows] == [True, True, False]
    assert view.as_of == NOW


def test_before_an_answer_there_are_not_no_positions_but_nothing_is_known(account):
    view = account.book.positions()

    assert (view.rows, view.as_of, view.error) == ((), None, None)


def test_no_positions_are_an_answer(account):
    account.told["positions"] = []
    view = account.positions()

    assert (view.rows, view.as_of, view.error) == ((), NOW, None)


def test_a_broker_that_fails_leaves_the_last_positions_with_their_age_and_live_prices(account):
    before = account.positions()
    account.told["positions"] = FAULT
    account.later(60)
    account.quotes.tell(RELIANCE, 1490.0, at=account.clock.now())
    view = account.positions()

    assert view.error is FAULT
    assert view.as_of == before.as_of
    assert [row.position for row in view.rows] == [row.position for row in before.rows]
    assert view.rows[1].pnl == rupees("200.50")


def test_what_is_shown_is_watched_so_that_its_prices_come(account):
    account.positions()
    account.holdings()

    assert set(account.quotes.watched["positions"]) == {RELIANCE, HDFC, CALL}
    assert account.quotes.watched["holdings"] == (INFY,)


def test_each_price_says_who_told_it(account):
    account.quotes.tell(RELIANCE, 1480.0, feed=True)
    account.quotes.tell(CALL, 190.0)
    rows = {row.position.key: row.price.told_by for row in account.positions().rows}

    assert rows == {RELIANCE: PriceFrom.FEED, CALL: PriceFrom.QUOTE, HDFC: PriceFrom.BROKER}


def test_positions_under_margin_trading_stand_with_the_others_and_once(account):
    mtf = bought_today(INFY, product="MTF", symbol="INFY")
    account.told["mtf"] = [mtf]
    assert [row.position.product for row in account.positions().rows if row.position.key == INFY] == ["MTF"]

    account.told["positions"] = [mtf]
    account.later(10)
    assert len(account.positions().rows) == 1


def test_where_margin_trading_cannot_be_asked_the_others_are_there_and_the_lack_is_told(account):
    account.told["mtf"] = RouteMissing("no route", status=404, code="UDAPI100060")
    view = account.positions()

    assert len(view.rows) == 3
    assert view.error is None
    assert isinstance(view.without, RouteMissing)


def test_holdings_are_marked_and_named(account):
    account.quotes.tell(INFY, 1540.0)
    [row] = account.holdings().rows

    assert row.value == Decimal(38500)
    assert row.pnl == rupees("2987.5")


def test_the_money_stays_with_its_age(account):
    account.book.funds()
    account.workers.run()
    assert account.book.funds().funds == FUNDS

    account.told["funds"] = FAULT
    account.later(60)
    account.book.funds()
    account.workers.run()
    view = account.book.funds()
    assert (view.funds, view.as_of, view.error) == (FUNDS, NOW, FAULT)


@pytest.mark.parametrize(
    ("update", "again"),
    [
        ({"update_type": "position"}, {"positions", "funds"}),
        ({"update_type": "holding"}, {"holdings"}),
        ({"update_type": "order", "filled_quantity": 5}, {"positions", "holdings", "funds"}),
        ({"update_type": "order", "filled_quantity": 0}, set()),
        ({"update_type": "gtt_order"}, set()),
    ],
)
def test_the_stream_says_what_has_to_be_asked_for_again(account, update, again):
    for look in (account.book.positions, account.book.holdings, account.book.funds):
        look()
    account.workers.run()
    before = dict(account.asked)
    account.later(1.5)
    account.book.heard(update)
    account.workers.run()

    assert {what for what, count in account.asked.items() if count > before[what]} == again


def test_a_refresh_asks_for_everything_now_and_raises(account):
    book = PortfolioBook(
        positions=lambda: account.tell("positions"), mtf_positions=lambda: [],
        holdings=lambda: account.tell("holdings"), funds=lambda: account.tell("funds"),
        quotes=lambda: account.quotes, clock=account.clock,
    )  # fmt: skip
    book.refresh()
    account.told["holdings"] = FAULT
    with pytest.raises(BrokerFault):
        book.refresh()
    book.close()

    assert account.asked == {"positions": 2, "mtf": 0, "holdings": 2, "funds": 1}


def test_after_its_end_the_book_asks_no_more(account):
    account.positions()
    account.book.close()
    account.later(60)
    account.book.positions()

    assert account.asked["positions"] == 1


def test_first_answers_are_asked_for_at_the_same_time_and_waited_for_together():
    barrier, account = Barrier(3), Account()  # each question waits until all three are under way

    def ask(answer):
        barrier.wait(30)
        return answer

    book = PortfolioBook(
        positions=lambda: ask([bought_today()]), mtf_positions=lambda: [], holdings=lambda: ask([]),
        funds=lambda: ask(FUNDS), quotes=lambda: account.quotes, clock=account.clock,
    )  # fmt: skip
    book.first_answers(wait=20)
    book.close()

    assert len(book.positions().rows) == 1
    assert book.holdings().as_of == NOW
    assert book.funds().funds == FUNDS
