"""What is put to a person before it is done: in words, with an id of its own, and exactly what is then carried out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.order_drafts import (
    What,
    basket_draft,
    broker_switch_draft,
    cancel_all_draft,
    cancel_draft,
    change_facts,
    exit_all_draft,
    gtt_cancel_draft,
    gtt_modify_draft,
    gtt_place_draft,
    modify_draft,
    place_draft,
    segment_name,
    send_draft,
    terse,
    told_of,
)
from services.domain.actors import Actor
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.instruments import Instrument
from services.domain.orders import OrderChange, OrderRequest, OrderType, Product, Side
from tests.support.order_page import RELIANCE, FakeOrders, book_order, waiting_gtt

SHARE = Instrument(RELIANCE, "NSE_EQ", "NSE", "RELIANCE", "Reliance Industries", "EQ", tick_size=Decimal("0.10"))
LIMIT = OrderRequest(RELIANCE, Side.BUY, 10, OrderType.LIMIT, price=Decimal("1234.5"))
ACTOR = Actor("tester")
GTT = GttRequest(RELIANCE, Side.BUY, 10, Product.DELIVERY, (GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1200)),))


@pytest.fixture
def orders() -> FakeOrders:
    return FakeOrders()


def carried_out(orders: FakeOrders, draft) -> tuple[str, object]:
    send_draft(orders, draft, ACTOR)
    assert draft.intent_id in orders.known
    return orders.calls[-1]


def test_each_draft_has_an_id_of_its_own():
    drafts = [place_draft(LIMIT, SHARE, "Buy it") for _ in range(100)]

    assert len({draft.intent_id for draft in drafts}) == 100
    assert all(len(draft.intent_id) <= 80 for draft in drafts)


def test_an_order_says_what_its_button_does(orders):
    draft = place_draft(LIMIT, SHARE, "Buy 10 RELIANCE at a limit", warnings=["twice"])

    assert draft.button == "Buy 10 RELIANCE at ₹1,234.50"
    assert draft.title == "Buy RELIANCE?"
    assert (draft.opens, draft.many, draft.warnings) == (True, False, ("twice",))
    assert carried_out(orders, draft) == ("PLACE", LIMIT)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (OrderRequest(RELIANCE, Side.SELL, 5, OrderType.MARKET), "Sell 5 RELIANCE at the market"),
        (
            OrderRequest(RELIANCE, Side.SELL, 5, OrderType.STOP_LIMIT, price=Decimal(99), trigger_price=Decimal(100)),
            "Sell 5 RELIANCE when ₹100.00 trades at ₹99.00",
        ),
        (
            OrderRequest(RELIANCE, Side.SELL, 5, OrderType.STOP_MARKET, trigger_price=Decimal(100)),
            "Sell 5 RELIANCE when ₹100.00 trades",
        ),
    ],
)
def test_a_button_tells_the_price_or_that_there_is_none(request_, words):
    assert terse(request_, SHARE) == words
    assert terse(request_, None).startswith(f"Sell 5 {RELIANCE}")


def test_a_basket_is_confirmed_once_and_says_that_it_may_be_accepted_in_part(orders):
    draft = basket_draft([LIMIT, LIMIT], ["one", "two"])
    send_draft(orders, draft, ACTOR)

    assert draft.many
    assert draft.button == "Place 2 orders"
    assert "some may be accepted" in draft.warnings[0]
    assert [name for name, _ in orders.calls] == ["PLACE", "PLACE"]


def test_a_change_tells_from_what_to_what(orders):
    order = book_order(1)
    change = OrderChange(price=Decimal("1230"), quantity=10, order_type=OrderType.LIMIT)

    assert change_facts(order, change, SHARE) == [("Price", "₹1,234.50 → ₹1,230.00")]
    draft = modify_draft(order, change, SHARE)
    assert carried_out(orders, draft) == ("MODIFY", (order.order_id, change))


def test_cancelling_what_is_filled_in_part_says_that_the_part_stays(orders):
    order = book_order(1, filled_quantity=4)
    draft = cancel_draft(order, SHARE)

    assert "4 of it are filled already" in draft.warnings[0]
    assert cancel_draft(replace(order, filled_quantity=0), SHARE).warnings == ()
    assert carried_out(orders, draft) == ("CANCEL", order.order_id)


def test_an_order_of_the_book_in_one_sentence():
    order = book_order(1, order_type="SL", trigger_price=Decimal(1240), filled_quantity=3)

    assert told_of(order, SHARE) == (
        "Buy 10 RELIANCE (NSE), SL ₹1,234.50, trigger ₹1,240.00, 3 filled. Order 261120000000001."
    )
    assert told_of(book_order(1), None).startswith("Buy 10 RELIANCE (NSE), limit ₹1,234.50.")


def test_cancelling_all_and_exiting_all_say_how_many_and_where(orders):
    cancel = cancel_all_draft([book_order(1)], "NSE_FO")
    leave = exit_all_draft(None, None)

    assert cancel.title == "Cancel all open orders in NSE F&O?"
    assert cancel.sentences[0].startswith("1 open order in NSE F&O will be cancelled")
    assert carried_out(orders, cancel) == ("CANCEL_ALL", "NSE_FO")
    assert leave.sentences[0].startswith("All open positions will be closed")
    assert exit_all_draft(3, None).sentences[0].startswith("3 open positions")
    assert carried_out(orders, leave) == ("EXIT_ALL", None)


def test_gtts_are_left_changed_and_cancelled(orders):
    gtt = waiting_gtt()

    assert carried_out(orders, gtt_place_draft(GTT, SHARE, ["wait"])) == ("GTT_PLACE", GTT)
    assert carried_out(orders, gtt_modify_draft(gtt, GTT, SHARE, ["wait"])) == ("GTT_MODIFY", (gtt.gtt_id, GTT))
    assert carried_out(orders, gtt_cancel_draft(gtt, ["gone"])) == ("GTT_CANCEL", gtt.gtt_id)


def test_the_brokers_switch_says_for_how_long(orders):
    draft = broker_switch_draft(["NSE_EQ", "NSE_FO"])

    assert draft.what is What.BROKER_SWITCH
    assert "twelve hours" in draft.warnings[0]
    assert carried_out(orders, draft) == ("KILL_SWITCH", {"NSE_EQ": True, "NSE_FO": True})


def test_a_segment_that_has_no_name_keeps_its_own():
    assert segment_name("NSE_EQ") == "NSE shares"
    assert segment_name("XYZ") == "XYZ"
