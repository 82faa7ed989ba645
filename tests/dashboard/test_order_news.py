"""What happened to orders, as the browser gets it."""

from __future__ import annotations

from datetime import timedelta

from dashboard.order_news import KEPT, RUN, latest, told_after
from services.orders.views import News
from tests.support.order_page import NOW, FakeOrders


def test_the_last_ones_are_told_oldest_first_with_their_age():
    orders = FakeOrders()
    for number in range(KEPT + 5):
        orders.announce(News.FILL, f"fill {number}")

    told = latest(orders, NOW + timedelta(seconds=7))

    assert len(told) == KEPT
    assert [one["n"] for one in told] == list(range(6, KEPT + 6))
    assert told[0]["ago"] == 7.0
    assert told[0]["run"] == RUN
    assert told[-1]["text"] == f"Fill {KEPT + 4}"


def test_a_clock_that_went_back_gives_no_negative_age():
    orders = FakeOrders()
    orders.announce(News.FILL, "fill")

    assert latest(orders, NOW - timedelta(hours=1))[0]["ago"] == 0.0


def test_the_push_channel_is_told_what_is_new_only():
    orders = FakeOrders()
    ask = told_after(lambda: orders, lambda: NOW)
    orders.announce(News.FILL, "one")
    orders.announce(News.CANCEL, "two")

    assert [one["n"] for one in ask(1)] == [2]
    assert ask(2) == []
