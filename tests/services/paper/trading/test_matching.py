from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.paper.trading.matching import Matched, Shelf, match, match_at
from services.paper.trading.order_values import Order

LOT = 5
PRICES = st.integers(95, 105)
MODEL = Order(
    "", 0, "NSE_EQ|X", "NSE_EQ", "NSE", "X", True, 10, "D", "LIMIT", "DAY", 100, 0, 0, None, "", "open", "2026-11-20",
    0, 0, "1",
)  # fmt: skip


@st.composite
def orders(draw: st.DrawFn) -> list[Order]:
    found = []
    for number in range(draw(st.integers(0, 8))):
        quantity = LOT * draw(st.integers(1, 30))
        market = draw(st.booleans())
        found.append(
            replace(
                MODEL,
                order_id=str(number),
                buys=draw(st.booleans()),
                quantity=quantity,
                filled=LOT * draw(st.integers(0, quantity // LOT - 1)),
                order_type="MARKET" if market else "LIMIT",
                limit=draw(PRICES),
                priority=draw(st.integers(0, 100)),
                resting=not market and draw(st.booleans()),
                disclosed=draw(st.sampled_from([0, quantity])),
            )
        )
    return found


@st.composite
def shelves(draw: st.DrawFn) -> Shelf:
    middle = draw(PRICES)
    shown, taken = {}, {}
    for offers in (True, False):
        for step in range(draw(st.integers(0, 5))):
            place = offers, middle + step if offers else middle - 1 - step
            shown[place] = draw(st.integers(0, 100))
            taken[place] = draw(st.integers(0, shown[place]))
    return Shelf(shown, taken)


def _check(matched: Matched, given_orders: list[Order], shelf: Shelf) -> None:
    """Never more than displayed, never beyond the limit, never more than wanted."""
    by_id = {order.order_id: order for order in given_orders}
    for place, many in matched.shelf.taken.items():
        assert shelf.taken.get(place, 0) <= many <= shelf.shown[place]
    for offers in (True, False):
        filled = sum(one.quantity for one in matched.portions if by_id[one.order_id].buys is offers)
        before = sum(many for (side, _), many in shelf.taken.items() if side is offers)
        after = sum(many for (side, _), many in matched.shelf.taken.items() if side is offers)
        assert filled == after - before
    for order in given_orders:
        mine = [one for one in matched.portions if one.order_id == order.order_id]
        assert all(one.quantity > 0 and one.quantity % LOT == 0 for one in mine)
        assert sum(one.quantity for one in mine) <= order.left


@settings(max_examples=400, deadline=None)
@given(orders(), shelves())
def test_fills_never_exceed_depth_nor_cross_a_limit(given_orders: list[Order], shelf: Shelf) -> None:
    matched = match(given_orders, shelf, LOT)

    _check(matched, given_orders, shelf)
    by_id = {order.order_id: order for order in given_orders}
    for one in matched.portions:
        order = by_id[one.order_id]
        assert order.sign * (order.limit - one.price) >= 0


@settings(max_examples=400, deadline=None)
@given(orders(), shelves())
def test_who_bids_more_or_came_earlier_is_served_first(given_orders: list[Order], shelf: Shelf) -> None:
    matched = match(given_orders, shelf, LOT)
    got = {order.order_id: 0 for order in given_orders}
    for one in matched.portions:
        got[one.order_id] += one.quantity

    for first in given_orders:
        for second in given_orders:
            same_side = first.buys is second.buys
            better = first.sign * (first.limit - second.limit)
            if (
                same_side
                and got[second.order_id]
                and (better > 0 or (better == 0 and first.priority < second.priority))
            ):
                assert got[first.order_id] == first.left or (first.resting and first.disclosed)


@settings(max_examples=200, deadline=None)
@given(orders(), shelves(), PRICES)
def test_an_auction_has_one_price(given_orders: list[Order], shelf: Shelf, price: int) -> None:
    matched = match_at(price, given_orders, shelf, LOT)

    _check(matched, given_orders, shelf)
    assert {one.price for one in matched.portions} <= {price}
    by_id = {order.order_id: order for order in given_orders}
    for one in matched.portions:
        order = by_id[one.order_id]
        assert order.at_market or order.sign * (order.limit - price) >= 0


def test_a_new_display_at_the_same_price_and_quantity_brings_nothing_new() -> None:
    shelf = Shelf({(True, 100): 50}, {(True, 100): 50})
    order = replace(MODEL, order_id="1", limit=100, quantity=10)

    assert match([order], shelf, 1).portions == ()


def test_an_order_that_swept_all_five_levels_goes_on_sweeping() -> None:
    shelf = Shelf({(True, 100 + n): 10 for n in range(5)}, {})
    beyond = replace(MODEL, order_id="1", limit=110, quantity=100)
    within = replace(MODEL, order_id="2", limit=103, quantity=100)

    assert match([beyond], shelf, 1).resting == frozenset()
    assert match([within], shelf, 1).resting == {"2"}
