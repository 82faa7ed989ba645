"""What a link to the ticket may ask for: anybody can write one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ticket_state import NOTHING, Link, read_link
from services.domain.orders import Product, Side

KEY = "NSE_EQ|INE002A01018"


def test_a_whole_link_is_understood():
    assert read_link({"key": KEY, "side": "sell", "quantity": "75", "product": "I"}) == Link(
        KEY, Side.SELL, 75, Product.INTRADAY
    )


@pytest.mark.parametrize(
    "words",
    [
        {"key": "NSE_EQ"},
        {"key": "<b>|x"},
        {"side": "HOLD"},
        {"quantity": "0"},
        {"quantity": "-5"},
        {"quantity": "1e3"},
        {"quantity": "9" * 40},
        {"quantity": "٣"},
        {"product": "CO"},
        {},
    ],
)
def test_what_makes_no_sense_is_left_out(words):
    assert read_link(words) == NOTHING


@given(st.dictionaries(st.sampled_from(["key", "side", "quantity", "product"]), st.text(max_size=60)))
def test_no_link_is_an_error(words):
    link = read_link(words)

    assert link.quantity is None or link.quantity > 0
