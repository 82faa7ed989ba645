"""Forms of keys, symbols and ISINs, held against the real masters."""

from __future__ import annotations

import pytest

from services.domain.errors import InvalidRequest
from services.domain.instruments import clean_symbol, is_instrument_key, is_isin, require_instrument_key
from tests.support.shared_data import shared

MASTERS = ("upstox_nse_20260821_trimmed.json", "upstox_bse_mcx_20251218_trimmed.json")


@pytest.mark.parametrize("name", MASTERS)
def test_every_key_of_the_real_masters_has_the_form_of_a_key(name: str) -> None:
    import orjson

    rows = orjson.loads(shared(f"data/instruments/{name}").read_bytes())

    assert [row["instrument_key"] for row in rows if not is_instrument_key(row["instrument_key"])] == []


@pytest.mark.parametrize(
    "key",
    ["NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50", "NSE_INDEX|BHARATBOND-APR30", "NSE_FO|57009|24-04-2025"],
)
def test_real_forms_are_accepted(key: str) -> None:
    assert require_instrument_key(key) == key


@pytest.mark.parametrize(
    "text", ["", "RELIANCE", "NSE_EQ|", "NSE_EQ|a/b", "XXX|1", "NSE_EQ|A,NSE_EQ|B", "NSE_EQ|A\n", None]
)
def test_other_forms_are_refused_in_words(text: object) -> None:
    with pytest.raises(InvalidRequest, match="is not an instrument key"):
        require_instrument_key(text)


@pytest.mark.parametrize(
    ("typed", "symbol"),
    [(" m&m ", "M&M"), ("bajaj-auto", "BAJAJ-AUTO"), ("nifty  26000 ce 24 nov 26", "NIFTY 26000 CE 24 NOV 26")],
)
def test_a_symbol_is_upper_cased_and_trimmed(typed: str, symbol: str) -> None:
    assert clean_symbol(typed) == symbol


@pytest.mark.parametrize("text", ["", "<script>", "A" * 41, "; drop table"])
def test_nonsense_is_no_symbol(text: str) -> None:
    with pytest.raises(InvalidRequest):
        clean_symbol(text)


def test_an_isin_has_twelve_characters_and_ends_in_a_digit() -> None:
    assert is_isin("INE002A01018")
    assert not is_isin("INEl48I07QA5")
    assert not is_isin("RELIANCE")
