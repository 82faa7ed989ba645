"""What positions and holdings are worth at a price."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.domain.positions import Position, day_pnl, position_pnl
from services.domain.quotes import FROM_FEED
from services.portfolio_book.marks import PriceFrom, mark_holding, mark_position
from tests.support.portfolio import CALL, INFY, NOW, RELIANCE, bought_today, carried, closed_today, held, quote, rupees


def test_a_position_is_marked_at_its_quote_and_not_at_the_brokers_price():
    marked = mark_position(bought_today(), quote(RELIANCE, 1480.0), NOW)

    assert marked.pnl == rupees("100.50")
    assert marked.unrealised == rupees("100.50")
    assert marked.realised == 0
    assert marked.average == rupees("1469.95")
    assert (marked.price.told_by, marked.price.at) == (PriceFrom.QUOTE, NOW)


def test_a_price_of_the_feed_says_so():
    row = quote(RELIANCE, 1480.0) | {"api_version": FROM_FEED}

    assert mark_position(bought_today(), row, NOW).price.told_by is PriceFrom.FEED


def test_without_a_quote_the_brokers_own_price_serves_with_its_age():
    before = NOW - timedelta(minutes=3)
    marked = mark_position(bought_today(), None, before)

    assert (marked.price.ltp, marked.price.at, marked.price.told_by) == (rupees("1472.5"), before, PriceFrom.BROKER)
    assert marked.pnl == rupees("25.50")


def test_without_any_price_a_profit_is_unknown_and_never_zero():
    marked = mark_position(bought_today(last_price=None), None, NOW)

    assert marked.pnl is None
    assert marked.unrealised is None
    assert marked.pnl_today is None
    assert marked.difference is None


def test_what_is_closed_needs_no_price():
    position = closed_today()
    marked = mark_position(Position(**{**_members(position), "last_price": None}), None, NOW)

    assert marked.pnl == marked.realised == rupees("70")
    assert marked.average is None
    assert not marked.is_open


def test_today_measures_what_was_carried_from_yesterdays_close():
    marked = mark_position(carried(), quote(CALL, 187.8), NOW)

    assert marked.pnl == rupees("832.00")
    assert marked.pnl_today == (rupees("187.8") - rupees("172.4")) * 65


def test_today_is_unknown_without_that_close():
    marked = mark_position(carried(close_price=None), quote(CALL, 187.8), NOW)

    assert marked.pnl == rupees("832.00")
    assert marked.pnl_today is None


def test_a_difference_from_the_broker_that_the_price_explains_is_told_apart_from_one_that_it_does_not():
    moved = mark_position(bought_today(), quote(RELIANCE, 1480.0), NOW)
    odd = mark_position(bought_today(pnl=rupees("20.50")), quote(RELIANCE, 1480.0), NOW)

    assert (moved.difference, moved.unexplained) == (rupees("75.00"), 0)
    assert (odd.difference, odd.unexplained) == (rupees("80.00"), rupees("5.00"))


def test_a_broker_that_tells_no_profit_is_not_compared_with():
    marked = mark_position(bought_today(pnl=None), quote(RELIANCE, 1480.0), NOW)

    assert marked.difference is None
    assert marked.unexplained is None


def test_where_the_trades_do_not_come_to_what_is_held_its_cost_is_not_made_up():
    """After a conversion or a split the amounts may not be there: a cost of nothing would make a fortune of it."""
    unknown = carried(overnight_buy_quantity=0, overnight_buy_amount=Decimal(0), average_price=None)
    told = carried(overnight_buy_quantity=0, overnight_buy_amount=Decimal(0))

    assert mark_position(unknown, quote(CALL, 187.8), NOW).pnl is None
    marked = mark_position(told, quote(CALL, 187.8), NOW)
    assert marked.pnl == rupees("832.00")
    assert marked.realised is None
    assert marked.unrealised is None


def test_a_holding_is_worth_its_units_and_has_what_it_cost():
    marked = mark_holding(held(), quote(INFY, 1540.0), NOW)

    assert marked.value == 38500
    assert marked.invested == rupees("35512.5")
    assert marked.pnl == rupees("2987.5")
    assert marked.pnl_today == -275
    assert marked.unexplained == 0
    assert marked.sellable == 25


def test_a_holding_without_a_known_cost_has_a_value_and_no_profit():
    marked = mark_holding(held(average_price=None, close_price=None), quote(INFY, 1540.0), NOW)

    assert marked.value == 38500
    assert marked.pnl is None
    assert marked.pnl_today is None
    assert marked.invested is None


money = st.decimals("0.05", "90000", places=2)
units = st.integers(0, 5000)


@given(units, units, units, units, money, money, money, money, st.sampled_from([1, 100, 1000]))
def test_the_lines_go_through_every_point_of_the_sums(over_buy, over_sell, buy, sell, p1, p2, p3, ltp, multiplier):
    position = Position(
        key=RELIANCE, product="I", quantity=over_buy - over_sell + buy - sell, multiplier=Decimal(multiplier),
        overnight_quantity=over_buy - over_sell, overnight_buy_quantity=over_buy, overnight_buy_amount=over_buy * p1,
        overnight_sell_quantity=over_sell, overnight_sell_amount=over_sell * p2, day_buy_quantity=buy,
        day_buy_value=buy * p2, day_sell_quantity=sell, day_sell_value=sell * p3, close_price=p1,
    )  # fmt: skip
    marked = mark_position(position, quote(RELIANCE, float(ltp)), NOW)

    assert abs(marked.pnl - position_pnl(position, ltp).total) < Decimal("1e-9")  # averages have no end
    assert marked.pnl_today == day_pnl(position, ltp)
    assert marked.realised + marked.unrealised == marked.pnl


def _members(position):
    return {name: getattr(position, name) for name in position.__slots__}
