"""Exits, sales and conversions as decisions to be confirmed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.order_drafts import What
from dashboard.portfolio_drafts import (
    all_out_draft,
    convert_draft,
    exit_draft,
    exit_request,
    exits_draft,
    sale_draft,
    sale_request,
)  # fmt: skip
from services.domain.actors import Actor
from services.domain.errors import InvalidRequest
from services.domain.orders import BookOrder, OrderType, Product, Side, Status
from services.portfolio_book.marks import mark_position
from tests.support.portfolio import CALL, INFY, NOW, RELIANCE, bought_today, carried, closed_today, held, sold_short
from tests.support.readings import INSTRUMENTS

ME = Actor("tester")
SHORT = sold_short()
NAMES = INSTRUMENTS


def order(key=RELIANCE, side=Side.SELL, status=Status.OPEN, product="D", quantity=4, filled=0):
    return BookOrder(
        order_id="1", key=key, side=side, quantity=quantity, order_type="LIMIT", product=product, validity="DAY",
        price=Decimal(1500), trigger_price=Decimal(0), status=status, filled_quantity=filled,
        pending_quantity=quantity - filled,
    )  # fmt: skip


class Orders:
    """What was carried out."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *args, **more: self.calls.append((name, args, more))


def test_an_exit_is_a_market_order_against_the_position_in_its_product():
    long, short = exit_request(bought_today(), None), exit_request(SHORT, None)

    assert (long.side, long.quantity, long.product, long.order_type) == (Side.SELL, 10, "D", OrderType.MARKET)
    assert (short.side, short.quantity, short.product) == (Side.BUY, 15, Product.INTRADAY)


def test_a_part_can_leave_at_a_limit():
    request = exit_request(bought_today(), None, units=4, limit=Decimal("1500.5"))

    assert (request.quantity, request.order_type, request.price) == (4, OrderType.LIMIT, Decimal("1500.5"))


def test_more_than_is_held_would_turn_the_position_around_and_is_refused():
    with pytest.raises(InvalidRequest, match="only 10 are held"):
        exit_request(bought_today(), None, units=11)


def test_what_is_closed_is_not_exited():
    with pytest.raises(InvalidRequest, match="closed already"):
        exit_request(closed_today(), None)


def test_a_product_in_which_no_order_is_placed_is_refused_in_words():
    with pytest.raises(InvalidRequest, match="broker's own screens"):
        exit_request(bought_today(product="CO"), None)


def test_above_the_freeze_quantity_an_exit_is_split():
    small, large = bought_today(), bought_today(quantity=200_000)

    assert not exit_request(small, NAMES[RELIANCE]).slice
    assert exit_request(large, NAMES[RELIANCE]).slice


def test_each_confirmation_is_a_decision_of_its_own():
    request = exit_request(bought_today(), None)
    one, other = (exit_draft(request, NAMES[RELIANCE], rest=0, open_orders=()) for _ in range(2))

    assert one.intent_id != other.intent_id
    assert one.requests == (request,)


def test_an_exit_says_what_it_is_and_what_stays():
    request = exit_request(bought_today(), None, units=4)
    draft = exit_draft(request, NAMES[RELIANCE], rest=6, open_orders=())

    assert draft.title == "Exit a part of RELIANCE?"
    assert "Sell 4 RELIANCE (NSE)" in draft.sentences[0]
    assert draft.facts == (("Stays open", "6"),)


def test_an_open_order_that_does_the_same_is_warned_of():
    request = exit_request(bought_today(), None)
    draft = exit_draft(request, None, rest=0, open_orders=[order(filled=1)])

    assert "An order to sell 3 of it is open already" in draft.warnings[0]


@pytest.mark.parametrize(
    "other",
    [order(side=Side.BUY), order(key=INFY), order(product="I"), order(status=Status.COMPLETE)],
    ids=["the other side", "another instrument", "another product", "done"],
)
def test_other_orders_are_not_warned_of(other):
    assert exit_draft(exit_request(bought_today(), None), None, rest=0, open_orders=[other]).warnings == ()


def test_several_exits_buy_back_first_and_are_sent_as_orders_of_their_own():
    requests = [exit_request(bought_today(), None), exit_request(SHORT, None), exit_request(carried(), None)]
    draft = exits_draft(requests, NAMES, open_orders=())
    orders = Orders()
    draft.carry_out(orders, draft.intent_id, ME)

    assert draft.what is What.EXITS
    assert draft.button == "Exit 3 positions"
    assert [leg.side for leg in draft.requests] == [Side.BUY, Side.SELL, Side.SELL]
    [(name, (legs,), more)] = orders.calls
    assert (name, tuple(legs)) == ("place_basket", draft.requests)
    assert more == {"intent_id": draft.intent_id, "actor": ME}


def test_more_than_a_basket_holds_is_refused_with_the_other_way():
    with pytest.raises(InvalidRequest, match="Exit all"):
        exits_draft([exit_request(bought_today(), None)] * 11, NAMES, open_orders=())


def test_exit_all_says_what_the_broker_may_leave_and_what_else_is_open():
    rows = [mark_position(one, None, NOW) for one in (bought_today(), closed_today(), carried(), SHORT)]
    draft = all_out_draft(rows, [order(), order(status=Status.COMPLETE)])
    orders = Orders()
    draft.carry_out(orders, draft.intent_id, ME)

    assert "3 open positions" in draft.sentences[0]
    assert any("RELIANCE" in words and "NIFTY26NOV26000CE" not in words for words in draft.warnings)
    assert any(words == "1 order is open now." for words in draft.warnings)
    assert orders.calls[0][0] == "exit_all"


def test_a_sale_is_of_what_can_be_sold():
    request = sale_request(held(), 20, NAMES[INFY])
    draft = sale_draft(request, NAMES[INFY], rest=5, open_orders=())

    assert (request.side, request.quantity, request.product) == (Side.SELL, 20, Product.DELIVERY)
    assert draft.facts == (("Stays held", "5"),)
    with pytest.raises(InvalidRequest, match="20 of these can be sold now"):
        sale_request(held(), 20, None, units=21)


def test_a_conversion_is_carried_out_as_it_was_read():
    position = bought_today(product="I")
    draft = convert_draft(position, 4, Product.DELIVERY, NAMES[RELIANCE])
    orders = Orders()
    draft.carry_out(orders, draft.intent_id, ME)

    assert draft.what is What.CONVERT
    assert draft.sentences == ("Convert 4 RELIANCE (NSE), bought, from intraday to delivery",)
    assert draft.requests == ()
    assert orders.calls == [
        (
            "convert",
            (RELIANCE, Side.BUY, 4, Product.INTRADAY, Product.DELIVERY),
            {"intent_id": draft.intent_id, "actor": ME},
        )
    ]


@pytest.mark.parametrize(
    ("position", "units", "new", "words"),
    [
        (bought_today(), 11, Product.INTRADAY, "between 1 and 10"),
        (bought_today(), 0, Product.INTRADAY, "between 1 and 10"),
        (bought_today(), 5, Product.DELIVERY, "nothing to convert"),
        (closed_today(), 5, Product.DELIVERY, "closed already"),
    ],
)
def test_a_conversion_that_cannot_be_is_refused_in_words(position, units, new, words):
    with pytest.raises(InvalidRequest, match=words):
        convert_draft(position, units, new, None)


@pytest.mark.parametrize(
    ("position", "new", "words"),
    [
        (bought_today(product="I"), Product.DELIVERY, "full amount"),
        (bought_today(), Product.INTRADAY, "squares off"),
        (replace(bought_today(), overnight_quantity=5), Product.INTRADAY, "opened today"),
        (SHORT, Product.DELIVERY, "sold short"),
        (carried(product="I"), Product.DELIVERY, "carried forward"),
    ],
)
def test_a_conversion_says_what_comes_of_it(position, new, words):
    draft = convert_draft(position, abs(position.quantity), new, NAMES.get(position.key))

    assert any(words in warning for warning in draft.warnings)


def test_contracts_are_carried_forward_and_shares_delivered():
    assert "carry forward" in convert_draft(carried(product="I"), 65, Product.DELIVERY, None).sentences[0]
    assert CALL in exit_request(carried(), None).key
