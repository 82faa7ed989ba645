"""The day in a few figures, and what is said about ages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dashboard.portfolio_headlines import holdings_today, open_orders, open_positions, positions_today
from dashboard.portfolio_sums import total
from dashboard.portfolio_words import as_of_words, oldest_words, quantities_are_old, share_used
from services.domain.errors import BrokerFault
from services.domain.orders import BookOrder, Side, Status
from services.orders.views import BookView
from services.portfolio_book.marks import mark_holding, mark_position
from services.portfolio_book.views import HoldingsView, PositionsView
from tests.support.portfolio import INFY, NOW, RELIANCE, bought_today, closed_today, held, quote, rupees, sold_short

FAULT = BrokerFault("broken", status=500, code="UDAPI100500")


def positions(*held_now):
    marks = {RELIANCE: 1480.0, INFY: 1545.0}
    rows = [mark_position(one, quote(one.key, marks.get(one.key, 998.6)), NOW) for one in held_now]
    return PositionsView(tuple(rows), NOW)


def order(status, filled=0):
    return BookOrder("1", RELIANCE, Side.BUY, 10, "LIMIT", "D", "DAY", Decimal(1), Decimal(0), status, filled)


def test_a_sum_knows_what_it_lacks_and_of_nothing_known_there_is_none():
    assert total([rupees("1.25"), None, rupees("2.50")]).words("holdings") == "without 1 of 3 holdings"
    assert total([None, None]).amount is None
    assert total([]).amount == 0


def test_the_days_profit_is_that_of_all_positions_and_signed():
    headline = positions_today(positions(bought_today(), closed_today(), sold_short()), NOW)

    assert headline.figure == "+₹95.50"  # 100.50 + 70 - 75
    assert headline.direction == 1
    assert headline.note == "realised +₹70.00, before charges"


def test_a_loss_is_signed_and_red():
    headline = positions_today(positions(sold_short()), NOW)

    assert (headline.figure, headline.direction) == ("−₹75.00", -1)


def test_what_nobody_told_is_a_dash_and_not_zero():
    assert [tell.figure for tell in (positions_today(PositionsView(), NOW), holdings_today(HoldingsView(), NOW),
            open_positions(PositionsView(), NOW))] == ["–", "–", "–"]  # fmt: skip


def test_nothing_held_is_zero():
    assert positions_today(PositionsView((), NOW), NOW).figure == "₹0.00"
    assert open_positions(PositionsView((), NOW), NOW).figure == "0"
    assert holdings_today(HoldingsView((), NOW), NOW).figure == "₹0.00"


def test_a_sum_over_what_is_not_known_says_so():
    lacking = bought_today(key="NSE_EQ|INE000A01001", overnight_quantity=10, close_price=None)

    assert positions_today(positions(bought_today(), lacking), NOW).note.endswith(", without 1 of 2 positions")


def test_what_is_at_stake_says_which_positions_are_not_in_it():
    unpriced = mark_position(bought_today(key="NSE_EQ|INE000A01001", last_price=None), None, NOW)
    priced = mark_position(bought_today(), quote(RELIANCE, 1480.0), NOW)

    note = open_positions(PositionsView((priced, unpriced), NOW), NOW).note
    assert note == "+₹100.50 unrealised, without 1 of 2 positions, none closed today"


def test_open_positions_are_counted_apart_from_closed_ones():
    headline = open_positions(positions(bought_today(), closed_today(), sold_short()), NOW)

    assert headline.figure == "2"
    assert headline.note == "+₹25.50 unrealised, 1 closed today"


def test_holdings_tell_their_change_and_worth():
    view = HoldingsView((mark_holding(held(), quote(INFY, 1540.0), NOW),), NOW)

    told = holdings_today(view, NOW)
    assert (told.figure, told.note) == ("−₹275.00", "worth ₹38,500")


def test_the_change_of_holdings_names_its_day_where_every_price_rests_since_one_before():
    view = HoldingsView((mark_holding(held(), quote(INFY, 1540.0), NOW),), NOW)
    later, of_before = NOW + timedelta(days=1), f"of {NOW:%a %d %b}, worth ₹38,500"

    assert holdings_today(view, later, {INFY: NOW}).note == of_before
    assert holdings_today(view, NOW, {INFY: NOW}).note == "worth ₹38,500"
    assert holdings_today(view, later, {INFY: None}).note == "worth ₹38,500"
    assert holdings_today(view, later).note == "worth ₹38,500"


def test_open_orders_are_those_that_live():
    book = BookView((order(Status.OPEN), order(Status.COMPLETE, 10), order("a new word")), NOW, None, True, 1)

    assert (open_orders(book, NOW).figure, open_orders(book, NOW).note) == ("2", "1 with fills today, 3 in all")


def test_a_book_that_was_never_told_is_not_empty_and_an_old_one_says_so():
    assert open_orders(BookView((), None, "no answer", False, 0), NOW).figure == "–"
    told = open_orders(BookView((), NOW, "no answer", False, 0), NOW)
    assert told.note == "0 with fills today, 0 in all, not current"


def test_ages_are_told_with_their_reason():
    assert as_of_words(NOW, NOW, None) == "As of 14:05:33 IST"
    old = as_of_words(NOW, NOW + timedelta(minutes=2), FAULT)
    assert old == "As of 14:05:33 IST, 2 min ago, not current. The broker has a fault."
    assert "Fri 20 Nov" in as_of_words(NOW, NOW + timedelta(days=1), None)
    assert "would be closed twice" in quantities_are_old(NOW, NOW)


def test_of_what_cannot_be_renewed_the_oldest_age_is_told_once_with_the_reason():
    seconds = timedelta(seconds=1)
    told = [
        ("positions", NOW - 10 * seconds, None), ("holdings", NOW - 40 * seconds, FAULT), ("orders", None, "no answer"),
        ("money", NOW - 20 * seconds, FAULT),
    ]  # fmt: skip

    assert oldest_words(told, NOW) == (
        "Holdings, money: the oldest as of 14:04:53 IST, 40 s ago, not current. The broker has a fault."
    )
    assert oldest_words([("positions", NOW, None), ("orders", NOW - 9 * seconds, "no answer came.")], NOW) == (
        "Orders as of 14:05:24 IST, 9 s ago, not current. No answer came."
    )
    assert oldest_words([("positions", NOW, None), ("money", None, FAULT)], NOW) is None


def test_the_share_of_money_in_use_is_told_where_it_says_something():
    assert share_used(rupees("75"), rupees("25")) == 25
    assert share_used(rupees("0"), rupees("0")) is None
    assert share_used(rupees("100"), rupees("-5")) is None


def test_what_was_told_last_on_a_day_before_is_of_that_day_and_not_of_today():
    later = NOW + timedelta(days=1)
    view = positions(bought_today(), closed_today())

    assert positions_today(view, later).title == f"Positions on {NOW:%a %d %b}"
    assert open_positions(view, later).note.endswith(f"1 closed on {NOW:%a %d %b}")
    told = open_orders(BookView((order(Status.COMPLETE, 10),), NOW, "no answer", False, 0), later)
    assert told.note == f"as they were on {NOW:%a %d %b}, not current"
