"""Own trades and open orders on a chart."""

from __future__ import annotations

from datetime import timedelta

from dashboard.chart_bars import Cut, cut_of
from dashboard.chart_marks import MOST_MARKS, Mark, placed
from services.domain.orders import Side
from services.domain.quotes import Bar
from tests.support.candles_page import OPENS, minutes

WHOLE = Cut(0, 100, 1)


def trade(minute, side=Side.BUY, text="Bought 50 at 1,500.00"):
    return Mark(1500.0, side, text, OPENS + timedelta(minutes=minute))


def numbers(marks, *, forming=None, cut=WHOLE, bars=None):
    return [one["at"] for one in placed(marks, bars or minutes(100), forming, cut)]


def test_a_trade_stands_at_the_bar_in_which_it_fell():
    found = placed([trade(3.5, Side.SELL, "Sold 5 at 1,500.00"), trade(0)], minutes(100), None, WHOLE)

    assert found == [
        {"at": 0, "price": 1500.0, "side": "BUY", "text": "Bought 50 at 1,500.00"},
        {"at": 3, "price": 1500.0, "side": "SELL", "text": "Sold 5 at 1,500.00"},
    ]


def test_a_trade_of_this_minute_stands_at_the_bar_that_forms():
    forming = Bar(OPENS + timedelta(minutes=100), 1.0, 1.0, 1.0, 1.0, 0, 0)

    assert numbers([trade(100.5), trade(99.5)], forming=forming) == [99, 100]


def test_a_trade_from_before_the_first_bar_is_left_out():
    assert numbers([trade(-1), trade(1)]) == [1]


def test_a_trade_that_the_broker_has_no_bar_of_yet_stands_at_the_last_one():
    assert numbers([trade(130)]) == [99]


def test_without_bars_there_is_no_place_for_a_trade():
    assert numbers([trade(1)], bars=minutes(0), cut=Cut(0, 0, 1)) == []


def test_an_open_order_has_a_price_and_no_place():
    order = Mark(1480.0, Side.BUY, "Buy 50 at 1,480.00, limit")

    assert placed([trade(1), order], minutes(100), None, WHOLE)[0] == {
        "at": None, "price": 1480.0, "side": "BUY", "text": "Buy 50 at 1,480.00, limit",
    }  # fmt: skip


def test_only_trades_of_the_bars_that_are_sent_are_sent():
    bars, marks = minutes(20_000), [trade(minute) for minute in (10, 5_000, 5_100, 19_999)]

    assert numbers(marks, bars=bars, cut=cut_of(20_000, (5_000, 5_200))) == [5_000, 5_100]
    assert numbers(marks, bars=bars, cut=cut_of(20_000, None)) == [10, 5_000, 5_100, 19_999]


def test_of_very_many_trades_the_newest_are_drawn():
    found = numbers([trade(minute % 100) for minute in range(MOST_MARKS + 100)])

    assert len(found) == MOST_MARKS
    assert found[0] > 0
    assert found[-1] == 99
