"""The same order a moment later is told of, another one is not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from dashboard.order_twins import twin_warning
from services.domain.orders import OrderRequest, OrderType, Product, Side
from tests.support.order_page import NOW, RELIANCE, book_order

REQUEST = OrderRequest(RELIANCE, Side.BUY, 10, OrderType.LIMIT, price=Decimal("1234.5"))


def test_an_order_just_like_it_is_told_with_its_age_and_state():
    before = book_order(1, placed_at=NOW - timedelta(seconds=20))

    assert twin_warning(REQUEST, [before], NOW) == (
        "An order just like this was placed 20 s ago and is open. This is one more.",
    )


@pytest.mark.parametrize(
    "other",
    [
        {"quantity": 11},
        {"side": Side.SELL},
        {"price": Decimal("1234.6")},
        {"product": Product.INTRADAY.value},
        {"order_type": "MARKET"},
        {"placed_at": NOW - timedelta(minutes=3)},
        {"placed_at": None},
    ],
)
def test_another_or_an_older_one_is_not(other):
    before = book_order(1, **{"placed_at": NOW - timedelta(seconds=20), **other})

    assert twin_warning(REQUEST, [before], NOW) == ()
