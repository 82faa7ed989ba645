"""The tax figures of a year as rows, and the rules in words."""

from __future__ import annotations

from datetime import date

from dashboard.pnl_tax_words import rows_of, rules, split_rows, top_figures, year_name
from services.portfolio.lots.fills import Asset
from tests.support.lots import fill
from tests.support.pnl_views import real_tradebook, view_of_fills

OPTION = {
    "instrument": "NSE:NIFTY:2024-09-26:25000:CE", "symbol": "NIFTY", "asset": Asset.OPTION,
    "expiry": date(2024, 9, 26),
}  # fmt: skip


def texts(row):
    return [cell if isinstance(cell, str) else cell.text for cell in row]


def year_of(*fills, year="2024-25"):
    return view_of_fills(fills).tax(year)


def test_each_head_has_a_row_with_its_gain_and_what_may_be_deducted():
    tax = year_of(
        fill("BUY", 10, "100", date(2023, 5, 2)),
        fill("SELL", 10, "150", date(2024, 5, 3)),
        fill("BUY", 75, "10", date(2024, 9, 2), **OPTION),
        fill("SELL", 75, "8", date(2024, 9, 3), **OPTION),
    )
    long, contracts = (texts(row) for row in rows_of(tax.rows))

    assert long[0] == "Long-term capital gains"
    assert long[2:5] == ["₹1,000.00", "₹1,500.00", "+₹500.00"]
    assert contracts[0] == "Futures and options"
    assert contracts[4] == "−₹150.00"
    assert contracts[6] == "deducted"
    assert contracts[8] == "₹150.00"


def test_stt_is_not_deducted_from_capital_gains_but_from_business_income():
    tax = year_of(fill("BUY", 10, "1000", date(2024, 8, 1)), fill("SELL", 10, "1100", date(2024, 9, 2)))
    row = tax.rows[1]

    assert row.taxable == row.sums.gross - row.sums.charges.total + row.sums.charges.stt
    assert texts(rows_of(tax.rows)[0])[6] == "₹21.00"


def test_the_figures_at_the_top_are_those_of_a_return():
    names = {one.name: one.paise for one in top_figures(view_of_fills(real_tradebook()).tax("2024-25"))}

    assert set(names) == {"Short term (STCG)", "Long term (LTCG)", "Intraday", "F&O", "F&O turnover"}
    assert names["Short term (STCG)"] < 0
    assert names["F&O turnover"] == 0


def test_of_2024_the_gains_before_and_after_the_change_add_up():
    tax = year_of(
        fill("BUY", 20, "100", date(2024, 4, 2)),
        fill("SELL", 10, "110", date(2024, 7, 22)),
        fill("SELL", 10, "120", date(2024, 7, 23)),
    )
    early, late = (texts(row) for row in split_rows(tax))

    assert early[1:2] == late[1:2] == ["1"]
    assert tax.before_change[0].sums.gross == 100_00
    assert tax.row(tax.before_change[0].bucket).sums.gross == 300_00


def test_years_without_the_change_are_not_split():
    tax = year_of(fill("BUY", 1, "100", date(2025, 5, 2)), fill("SELL", 1, "110", date(2025, 6, 2)), year="2025-26")

    assert split_rows(tax) == []


def test_the_rules_name_the_law_and_the_rates_of_that_year():
    def words(year):
        return " ".join(text for pair in rules(view_of_fills([]).tax(year)) for text in pair)

    assert "15%, long term 10%" in words("2023-24")
    assert "15% and 10% above ₹1,00,000 before" in words("2024-25")
    assert "Income-tax Act 2025" not in words("2025-26")
    assert "Income-tax Act 2025" in words("2026-27")
    assert "applies no rate" in words("2026-27")


def test_from_april_2026_the_year_has_the_name_that_the_law_gives_it():
    assert year_name(view_of_fills([]).tax("2025-26")) == "FY 2025-26"
    assert year_name(view_of_fills([]).tax("2026-27")) == "Tax year 2026-27 (FY)"
