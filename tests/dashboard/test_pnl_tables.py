"""The tables of results: parts add up to the whole, and what is not known is told."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from dashboard.pnl_note_tables import note_facts, note_table
from dashboard.pnl_tables import MOST_GROUPS, charges_table, gross_table, groups_table, marks_table, net_table
from dashboard.pnl_trade_tables import TRADE_HEADS, lines_table, lots_table, trades_table
from services.pnl.values import Filter
from services.portfolio.closed import By
from services.portfolio.lots.fills import Asset
from tests.support.lots import fill
from tests.support.pnl_page import NOW, TODAY, FakeBook, many_fills


@pytest.fixture(scope="module")
def book():
    return FakeBook.of(many_fills(800, days=90))


@pytest.fixture(scope="module")
def view(book):
    return book.read()


def text(cell):
    return cell if isinstance(cell, str) else cell["t"]


def amount(cell):
    """Paise of what is written."""
    plain = re.sub(r"[₹,+]", "", text(cell)).replace("\N{MINUS SIGN}", "-")
    return int(Decimal(plain) * 100)


def column(table, id):
    place = [head["id"] for head in table["columns"]].index(id)
    return [row["cells"][place] for row in table["rows"]], table["foot"][0][place]


@pytest.mark.parametrize("by", list(By))
def test_groups_add_up_to_the_whole_whatever_they_are(view, by):
    table = groups_table(by, view.by(by), view.total)

    for name, whole in (("net", view.total.net), ("charges", view.total.charges.total)):
        parts, all_of_them = column(table, name)
        assert sum(map(amount, parts)) == amount(all_of_them) == whole


def test_many_groups_show_the_largest_and_put_the_others_together():
    fills = [
        fill(side, 10, str(100 + number * won), number % 5, instrument=f"I{number}", symbol=f"S{number:03d}")
        for number in range(MOST_GROUPS + 25)
        for won, side in enumerate(("BUY", "SELL"))
    ]  # fmt: skip
    view = FakeBook.of(fills, account="A").read()
    table = groups_table(By.SYMBOL, view.by(By.SYMBOL), view.total)

    assert len(table["rows"]) == MOST_GROUPS + 1
    assert text(table["rows"][-1]["cells"][0]) == "25 others, smaller"
    assert "id" not in table["rows"][-1]
    parts, whole = column(table, "net")
    assert sum(map(amount, parts)) == amount(whole)


def test_bars_begin_at_zero_and_lie_within_the_cell(view):
    for row in groups_table(By.SYMBOL, view.by(By.SYMBOL), view.total)["rows"]:
        zero, start, end, tone = row["cells"][1]["bar"] if row["cells"][1] else (0, 0, 0, "")
        assert 0 <= start <= end <= 1
        assert zero in (start, end)
        assert tone in ("up", "down", "flat", "")


def test_behind_each_figure_stand_parts_that_make_it(view):
    parts, total = view.by(By.SEGMENT), view.total

    cells, whole = column(gross_table(parts, total), "gross")
    assert sum(map(amount, cells)) == amount(whole) == total.gross
    cells, whole = column(charges_table(parts, total), "all")
    assert sum(map(amount, cells)) == amount(whole) == total.charges.total
    for segment in ("EQ", "FO"):
        cells, whole = column(charges_table(parts, total), segment)
        assert sum(map(amount, cells)) == amount(whole)
    cells, whole = column(net_table(parts, total), "net")
    assert sum(map(amount, cells)) == amount(whole) == total.net


def test_a_closed_trade_is_a_row_with_what_was_bought_sold_won_and_paid():
    fills = [
        fill("BUY", 10, "100", at=600, order_id="1"), fill("BUY", 5, "102", at=601, order_id="2"),
        fill("SELL", 12, "110", 3, at=700, order_id="3"),
    ]  # fmt: skip
    view = FakeBook.of(fills, account="A").read()
    table = trades_table(
        view.trades, [0], sort="net", down=True, noted={view.trades.id[0]: ("plan",)}, picked="", empty=""
    )
    cells = dict(zip([head.id for head in TRADE_HEADS], table["rows"][0]["cells"], strict=True))

    assert text(cells["symbol"]) == "RELIANCE"
    assert cells["symbol"]["s"] == "long · Equity · Delivery"
    assert cells["symbol"]["tags"] == [["plan", False]]
    assert (text(cells["quantity"]), text(cells["buy"]), text(cells["sell"])) == ("12", "100.33", "110.00")
    assert text(cells["gross"]) == "+₹116.00"
    assert amount(cells["gross"]) - amount(cells["charges"]) == amount(cells["net"])
    assert next(head for head in table["columns"] if head["id"] == "net")["sorted"] == "descending"
    lots = view.lots(view.trades.id[0])
    parts, whole = column(lots_table(lots), "net")
    assert sum(map(amount, parts)) == amount(whole) == amount(cells["net"])
    lines = view.charges(view.trades.id[0])
    parts, whole = column(lines_table(lots, lines), "all")
    assert sum(map(amount, parts)) == amount(whole) == amount(cells["charges"])


def test_a_sale_without_its_purchase_makes_its_instruments_trades_doubtful():
    fills = [fill("BUY", 5, "100"), fill("SELL", 9, "110", 4)]
    view = FakeBook.of(fills, account="A").read()
    table = trades_table(view.trades, [0], sort="net", down=True, noted={}, picked="", empty="")

    assert table["rows"][0]["cells"][0]["tags"] == [["in doubt", True]]


def test_orders_of_a_note_add_up_to_it_and_each_has_its_fills(book):
    note = book.read().notes(TODAY - timedelta(days=40), TODAY)[0]
    table = note_table(note, note.orders)

    parts, whole = column(table, "all")
    assert sum(map(amount, parts)) == amount(whole) == note.lines.total
    for row, order in zip(table["rows"], note.orders, strict=True):
        assert len(row["more"]) == len(order.trades)
        assert sum(amount(one["cells"][-1]) for one in row["more"]) == amount(row["cells"][-1])
    facts = {row["name"]: row["value"] for group in note_facts(note) for row in group["rows"]}
    assert amount(facts["All charges"]) == note.lines.total


def test_an_open_position_without_a_price_is_a_dash_with_the_reason():
    fills = [
        fill("BUY", 10, "100"),
        fill("BUY", 75, "20", instrument="NSE:X:2026-12-29:1:CE", symbol="X 1 CE", asset=Asset.OPTION),
    ]
    known = FakeBook.of(fills, account="A").read()
    unknown = FakeBook.of(fills, account="A", prices=False).read()

    cells = marks_table(known.unrealised, known.unrealised_total.paise, NOW, accounts=False)["rows"][0]["cells"]
    assert text(cells[-1]) == "+₹10.00"
    assert cells[3]["s"] == "quote, 3 s"
    [resting] = {row.key for row in known.unrealised}
    for made, words in ((NOW - timedelta(days=1), "quote, Thu 19 Nov, 14:05 IST"), (None, "quote")):
        at_rest = marks_table(known.unrealised, None, NOW, accounts=False, at_rest={resting: made})
        assert at_rest["rows"][0]["cells"][3]["s"] == words
    table = marks_table(unknown.unrealised, unknown.unrealised_total.paise, NOW, accounts=False)
    assert [text(row["cells"][-1]) for row in table["rows"]] == ["–", "–"]
    assert table["rows"][0]["cells"][-1]["s"] == "no price is known"
    assert text(table["foot"][0][-1]) == "–"


def test_filters_hold_for_every_table(book):
    view = book.read(Filter(date(2026, 9, 1), TODAY, "FO"))

    assert [one.label for one in view.by(By.SEGMENT)] == ["FO"]
    assert charges_table(view.by(By.SEGMENT), view.total)["columns"][1]["id"] == "all"  # one segment needs no columns


def test_months_are_written_as_the_desk_says_them(view):
    table = groups_table(By.MONTH, view.by(By.MONTH), view.total)

    assert all(row["cells"][0] == f"{date.fromisoformat(row['id'] + '-01'):%b %Y}" for row in table["rows"])
