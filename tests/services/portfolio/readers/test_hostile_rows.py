"""Rows that were cut, shifted, swallowed or planted: each is refused by itself, with its line, and the others count."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.portfolio.readers.contract_notes import read_contract_notes
from services.portfolio.readers.rows import TOLD_EVERY
from services.portfolio.readers.tradebooks import read_tradebook

HEAD = "symbol,isin,trade_date,exchange,segment,trade_type,quantity,price,trade_id,order_id,order_execution_time"
GOOD = "ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T{n},O1,2024-04-08T10:59:52"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0", "ends early: 9 of 11"),
        ("ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1,603.90,T0,O1,2024-04-08T10:59:52", "comma within a number"),
        ('"ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0,O1,', "quotation mark"),
        ('A"C"E",INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0,O1,"', "quotation mark"),
        ("ACE" * 4000 + ",INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0,O1,", "has 12,0.. characters"),
        ("ACE" * 50 + ",INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0,O1,", "symbol has 150 letters"),
        ("=HYPERLINK(A1),INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0,O1,", "formula"),
        ("ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,+cmd|' /C calc'!A0,O1,", "formula"),
        ("ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0,@SUM(A1:A9),", "formula"),
        ("ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,=1+2,T0,O1,", "formula"),
        ("A\x07CE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T0,O1,", "signs of no text"),
        ('ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,"1603,90",T0,O1,', "no number: commas may part thousands"),
        ('ACE,INE731H01025,2024-04-08,NSE,EQ,buy,"5,00",1603.9,T0,O1,', "no number: commas"),
        ("ACE,INE731H01025,2024-04-08,NSE,EQ,buy,99999999999,1603.9,T0,O1,", "no real trade"),
        ("ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1e999999,T0,O1,", "price .* no number of rupees"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_whole_is_refused_and_the_rows_around_it_count(row: str, words: str) -> None:
    text = "\n".join([HEAD, GOOD.format(n=1), row, GOOD.format(n=2), ""])

    reading = read_tradebook(text, account="Z")

    assert [fill.trade_id for fill in reading.taken] == ["T1", "T2"]
    (refused,) = reading.refused
    assert refused.line == 3
    assert re.search(words, refused.reason), refused.reason
    assert len(refused.text) <= 120


def test_thousands_and_lakhs_may_be_parted_and_empty_columns_may_follow() -> None:
    rows = [
        'ACE,INE731H01025,2024-04-08,NSE,EQ,buy,"1,00,000","1,603.90",T1,O1,,,,',
        'ACE,INE731H01025,2024-04-08,NSE,EQ,buy,"1,000","12,34,567.50",T2,O1,',
    ]

    reading = read_tradebook("\n".join([HEAD, *rows]), account="Z")

    assert [(fill.quantity, fill.price) for fill in reading.taken] == [(100_000, 16_039_000), (1_000, 12_345_675_000)]


def test_a_mark_that_nobody_closes_swallows_nothing() -> None:
    rows = [GOOD.format(n=n) for n in range(1, 200)]
    rows[9], rows[150] = '"' + rows[9], rows[150] + '"'

    reading = read_tradebook("\n".join([HEAD, *rows]), account="Z")

    assert (len(reading.taken), [one.line for one in reading.refused]) == (197, [11, 152])


def test_a_broken_row_of_contract_notes_is_refused_and_the_others_count() -> None:
    head = "note,trade_date,segment,pay_in_out_obligation,brokerage,gst,stt,stamp_duty"

    reading = read_contract_notes(f'{head}\nA,2026-05-26,FO,-10,1,1,1,1\nB,2026-05-26,FO,5\nC,"2026-05-27,FO\n')

    assert [note.name for note in reading.taken] == ["A"]
    assert [one.line for one in reading.refused] == [3, 4]


def test_the_reader_tells_how_far_it_is() -> None:
    lines = 3 * TOLD_EVERY
    heard: list[int] = []

    read_tradebook("\n".join([HEAD, *(GOOD.format(n=n) for n in range(lines))]), account="Z", told=heard.append)

    assert heard == [TOLD_EVERY, 2 * TOLD_EVERY, 3 * TOLD_EVERY]


@given(st.text(alphabet='ACE,"\n\r=-1.5TNSQbuy0 \x07é', max_size=300))
@settings(max_examples=50, deadline=None)
def test_whatever_stands_below_a_heading_every_line_is_taken_refused_or_blank(text: str) -> None:
    reading = read_tradebook(f"{HEAD}\n{text}", account="Z")

    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    refused = {one.line for one in reading.refused}
    blank = [place for place, line in enumerate(lines, 2) if not line.replace(",", "").replace('"', "").strip()]
    assert len(reading.taken) + len(refused | set(blank)) >= len(lines)
