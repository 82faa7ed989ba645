"""The ticket as a value: what it asks for, what it lacks, and how prices and quantities are put right."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ticket_form import (
    TicketForm,
    exact,
    fresh,
    like,
    of_request,
    on_tick,
    price_step,
    product_name,
    products_of,
    rules_of,
    slices,
    snap,
    suited,
    tick_hint,
    why_not_traded,
)
from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.orders import BookOrder, OrderRequest, OrderType, Product, Side, Validity

SHARE = Instrument(
    "NSE_EQ|INE002A01018", "NSE_EQ", "NSE", "RELIANCE", "Reliance Industries", "EQ",
    tick_size=Decimal("0.10"), lot_size=1, freeze_quantity=100_000,
)  # fmt: skip
OPTION = Instrument(
    "NSE_FO|12345", "NSE_FO", "NSE", "NIFTY 26000 CE", "NIFTY", "CE",
    tick_size=Decimal("0.05"), lot_size=65, freeze_quantity=1755,
)  # fmt: skip
INDEX = Instrument("NSE_INDEX|Nifty 50", "NSE_INDEX", "NSE", "NIFTY", "Nifty 50", "INDEX")


def test_a_fresh_ticket_buys_one_lot_at_the_last_price():
    form = fresh(OPTION, last=101.23)

    assert (form.side, form.quantity, form.order_type, form.price) == (Side.BUY, 65, OrderType.LIMIT, Decimal("101.25"))


def test_an_empty_ticket_says_what_is_missing():
    form = TicketForm(SHARE.key, order_type=OrderType.STOP_LIMIT, quantity=None)

    assert form.missing == "Fill in the quantity and the price and the trigger price."
    with pytest.raises(InvalidRequest, match="Fill in the quantity"):
        form.request()


def test_a_price_left_from_another_type_is_not_sent_with_a_market_order():
    form = TicketForm(SHARE.key, order_type=OrderType.MARKET, price=Decimal(100), trigger=Decimal(99))

    request = form.request()

    assert request.price is None
    assert request.trigger_price is None
    assert request.market_protection == -1


def test_a_stop_loss_is_always_for_the_day():
    form = TicketForm(
        SHARE.key, Side.SELL, OrderType.STOP_LIMIT, validity=Validity.IOC, price=Decimal(99), trigger=Decimal(100)
    )

    assert form.request().validity is Validity.DAY


def test_an_ioc_order_discloses_everything():
    form = TicketForm(SHARE.key, quantity=10, price=Decimal(99), validity=Validity.IOC, disclosed=5)

    assert form.request().disclosed_quantity == 0


def test_nonsense_is_refused_in_the_words_of_the_order():
    form = TicketForm(SHARE.key, quantity=100, price=Decimal(99), disclosed=5)

    with pytest.raises(InvalidRequest, match="at least a tenth"):
        form.request()


def test_a_repeated_order_asks_for_the_same():
    order = BookOrder(
        "1", SHARE.key, Side.SELL, 7, "SL", "I", "DAY", Decimal("99.5"), Decimal("100"), "cancelled",
        disclosed_quantity=2,
    )  # fmt: skip

    request = like(order).request()

    assert request == OrderRequest(
        SHARE.key, Side.SELL, 7, OrderType.STOP_LIMIT, Product.INTRADAY, Decimal("99.5"), Decimal("100"),
        disclosed_quantity=2,
    )  # fmt: skip


def test_what_nobody_can_ask_for_is_repeated_as_the_usual():
    order = BookOrder("1", SHARE.key, Side.BUY, 1, "??", "CO", "GTC", Decimal(5), Decimal(0), "complete")

    form = like(order)

    assert (form.order_type, form.product, form.validity) == (OrderType.LIMIT, Product.DELIVERY, Validity.DAY)


def test_a_request_becomes_the_same_request_again():
    request = OrderRequest(
        OPTION.key, Side.BUY, 130, OrderType.MARKET, Product.INTRADAY, market_protection=Decimal(3), slice=True
    )

    assert of_request(request).request() == request


def test_products_depend_on_the_segment():
    assert products_of(SHARE) == (Product.DELIVERY, Product.INTRADAY, Product.MTF)
    assert Product.MTF not in products_of(OPTION)
    assert product_name("D", "NSE_EQ") == "Delivery"
    assert product_name("D", "NSE_FO") == "Carry forward"
    assert product_name("CO", "NSE_EQ") == "Cover"
    assert suited(TicketForm(OPTION.key, product=Product.MTF), OPTION).product is Product.DELIVERY
    assert suited(TicketForm(SHARE.key, product=Product.MTF), SHARE).product is Product.MTF


def test_an_index_is_not_traded():
    assert "not traded itself" in why_not_traded(INDEX)
    assert why_not_traded(SHARE) == ""


@pytest.mark.parametrize(
    ("units", "freeze", "count"), [(1755, 1755, 1), (1820, 1755, 2), (None, 1755, 1), (9, None, 1)]
)
def test_slices_above_the_freeze_quantity(units, freeze, count):
    assert slices(units, freeze) == count


@pytest.mark.parametrize(
    ("price", "side", "snapped"),
    [
        ("100.13", None, "100.10"),
        ("100.13", Side.BUY, "100.10"),
        ("100.13", Side.SELL, "100.20"),
        ("0.01", Side.BUY, "0.10"),
    ],
)
def test_a_price_between_two_ticks_is_put_on_one_that_costs_no_more(price, side, snapped):
    assert str(snap(Decimal(price), Decimal("0.10"), side)) == snapped


@given(st.integers(1, 10**9), st.sampled_from(["0.01", "0.05", "0.10", "0.50", "1.00", "5.00", "0.0025"]))
def test_whatever_is_snapped_is_on_the_tick_and_near(units, size):
    price, step = Decimal(units) / 10_000, Decimal(size)

    snapped = snap(price, step)

    assert on_tick(snapped, step)
    assert abs(snapped - price) <= max(step / 2, step - price)


def test_a_hint_is_given_only_where_it_is_needed():
    assert tick_hint(Decimal("100.13"), SHARE, Side.SELL) == Decimal("100.20")
    assert tick_hint(Decimal("100.10"), SHARE, Side.SELL) is None
    assert tick_hint(None, SHARE, Side.BUY) is None


@pytest.mark.parametrize(("value", "told"), [(0.1 + 0.2, "0.30"), (2.675, "2.68"), (1234.5, "1234.50")])
def test_a_number_field_is_read_as_it_looks(value, told):
    assert str(exact(value, 2)) == told


def test_an_empty_number_field_stays_empty():
    assert exact(None, 2) is None


def test_steps_and_rules_come_from_the_instrument():
    assert price_step(OPTION) == Decimal("0.05")
    assert price_step(None) == Decimal("0.01")
    assert rules_of(OPTION) == "Tick 0.05 · lot 65 · freeze 1,755"
    assert rules_of(SHARE) == "Tick 0.10 · freeze 1,00,000"
