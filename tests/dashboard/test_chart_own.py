"""Own trades and open orders, as charts ask for them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.chart_own import PAST_SECONDS, OwnMarks, order_mark, trade_marks
from services.domain.order_records import StoredTrade
from services.domain.orders import Side, Status
from services.orders.views import BookView, TradesView
from tests.support.clocks import FakeMonotonic
from tests.support.orders import RELIANCE, told

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
START = NOW - timedelta(days=30)
INFY = "NSE_EQ|INE009A01021"


def fill(trade_id, *, at=NOW - timedelta(minutes=5), quantity=10, price="1470.00", **changes):
    day = changes.pop("day", NOW.date() if at is None else at.date())
    given = {"order_id": "o1", "key": RELIANCE, "side": Side.BUY} | changes
    return StoredTrade(
        trade_id, given["order_id"], given["key"], given["side"], quantity, Decimal(price), "D", "NSE", "RELIANCE",
        "LIMIT", traded_at=at, day=day,
    )  # fmt: skip


class Orders:
    def __init__(self):
        self.orders, self.today, self.past, self.asked = [], [], [], []

    def book(self):
        return BookView(tuple(self.orders), NOW, None, True, 1)

    def trades(self):
        return TradesView(tuple(self.today), NOW, None)

    def fills_of(self, key, start, end):
        self.asked.append((key, start, end))
        return [one for one in self.past if one.key == key and start <= one.day <= end]


@pytest.fixture
def orders():
    return Orders()


@pytest.fixture
def monotonic():
    return FakeMonotonic()


@pytest.fixture
def marks(orders, monotonic):
    return OwnMarks(lambda: orders, monotonic=monotonic)


def texts(found):
    return [mark.text for mark in found]


def test_a_chart_has_its_own_trades_of_today_and_before_and_its_open_orders(orders, marks):
    yesterday = NOW - timedelta(days=1)
    orders.orders = [told(price=Decimal("1450")), told(order_id="2", status=Status.COMPLETE), told(key=INFY)]
    orders.today = [fill("2", side=Side.SELL, quantity=1250), fill("3", key=INFY)]
    orders.past = [fill("1", at=yesterday)]

    found = marks(RELIANCE, START, NOW)

    assert texts(found) == ["Bought 10 at 1,470.00", "Buy 10 at 1,450.00", "Sold 1,250 at 1,470.00"]
    assert [mark.at for mark in found] == [yesterday, None, NOW - timedelta(minutes=5)]


def test_trades_outside_the_chart_are_not_on_it(orders, marks):
    orders.past = [fill("1", at=START - timedelta(hours=1))]
    orders.today = [fill("2", at=NOW)]

    assert marks(RELIANCE, START, NOW) == []


def test_the_ledger_is_read_now_and_then_however_many_charts_ask(orders, marks, monotonic):
    for _ in range(100):
        marks(RELIANCE, START, NOW)
        monotonic.now += PAST_SECONDS / 200
    assert len(orders.asked) == 1

    monotonic.now += PAST_SECONDS
    orders.past = [fill("1", at=NOW - timedelta(days=2))]
    assert texts(marks(RELIANCE, START, NOW)) == ["Bought 10 at 1,470.00"]


def test_while_nothing_is_told_the_marks_are_the_same_and_after_that_they_are_new(orders, marks):
    orders.orders, orders.today = [told()], [fill("1")]
    before = marks(RELIANCE, START, NOW)

    assert marks(RELIANCE, START, NOW) == before
    orders.orders = [told(price=Decimal("1400"))]
    assert texts(marks(RELIANCE, START, NOW)) == ["Buy 10 at 1,400.00", "Bought 10 at 1,470.00"]


def test_a_chart_of_today_alone_never_reads_the_ledger(orders, marks):
    marks(RELIANCE, NOW - timedelta(hours=1), NOW)

    assert orders.asked == []


def test_the_pieces_of_one_order_at_one_price_within_a_minute_are_one_sign():
    minute = NOW.replace(second=0)
    pieces = [
        fill("1", at=minute), fill("2", at=minute + timedelta(seconds=30), quantity=5),
        fill("3", at=minute, price="1470.05"), fill("4", at=minute + timedelta(minutes=1)),
        fill("5", at=minute, order_id="o2"),
    ]  # fmt: skip

    assert texts(trade_marks(pieces)) == [
        "Bought 15 at 1,470.00", "Bought 10 at 1,470.05", "Bought 10 at 1,470.00", "Bought 10 at 1,470.00",
    ]  # fmt: skip


def test_a_trade_without_a_time_stands_at_the_opening_of_its_day_and_says_so():
    [mark] = trade_marks([fill("1", at=None, order_id=None, day=date(2026, 11, 18))])

    assert mark.text == "Bought 10 at 1,470.00, time not told"
    assert mark.at == datetime(2026, 11, 18, 3, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "price", "text"),
    [
        ({}, 1470.0, "Buy 10 at 1,470.00"),
        ({"filled_quantity": 4}, 1470.0, "Buy 6 at 1,470.00"),
        ({"price": Decimal("83.1225")}, 83.1225, "Buy 10 at 83.1225"),
        (
            {"side": Side.SELL, "order_type": "SL", "trigger_price": Decimal("1460"), "status": Status.TRIGGER_PENDING},
            1460.0,
            "Sell 10, stop at 1,460.00",
        ),
        ({"status": Status.CANCELLING}, 1470.0, "Buy 10 at 1,470.00, being cancelled"),
    ],
)
def test_an_open_order_is_a_line_at_its_price(changes, price, text):
    mark = order_mark(told(**changes))

    assert mark is not None
    assert (mark.price, mark.text, mark.at) == (price, text, None)


@pytest.mark.parametrize("changes", [{"status": Status.CANCELLED}, {"order_type": "MARKET", "price": Decimal(0)}])
def test_what_waits_for_no_price_has_no_line(changes):
    assert order_mark(told(**changes)) is None
