"""Orders in continuous trading, through the whole desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from services.domain.errors import BrokerError
from services.paper.trading import exchange
from services.paper.trading.matching import Matched, Shelf, match
from services.paper.trading.order_values import Changes, Order, Wanted
from tests.support.trading import CALL, CRUDE, FUTURE, INDEX, PLAIN, SHARE, Account, e4


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    opened = Account(tmp_path)
    yield opened
    opened.check()
    opened.close()


def code(refused: pytest.ExceptionInfo[BrokerError]) -> str:
    return refused.value.code


def test_a_limit_order_goes_through_the_documented_states(account: Account) -> None:
    order = account.buy(10, 100.0)

    assert order.status == "complete"
    assert account.words(order) == ["put order req received", "validation pending", "open pending", "open", "complete"]
    assert order.average == 100
    assert order.exchange_id
    assert order.order_id.startswith("261120")


def test_a_market_order_walks_the_offers_from_the_best_one(account: Account) -> None:
    account.market.set(PLAIN, 100.0, asks=[(100.0, 30), (100.1, 20), (100.2, 50)])

    order = account.buy(60)

    assert [(fill.price, fill.quantity) for fill in account.desk.trades()] == [
        (e4(100.0), 30),
        (e4(100.1), 20),
        (e4(100.2), 10),
    ]
    assert order.value == e4(100.0) * 30 + e4(100.1) * 20 + e4(100.2) * 10


def test_what_is_displayed_is_taken_once_until_the_display_changes(account: Account) -> None:
    account.market.set(PLAIN, 100.0, asks=[(100.0, 30)])
    first = account.buy(50, 100.0)
    second = account.buy(50, 100.0)
    account.go("5")

    assert (account.now(first).filled, account.now(second).filled) == (30, 0)

    account.market.set(PLAIN, 100.0, asks=[(100.0, 40)])
    account.go("1")

    assert (account.now(first).filled, account.now(second).filled) == (50, 20)


def test_a_better_price_comes_before_an_earlier_order(account: Account) -> None:
    early, better = account.buy(50, 99.0), account.buy(50, 99.5)
    account.market.set(PLAIN, 99.0, asks=[(99.0, 60)])

    account.go("1")

    assert (account.now(better).filled, account.now(early).filled) == (50, 10)


def test_an_order_that_stands_in_the_book_is_filled_at_its_own_price(account: Account) -> None:
    order = account.buy(10, 99.5)
    account.market.set(PLAIN, 99.0, asks=[(99.0, 60)])

    account.go("1")

    assert account.now(order).average == 99.5


def test_a_market_order_stays_open_where_protection_ends(account: Account) -> None:
    account.market.set(PLAIN, 100.0, asks=[(100.0, 30), (101.0, 10), (101.1, 100)])

    order = account.buy(60, protection=100)

    assert (order.status, order.filled, order.limit) == ("open", 40, e4(101.0))
    account.go("1")
    assert account.now(order).status == "open"
    account.market.set(PLAIN, 100.0)
    account.go("1")
    assert account.now(order).status == "complete"


def test_a_market_order_without_a_counterpart_ends_unfilled(account: Account) -> None:
    account.market.set(PLAIN, 200.0, asks=[])

    order = account.buy(5)

    assert (order.status, order.filled) == ("open", 0)
    account.go("2026-11-20 15:30:00")
    assert account.now(order).status == "cancelled"


def test_an_ioc_order_is_cancelled_for_what_it_does_not_get(account: Account) -> None:
    account.market.set(PLAIN, 100.0, asks=[(100.0, 30)])

    order = account.buy(50, 100.0, validity="IOC")

    assert (order.status, order.filled, order.pending) == ("cancelled", 30, 0)
    assert account.words(order)[-3:] == ["open", "open", "cancelled"]


def test_a_disclosed_order_in_the_book_is_taken_part_by_part_and_queues_anew(account: Account) -> None:
    iceberg = account.buy(100, 99.0, disclosed=20)
    other = account.buy(30, 99.0)
    account.market.set(PLAIN, 99.0, asks=[(99.0, 45)])

    account.go("1")

    assert (account.now(iceberg).filled, account.now(other).filled) == (20, 25)
    account.market.set(PLAIN, 99.0, asks=[(99.0, 15)])
    account.go("1")
    assert (account.now(iceberg).filled, account.now(other).filled) == (30, 30)


@pytest.mark.parametrize(("price", "filled_at"), [(105.0, 103.0), (None, 103.0)])
def test_a_stop_loss_buy_waits_for_its_trigger(account: Account, price: float | None, filled_at: float) -> None:
    order = account.buy(10, price, trigger=102.0)
    account.market.set(PLAIN, 101.9)
    account.go("1")
    assert account.now(order).status == "trigger pending"

    account.market.set(PLAIN, 103.0)
    account.go("1")

    done = account.now(order)
    assert (done.status, float(done.average)) == ("complete", filled_at)
    assert account.words(order)[-3:] == ["trigger pending", "open", "complete"]


def test_a_stop_loss_sell_that_gaps_through_its_limit_stays_open(account: Account) -> None:
    order = account.sell(10, 98.0, trigger=99.0, product="I")
    account.market.set(PLAIN, 95.0)

    account.go("1")

    assert (account.now(order).status, account.now(order).filled) == ("open", 0)


def test_a_modified_order_goes_through_its_states_and_loses_its_place(account: Account) -> None:
    first, second = account.buy(50, 99.0), account.buy(50, 99.0)

    changed = account.desk.modify(first.order_id, Changes(quantity=60))

    assert account.words(first)[-4:] == ["modify validation pending", "modify pending", "modified", "open"]
    assert (changed.quantity, changed.request_number) == (60, 2)
    account.market.set(PLAIN, 99.0, asks=[(99.0, 70)])
    account.go("1")
    assert (account.now(second).filled, account.now(first).filled) == (50, 20)


def test_asking_for_less_keeps_the_place(account: Account) -> None:
    first, second = account.buy(50, 99.0), account.buy(50, 99.0)
    account.desk.modify(first.order_id, Changes(quantity=40))
    account.market.set(PLAIN, 99.0, asks=[(99.0, 70)])

    account.go("1")

    assert (account.now(first).filled, account.now(second).filled) == (40, 30)


def test_a_change_that_is_not_possible_leaves_the_order_as_it_was(account: Account) -> None:
    order = account.buy(50, 99.0)

    after = account.desk.modify(order.order_id, Changes(price=e4(99.03)))

    assert (after.status, after.price) == ("open", e4(99.0))
    assert account.words(order)[-3:] == ["modify validation pending", "not modified", "open"]
    assert "tick" in after.message


def test_a_new_price_is_matched_at_once_and_a_type_may_change(account: Account) -> None:
    order = account.buy(50, 99.0)

    assert account.desk.modify(order.order_id, Changes(order_type="MARKET")).status == "complete"

    waiting = account.buy(10, 99.0)
    stopped = account.desk.modify(waiting.order_id, Changes(order_type="SL", trigger=e4(105.0), price=e4(106.0)))
    assert (stopped.status, stopped.limit) == ("trigger pending", 0)


def test_a_terminal_order_is_neither_modified_nor_cancelled(account: Account) -> None:
    order = account.buy(10)

    with pytest.raises(BrokerError) as refused:
        account.desk.modify(order.order_id, Changes(quantity=20))
    assert code(refused) == "UDAPI100041"
    with pytest.raises(BrokerError) as refused:
        account.desk.cancel(order.order_id)
    assert code(refused) == "UDAPI100040"
    with pytest.raises(BrokerError) as refused:
        account.desk.cancel("nothing")
    assert code(refused) == "UDAPI100010"


def test_a_partly_filled_order_keeps_its_fills_when_it_is_cancelled(account: Account) -> None:
    account.market.set(PLAIN, 100.0, asks=[(100.0, 30)])
    order = account.buy(50, 100.0)

    cancelled = account.desk.cancel(order.order_id)

    assert (cancelled.status, cancelled.filled, cancelled.pending) == ("cancelled", 30, 0)
    assert account.words(order)[-2:] == ["cancel pending", "cancelled"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(PLAIN, True, 10, "D", "LIMIT", price=e4(100.03)), "tick size"),
        (Wanted(CALL, True, 64, "D", "MARKET"), "lot size"),
        (Wanted(CALL, True, 715, "D", "MARKET"), "freeze quantity"),
        (Wanted(PLAIN, True, 10, "D", "LIMIT", price=e4(200.1)), "outside today's limits"),
        (Wanted(CALL, True, 65, "D", "LIMIT", price=e4(200.1)), "outside today's limits"),
        (Wanted(PLAIN, True, 10, "D", "SL", price=e4(101.0), trigger=e4(102.0)), "trigger price"),
        (Wanted(PLAIN, False, 10, "D", "MARKET"), "Not enough shares"),
        (Wanted(CALL, True, 65, "MTF", "MARKET"), "Margin funding"),
        (Wanted(FUTURE, True, 130, "D", "LIMIT", price=e4(99_000.0)), "add Rs."),
    ],
)
def test_what_exchange_or_risk_system_refuse_ends_rejected_with_its_reason(
    account: Account, wanted: Wanted, said: str
) -> None:
    [order] = account.desk.place(wanted)

    assert order.status == "rejected"
    assert said in order.message
    assert order.raw_message
    assert account.words(order) == ["put order req received", "validation pending", "rejected"]
    assert account.desk.funds().used == 0


@pytest.mark.parametrize(
    ("key", "expected"), [("NSE_EQ|NONE", "UDAPI100011"), (INDEX, "UDAPI100011"), (CRUDE, "UDAPI1161")]
)
def test_what_no_order_can_be_made_of_is_refused(account: Account, key: str, expected: str) -> None:
    with pytest.raises(BrokerError) as refused:
        account.desk.place(Wanted(key, True, 1, "D", "MARKET"))

    assert code(refused) == expected
    assert account.desk.orders() == []


def test_commodities_are_traded_where_they_are_switched_on(account: Account) -> None:
    account.desk.mcx_open = True

    assert account.buy(1, key=CRUDE).status == "complete"
    assert account.desk.positions()[0].multiplier == 100


def test_an_order_above_the_freeze_quantity_is_sliced_on_demand(account: Account) -> None:
    orders = account.desk.place(Wanted(SHARE, True, 2500, "I", "MARKET", slices=True, tag="mine"))

    assert [order.quantity for order in orders] == [1000, 1000, 500]
    assert {order.tag for order in orders} == {"mine"}
    with pytest.raises(BrokerError) as refused:
        account.desk.place(Wanted(SHARE, True, 26_000, "I", "MARKET", slices=True))
    assert code(refused) == "UDAPI1053"


def test_many_orders_are_placed_buys_first_and_answered_in_their_order(account: Account) -> None:
    lines = [
        ("sale", Wanted(PLAIN, False, 10, "D", "MARKET")),
        ("bad", Wanted("NSE_EQ|NONE", True, 10, "D", "MARKET")),
        ("buy", Wanted(PLAIN, True, 10, "D", "MARKET")),
    ]

    results = account.desk.place_many(lines)

    assert [one.correlation_id for one in results] == ["sale", "bad", "buy"]
    assert [len(one.order_ids) for one in results] == [1, 0, 1]
    assert account.desk.order(results[0].order_ids[0]).status == "complete"


def test_orders_are_cancelled_by_segment_and_tag(account: Account) -> None:
    account.buy(10, 90.0, tag="a")
    account.buy(10, 90.0, tag="b")
    account.buy(65, 90.0, key=CALL, tag="a")

    assert len(account.desk.cancel_many(segment="NSE_EQ", tag="a")) == 1
    assert len(account.desk.cancel_many()) == 2
    with pytest.raises(BrokerError) as refused:
        account.desk.cancel_many()
    assert code(refused) == "UDAPI1109"
    with pytest.raises(BrokerError) as refused:
        account.desk.cancel_many(segment="NSE")
    assert code(refused) == "UDAPI1108"


def test_steps_are_published_one_by_one_after_they_are_written(account: Account) -> None:
    account.buy(10, 100.0)

    kinds = [kind for kind, _ in account.published]
    assert kinds == ["order"] * 5 + ["position"]


def test_orders_that_wait_far_from_the_market_are_not_looked_at_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(30):
        account.buy(1, 90.0)
        account.sell(1, 110.0, product="I")
    account.buy(1, trigger=120.0)
    seen: list[int] = []

    def counted(orders: Sequence[Order], shelf: Shelf, lot: int) -> Matched:
        seen.append(len(orders))
        return match(orders, shelf, lot)

    monkeypatch.setattr(exchange, "match", counted)
    account.buy(1, 90.0)
    account.go("1")
    assert seen == [1]

    account.market.set(PLAIN, 90.0)
    account.go("1")
    assert seen == [1, 31]
    assert len(account.desk.trades()) == 31
