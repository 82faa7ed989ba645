"""Whoever looks at the living orders through the index sees what looking at all of them would show."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.paper.trading.matching import Shelf, match
from services.paper.trading.order_values import AFTER_HOURS, Order
from services.paper.trading.standing import NO_DEMAND, Reach, Standing, demand_of
from services.paper.trading.state import Book, State
from services.paper.trading.work import Work

PRICES = st.integers(95, 105)
KEYS = ("NSE_EQ|A", "NSE_EQ|B")
BOOK = Book(1, 0, 0, "2026-11-20", 0, 0, 0, 0, 0)
MODEL = Order(
    "", 0, "", "NSE_EQ", "NSE", "X", True, 10, "D", "LIMIT", "DAY", 100, 0, 0, None, "", "open", "2026-11-20",
    0, 0, "1",
)  # fmt: skip


@st.composite
def orders(draw: st.DrawFn) -> Order:
    number = draw(st.integers(1, 12))
    status = draw(
        st.sampled_from(["open", "open", "trigger pending", "after market order req received", "complete", "cancelled"])
    )
    limit = draw(PRICES)
    return replace(
        MODEL,
        order_id=f"{number:04d}",
        number=number,
        key=KEYS[number % 2],
        product="DI"[number % 3 == 0],
        buys=number % 4 < 2,
        filled=10 if status == "complete" else draw(st.integers(0, 9)),
        order_type="SL" if status == "trigger pending" else "LIMIT",
        status=status,
        price=limit,
        limit=0 if status == "trigger pending" else limit,
        trigger=draw(PRICES) if status == "trigger pending" else 0,
        resting=status == "open" and draw(st.booleans()),
    )


def _filed(found: list[Order]) -> State:
    """What becomes of one order after the other: once dead, an order stays dead."""
    state = State(BOOK)
    for order in found:
        known = state.orders.get(order.order_id)
        if known is None or known.alive:
            work = Work(state)
            work.put(order)
            work.merge()
    return state


@settings(max_examples=200, deadline=None)
@given(st.lists(orders(), max_size=40), st.lists(orders(), max_size=6))
def test_the_index_agrees_with_the_orders(found: list[Order], touched: list[Order]) -> None:
    state = _filed(found)
    work = Work(state)
    everything = dict(state.orders)
    for order in touched:
        if order.order_id not in everything or everything[order.order_id].alive:
            work.put(order)
            everything[order.order_id] = order
    alive = sorted((order for order in everything.values() if order.alive), key=lambda order: order.number)

    assert sorted(work.live(), key=lambda order: order.number) == alive
    assert work.any_live == bool(alive)
    assert {order.key for order in alive} <= set(work.live_keys())
    for key in KEYS:
        mine = [order for order in alive if order.key == key]
        assert sorted(work.live_of(key), key=lambda order: order.number) == mine
        assert work.keeps(key) == any(order.status in AFTER_HOURS for order in mine)
        for product in "DI":
            for buys in (True, False):
                one_side = [one for one in mine if one.product == product and one.buys is buys]
                assert work.demand((key, product), buys=buys) == sum(map(demand_of, one_side), NO_DEMAND)
    assert set(work.demanded()) == {(order.key, order.product) for order in alive if order.pending}


@settings(max_examples=300, deadline=None)
@given(st.lists(orders(), max_size=40), PRICES, st.integers(0, 5), st.integers(0, 5), PRICES)
def test_what_the_market_does_not_reach_would_neither_be_filled_nor_triggered(
    found: list[Order], middle: int, bids: int, asks: int, last: int
) -> None:
    key = KEYS[0]
    shown = {(True, middle + n): 50 for n in range(asks)} | {(False, middle - 1 - n): 50 for n in range(bids)}
    reach = Reach(middle - 1 if bids else None, middle if asks else None, last)
    work = Work(_filed(found))

    reached = {order.order_id for order in work.reached(key, reach)}

    for order in work.live_of(key):
        if order.status == "trigger pending":
            assert (order.order_id in reached) == (order.sign * (last - order.trigger) >= 0)
        elif order.status == "open":
            matched = match([order], Shelf(shown, {}), 1)
            changes = bool(matched.portions) or order.resting != (order.order_id in matched.resting)
            assert order.order_id in reached or not changes


def test_a_resting_order_out_of_reach_is_not_looked_at() -> None:
    standing = Standing()
    for number, limit in enumerate(range(90, 100)):
        standing.put(replace(MODEL, order_id=str(number), limit=limit, resting=True))

    assert list(standing.reached(Reach(bid=97, ask=98, last=97))) == ["8", "9"]
    assert list(standing.reached(Reach(bid=None, ask=None, last=97))) == []
    standing.take_out("9")
    assert list(standing.reached(Reach(bid=97, ask=98, last=97))) == ["8"]
