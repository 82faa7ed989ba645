"""Watchlists as text, in and out."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from dashboard.columns import CHOICE
from dashboard.watchlist_text import as_csv, read_entries, resolve
from tests.support.option_chains import contract
from tests.support.readings import FUTURE, INFY, INSTRUMENTS, NIFTY, RELIANCE, reading, row

BSE_RELIANCE = replace(INSTRUMENTS[RELIANCE], key="BSE_EQ|INE002A01018", segment="BSE_EQ", exchange="BSE")
EVERYTHING = [BSE_RELIANCE, *INSTRUMENTS.values()]

CONTRACTS = [
    replace(contract("C24", "CE", 26_000), symbol="NIFTY 26000 CE 24 NOV 26"),
    contract("P24", "PE", 26_000),
    INSTRUMENTS[FUTURE],
    replace(contract("C29", "CE", 26_000), symbol="NIFTY 26000 CE 29 DEC 26", expiry=date(2026, 12, 29)),
    replace(contract("C1", "CE", 26_050), symbol="NIFTY 26050 CE 24 NOV 26"),
]


def search(text: str):
    return [i for i in EVERYTHING if text in i.symbol or text in i.name.upper() or text == i.isin]


def found(*entries: str):
    return resolve(entries, find=INSTRUMENTS.get, search=search)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("RELIANCE\nINFY", ["RELIANCE", "INFY"]),
        ("RELIANCE, INFY;TCS\tM&M", ["RELIANCE", "INFY", "TCS", "M&M"]),
        ("\ufeffsymbol,qty\r\nRELIANCE,10\r\nINFY,5\r\n", ["RELIANCE", "INFY"]),
        ("name;isin\nReliance;INE002A01018\n", ["INE002A01018"]),
        ('"Symbol","ISIN","Instrument Key"\nR,I,NSE_EQ|INE002A01018\n', ["NSE_EQ|INE002A01018"]),
        ("NSE_INDEX|Nifty 50", ["NSE_INDEX|Nifty 50"]),
        ("  \n\n", []),
        ("", []),
    ],
)
def test_entries_are_found_in_lists_and_tables(text, entries):
    assert read_entries(text) == entries


def test_symbols_isins_and_keys_name_the_same_share_once():
    imported = found("reliance", "INE002A01018", RELIANCE)

    assert [instrument.key for instrument in imported.found] == [RELIANCE]
    assert imported.unknown == ()


def test_of_two_exchanges_nse_comes_first_unless_the_other_is_named():
    assert found("RELIANCE").found[0].exchange == "NSE"
    assert found("BSE:RELIANCE").found[0].exchange == "BSE"


@pytest.mark.parametrize(
    ("phrase", "key"),
    [
        ("NIFTY 26000 CE 24 NOV 26", "NSE_FO|C24"),
        ("nifty 26000 ce nov", "NSE_FO|C24"),
        ("nifty 26000 ce dec", "NSE_FO|C29"),
        ("Nifty 26,000 call", "NSE_FO|C24"),
        ("NIFTY26NOV26000CE", "NSE_FO|C24"),
        ("NSE:NIFTY 26000 PE", "NSE_FO|P24"),
        ("nifty fut nov", "NSE_FO|54012"),
    ],
)
def test_a_contract_may_be_written_out(phrase, key):
    imported = resolve([phrase], find=INSTRUMENTS.get, search=lambda text: CONTRACTS)

    assert [instrument.key for instrument in imported.found] == [key]


@pytest.mark.parametrize(
    "phrase", ["nifty", "nifty 26000", "nifty nov", "nifty 2600 ce", "nifty 26000 ce jan", "BSE:nifty 26000 ce", "ce"]
)
def test_what_does_not_name_one_contract_is_unknown(phrase):
    assert resolve([phrase], find=INSTRUMENTS.get, search=lambda text: CONTRACTS).unknown == (phrase,)


def test_what_nothing_is_called_is_told_and_the_order_is_kept():
    imported = found("INFY", "NOPE", NIFTY, "NSE_EQ|INE000000000", "NOPE")

    assert [instrument.key for instrument in imported.found] == [INFY, NIFTY]
    assert imported.unknown == ("NOPE", "NSE_EQ|INE000000000")


def test_part_of_a_name_is_no_match():
    assert found("RELI").unknown == ("RELI",)


def test_a_file_of_prices_has_plain_numbers_and_can_be_imported_again():
    text = as_csv(reading(row(RELIANCE), keys=(RELIANCE, INFY)), CHOICE)

    table = list(csv.DictReader(io.StringIO(text)))
    assert table[0]["ltp"] == "1500.0"
    assert table[0]["year_range"] == "1200.0..1600.0"
    assert table[0]["age_seconds"] == "2.0"
    assert table[0]["oi"] == ""
    assert table[1]["symbol"] == "INFY"
    assert table[1]["ltp"] == ""
    assert [i.key for i in found(*read_entries(text)).found] == [RELIANCE, INFY]


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless():
    evil = replace(reading(row(RELIANCE)), instruments={RELIANCE: replace(INSTRUMENTS[RELIANCE], name="=cmd()")})

    assert next(csv.DictReader(io.StringIO(as_csv(evil, CHOICE))))["name"] == "'=cmd()"
