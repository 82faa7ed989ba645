"""The book as it is drawn: groups, search, pages, the words of a status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.formatting import MISSING
from dashboard.order_rows import (
    PAGE,
    Group,
    Tone,
    fill_row,
    filled_value,
    may_change,
    order_record,
    shown,
    state_of,
    when,
)
from services.domain.orders import BookOrder, Side, Status, Trade

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
KEY = "NSE_EQ|INE002A01018"


def order(number=1, status=Status.OPEN, **told) -> BookOrder:
    usual = {
        "order_id": f"2611200000{number:05d}", "key": KEY, "side": Side.BUY, "quantity": 10, "order_type": "LIMIT",
        "product": "D", "validity": "DAY", "price": Decimal("1234.50"), "trigger_price": Decimal(0),
        "status": str(status), "symbol": "RELIANCE", "exchange": "NSE", "placed_at": NOW,
    }  # fmt: skip
    return BookOrder(**{**usual, **told})


def test_a_status_that_is_new_stays_as_told_and_waits():
    assert state_of(order(status="frozen by rms")) == ("Frozen by rms", Tone.WAITING)
    assert may_change(order(status="frozen by rms"))


@pytest.mark.parametrize(
    ("status", "filled", "words", "tone"),
    [
        (Status.OPEN, 0, "Open", Tone.OPEN),
        (Status.OPEN, 3, "Open, 3 of 10 filled", Tone.PART),
        (Status.COMPLETE, 10, "Complete", Tone.FILLED),
        (Status.CANCELLED, 3, "Cancelled, 3 of 10 filled", Tone.CANCELLED),
        (Status.CANCELLED, 0, "Cancelled", Tone.CANCELLED),
        (Status.MODIFYING, 3, "Being changed, 3 of 10 filled", Tone.WAITING),
        (Status.REJECTED, 0, "Rejected", Tone.REJECTED),
    ],
)
def test_what_was_filled_is_part_of_the_state(status, filled, words, tone):
    assert state_of(order(status=status, filled_quantity=filled)) == (words, tone)


def test_what_has_ended_or_is_being_cancelled_is_not_changed():
    assert may_change(order())
    assert not may_change(order(status=Status.CANCELLING))
    assert not may_change(order(status=Status.COMPLETE))


def test_groups_count_all_and_show_theirs():
    book = [order(1), order(2, Status.COMPLETE), order(3, Status.REJECTED)]

    page = shown(book, Group.DONE)

    assert [one.order_id for one in page.rows] == [book[1].order_id, book[2].order_id]
    assert page.counts == {Group.OPEN: 1, Group.DONE: 2, Group.ALL: 3}


def test_a_search_wants_every_word():
    book = [order(1), order(2, symbol="M&M", side=Side.SELL), order(3, Status.REJECTED, message="No margin")]

    assert [one.symbol for one in shown(book, Group.ALL, text="m&m sell").rows] == ["M&M"]
    assert [one.order_id for one in shown(book, Group.ALL, text="margin").rows] == [book[2].order_id]
    assert shown(book, Group.ALL, text="nothing such").rows == ()


def test_five_thousand_orders_come_by_the_page():
    book = [order(number) for number in range(5000)]

    first, last = shown(book, Group.ALL), shown(book, Group.ALL, page=999)

    assert len(first.rows) == PAGE
    assert first.range_words == "1 to 100 of 5,000"
    assert (last.page, last.pages) == (50, 50)
    assert last.rows[-1] is book[-1]
    assert shown(book[:3], Group.ALL).range_words == ""


def test_a_record_has_everything_in_words():
    record = order_record(order(filled_quantity=4, average_price=Decimal("1234.4")), decimals=2, now=NOW)

    assert record["side"] == "Buy"
    assert record["price"] == "1,234.50"
    assert record["average"] == "1,234.40"
    assert record["status"] == "Open, 4 of 10 filled"
    assert record["product"] == "Delivery"
    assert record["time"] == "11:30:00"
    assert record["can"] is True
    assert record["reason"] == ""


def test_a_market_order_has_no_price_and_an_unfilled_one_no_average():
    record = order_record(order(order_type="MARKET", price=Decimal(0)), decimals=2, now=NOW)

    assert record["price"] == "market"
    assert record["limit"] is None
    assert record["average"] == MISSING


def test_a_rejection_carries_its_reason():
    refused = order(status=Status.REJECTED, message="Insufficient margin")

    assert order_record(refused, decimals=2, now=NOW)["reason"] == "Insufficient margin"
    assert order_record(refused, decimals=2, now=NOW, reason="Not enough money")["reason"] == "Not enough money"


def test_yesterday_is_told_with_its_date():
    assert when(NOW - timedelta(days=1), NOW) == "19 Nov 11:30:00"
    assert when(None, NOW) == MISSING


def test_a_fill_is_told_with_its_value():
    fill = Trade("T1", "O1", KEY, Side.SELL, 3, Decimal("100.05"), "I", "NSE", "RELIANCE", traded_at=NOW)

    instrument, *others = fill_row(fill, None, NOW)["cells"]

    assert instrument == {"t": "RELIANCE", "s": "Intraday, 11:30:00 IST", "n": "order O1, trade T1"}
    assert others == ["Sell", "3", {"t": "100.05", "n": "= 300.15"}, "300.15", "O1", "T1"]
    assert filled_value(order(filled_quantity=4, average_price=Decimal("2.5"))) == Decimal("10.0")


def test_an_order_for_a_day_that_is_over_is_not_called_open_now():
    monday = NOW + timedelta(days=3)

    def status(now, **told):
        return order_record(order(**told), decimals=2, now=now)["status"]

    assert status(NOW) == "Open"
    assert status(monday) == "Open on Fri 20 Nov"
    assert status(monday, validity="GTC") == status(monday, amo=True) == "Open"
    assert status(monday, status=Status.CANCELLED) == "Cancelled"
    late = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    assert status(late + timedelta(hours=2), placed_at=late) == "Open"  # a practice session goes on over midnight
