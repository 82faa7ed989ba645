"""Ours beside the broker's, in rows and in one sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dashboard.pnl_reconcile_rows import (
    gap_words,
    note_rows,
    note_title,
    note_verdict,
    position_rows,
    span_rows,
    span_verdict,
)
from services.pnl.comparisons import BrokerSpan, NoteCheck, PositionCheck, SpanCheck
from services.portfolio.charges.kinds import Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.reconcile import Cause, Difference, reconcile

DAYS = (date(2026, 4, 1), date(2026, 11, 19))
OURS = PaiseLines(brokerage=4000, stt=21000, exchange=645, sebi=21, stamp=1500, dp=2000, gst=1200)


def span(theirs=None, *, gross=1000, cause="", differences=None, **more):
    charges = {} if theirs is None else {line: theirs.of(line) for line in Line}
    told = {
        "rows": 4, "gross": gross, "charges": charges, "told_at": datetime(2026, 11, 20, tzinfo=UTC),
        "charges_total": None if theirs is None else theirs.total,
    }  # fmt: skip
    broker = BrokerSpan("EQ", "2026-27", *DAYS, **(told | more))
    if differences is None:
        differences = tuple(reconcile(OURS, charges)) if theirs else ()
    return SpanCheck("EQ", "2026-27", *DAYS, 4, 1000, OURS, OURS, broker, differences, cause)


def texts(row):
    return [cell if isinstance(cell, str) else cell.text for cell in row]


def test_what_agrees_is_said_to_agree_to_the_paisa():
    rows, total = span_rows(span(OURS))

    assert span_verdict(span(OURS)).words == "Agrees to the paisa"
    assert {texts(row)[3] for row in rows} == {"agrees"}
    assert texts(total)[:4] == ["Charges", "₹303.66", "₹303.66", "agrees"]
    assert "Clearing" not in [texts(row)[0] for row in rows]


def test_a_difference_has_its_amount_and_its_likely_cause():
    other = PaiseLines(brokerage=4000, stt=21000, exchange=645, sebi=21, stamp=1500, dp=1850, gst=1173)
    rows, _ = span_rows(span(other))
    found = {texts(row)[0]: texts(row) for row in rows}

    assert span_verdict(span(other)).words == "2 lines differ"
    assert found["Depository"][1:4] == ["₹20.00", "₹18.50", "+₹1.50"]
    assert found["Depository"][4].startswith("Depository charge: ")
    assert found["GST"][4].startswith("Follows from another line: ")


def test_rounding_alone_is_no_alarm():
    one = Difference(Line.STT, 21000, 21040, Cause.ROUNDING, "on a note it is rounded to the rupee")

    assert span_verdict(span(OURS, differences=(one,))).words == "Agrees but for rounding"


def test_a_result_that_differs_says_why():
    rows, _ = span_rows(span(OURS, gross=900, cause="shares bought before the book begins"))

    assert texts(rows[0]) == [
        "P&L before charges", "₹10.00", "₹9.00", "+₹1.00", "shares bought before the book begins",
    ]  # fmt: skip
    assert span_verdict(span(OURS, gross=900)).words == "1 line differs"


def test_what_the_broker_did_not_tell_is_missing_and_never_zero():
    missing = span(None, rows=None, gross=None, told_at=None, error="The broker has a fault")
    rows, total = span_rows(missing)

    assert span_verdict(missing).words == "The broker has not told it"
    assert {texts(row)[2] for row in (*rows, total)} == {"–"}
    assert texts(rows[0])[1] == "₹10.00"


def test_charges_that_the_broker_books_under_no_line_are_named():
    rows, _ = span_rows(span(OURS, others=5000))

    assert texts(rows[-1])[:4] == ["Others", "–", "₹50.00", "−₹50.00"]


def note(**more):
    members = {"name": "CN2", "day": date(2026, 5, 26), "segment": "options", "told": {Line.STT: 6252_00}, "ours": None,
               "differences": ()}  # fmt: skip
    return NoteCheck(**(members | more))


def test_a_note_without_trades_of_its_day_shows_what_it_says():
    assert note_verdict(note()).words == "Nothing of ours beside it"
    assert [texts(row) for row in note_rows(note())] == [["STT / CTT", "–", "₹6,252.00", "–", ""]]
    assert note_title(note()) == "CN2 · options"


def test_a_note_is_compared_line_by_line():
    told = {Line.BROKERAGE: 4000, Line.STT: 21000, Line.EXCHANGE: 645, Line.GST: 1200, Line.SEBI: 21, Line.STAMP: 1500}
    ours = PaiseLines(brokerage=4000, stt=21000, exchange=645, sebi=21, stamp=1500, gst=1200)

    assert note_verdict(note(ours=ours, differences=tuple(reconcile(ours, told)))).words == "Agrees"


@pytest.mark.parametrize(
    ("off_by", "words"), [(None, ""), (0, ""), (-5, "The note's own figures miss each other by ₹0.05.")]
)
def test_a_note_that_does_not_add_up_is_told_so(off_by, words):
    assert gap_words(note(off_by=off_by)) == words


def test_positions_from_both_sides_stand_beside_each_other():
    contract = "NSE:NIFTY:2026-11-24:25000:CE"
    rows = position_rows(
        [
            PositionCheck("INE002A01018", "RELIANCE", 10, 10, 500, 500, 1_400_000),
            PositionCheck(contract, "NIFTY", 65, None, None, None, None, "the broker has not told its positions"),
        ]
    )

    assert texts(rows[0]) == ["RELIANCE", "10", "10", "+₹5.00", "+₹5.00", "agrees"]
    assert texts(rows[1]) == [
        "NIFTY 25000 CE, 24 Nov 2026",
        "65",
        "–",
        "–",
        "–",
        "the broker has not told its positions",
    ]
