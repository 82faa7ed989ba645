"""Tradebooks and contract notes read, and rows refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.errors import InvalidRequest
from services.domain.orders import PastTrade, Side
from services.portfolio.charges.kinds import Group, Line
from services.portfolio.lots.book import build_book
from services.portfolio.lots.fills import Asset, contract_identity, natural
from services.portfolio.readers.contract_notes import read_contract_notes
from services.portfolio.readers.tradebooks import (
    OURS,
    UPSTOX,
    ZERODHA,
    fills_of_history,
    plain_exchange,
    read_ours,
    read_tradebook,
    read_zerodha,
    share_asset,
    write_ours,
)
from tests.support.lots import fill
from tests.support.shared_data import shared

ZERODHA_HEAD = (
    "symbol,isin,trade_date,exchange,segment,series,trade_type,auction,quantity,price,trade_id,order_id,"
    "order_execution_time\n"
)
UPSTOX_HEAD = (
    "exchange,segment,option_type,quantity,amount,trade_id,trade_date,transaction_type,scrip_name,strike_price,expiry,"
    "price,isin,symbol,instrument_token\n"
)


def test_the_real_tradebook_is_known_by_its_heading_and_read_whole() -> None:
    text = shared("data/tradebook/zerodha_tradebook_fy2425_A-J.csv").read_text()

    reading = read_tradebook(text, account="Z")

    assert reading.source == ZERODHA
    assert (len(reading.taken), reading.refused) == (169, ())
    first = reading.taken[0]
    assert (first.symbol, first.asset, first.side, first.quantity, first.price) == (
        "JUNIORBEES", Asset.FUND, Side.SELL, 2, 6_522_900,
    )  # fmt: skip
    assert first.day == date(2024, 4, 1)
    assert first.at_ms == 1_711_945_667_000  # 09:57:47 in India


def test_bad_rows_are_refused_one_by_one_with_their_line_and_reason() -> None:
    rows = (
        "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,buy,false,5.000000,1603.900000,T1,O1,2024-04-08T10:59:52\n"
        "ACE,INE731H01025,2024-13-08,NSE,EQ,EQ,buy,false,5,1603.9,T2,O1,\n"
        "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,buy,false,5.5,1603.9,T3,O1,\n"
        "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,buy,false,5,1603.90001,T4,O1,\n"
        "\n"
        "ACE,INE731H01025,2024-04-08,XXX,EQ,EQ,buy,false,5,1603.9,T5,O1,\n"
        "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,hold,false,5,1603.9,T6,O1,\n"
        "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,sell,false,5,,T7,O1,\n"
        "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,sell,false,5,NaN,T8,O1,\n"
        "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,sell\n"
    )

    reading = read_zerodha("﻿" + ZERODHA_HEAD + rows, account="Z")

    assert [one.trade_id for one in reading.taken] == ["T1"]
    assert [one.line for one in reading.refused] == [3, 4, 5, 7, 8, 9, 10, 11]
    reasons = [one.reason for one in reading.refused]
    for reason, word in zip(
        reasons,
        ("date", "whole", "finer", "exchange", "neither", "price is missing", "number", "ends early: 7 of 13"),
        strict=True,
    ):
        assert word in reason


def test_lines_above_the_heading_of_a_report_are_skipped() -> None:
    row = "ACE,INE731H01025,2024-04-08,NSE,EQ,EQ,buy,false,5,1603.9,T1,O1,\n"

    reading = read_tradebook("Tradebook for AB1234\n\n" + ZERODHA_HEAD + row, account="Z")

    assert len(reading.taken) == 1


def test_a_file_that_is_no_tradebook_is_refused_whole() -> None:
    for text in ("", "a,b\n1,2\n", "<html>", "\x00\x01"):
        with pytest.raises(InvalidRequest):
            read_tradebook(text, account="Z")


def test_the_trade_history_of_upstox_is_read() -> None:
    rows = (
        "NSE,EQ,,1,2252.35,75217259,2023-03-28,BUY,RELIANCE,0.0,,2252.35,INE002A01018,RELIANCE,NSE_EQ|INE002A01018\n"
        "NFO,FO,CE,25,15237.5,430927903,2023-03-31,SELL,BANKNIFTY,40000.0,2023-04-06,609.5,,BANKNIFTY,\n"
        "BFO,FO,PE,20,6000,1,2026-05-04,SELL,BANKEX,60000,2026-05-28,300,,BANKEX,\n"
        "MCX,COM,,1,550000,2,2026-05-04,BUY,CRUDEOIL,0.0,2026-05-18,5500,,CRUDEOIL,\n"
        "NFO,FO,CE,25,15237.5,3,2023-03-31,SELL,BANKNIFTY,40000.0,,609.5,,BANKNIFTY,\n"
    )

    reading = read_tradebook(UPSTOX_HEAD + rows, account="U")

    assert reading.source == UPSTOX
    share, option, sensible, crude = reading.taken
    assert (share.instrument, share.exchange, share.at_ms) == ("INE002A01018", "NSE", None)
    assert option.instrument == "NSE:BANKNIFTY:2023-04-06:40000:CE"
    assert (option.asset, option.expiry, option.multiplier) == (Asset.OPTION, date(2023, 4, 6), 1)
    assert (sensible.exchange, sensible.group) == ("BSE", Group.NONE)
    assert (crude.multiplier, crude.value) == (100, 5_500_000_000)
    assert [one.reason for one in reading.refused] == ["the expiry of a contract is missing"]


def test_the_same_history_by_api_gives_the_same_fills() -> None:
    told = PastTrade(
        trade_id="430927903", key="", segment="FO", exchange="NFO", side=Side.SELL, quantity=25, price=Decimal("609.5"),
        amount=Decimal("15237.5"), traded_on="2023-03-31", symbol="BANKNIFTY", name="BANKNIFTY", option_type="CE",
        strike="40000.0", expiry="2023-04-06",
    )  # fmt: skip
    row = "NFO,FO,CE,25,15237.5,430927903,2023-03-31,SELL,BANKNIFTY,40000.0,2023-04-06,609.5,,BANKNIFTY,\n"

    by_api = fills_of_history([told], account="U")
    by_file = read_tradebook(UPSTOX_HEAD + row, account="U")

    assert by_api.taken == by_file.taken
    assert len(build_book([*by_api.taken, *by_file.taken]).fills) == 1


def test_bse_options_but_for_two_indices_are_of_another_group() -> None:
    head = ZERODHA_HEAD.strip() + ",expiry_date\n"
    rows = "".join(
        f"{symbol},,2026-05-04,BFO,FO,,buy,false,20,100,T{number},O,,2026-05-07\n"
        for number, symbol in enumerate(("SENSEX2650776000CE", "SENSEX26MAY76000CE", "SENSEX5026MAY26000CE"))
    )

    reading = read_zerodha(head + rows, account="Z")

    assert [one.group for one in reading.taken] == [Group.NONE, Group.NONE, Group.BSE_OTHER_OPTION]
    assert {one.expiry for one in reading.taken} == {date(2026, 5, 7)}


def test_our_own_tradebook_is_read_back_without_loss() -> None:
    fills = [
        fill("BUY", 10, "100.05", 0, at=600, trade_id="T10", order_id="O1"),
        fill("SELL", 65, "0.0025", 1, asset=Asset.CURRENCY_FUTURE, instrument="NSE:USDINR:2026-11-26:0:FUT",
             symbol='USDINR, "near"', multiplier=1000, expiry=date(2026, 11, 26), trade_id="T2"),
        fill("BUY", 1, "100000", 0, trade_id="T9"),
    ]  # fmt: skip

    reading = read_tradebook(write_ours(fills), account="ignored")

    assert reading.source == OURS
    assert sorted(reading.taken, key=lambda one: one.trade_id) == sorted(fills, key=lambda one: one.trade_id)
    assert read_ours(write_ours(reading.taken)).taken == reading.taken


def test_funds_are_told_apart_by_isin_and_name() -> None:
    assert share_asset("INF732E01045", "JUNIORBEES") is Asset.FUND
    assert share_asset("INF204KB17I5", "GOLDBEES") is Asset.UNTAXED_FUND
    assert share_asset("INE002A01018", "GOLDIAM") is Asset.SHARE


def test_one_contract_has_one_identity_however_its_strike_is_written() -> None:
    day = date(2026, 11, 24)

    assert contract_identity("NSE", "NIFTY", day, "25000.0", "CE") == contract_identity(
        "NSE", "NIFTY", day, "25000", "CE"
    )
    assert contract_identity("NSE", "NIFTY", day) == "NSE:NIFTY:2026-11-24:0:FUT"
    assert [plain_exchange(one) for one in ("nfo", "BSE_EQ", "MCX_FO")] == ["NSE", "BSE", "MCX"]


def test_trade_ids_sort_as_people_count() -> None:
    assert sorted(["T10", "T9", "A1", "10", "9"], key=natural) == ["9", "10", "A1", "T9", "T10"]


def test_contract_notes_are_read_and_their_own_figures_agree() -> None:
    reading = read_contract_notes(shared("data/tradebook/contract_note_totals.csv").read_text())

    first, second = reading.taken
    assert reading.refused == ()
    assert first.day is None
    assert (second.day, second.lines[Line.STT], second.lines[Line.IPFT]) == (date(2026, 5, 26), 625_200, None)
    assert first.off_by == 0
    assert second.off_by == 0


def test_a_note_with_a_negative_charge_is_refused() -> None:
    reading = read_contract_notes(
        "trade_date,brokerage,gst,stt,stamp_duty\n2026-05-26,-1,0,0,0\n2026-05-27,1,0.001,0,0\n"
    )

    assert reading.taken == ()
    assert [one.line for one in reading.refused] == [2, 3]


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_whatever_the_text_is_it_is_read_or_refused(text: str) -> None:
    for head in ("", ZERODHA_HEAD, UPSTOX_HEAD):
        try:
            reading = read_tradebook(head + text, account="Z")
        except InvalidRequest:
            continue
        lines = [one.line for one in reading.refused]
        assert lines == sorted(set(lines)), "a row is refused once"
        assert all(one.reason for one in reading.refused)
        assert all(one.quantity > 0 for one in reading.taken)
