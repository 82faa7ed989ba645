"""The report of realised gains, and the notes beside it, of an account that went through several days."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.paper.accounts import FILE, AccountBook
from services.paper.trading.gains import gains_of, name_of
from services.paper.trading.notes import total_of
from services.paper.trading.order_values import Fill
from services.paper.trading.values import UNITS_OF_PAISA
from tests.support.trading import BSE_SHARE, CALL, DOLLAR, FUTURE, PLAIN, SHARE, Account, e4

ALL = date.min, date.max


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    made = Account(tmp_path)
    yield made
    made.close()


def test_the_running_day_is_in_no_report(account: Account) -> None:
    account.buy(10)
    account.sell(10)

    assert account.desk.gains(*ALL) == []
    assert account.desk.charges(*ALL) == []
    account.go("2026-11-23 10:00:00")
    [row] = account.desk.gains(*ALL)
    assert (row.quantity, row.bought, row.sold, row.trade_type) == (10, "2026-11-20", "2026-11-20", "EQ")
    assert row.realised < 0  # a tick between bid and offer
    assert len(account.desk.charges(*ALL)) == 1


def test_a_row_stands_for_what_was_bought_on_one_day_and_sold_on_another(account: Account) -> None:
    account.buy(10)
    account.buy(5)
    account.go("2026-11-23 10:00:00")
    account.buy(5)
    account.go("2026-11-25 10:00:00")
    account.market.set(PLAIN, 110.0)
    account.sell(18)
    account.go("2026-11-26 10:00:00")

    rows = account.desk.gains(*ALL)

    assert [(row.quantity, row.bought, row.sold) for row in rows] == [
        (15, "2026-11-20", "2026-11-25"),
        (3, "2026-11-23", "2026-11-25"),
    ]
    assert all(row.sell_amount > row.buy_amount for row in rows)
    assert account.desk.open_cost() == 2 * e4(100.0)
    assert account.desk.gains(date(2026, 11, 20), date(2026, 11, 24)) == []
    assert account.desk.gains(*ALL, "FO") == []
    account.check()


def test_one_share_is_one_share_on_both_exchanges(account: Account) -> None:
    account.buy(10, key=SHARE)
    account.go("2026-11-23 10:00:00")
    account.sell(10, key=BSE_SHARE)
    account.go("2026-11-25 10:00:00")

    [row] = account.desk.gains(*ALL)

    assert (row.isin, row.quantity, row.bought, row.sold) == ("INE002A01018", 10, "2026-11-20", "2026-11-23")


def test_what_was_sold_first_was_short_and_units_are_counted(account: Account) -> None:
    account.sell(2, key=DOLLAR)
    account.sell(65, key=FUTURE)
    account.go("2026-11-23 10:00:00")
    account.buy(65, key=FUTURE)
    account.buy(2, key=DOLLAR)
    account.go("2026-11-25 10:00:00")

    rows = {row.segment: row for row in account.desk.gains(*ALL)}

    assert (rows["FO"].sold, rows["FO"].bought, rows["FO"].closed) == ("2026-11-20", "2026-11-23", "2026-11-23")
    assert (rows["FO"].isin, rows["FO"].trade_type) == ("", "FUT")
    assert (rows["CD"].quantity, rows["CD"].sell_amount) == (2000, 2000 * (e4(100.0) - 25))


def test_the_cash_of_an_account_without_positions_is_what_report_and_notes_say(account: Account) -> None:
    for key, many in ((SHARE, 7), (FUTURE, 65), (CALL, 130), (DOLLAR, 3)):
        account.buy(many, key=key)
    account.buy(3, key=PLAIN, product="I")  # the broker closes it himself
    account.go("2026-11-23 10:00:00")
    account.market.set(FUTURE, 104.05)
    for key, many in ((SHARE, 7), (FUTURE, 65), (CALL, 130), (DOLLAR, 3)):
        account.sell(many, key=key)
    account.go("2026-11-25 10:00:00")

    realised = sum(row.realised for row in account.desk.gains(*ALL))
    notes = account.desk.charges(*ALL)

    money = account.desk.funds()
    assert account.desk.open_cost() == 0
    assert money.balance - e4(10_00_000) == realised - total_of(notes) * UNITS_OF_PAISA
    assert money.balance % UNITS_OF_PAISA == 0  # whole paise
    assert {note.segment for note in notes} == {"EQ", "FO", "CD"}
    [square_off] = [note for note in notes if note.others]
    assert (square_off.day, square_off.others) == ("2026-11-20", 50_00)


def test_shares_that_were_traded_for_the_day_and_kept_are_charged_as_delivered(account: Account) -> None:
    account.buy(10, product="I")
    account.desk.convert(PLAIN, buys=True, quantity=10, old="I", new="D")
    account.go("2026-11-23 10:00:00")
    kept = account.desk.charges(*ALL)

    account.desk.reset()
    account.buy(10)
    account.go("2026-11-25 10:00:00")

    [converted], [delivered] = kept, account.desk.charges(*ALL)
    assert replace(converted, day=delivered.day) == delivered


def test_an_account_of_before_there_were_notes_gets_them(account: Account) -> None:
    account.buy(10)
    account.go("2026-11-23 10:00:00")
    account.sell(10)
    account.go("2026-11-24 10:00:00")
    notes, money = account.desk.charges(*ALL), account.desk.funds()
    account.close()
    with sqlite3.connect(account.folder / FILE) as file:  # as version 2 left it: other charges, and no notes
        file.execute("DROP TABLE notes")
        file.execute("UPDATE books SET charges = charges + 1234, balance = balance - 1234")
        file.execute("PRAGMA user_version = 2")
    AccountBook(account.folder).close()

    account.reopen()

    assert account.desk.charges(*ALL) == notes
    assert account.desk.funds().balance == money.balance
    account.check()


def test_a_reset_begins_another_report(account: Account) -> None:
    account.buy(10)
    account.go("2026-11-23 10:00:00")
    assert account.desk.open_cost()

    account.desk.reset()

    assert (account.desk.gains(*ALL), account.desk.charges(*ALL), account.desk.open_cost()) == ([], [], 0)


def test_contracts_are_named_as_the_instrument_file_does() -> None:
    future = Fill(
        "1", 1, "1", "1", "NSE_FO|1", "NSE_FO", "NFO", "NIFTY26NOVFUT", True, 65, 1, "D", "LIMIT", "", 0, 0,
        "2026-11-20", 1, name="NIFTY", expiry="2026-11-24",
    )  # fmt: skip

    assert name_of(future) == "NIFTY FUT 24 NOV 26"
    assert name_of(replace(future, option_type="CE", strike=e4(26_000))) == "NIFTY 26000 CE 24 NOV 26"
    assert name_of(replace(future, option_type="PE", strike=e4(92.25))) == "NIFTY 92.25 PE 24 NOV 26"


def test_nothing_traded_is_nothing_realised() -> None:
    assert gains_of([]).rows == ()
