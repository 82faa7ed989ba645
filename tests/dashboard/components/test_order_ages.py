"""How current the order book and the fills are, in words: a time of another day is told with its day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.components import order_book, trade_table
from services.orders.views import BookView, TradesView

NOW = datetime(2026, 11, 20, 8, 35, 7, tzinfo=UTC)


def book(as_of: datetime | None, *, error: str | None = None, live: bool = False) -> str:
    return order_book.as_of(BookView((), as_of, error, live, 1), NOW)


def test_a_current_book_tells_when_the_whole_of_it_was_read() -> None:
    assert book(NOW, live=True) == "Kept current by the order stream; whole book read 14:05:07 IST."
    assert book(None) == "The order stream is not connected; the book is asked for every few seconds, not read yet."


@pytest.mark.parametrize(
    ("before", "what", "read"),
    [
        (timedelta(minutes=5), "The book as it was", "14:00:07 IST"),
        (timedelta(days=1), "What was open when the book was", "Thu 19 Nov, 14:05:07 IST"),
    ],
)
def test_what_was_read_before_the_trouble_is_told_with_its_time_and_of_another_day_with_its_day(
    before: timedelta, what: str, read: str
) -> None:
    fills = trade_table.as_of(TradesView((), NOW - before, "no answer"), NOW)

    assert f"{what} read {read}, " in book(NOW - before, error="no answer")
    assert f"The fills as they were read {read}, " in fills
