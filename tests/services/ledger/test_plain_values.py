"""Values for JSON columns are exact, and the same for equal values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.clock import IST
from services.domain.errors import InvalidRequest
from services.domain.orders import OrderRequest, OrderType, Side
from services.ledger.plain_values import decimal_text, plain

FILES_ONLY = True


def test_an_order_becomes_texts_and_whole_numbers() -> None:
    request = OrderRequest("NSE_EQ|INE002A01018", Side.BUY, 10, OrderType.LIMIT, price=Decimal("1234.50"))

    told = plain({"request": request, "at": datetime(2026, 11, 20, 9, 15, tzinfo=IST), "day": date(2026, 11, 20)})

    assert told["at"] == "2026-11-20T03:45:00+00:00"
    assert told["day"] == "2026-11-20"
    assert told["request"]["price"] == "1234.5"
    assert told["request"]["side"] == "BUY"
    assert type(told["request"]["side"]) is str
    assert told["request"]["quantity"] == 10
    assert told["request"]["trigger_price"] is None


@given(amount=st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_equal_amounts_have_one_text_and_it_reads_back(amount: Decimal) -> None:
    text = decimal_text(amount)

    assert Decimal(text) == amount
    assert text == decimal_text(amount * Decimal("1.00"))
    assert "E" not in text


@pytest.mark.parametrize("value", [1.5, b"x", object(), Decimal("NaN"), datetime(2026, 11, 20), [{"deep": 0.1}]])  # noqa: DTZ001
def test_what_is_not_exact_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest):
        plain({"amount": value})


def test_sets_are_written_in_one_order() -> None:
    assert plain({"ids": {"b", "a", "c"}}) == {"ids": ["a", "b", "c"]}
