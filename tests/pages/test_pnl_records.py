"""Files, entries, rates, notes, tax, reconciliation, exports, the report: through the entry script and a real desk."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from services.domain.actors import Actor, Role
from services.domain.errors import BrokerFault, StorageError
from services.pnl.values import Filter
from services.portfolio.lots.actions import Split
from services.portfolio.lots.fills import Asset
from services.portfolio.readers.tradebooks import write_ours
from services.portfolio.records import PlanChoice
from tests.support.lots import fill
from tests.support.screens import markup_words, open_page, words_on

WHO = Actor("asha", Role.OPERATOR)
HEADING = "symbol,isin,trade_date,exchange,segment,series,trade_type,auction,quantity,price,trade_id,order_id"
BOOK = f"""{HEADING}
INFY,INE009A01021,2024-04-01,NSE,EQ,EQ,buy,false,10,1500,T1,O1
INFY,INE009A01021,2024-05-02,NSE,EQ,EQ,sell,false,10,1600,T2,O2
"""
BROKEN = (
    BOOK
    + """INFY,INE009A01021,2024-13-02,NSE,EQ,EQ,sell,false,1,1600,T3,O3
INFY,INE009A01021,2024-05-02,NSE,EQ,EQ,hold,false,1,1600,T4,O4
"""
)
GONE = "NSE:NIFTY:2024-09-26:25000:CE"


@pytest.fixture
def desk(desk):
    yield desk
    for file in desk.imports.files():
        desk.imports.remove(file.id, WHO)
    for action in desk.corporate_actions.all():
        desk.corporate_actions.remove(action.id, WHO)
    for price in desk.corporate_actions.settlements():
        desk.corporate_actions.unsettle(price.instrument, WHO)
    desk.charge_rates.reset_all(WHO)


def visit(page="pnl", **words):
    """The page by a link that says `words`."""
    return settled(open_page(page, **words))


def settled(app):
    assert not app.exception
    return app


def press(app, label, place=0):
    found = [one for one in app.button if one.label == label]
    assert found, f"no button {label!r} among {[one.label for one in app.button]}"
    return settled(found[place].click().run())


def labels(app):
    return [one.label for one in app.button]


def upload(app, text, name="book.csv"):
    app = press(app, "Import a file")
    return settled(app.file_uploader(key="pnl-import-file").set_value((name, text.encode(), "text/csv")).run())


def imported(desk, text, account="A"):
    """A file in the ledger, and the book that counts it."""
    desk.imports.commit(desk.imports.preview(text.encode(), "book.csv", account=account), WHO)
    return desk.pnl.read_whole(Filter(account=account))


def test_a_file_is_looked_over_taken_and_given_back(desk):
    app = upload(visit(part="Records"), BOOK)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["New trades"] == "2"
    assert shown["Refused rows"] == "0"
    assert "01 Apr 2024 to 02 May 2024" in words_on(app)
    assert desk.imports.files() == []

    app = press(app, "Import 2 trades")
    assert [toast.value for toast in app.toast][-1].replace("\\", "") == "2 trades imported from book.csv"
    assert "2 trades, 1 symbol, 01 Apr 2024 to 02 May 2024" in words_on(app)

    app = press(press(app, "Remove"), "Remove", place=-1)
    assert desk.imports.files() == []
    assert "None yet. Import the tradebook" in words_on(app)


def test_the_same_file_again_changes_nothing_and_cannot_be_taken_twice(desk):
    imported(desk, BOOK, account="")
    app = upload(visit(part="Records"), BOOK, "again.csv")

    assert "This very file was imported as book.csv" in words_on(app)
    assert next(one for one in app.button if one.key == "pnl-import-go").disabled


def test_every_refused_row_is_listed_with_its_line_and_reason(desk):
    app = upload(visit(part="Records"), BROKEN)
    refused = app.dataframe[-1].value

    assert refused["Line"].tolist() == [4, 5]
    assert "2024-13-02" in refused["Why"][0]
    assert refused["Why"][1] == "trade_type 'hold' is neither buy nor sell"
    assert refused["The row begins"][0].startswith("INFY, INE009A01021, 2024-13-02")
    assert "2 rows refused" in words_on(app)
    assert "Import 2 trades" in labels(app)


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "empty"), ("a,b\n1,2\n", "no heading"), ("PK\x03\x04", "Excel")],
)
def test_a_file_that_is_no_such_table_is_refused_in_words(desk, text, told):
    app = upload(visit(part="Records"), text)

    (box,) = app.error
    assert told in box.value
    assert "pnl-import-go" not in [one.key for one in app.button]


def test_a_form_stays_open_while_the_page_is_drawn_anew_and_goes_when_it_is_put_away(desk):
    app = upload(visit(part="Records"), BOOK)
    assert "Import 2 trades" in labels(app.run())
    assert "Import 2 trades" not in labels(press(app, "Leave it"))


def test_a_split_is_entered_and_taken_back(desk):
    imported(desk, BOOK)
    app = press(visit(part="Records", account="A", period="all"), "Enter an action")
    assert app.selectbox(key="pnl-action-shares-").options == ["INFY · INE009A01021"]
    app = settled(app.number_input(key="pnl-action-new-become").set_value(5).run())
    assert "100 INFY held before" in words_on(app)
    assert "become 500; their cost stays." in words_on(app)

    app = press(app, "Enter it")
    (entered,) = desk.corporate_actions.all()
    assert (entered.action.new, entered.action.old) == (5, 1)
    assert "INFY · Split: 1 became 5" in words_on(app)

    press(press(app, "Remove", place=-1), "Remove", place=-1)
    assert desk.corporate_actions.all() == []


def test_an_action_that_makes_no_sense_cannot_be_entered(desk):
    imported(desk, BOOK)
    app = press(visit(part="Records", account="A"), "Enter an action")
    app = settled(app.segmented_control(key="pnl-action-kind").set_value("New ISIN or name").run())

    assert "Tell the new ISIN" in words_on(app)
    assert next(one for one in app.button if one.key == "pnl-action-go").disabled


def test_a_settlement_price_that_is_missing_is_asked_for_and_entered(desk):
    contract = {"instrument": GONE, "symbol": "NIFTY 25000 CE", "asset": Asset.OPTION, "expiry": date(2024, 9, 26)}
    imported(desk, write_ours([fill("BUY", 75, "10", date(2024, 9, 2), **contract)]))
    app = visit(part="Records", account="A", period="all")
    assert "1 contract without one" in words_on(app)

    app = press(app, "Enter")
    app = settled(app.number_input(key="pnl-settle-price").set_value(12.35).run())
    assert "is closed at ₹12.35 a unit." in words_on(app)
    app = press(app, "Enter it")

    (price,) = desk.corporate_actions.settlements()
    assert (price.instrument, price.price) == (GONE, 123_500)
    assert desk.pnl.read_whole(Filter(account="A")).total.gross == (1235 - 1000) * 75
    assert "NIFTY 25000 CE, 26 Sep 2024 · ₹12.35" in words_on(app)


def test_a_rate_of_ones_own_is_set_shown_and_reset(desk):
    app = press(visit(part="Records"), "Set your own")
    app.number_input(key="pnl-set-percent").set_value(0.2)
    app = settled(app.text_input(key="pnl-set-source").set_value("my note").run())
    app = press(app, "Set it")

    (own,) = desk.charge_rates.current().overrides
    assert own.rate.percent == Decimal("0.2")
    assert "STT / CTT 0.2% · equity delivery" in words_on(app)
    assert "your own, since" in markup_words(app)

    app = press(press(app, "Reset all"), "Remove", place=-1)
    assert desk.charge_rates.current().published


def test_a_rate_needs_somebody_who_says_so(desk):
    app = press(visit(part="Records"), "Set your own")
    app = settled(app.number_input(key="pnl-set-percent").set_value(0.2).run())

    assert next(one for one in app.button if one.key == "pnl-set-go").disabled


def test_another_plan_is_chosen(desk):
    app = visit(part="Records")
    app.selectbox(key="pnl-plan-name").set_value("Upstox Plus")
    app.checkbox(key="pnl-plan-dp").set_value(False)
    press(app, "Use this plan")

    assert desk.charge_rates.current().choice == PlanChoice("Upstox Plus", 18, True, False)


def test_a_card_that_cannot_be_read_says_so_and_the_others_stand(desk):
    def broken():
        raise StorageError("the ledger cannot be read")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.imports, "files", broken)
        app = visit(part="Records")

    assert "The desk's own files make trouble" in [box.proto.title for box in app.warning]
    assert "None yet. Import" not in words_on(app)
    assert "Enter an action" in labels(app)


def test_a_note_and_tags_are_written_on_a_trade(desk):
    view = imported(desk, BOOK)
    (id,) = view.trades.id.tolist()
    app = visit(account="A", period="all", trade=id)
    app.text_area(key=f"pnl-note-{id}").set_value("Sold *too* early")
    press(app, "Save the note")

    note = desk.journal.note(id)
    assert note.text == "Sold *too* early"
    app = visit(account="A", period="all", trade=id)
    assert app.text_area(key=f"pnl-note-{id}").value == "Sold *too* early"
    app.text_area(key=f"pnl-note-{id}").set_value("")
    press(app, "Save the note")
    assert desk.journal.note(id) is None


def test_the_tax_tab_opens_on_the_last_year_with_trades_and_names_it_in_the_link(desk):
    imported(desk, BOOK)
    app = visit(part="Tax", account="A", period="all")

    assert app.query_params["year"] in ("2024-25", ["2024-25"])
    assert "Short-term capital gains" in markup_words(app)
    assert "+₹1,000.00" in markup_words(app)
    assert "sold before 23 Jul 2024" in markup_words(app)
    assert "STT cannot be deducted from capital gains" in words_on(app)


def test_without_trades_the_tax_tab_says_that_nothing_was_closed(desk):
    assert "Nothing was closed in this year." in words_on(visit(part="Tax", account="nobody"))


def test_what_cannot_be_known_is_named_with_the_way_to_enter_it(desk):
    imported(desk, f"{HEADING}\n" + BOOK.splitlines()[2] + "\n")
    app = visit(part="Reconciliation", account="A", period="all")
    text = words_on(app)

    assert "10 sold of which no purchase is in the book" in text.lower()
    assert "Another account: A" in [box.proto.title for box in app.info]
    app = press(app, "Enter an action")
    assert app.selectbox(key="pnl-action-shares-INE009A01021").value == "INE009A01021"


def test_imported_notes_stand_beside_ours(desk):
    imported(desk, BOOK)
    heads = "note,trade_date,segment,brokerage,exchange_txn,gst,stt,sebi,stamp_duty"
    notes = f"{heads}\nN1,2024-04-01,EQ,20,0.48,3.69,15,0.02,2\n"
    desk.imports.commit(desk.imports.preview(notes.encode(), "notes.csv", account="A"), WHO)
    app = visit(part="Reconciliation", account="A", period="all")

    assert "N1 · EQ" in words_on(app)
    assert "₹15.00" in markup_words(app)


def test_a_broker_that_does_not_tell_its_report_is_missing_and_not_zero(desk, monkeypatch):
    imported(desk, BOOK, account=desk.pnl.account)

    def broken(period):
        raise BrokerFault("broken", status=500, code="UDAPI100500")

    monkeypatch.setattr(desk.pnl_api, "report", broken)
    app = visit(part="Reconciliation", period="all", segment="EQ")

    assert "FY 2024-25" in words_on(app)
    assert "₹1,000.00\n–\n–" in re.sub(r"\n+", "\n", markup_words(app))


@pytest.mark.parametrize(("kind", "noun"), [("Workbook", "1 trade"), ("Trades", "1 trade"), ("Tradebook", "2 fills")])
def test_a_file_of_the_results_is_made_and_offered(desk, kind, noun):
    imported(desk, BOOK)
    app = visit(account="A", period="all")
    app.session_state["pnl-export"] = True
    app = settled(app.run())
    app = settled(app.segmented_control(key="pnl-export-kind").set_value(kind).run())
    app = press(app, "Make the file")

    (offered,) = [one for one in app.get("download_button") if "Download" in one.proto.label]
    assert f"Download {noun}" in offered.proto.label
    assert app.segmented_control(key="pnl-export-kind").disabled, "another choice would stand beside this file's button"

    app = press(app, "Another file")
    assert not app.segmented_control(key="pnl-export-kind").disabled
    assert [one for one in app.get("download_button") if "Download" in one.proto.label] == []


def test_the_report_is_of_what_the_link_names(desk):
    imported(desk, BOOK)
    app = visit("pnl_print", account="A", period="all")
    assert "+₹1,000.00" in markup_words(app)
    assert "INFY" in markup_words(app)

    app = visit("pnl_print", account="A", **{"from": "2025-01-01", "to": "2025-02-01"})
    assert "INFY" not in markup_words(app)
    assert "01 Jan 2025 to 01 Feb 2025" in markup_words(app)


def test_a_link_of_the_report_that_makes_no_sense_is_told(desk):
    app = visit("pnl_print", segment="XX")

    assert any("is no segment" in box.value for box in app.warning)


def test_entries_of_others_are_told_by_name(desk):
    imported(desk, BOOK)
    desk.corporate_actions.add(Split("INE009A01021", date(2024, 4, 15), 2, 1), WHO, note="NSE circular")

    assert "NSE circular" in words_on(visit(part="Records", account="A"))
    assert "by asha" in words_on(visit(part="Records", account="A"))
