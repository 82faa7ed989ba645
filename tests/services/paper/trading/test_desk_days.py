"""What time brings: end of day, closing auction, orders for the next session, square-off, delivery, expiry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from services.domain.errors import BrokerError
from services.paper.trading.order_values import Changes, Wanted
from services.paper.trading.values import UNITS_OF_PAISA, rupees
from tests.support.trading import CALL, FUTURE, INDEX, PLAIN, PUT, SHARE, Account, at, e4


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    opened = Account(tmp_path)
    yield opened
    opened.check()
    opened.close()


def test_a_day_order_ends_with_continuous_trading(account: Account) -> None:
    share, contract = account.buy(10, 90.0), account.buy(65, 90.0, key=CALL)

    account.go("2026-11-20 15:29:59")
    assert account.now(share).alive
    account.go("2026-11-20 15:30:00")
    assert (account.now(share).status, account.now(contract).status) == ("cancelled", "open")
    account.go("2026-11-20 15:40:00")
    assert account.now(contract).status == "cancelled"
    assert account.now(share).message


def test_orders_stay_in_todays_book_until_the_next_day(account: Account) -> None:
    account.buy(10, 90.0)
    account.go("2026-11-20 23:59:59")
    assert len(account.desk.orders()) == 1

    account.go("2026-11-21 00:00:00")

    assert account.desk.orders() == []


def test_stops_and_disclosed_orders_do_not_enter_the_closing_auction(account: Account) -> None:
    plain = account.buy(10, 99.0, key=SHARE)
    stop = account.buy(10, 120.0, trigger=120.0, key=SHARE)
    hidden = account.buy(100, 99.0, key=SHARE, disclosed=20)
    elsewhere = account.buy(10, 120.0, trigger=120.0)

    account.go("2026-11-20 15:15:00")

    assert account.now(plain).status == "open"
    assert (account.now(stop).status, account.now(hidden).status) == ("cancelled", "cancelled")
    assert account.now(elsewhere).status == "trigger pending"


def test_the_closing_auction_fills_at_one_price_and_cancels_the_rest(account: Account) -> None:
    early = account.buy(10, 101.0, key=SHARE)  # filled at once: something to sell in the auction
    account.go("2026-11-20 15:21:00")
    market = account.buy(30, key=SHARE)
    high, low = account.buy(20, 102.0, key=SHARE), account.buy(20, 99.0, key=SHARE)
    sale = account.sell(10, 100.0, key=SHARE)
    account.market.set(SHARE, 101.5, asks=[(101.5, 40)], traded="2026-11-20 15:29:40")

    account.go("2026-11-20 15:31:00")

    assert early.status == "complete"
    assert (account.now(market).filled, account.now(high).filled, account.now(low).filled) == (30, 10, 0)
    prices = {fill.price for fill in account.desk.trades() if fill.order_id != early.order_id}
    assert prices == {e4(101.5)}
    assert account.now(sale).status == "complete"
    assert [account.now(one).status for one in (market, high, low)] == ["complete", "cancelled", "cancelled"]


def test_nothing_is_filled_in_the_auction_before_its_result_is_out(account: Account) -> None:
    order = account.buy(10, 105.0, key=PLAIN)
    account.go("2026-11-20 15:21:00")
    waiting = account.buy(10, 102.0, key=SHARE)
    account.market.set(SHARE, 100.0, traded="2026-11-20 15:14:59")

    account.go("2026-11-20 15:29:59")

    assert order.status == "complete"
    assert (account.now(waiting).status, account.now(waiting).filled) == ("open", 0)
    account.go("2026-11-20 15:35:00")
    assert account.now(waiting).status == "cancelled"


@pytest.mark.parametrize(
    ("instant", "wanted", "said"),
    [
        ("15:16:00", Wanted(SHARE, True, 1, "D", "LIMIT", price=e4(100)), "takes no orders"),
        ("15:21:00", Wanted(SHARE, True, 1, "D", "SL", price=e4(101), trigger=e4(101)), "Stop-loss and IOC"),
        ("15:21:00", Wanted(SHARE, True, 1, "D", "LIMIT", validity="IOC", price=e4(100)), "Stop-loss and IOC"),
        ("15:21:00", Wanted(SHARE, True, 1, "D", "LIMIT", price=e4(103.1)), "within 3%"),
        ("15:21:00", Wanted(SHARE, True, 10, "D", "LIMIT", price=e4(100), disclosed=5), "disclosed quantity"),
        ("15:21:00", Wanted(SHARE, True, 2000, "D", "LIMIT", price=e4(100), slices=True), "freeze quantity"),
        ("15:26:00", Wanted(SHARE, True, 1, "D", "MARKET"), "Only limit orders"),
        ("15:29:59", Wanted(SHARE, True, 1, "D", "LIMIT", price=e4(100)), "takes no more orders"),
        ("15:32:00", Wanted(SHARE, True, 1, "D", "LIMIT", price=e4(100)), "takes no orders"),
        ("15:45:00", Wanted(SHARE, True, 1, "D", "LIMIT", price=e4(100)), "at this hour"),
    ],
)
def test_the_closing_auction_has_its_own_rules(account: Account, instant: str, wanted: Wanted, said: str) -> None:
    account.go(f"2026-11-20 {instant}")

    [order] = account.desk.place(wanted)

    assert order.status == "rejected"
    assert said in order.message


def test_while_the_exchange_matches_nothing_can_be_changed_or_cancelled(account: Account) -> None:
    account.market.set(SHARE, 100.0, traded="2026-11-20 15:14:59")  # the result is late
    order = account.buy(10, 90.0, key=SHARE)
    account.go("2026-11-20 15:31:00")

    after = account.desk.cancel(order.order_id)
    assert after.status == "open"
    assert account.words(order)[-3:] == ["cancel pending", "not cancelled", "open"]
    assert account.desk.modify(order.order_id, Changes(price=e4(91))).price == e4(90)


def test_after_the_auction_shares_trade_at_the_closing_price(account: Account) -> None:
    account.go("2026-11-20 15:51:00")
    done, waiting = account.buy(10), account.buy(10, 99.0)

    assert (done.status, float(done.average)) == ("complete", 100.0)
    assert waiting.status == "open"
    account.go("2026-11-20 16:00:00")
    assert account.now(waiting).status == "cancelled"


def test_an_order_outside_hours_is_kept_and_sent_on_at_the_open(account: Account) -> None:
    account.go("2026-11-20 20:00:00")
    order = account.buy(10)
    assert (order.status, order.amo, order.variety) == ("after market order req received", True, "AMO")

    account.go("2026-11-22 12:00:00")
    assert not account.now(order).filled
    account.go("2026-11-23 09:00:00")
    assert account.now(order).status == "open"
    account.go("2026-11-23 09:15:00")

    assert account.words(order) == [
        "after market order req received",
        "put order req received",
        "validation pending",
        "open pending",
        "open",
        "complete",
    ]
    assert account.now(order).day == "2026-11-23"


def test_a_market_order_from_before_the_open_is_protected_from_the_opening_price(account: Account) -> None:
    account.go("2026-11-20 20:00:00")
    order = account.buy(10)
    account.market.set(PLAIN, 120.0)

    account.go("2026-11-23 09:15:00")

    assert account.now(order).average == 120


def test_a_kept_order_is_changed_and_cancelled_by_the_broker(account: Account) -> None:
    account.go("2026-11-20 20:00:00")
    order = account.buy(10, 99.0)

    changed = account.desk.modify(order.order_id, Changes(price=e4(98)))
    assert (changed.status, changed.price) == ("modify after market order req received", e4(98))
    assert account.desk.cancel(order.order_id).status == "cancelled after market order"
    refused = account.buy(10, 120.0, trigger=119.0)
    assert refused.status == "rejected"
    assert "Outside market hours" in refused.message


def test_a_kept_order_that_can_no_longer_be_paid_for_is_rejected_at_the_open(account: Account) -> None:
    for price in (100.0, 101.0):
        account.market.set(FUTURE, price, asks=[(price, 650)])
        account.buy(650, price, key=FUTURE)
    account.go("2026-11-20 20:00:00")
    kept = [account.buy(900, 199.0) for _ in range(5)]
    account.market.set(FUTURE, 10.0)

    account.go("2026-11-23 09:15:00")

    assert [account.now(order).status == "rejected" for order in kept] == [True] + [False] * 4


@pytest.mark.parametrize(
    ("key", "quantity", "instant"), [(PLAIN, 10, "15:15:00"), (SHARE, 10, "15:00:00"), (CALL, 65, "15:20:00")]
)
def test_intraday_positions_are_squared_off_in_the_market(
    account: Account, key: str, quantity: int, instant: str
) -> None:
    account.buy(quantity, key=key, product="I")
    waiting = account.sell(quantity, 110.0, key=key, product="I")
    account.go(f"2026-11-20 {instant}")

    [position] = account.desk.positions()
    assert position.quantity == 0
    assert account.now(waiting).status == "cancelled"
    last = account.desk.orders()[-1]
    assert (last.by_broker, last.status, last.order_type) == (True, "complete", "MARKET")
    assert account.desk.funds().charges > e4(50)
    late = account.buy(quantity, key=key, product="I")
    assert late.status == "rejected"


def test_what_the_market_does_not_take_is_closed_at_the_last_price(account: Account) -> None:
    account.sell(30, product="I")
    account.market.set(PLAIN, 104.0, asks=[(104.0, 10)])

    account.go("2026-11-20 15:15:00")
    assert account.desk.positions()[0].quantity == -20
    account.go("2026-11-20 15:30:00")

    assert account.desk.positions()[0].quantity == 0
    assert not any(order.alive for order in account.desk.orders())


def test_a_broker_that_was_down_over_the_close_does_what_was_due(account: Account) -> None:
    account.buy(10, product="I")
    delivered, waiting = account.buy(20), account.buy(5, 90.0)

    account.reopen()
    account.go("2026-11-25 10:00:00")

    assert [one.quantity for one in account.desk.positions()] == []
    [now] = account.desk.holdings()
    assert (now.holding.quantity, now.holding.t1_quantity) == (20, 0)
    assert [
        fill.day for fill in account.desk.past_trades(at("2026-11-20 00:00").date(), at("2026-11-20 00:00").date())[0]
    ] == ["2026-11-20"] * 3
    assert account.now(waiting).status == "cancelled"
    assert account.now(delivered).status == "complete"


def test_shares_arrive_a_trading_day_after_they_were_bought(account: Account) -> None:
    account.buy(10)
    assert account.desk.positions()[0].quantity == 10
    assert account.desk.holdings() == []
    paid = account.desk.funds()

    account.go("2026-11-21 12:00:00")  # a Saturday
    [now] = account.desk.holdings()
    assert (now.holding.quantity, now.holding.t1_quantity, now.sellable) == (10, 10, 10)
    assert account.desk.positions() == []
    noted = sum(note.total for note in account.desk.charges(date.min, date.max)) * UNITS_OF_PAISA
    assert account.desk.funds().available == paid.available + paid.charges - noted
    account.go("2026-11-23 12:00:00")
    assert account.desk.holdings()[0].holding.t1_quantity == 10
    account.go("2026-11-24 12:00:00")
    assert account.desk.holdings()[0].holding.t1_quantity == 0


def test_sold_holdings_bring_money_at_once_and_leave_at_night(account: Account) -> None:
    account.buy(10)
    account.go("2026-11-23 12:00:00")
    account.market.set(PLAIN, 110.0)
    before = account.desk.funds()

    sale = account.sell(4)

    assert sale.status == "complete"
    [now] = account.desk.holdings()
    assert (now.holding.quantity, now.used, now.sellable) == (10, 4, 6)
    after = account.desk.funds()
    assert after.sold_holdings == e4(4 * float(sale.average))
    assert after.available == before.available + after.sold_holdings - after.charges
    assert account.sell(7).status == "rejected"
    account.go("2026-11-24 12:00:00")
    assert account.desk.holdings()[0].holding.quantity == 6
    # The depository's fee is taken when the shares leave.
    assert rupees(after.available - account.desk.funds().available) == rupees(e4(23.6))


def test_shares_sold_and_bought_back_on_one_day_never_leave(account: Account) -> None:
    account.buy(10)
    account.go("2026-11-23 12:00:00")

    account.sell(10)
    account.buy(10)

    assert account.desk.positions()[0].realised < 0
    account.go("2026-11-24 12:00:00")
    assert account.desk.holdings()[0].holding.quantity == 10


def test_derivatives_are_carried_with_their_price(account: Account) -> None:
    account.buy(65, key=FUTURE)
    account.go("2026-11-21 00:00:01")

    [position] = account.desk.positions()

    assert (position.quantity, position.overnight_quantity, position.day_buy_quantity) == (65, 65, 0)
    assert position.overnight_buy_amount == position.cost == e4(100.0) * 65
    assert position.buy_price == 100


@pytest.mark.parametrize(("key", "worth"), [(CALL, 50.0), (PUT, 0.0), (FUTURE, 26_050.0)])
def test_contracts_are_settled_when_they_expire(account: Account, key: str, worth: float) -> None:
    account.buy(65, key=key)
    account.go("2026-11-23 16:00:00")
    account.market.set(INDEX, 26_050.0)

    account.go("2026-11-24 00:00:00")

    assert account.desk.positions() == []
    [settled], _ = account.desk.past_trades(at("2026-11-23 00:00").date(), at("2026-11-23 00:00").date(), "FO")
    assert (settled.price, settled.buys) == (e4(worth), False)


def test_a_position_in_something_that_is_listed_no_more_is_closed_at_its_cost(account: Account) -> None:
    account.buy(65, key=CALL)
    waiting = account.buy(65, 90.0, key=CALL)
    account.market.drop(CALL)

    account.go("1")
    assert account.now(waiting).status == "cancelled"
    account.go("2026-11-21 00:00:00")

    assert account.desk.positions() == []


def test_a_contract_that_nobody_lists_any_more_is_still_told_as_what_it_was(account: Account) -> None:
    bought = account.buy(65, key=CALL)
    account.market.drop(CALL)
    account.reopen()  # nothing is remembered of it but what was traded

    account.go("2026-11-23 10:00:00")

    [closed, opened], _ = account.desk.past_trades(date(2026, 11, 20), date(2026, 11, 23))
    assert (closed.buys, closed.price, opened.order_id) == (False, opened.price, bought.order_id)
    for name in ("option_type", "strike", "expiry", "name", "multiplier", "isin"):
        assert getattr(closed, name) == getattr(opened, name)
    assert (closed.option_type, closed.expiry) == ("CE", "2026-11-23")
    account.check()


def test_at_night_no_order_call_is_taken(account: Account) -> None:
    account.go("2026-11-21 03:00:00")

    with pytest.raises(BrokerError) as refused:
        account.buy(10)

    assert refused.value.code == "UDAPI100074"
    assert account.desk.orders() == []


def test_a_practice_day_runs_from_half_past_three_to_half_past_three(tmp_path: Path) -> None:
    account = Account(tmp_path, "2026-11-21 23:50:00", practice=True)  # a Saturday night
    delivery, waiting = account.buy(10), account.buy(10, 90.0)
    account.buy(10, product="I")

    account.go("2026-11-22 03:14:59")
    assert account.now(waiting).status == "open"
    assert {one.product: one.quantity for one in account.desk.positions()} == {"D": 10, "I": 10}
    account.go("2026-11-22 03:15:00")
    assert {one.product: one.quantity for one in account.desk.positions()} == {"D": 10, "I": 0}
    account.go("2026-11-22 03:30:00")

    assert account.desk.orders() == []
    assert account.now(waiting).status == "cancelled"
    [now] = account.desk.holdings()
    assert (now.holding.quantity, now.holding.t1_quantity) == (10, 10)
    assert delivery.day == "2026-11-21"
    assert account.buy(10, product="I").status == "complete"
    account.go("2026-11-23 03:30:00")
    assert account.desk.holdings()[0].holding.t1_quantity == 0
    account.check()
    account.close()


def test_a_clock_that_is_set_back_begins_another_day(account: Account) -> None:
    account.buy(10)
    waiting = account.buy(10, 90.0)

    account.clock.instant = at("2026-08-21 10:00:00")
    account.desk.advance()

    assert account.now(waiting).status == "cancelled"
    assert account.buy(5).status == "complete"
