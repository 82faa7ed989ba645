"""Exports opened and read back by another hand, and their sums worked out anew."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from dashboard.pnl_export import filter_words, tradebook_csv, trades_csv, workbook
from dashboard.pnl_file_tables import PIECE, FileColumn, FileTable, Kind, as_csv, file_name, price_text, rupees_text
from dashboard.pnl_workbook import SummaryLine, as_workbook
from services.domain.actors import Actor
from services.pnl.values import Filter, PriceTold
from services.portfolio.charges.kinds import LINES
from services.portfolio.lots.fills import Asset
from services.portfolio.readers.tradebooks import read_tradebook
from services.portfolio.records import JournalNote
from tests.support.lots import fill
from tests.support.pnl_views import NOW, many_fills, real_tradebook, view_of_fills
from tests.support.workbooks import ReadWorkbook

EVIL = (
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "<r><t>x</t></r>",
    "http://e.example",
)


def in_paise(amount):
    return round(Decimal(str(amount)) * 100)


def book_of(view):
    return ReadWorkbook(workbook(view, where="Paper, prices simulated", made=NOW).content)


@pytest.fixture(scope="module")
def real():
    return view_of_fills(real_tradebook())


@pytest.fixture(scope="module")
def read(real):
    return book_of(real)


def test_the_workbook_has_a_sheet_for_everything_and_begins_with_the_summary(read):
    assert read.formulas.sheetnames == [
        "Summary", "Closed trades", "Days", "By symbol", "By underlying",
        "By segment", "By product", "By tax bucket", "By month",
        "Charges by day", "Tax years", "Open positions", "Not known", "Sources",
    ]  # fmt: skip


def test_the_summary_is_formulas_that_come_to_what_the_page_shows(real, read):
    for label, paise in {
        "Gross": real.total.gross,
        "Charges": real.total.charges.total,
        "Net": real.total.net,
        "GST": real.total.charges.gst,
        "Depository": real.total.charges.dp,
    }.items():
        told, worked_out = read.line(label)
        assert in_paise(told) == in_paise(round(worked_out, 6)) == paise, label
    assert read.line("Closed trades") == (len(real.trades), len(real.trades))
    assert read.line("Won")[1] == real.statistics.wins
    assert float(read.line("Win rate")[1]) * 100 == pytest.approx(float(real.statistics.win_rate.value))


def test_every_formula_of_every_sheet_comes_to_the_value_that_stands_beside_it(read):
    formulas = read.all_formulas()

    assert len(formulas) > 80
    for sheet, cell, formula in formulas:
        told = read.values[sheet][cell].value
        assert read.work_out(sheet, formula) == pytest.approx(told, abs=1e-6), (sheet, cell, formula)


def test_the_sheets_agree_with_each_other(read):
    told = [row[0].value for row in read.sheet("Summary").iter_rows(max_col=1) if "less trades" in str(row[0].value)]

    assert len(told) == 7
    assert {read.line(label)[1] for label in told} == {0}


def test_the_table_of_trades_holds_each_trade_with_its_lines(real, read):
    trades = real.trades
    assert read.column("Closed trades", "trade id") == trades.id.tolist()
    assert [in_paise(one) for one in read.column("Closed trades", "net")] == trades.net.tolist()
    lines = [read.column("Closed trades", name) for name in ("Brokerage", "STT / CTT", "Exchange", "IPFT",
             "SEBI fee", "Stamp duty", "Clearing", "Depository", "GST")]  # fmt: skip
    sums = [sum(map(in_paise, row)) for row in zip(*lines, strict=True)]
    assert sums == trades.charges.tolist()
    assert len(lines) == len(LINES)
    assert [one.date() for one in read.column("Closed trades", "closed on")] == trades.closed_day.tolist()


def test_money_is_numbers_in_rupees_and_days_are_days(read):
    sheet = read.sheet("Closed trades")
    heads = [cell.value for cell in sheet[1]]
    net, closed = sheet.cell(2, heads.index("net") + 1), sheet.cell(2, heads.index("closed on") + 1)

    assert net.data_type == "n"
    assert "₹" in net.number_format
    assert closed.is_date
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref


def test_what_is_not_known_is_told_in_the_workbook(real, read):
    assert read.column("Not known", "symbol") == [flag.symbol for flag in real.flags]
    assert "bought before the book begins" in read.column("Not known", "cause")
    words = [row[2].value for row in read.sheet("Summary").iter_rows() if row[2].value]
    assert any("a part of the history is missing" in text for text in words)


def test_a_price_that_is_not_known_makes_the_unrealised_result_unknown_and_not_zero():
    view = view_of_fills([fill("BUY", 10, "100", 0)])
    read = book_of(view)

    assert read.line("Unrealised")[0] == "not known"
    assert read.column("Open positions", "unrealised") == [None]
    assert read.column("Open positions", "why not known") == ["no price is known"]


def test_an_open_position_comes_with_its_price_source_and_time():
    told = PriceTold(1_050_000, "feed", NOW)
    read = book_of(view_of_fills([fill("BUY", 10, "100", 0)], prices={"INE002A01018": told}))

    assert read.line("Unrealised") == (50, 50)
    assert read.column("Open positions", "price") == [105]
    assert read.column("Open positions", "price from") == ["feed"]
    assert read.column("Open positions", "price of") == [datetime(2026, 11, 20, 15, 30)]  # noqa: DTZ001


def test_nothing_closed_makes_an_empty_workbook_without_errors():
    read = book_of(view_of_fills([]))

    assert read.line("Net") == (0, 0)
    assert read.line("Win rate") == ("–", "–")
    assert read.column("Closed trades", "net") == []


@pytest.mark.parametrize("text", EVIL)
def test_no_text_from_outside_becomes_a_formula_a_link_or_markup(text):
    table = FileTable("Table", (FileColumn("name", Kind.TEXT, [text]),))
    content = as_workbook([SummaryLine(text, Kind.TEXT, text, note=text)], [table], title=text, made=NOW)
    read = ReadWorkbook(content)

    assert read.all_formulas() == []
    assert all(not sheet._hyperlinks for sheet in read.formulas.worksheets)
    assert read.column("Table", "name")[0].strip() == text.strip()
    if text[0] in "=+-@":
        assert read.sheet("Table")["A2"].quotePrefix
    line = as_csv(table).decode("utf-8-sig").splitlines()[1]
    assert line.lstrip('"')[0] not in "=+-@\t"


def test_journal_notes_are_in_both_files_and_harmless():
    fills = [fill("BUY", 10, "100", 0, order_id="a"), fill("SELL", 10, "101", 1, order_id="b")]
    plain = view_of_fills(fills)
    note = JournalNote(plain.trades.id[0], "=cmd|' /C calc'!A0\nsecond line", ("scalp", "plan"), Actor("A"), NOW)
    view = view_of_fills(fills, notes={note.trade_id: note})

    assert book_of(view).column("Closed trades", "note") == [note.text]
    row = next(csv.DictReader(io.StringIO(trades_csv(view).content.decode("utf-8-sig"))))
    assert row["note"] == f"'{note.text}"
    assert row["tags"] == "scalp, plan"


def test_the_csv_says_the_same_to_the_paisa(real):
    frame = pd.read_csv(io.BytesIO(trades_csv(real).content), dtype=str, keep_default_na=False)

    assert [in_paise(one) for one in frame["net (₹)"]] == real.trades.net.tolist()
    assert [in_paise(one) for one in frame["gross (₹)"]] == real.trades.gross.tolist()
    assert frame["closed on"].tolist() == [day.isoformat() for day in real.trades.closed_day.tolist()]
    assert frame["doubtful"].eq("yes").tolist() == real.trades.doubtful.tolist()


def test_the_tradebook_is_read_back_without_loss(real):
    made = tradebook_csv(real)
    read = read_tradebook(made.content.decode(), account="")

    assert made.rows == len(real.fills()) == 169
    assert not read.refused
    assert view_of_fills(read.taken).total == real.total


def test_a_filter_cuts_files_and_names_them():
    view = view_of_fills(many_fills(40), Filter(date(2026, 4, 10), date(2026, 5, 10), segment="EQ"))
    made = trades_csv(view)

    assert made.name == "pnl-trades_A_EQ_2026-04-10_2026-05-10.csv"
    assert 0 < made.rows == len(view.trades) < 40
    assert filter_words(view) == {"Account": "A", "Segment": "Equity"}


def test_progress_grows_to_the_end():
    told = []
    tables = [FileTable(name, (FileColumn("n", Kind.COUNT, range(2 * PIECE + 1)),)) for name in ("a", "b")]
    as_workbook([], tables, title="", made=NOW, progress=told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 3


def test_prices_finer_than_a_paisa_are_written_out():
    assert [price_text(one) for one in (850_025, 1_000_000, -12_345, 5)] == ["85.0025", "100.00", "-1.2345", "0.0005"]
    assert [rupees_text(one) for one in (0, -5, 123_450)] == ["0.00", "-0.05", "1234.50"]


def test_a_currency_trade_keeps_its_four_decimals():
    own = {"instrument": "NSE:USDINR:2026-04-28:0:FUT", "symbol": "USDINR", "asset": Asset.CURRENCY_FUTURE,
           "multiplier": 1000, "expiry": date(2026, 4, 28)}  # fmt: skip
    view = view_of_fills([fill("BUY", 1, "85.0025", 0, **own), fill("SELL", 1, "85.0050", 1, **own)])

    assert book_of(view).column("Closed trades", "buy average") == [85.0025]
    assert in_paise(book_of(view).column("Closed trades", "gross")[0]) == 250


def test_names_of_files_fit_any_file_system():
    assert file_name("pnl", "PAPER1/2", "../..\\x:*?", ending="csv") == "pnl_PAPER1-2_x.csv"


def test_moments_are_told_in_indian_time():
    table = FileTable("T", (FileColumn("at", Kind.MOMENT, [datetime(2026, 4, 6, 3, 45, tzinfo=UTC), None]),))

    assert as_csv(table).decode("utf-8-sig").splitlines() == ["at", "2026-04-06T09:15:00+05:30", ""]
