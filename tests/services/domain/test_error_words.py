"""Errors by kind in a person's words: no name of a class of ours is ever among them."""

from __future__ import annotations

from services.domain import errors
from services.domain.error_words import call_in_words, kinds_in_words

CLASSES = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]


def test_the_kinds_are_told_in_words_and_no_more_than_the_first_three() -> None:
    found = {"NotSent": 52, "NoAnswer": 3, "BrokerFault": 2, "LoginRequired": 1}

    assert kinds_in_words(found) == "52 could not be sent, 3 got no answer, 2 met a fault of the broker"
    assert kinds_in_words({}) == ""


def test_no_kind_is_told_by_the_name_of_its_class() -> None:
    told = kinds_in_words(dict.fromkeys(CLASSES, 1), most=len(CLASSES))

    assert [name for name in CLASSES if name in told] == []
    assert "of the kind" not in told


def test_a_kind_that_no_class_has_stands_as_it_was_logged() -> None:
    assert kinds_in_words({"Made up by a notebook": 3}) == "3 of the kind “Made up by a notebook”"


def test_a_call_is_told_as_people_write_it() -> None:
    assert [call_in_words(name) for name in ("order_book", "mtf_positions", "pnl_data", "ltp")] == [
        "order book",
        "MTF positions",
        "P&L data",
        "LTP",
    ]
