from __future__ import annotations

from decimal import Decimal

import pytest

from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.order_words import (
    REASONS,
    gtt_sentence,
    order_sentence,
    product_in_words,
    reason_in_words,
    rupees,
    status_in_words,
)
from services.domain.orders import OrderRequest, OrderType, Product, Side, Status, Validity
from tests.support.orders import a_request, a_share, an_option, told

NAMED = "RELIANCE (NSE)"
OPTION = an_option()


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (a_request(price=Decimal("1234.50")), f"Buy 10 {NAMED} at a limit of ₹1,234.50, delivery, valid today"),
        (
            a_request(side=Side.SELL, order_type=OrderType.MARKET, product=Product.INTRADAY, validity=Validity.IOC),
            f"Sell 10 {NAMED} at the market, protected as the broker sees fit, intraday, "
            "what cannot be filled at once is cancelled (IOC)",
        ),
        (
            a_request(order_type=OrderType.STOP_LIMIT, price=Decimal(1476), trigger_price=Decimal(1475)),
            f"Buy 10 {NAMED} at a limit of ₹1,476.00 once the price rises to ₹1,475.00, delivery, valid today",
        ),
        (
            a_request(
                side=Side.SELL,
                order_type=OrderType.STOP_MARKET,
                trigger_price=Decimal(1450),
                market_protection=Decimal("2.50"),
            ),
            f"Sell 10 {NAMED} at the market once the price falls to ₹1,450.00, "
            "at most 2.5% worse than the last price, delivery, valid today",
        ),
        (
            a_request(disclosed_quantity=2, slice=True, amo=True),
            f"Buy 10 {NAMED} at a limit of ₹1,470.00, delivery, valid today, showing 2 at a time, "
            "split where it is above the freeze quantity, for the next opening of the market",
        ),
    ],
)
def test_the_sentence_repeats_the_order(request_: OrderRequest, sentence: str) -> None:
    assert order_sentence(request_, a_share()) == sentence


def test_derivatives_are_carried_forward_and_commodities_come_in_lots() -> None:
    option = a_request(key=OPTION.key, quantity=65, price=Decimal("187.05"))
    assert order_sentence(option, OPTION) == (
        "Buy 65 NIFTY 26000 CE 24 NOV 26 (NSE) at a limit of ₹187.05, carried forward, valid today"
    )
    assert order_sentence(a_request(key="MCX_FO|1", quantity=1)).startswith("Buy 1 lot of MCX_FO|1 at")
    assert product_in_words("XYZ", OPTION.key) == "XYZ"


def test_a_waiting_order_is_repeated_leg_by_leg() -> None:
    legs = (
        GttLeg(Strategy.TARGET, TriggerType.IMMEDIATE, Decimal(1510)),
        GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1440)),
        GttLeg(Strategy.STOPLOSS, TriggerType.IMMEDIATE, Decimal(1405), trailing_gap=Decimal(5)),
    )
    request = GttRequest(a_share().key, Side.BUY, 2, Product.DELIVERY, legs)

    assert gtt_sentence(request, a_share()) == (
        "Buy 2 RELIANCE (NSE) once the price is at or below ₹1,440.00, then take the profit at ₹1,510.00, "
        "then stop the loss at ₹1,405.00, trailing by ₹5.00, delivery, waiting at the broker for up to a year"
    )


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "₹0.00"), ("999.5", "₹999.50"), ("1000", "₹1,000.00"), ("123456.7", "₹1,23,456.70"),
        ("12345678.9", "₹1,23,45,678.90"), ("-50", "−₹50.00"), ("84.2025", "₹84.2025"), ("5E+3", "₹5,000.00"),
        ("1470.0", "₹1,470.00"),
    ],
)  # fmt: skip
def test_rupees_are_grouped_the_indian_way(amount: str, text: str) -> None:
    assert rupees(Decimal(amount)) == text


@pytest.mark.parametrize("status", sorted(Status))
def test_every_documented_status_has_words_of_its_own(status: Status) -> None:
    words = status_in_words(told(status))

    assert words
    assert status_in_words(told(status, filled_quantity=10)).startswith(words)


def test_a_partial_fill_is_told_and_an_unknown_status_is_shown_as_it_came() -> None:
    assert status_in_words(told(Status.OPEN, filled_quantity=4)) == "open, 4 of 10 filled"
    assert status_in_words(told(Status.CANCELLED, filled_quantity=4)) == "cancelled, 4 of 10 filled"
    assert status_in_words(told(Status.COMPLETE, filled_quantity=10)) == "complete"
    assert status_in_words(told("frozen by exchange")) == "frozen by exchange"


def test_reasons_are_plain_words_and_always_carry_their_code() -> None:
    for code in REASONS:
        assert reason_in_words(code, "x").endswith(f"({code})")
    assert reason_in_words("UDAPI100500", "RMS: margin exceeds") == "RMS: margin exceeds (UDAPI100500)"
    assert reason_in_words("UDAPI9999", " Something \n new ") == "Something new (UDAPI9999)"
    assert reason_in_words("", "Order rejected") == "Order rejected"
    assert reason_in_words("UDAPI9999") == "the broker gave no reason (UDAPI9999)"
