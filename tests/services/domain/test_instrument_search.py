"""What a search text is taken to mean."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.domain.instrument_search import ContractQuery, fold, match_quality, parse_query, search_words


@pytest.mark.parametrize(
    ("text", "folded"), [("M&M", "MM"), ("bajaj-auto", "BAJAJAUTO"), ("Bajaj  Auto", "BAJAJAUTO"), ("₹", "")]
)
def test_case_blanks_and_punctuation_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_things_are_found_by_whole_tokens_and_by_their_parts() -> None:
    assert search_words("BAJAJ-AUTO", "Bajaj Auto Ltd.") == ["BAJAJAUTO", "BAJAJ", "AUTO", "LTD"]
    assert search_words("M&M", None) == ["MM", "M"]


NIFTY = ("NIFTY",)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("nifty 25000 ce nov", ContractQuery(NIFTY, ("CE",), 25000.0, "25000", month=11)),
        ("nov nifty 25,000 call", ContractQuery(NIFTY, ("CE",), 25000.0, "25000", month=11)),
        ("NIFTY 26000 CE 24 NOV 26", ContractQuery(NIFTY, ("CE",), 26000.0, "26000", 24, 11, 26)),
        ("nifty26nov26000pe", ContractQuery(NIFTY, ("PE",), 26000.0, "26000", month=11, year=26)),
        ("niftynxt5026nov59000pe", ContractQuery(("NIFTYNXT50",), ("PE",), 59000.0, "59000", month=11, year=26)),
        ("nifty25000ce", ContractQuery(NIFTY, ("CE",), 25000.0, "25000")),
        ("nifty 25000p", ContractQuery(NIFTY, ("PE",), 25000.0, "25000")),
        ("nifty 25000 c", ContractQuery(NIFTY, ("CE",), 25000.0, "25000")),
        ("nifty 24nov 25000 ce", ContractQuery(NIFTY, ("CE",), 25000.0, "25000", 24, 11)),
        ("banknifty fut", ContractQuery(("BANKNIFTY",), ("FUT",))),
        ("reliance december future", ContractQuery(("RELIANCE",), ("FUT",), month=12)),
        ("nifty next 50 fut", ContractQuery(("NIFTY", "NEXT", "50"), ("FUT",))),
        ("nifty 50 25000 ce", ContractQuery(("NIFTY", "50"), ("CE",), 25000.0, "25000")),
        ("usdinr 97.375 ce", ContractQuery(("USDINR",), ("CE",), 97.375, "97.375")),
        ("nifty options", ContractQuery(NIFTY, ("CE", "PE"))),
        ("m&m 3200", ContractQuery(("MM",), ("CE", "PE"), 3200.0, "3200")),
        ("nifty nov 2027", ContractQuery(NIFTY, month=11, year=2027)),
    ],
)
def test_contracts_are_read_as_traders_write_them(text: str, first: ContractQuery) -> None:
    assert parse_query(text).contracts[0] == first


@pytest.mark.parametrize("text", ["reliance", "M&M", "INE002A01018", "fut", "may", "nov", "25000", "", "  ", "&&"])
def test_what_speaks_of_no_contract_is_not_read_as_one(text: str) -> None:
    assert parse_query(text).contracts == ()


def test_a_number_beside_a_month_may_be_a_day_a_year_or_a_strike() -> None:
    readings = parse_query("idea 8 nov ce").contracts

    assert [(reading.day, reading.year, reading.strike) for reading in readings] == [
        (8, None, None),
        (None, 8, None),
        (None, None, 8.0),
    ]


def test_a_reading_fits_the_expiries_it_names() -> None:
    reading = ContractQuery(NIFTY, month=11, year=26)

    assert reading.fits(date(2026, 11, 24))
    assert not reading.fits(date(2027, 11, 24))
    assert not reading.fits(date(2026, 12, 24))


@pytest.mark.parametrize(
    ("text", "symbol", "names", "quality"),
    [
        ("m&m", "M&M", ("MAHINDRA & MAHINDRA LTD",), 0),
        ("bajaj auto", "BAJAJ-AUTO", (), 1),
        ("nifty 50", "NIFTY", ("Nifty 50",), 1),
        ("relian", "RELIANCE", (), 2),
        ("tata cons", "TCS", ("TATA CONSULTANCY SERV LT",), 3),
        ("consultancy", "TCS", ("TATA CONSULTANCY SERV LT",), 4),
    ],
)
def test_the_closer_the_match_the_better(text: str, symbol: str, names: tuple[str, ...], quality: int) -> None:
    assert match_quality(parse_query(text), symbol, names) == quality


@given(st.text(max_size=40))
@example("0 :")
def test_any_text_can_be_read(text: str) -> None:
    query = parse_query(text)

    assert all(reading.words for reading in query.contracts)
