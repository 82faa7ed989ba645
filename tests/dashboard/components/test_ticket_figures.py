"""The figures of the ticket in words: what is not known, and where two estimates part."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.components.ticket_figures import difference_words, figure_words, unknown_words
from services.domain.margins import ChargesEstimate
from services.orders.views import BasketPreview, Figure
from services.portfolio.charges.lines import PaiseLines

OURS = PaiseLines(brokerage=2000, stt=150, exchange=5, stamp=23, gst=361)
SAME = ChargesEstimate(
    Decimal("25.39"), brokerage=Decimal(20), stt=Decimal("1.50"), transaction=Decimal("0.0489"),
    stamp_duty=Decimal("0.23"), gst=Decimal("3.61"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (SAME, ""),
        (replace(SAME, total=Decimal("25.3906")), ""),
        (
            replace(SAME, total=Decimal("25.89"), stt=Decimal("2.00")),
            ". The broker's estimate is ₹0.50 higher. It has STT ₹2.00 (to the rupee).",
        ),
        (
            replace(SAME, total=Decimal("24.35"), brokerage=Decimal(19), stamp_duty=Decimal("0.19")),
            ". The broker's estimate is ₹1.04 lower. It has brokerage ₹19.00 and stamp duty ₹0.19.",
        ),
        (
            replace(SAME, total=Decimal("45.39")),
            ". The broker's estimate is ₹20.00 higher. It does not tell where.",
        ),
    ],
)
def test_two_estimates_that_differ_tell_where(told, words):
    assert difference_words(OURS, told) == words


def test_one_reason_is_told_once_for_all_that_is_not_known():
    silent = Figure(error="nobody is logged in")
    preview = BasketPreview((), None, margin=silent, charges=silent, available=Figure(error="no answer"))

    assert unknown_words(preview) == [
        "Margin and the broker's estimate of charges not known: nobody is logged in",
        "Funds not known: no answer",
    ]


def test_what_was_asked_is_not_on_its_way_while_the_broker_is_away():
    preview = BasketPreview((), None, margin=Figure(), charges=Figure(Decimal(5)), available=Figure(error="gone"))

    assert figure_words(Figure()) == "…"
    assert figure_words(Figure(), "gone") == "–"
    assert unknown_words(preview) == ["Funds not known: gone"]
    assert unknown_words(preview, "gone") == ["Margin, charges and funds not known: gone"]
    assert unknown_words(preview, "gone", money_known=True) == ["Margin and charges not known: gone"]
