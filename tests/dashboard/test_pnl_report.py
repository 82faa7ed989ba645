"""The printed report, the tables of figures, and what people entered in words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.pnl_instruments import contract_words, contracts_of, expiry_of, shares_of
from dashboard.pnl_markup import Cell, Head, Tone, figure_table
from dashboard.pnl_rate_rows import rate_rows
from dashboard.pnl_record_words import action_name, action_words, days_words, plural, price_words, size_words
from dashboard.pnl_report import MOST_TRADES, report
from dashboard.pnl_words import money
from services.domain.actors import Actor
from services.domain.quotes import FROM_FEED
from services.pnl.values import Filter, PriceTold
from services.portfolio.charges.kinds import Kind, Line, Rate
from services.portfolio.charges.plan import STANDARD_PLAN
from services.portfolio.charges.table import STANDARD
from services.portfolio.lots.actions import Bonus, Demerger, Rename, Split
from services.portfolio.lots.fills import Asset
from services.portfolio.records import ChargeSettings, PlanChoice, RateOverride
from tests.support.lots import fill
from tests.support.pnl_views import NOW, many_fills, real_tradebook, view_of_fills

EVIL = "<script>alert(1)</script>&\"'"
EX = date(2026, 5, 4)
PUBLISHED = ChargeSettings(STANDARD, STANDARD_PLAN, PlanChoice(), (), (), "1")


def words(markup):
    """What stands between the tags, style sheets apart."""
    return re.sub(r"<[^>]+>", "\n", re.sub(r"<style>.*?</style>", "", markup, flags=re.DOTALL))


def test_the_report_tells_result_charges_tax_and_every_trade():
    view = view_of_fills(real_tradebook())
    text = words(report(view, where="Paper, prices: simulated", made=NOW))

    for paise in (view.total.gross, view.total.net, -view.total.charges.total, -view.total.charges.gst):
        assert money(paise).lstrip("−") in text
    assert text.count("long\n") == len(view.trades) == 27
    assert "FY 2024-25" in text
    assert "Paper, prices: simulated" in text


def test_what_is_missing_stands_before_the_figures():
    view = view_of_fills(real_tradebook(), missing=("the trades could not be read from the broker",), old=True)
    text = words(report(view, where="", made=NOW))

    assert text.index("The trades could not be read from the broker.") < text.index("sold less bought")
    assert "A part of the history is missing of AUROPHARMA" in text
    assert "15:27 IST, not current" in text


def test_figures_that_could_not_be_renewed_are_grey_on_the_sheet_and_say_as_of_when():
    old = report(view_of_fills(real_tradebook(), old=True), where="", made=NOW)
    current = report(view_of_fills(real_tradebook()), where="", made=NOW)

    assert '<section class="pair old">' in old
    assert "As of 15:27 IST, not current." in words(old)
    assert '<section class="pair">' in current
    assert "not current" not in words(current)


def test_more_lots_than_trades_are_explained_and_months_have_their_names():
    split = [fill("BUY", 5, "100"), fill("BUY", 5, "101", 1), fill("SELL", 10, "90", 2)]
    text = words(report(view_of_fills(split), where="", made=NOW))

    assert "A trade may close several lots." in text
    assert re.search(r"By month\s[^0-9]*Net\s+[A-Z][a-z]{2} 20\d\d\s", text)
    assert "several lots" not in words(report(view_of_fills(split[::2]), where="", made=NOW))


def test_an_unrealised_result_that_is_not_known_is_a_dash_with_its_reason():
    text = words(report(view_of_fills([fill("BUY", 10, "100", 0)]), where="", made=NOW))

    assert "RELIANCE: no price is known" in text
    assert "Nothing was closed." in text


def test_an_unrealised_result_on_paper_tells_how_old_its_prices_are_and_that_it_is_before_charges():
    told = {"INE002A01018": PriceTold(1_010_000, FROM_FEED, NOW - timedelta(seconds=2), key="NSE_EQ|INE002A01018")}
    text = words(report(view_of_fills([fill("BUY", 10, "100", 0)], prices=told), where="", made=NOW))

    assert re.search(r"Unrealised, before charges\s+\+₹10\.00\s+prices up to 2 s old", text)


def test_without_a_closed_trade_its_figures_are_dashes_and_that_is_told_once():
    text = words(report(view_of_fills([fill("BUY", 10, "100", 0)]), where="", made=NOW))

    assert re.search(r"Deepest drawdown\s+–", text)
    assert "no trade was closed" not in text


def test_with_something_missing_no_trade_is_said_to_have_been_closed_only_as_far_as_is_known():
    view = view_of_fills([fill("BUY", 10, "100", 0)], missing=("the trades could not be read from the broker",))
    text = words(report(view, where="", made=NOW))

    assert "No closed trade is known." in text
    assert "Nothing was closed." not in text


def test_names_from_outside_are_never_markup():
    fills = [
        fill("BUY", 10, "100", 0, symbol=EVIL, instrument="X", account=EVIL),
        fill("SELL", 10, "90", 1, symbol=EVIL, instrument="X", account=EVIL),
    ]
    made = report(view_of_fills(fills, Filter(account=EVIL)), where=EVIL, made=NOW)

    assert "<script" not in made
    assert "&lt;script&gt;" in made


def test_more_trades_than_paper_bears_are_cut_and_told():
    text = words(report(view_of_fills(many_fills(MOST_TRADES + 5)), where="", made=NOW))

    assert re.search(r"The newest 1,000 of 1,005; the workbook lists all\.", text)


def test_a_table_names_itself_its_columns_and_its_rows():
    heads = (Head("Line", number=False), Head("Ours"), Head("Why", words=True))
    made = figure_table(
        'Ours "now"', heads, [(Cell("GST", small="18%"), "₹1.00", Cell("x<y", Tone.WARN))], ("All", "₹1.00", "")
    )

    assert 'aria-label="Ours &quot;now&quot;"' in made
    assert '<th scope="row">GST<small>18%</small></th>' in made
    assert '<td class="words"><span class="warn">x&lt;y</span></td>' in made
    assert made.count("<tfoot>") == 1


def test_figures_that_fold_on_a_narrow_screen_keep_the_names_of_their_columns():
    made = figure_table("Groups", (Head("", number=False), Head('Net "₹"')), [("Equity", "₹1.00")], folded=True)

    assert 'class="desk-figures folded"' in made
    assert '<td class="number" data-name="Net &quot;₹&quot;">₹1.00</td>' in made
    assert "data-name" not in figure_table("Groups", (Head("", number=False), Head("Net")), [("Equity", "₹1.00")])


@pytest.mark.parametrize(
    ("action", "name", "rest"),
    [
        (Split("A", EX, 5, 1), "Split: 1 became 5", "before the opening of 04 May 2026"),
        (Split("A", EX, 5, 1, "B"), "Split: 1 became 5", "before the opening of 04 May 2026, into B"),
        (Bonus("A", EX, 1, 2), "Bonus: 1 for each 2 held", "the cost is spread over all shares"),
        (Bonus("A", EX, 1, 2, True), "Bonus: 1 for each 2 held", "new lots bought for nothing"),
        (Rename("A", EX, "B"), "Renamed", "into B"),
        (Demerger("A", EX, "B", 1, 1, Decimal("4.68")), "Demerger: 1 for each 1 held", "4.68% of the cost moves"),
    ],
)
def test_corporate_actions_are_told_in_words(action, name, rest):
    assert action_name(action) == name
    assert rest in action_words(action)


def test_figures_of_files_are_told_in_words():
    assert [plural(1, "trade"), plural(1200, "trade")] == ["1 trade", "1,200 trades"]
    assert [size_words(512), size_words(20_480), size_words(50 * 1024 * 1024)] == ["512 bytes", "20 kB", "50.0 MB"]
    assert days_words(EX, EX) == "04 May 2026"
    assert days_words(None, None) == "no dates"
    assert [price_words(850_025), price_words(1_050_000)] == ["₹85.0025", "₹105.00"]


def test_a_look_up_tells_each_rate_with_its_day_and_source():
    rows = {row.name: row for row in rate_rows(PUBLISHED, Kind.OPTION, "NSE", date(2026, 3, 31))}

    assert rows["STT / CTT"].sold == "0.1%"
    assert "01 Oct 2024: Finance (No. 2) Act 2024" in rows["STT / CTT"].words
    assert {row.name: row for row in rate_rows(PUBLISHED, Kind.OPTION, "NSE", date(2026, 4, 1))}[
        "STT / CTT"
    ].sold == "0.15%"
    assert "Depository" not in rows


def test_a_rate_of_ones_own_is_marked_and_an_unknown_one_is_a_dash():
    own = Rate(Line.STT, Kind.DELIVERY, EX, Decimal("0.2"), "my note")
    actor = Actor("asha")
    settings = ChargeSettings(
        STANDARD.with_rates([own]), STANDARD_PLAN, PlanChoice(),
        (RateOverride(1, own, actor, datetime(2026, 5, 4, tzinfo=UTC)),), (), "2",
    )  # fmt: skip
    rows = {row.name: row for row in rate_rows(settings, Kind.DELIVERY, "NSE", EX)}
    unknown = {row.name: row for row in rate_rows(PUBLISHED, Kind.DELIVERY, "MCX", EX)}

    assert rows["STT / CTT"].bought == rows["STT / CTT"].sold == "0.2%"
    assert rows["STT / CTT"].words == "your own, since 04 May 2026: my note"
    assert unknown["Exchange"].bought == "–"
    assert unknown["Exchange"].doubtful


def test_shares_and_expired_contracts_of_the_book_can_be_chosen():
    option = {"asset": Asset.OPTION, "symbol": "NIFTY"}
    gone, later = "NSE:NIFTY:2026-05-26:25000:CE", "NSE:NIFTY:2026-12-29:25000:CE"
    view = view_of_fills(
        [
            fill("BUY", 1, "10", 0),
            fill("BUY", 65, "10", 0, instrument=gone, expiry=date(2026, 5, 26), **option),
            fill("BUY", 65, "10", 0, instrument=later, expiry=date(2026, 12, 29), **option),
            fill("BUY", 65, "10", 0, instrument="NSE:NIFTY26MAY25000PE", expiry=date(2026, 5, 26), **option),
        ]
    )

    assert shares_of(view) == {"INE002A01018": "RELIANCE"}
    assert set(contracts_of(view)) == {gone, "NSE:NIFTY26MAY25000PE"}
    assert contract_words(gone) == "NIFTY 25000 CE, 26 May 2026"
    assert expiry_of("NSE:IDEA") is None
