from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.domain.errors import MalformedPayload
from services.domain.orders import Side
from services.wire.trades import PastTradesPage, parse_past_trades, parse_trades
from tests.support.payloads import data

PAGE = {"page": {"page_number": 1, "page_size": 500, "total_records": 3, "total_pages": 1}}


def test_fills_of_the_day_with_times_of_both_spellings() -> None:
    first, second = parse_trades(data("trades"))

    assert (first.trade_id, first.order_id, first.side, first.quantity) == ("70000001", "261120000000042", Side.BUY, 3)
    assert (first.price, second.price) == (Decimal("2840.3"), Decimal("2840.425"))
    assert first.traded_at == datetime(2026, 11, 20, 4, 45, 8, tzinfo=UTC)
    assert second.traded_at == datetime(2026, 11, 20, 4, 45, 9, tzinfo=UTC)


def test_a_fill_without_its_price_is_malformed() -> None:
    rows = data("trades")
    rows[0]["average_price"] = None

    with pytest.raises(MalformedPayload) as caught:
        parse_trades(rows)

    assert caught.value.field == "data[0].average_price"


def test_fills_of_earlier_days_leave_funds_out_and_say_how_many_pages_there_are() -> None:
    page = parse_past_trades(data("past_trades"), PAGE)

    share, option = page.trades
    assert (share.side, share.quantity, share.price, share.amount) == (
        Side.SELL, 4, Decimal("2840.45"), Decimal("11361.8"),
    )  # fmt: skip
    assert (share.strike, option.strike, option.expiry, option.key) == ("", "58000", "2026-11-24", "")
    assert (page.rows, page.pages) == (3, 1)


@pytest.mark.parametrize(
    ("rows", "pages", "number", "last"),
    [
        (500, 3, 1, False),
        (500, 3, 3, True),
        (20, 3, 1, False),
        (500, None, 1, False),
        (499, None, 1, True),
        (0, 3, 1, True),
    ],
)
def test_the_last_page_is_the_one_the_broker_names_or_else_the_first_that_is_not_full(
    rows: int, pages: int | None, number: int, last: bool
) -> None:
    assert PastTradesPage((), rows, pages).is_last(number, 500) is last


def test_a_day_that_is_none_is_malformed() -> None:
    rows = data("past_trades")
    rows[0]["trade_date"] = "18-11-2026"

    with pytest.raises(MalformedPayload):
        parse_past_trades(rows, {})
