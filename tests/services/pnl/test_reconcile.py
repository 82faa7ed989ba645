"""Ours beside the broker's: report, charges, notes, positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import NoAnswer
from services.domain.pnl_reports import BrokerCharges
from services.pnl.comparisons import ReconcileView
from services.pnl.prices import BrokerHolds
from services.pnl.values import EVERYTHING, Filter
from services.portfolio.charges.kinds import Line
from services.portfolio.reconcile import Cause
from tests.support.ledger import TRADER
from tests.support.pnl_desk import NOW, RELIANCE, PnlDesk, past, row, traded


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PnlDesk]:
    made = PnlDesk(tmp_path)
    made.trades.add(
        [
            traded("1", "BUY", 10, "100", day=date(2026, 3, 30)), traded("2", "SELL", 10, "110", day=date(2026, 3, 31)),
            traded("3", "BUY", 10, "100", day=date(2026, 11, 18)),
            traded("4", "SELL", 10, "104", day=date(2026, 11, 19)),
        ],
        "trades",
        account="AB1234",
    )  # fmt: skip
    made.broker.rows = {"EQ": [row("2026-03-30", "2026-03-31", "100"), row("2026-11-18", "2026-11-19", "40")]}
    yield made
    made.close()


def reconciled(desk: PnlDesk, only: Filter = EVERYTHING) -> ReconcileView:
    desk.book.read_whole()
    return desk.book.reconcile(only)


def as_charged(desk: PnlDesk, **changed: str) -> BrokerCharges:
    """The broker's charges of the running year, equal to ours but for what is `changed`."""
    span = next(one for one in reconciled(desk).spans if (one.segment, one.year) == ("EQ", "2026-27"))
    ours = span.charges_traded

    def rupees(line: Line) -> Decimal:
        return Decimal(ours.of(line)).scaleb(-2)

    told = BrokerCharges(
        total=ours.rupees, brokerage=rupees(Line.BROKERAGE), gst=rupees(Line.GST), stt=rupees(Line.STT),
        stamp_duty=rupees(Line.STAMP), transaction=rupees(Line.EXCHANGE), clearing=Decimal(0), ipft=rupees(Line.IPFT),
        others=Decimal(0), sebi_turnover=rupees(Line.SEBI), demat_transaction=rupees(Line.DP),
    )  # fmt: skip
    return replace(told, **{name: Decimal(amount) for name, amount in changed.items()})


def test_a_time_over_the_31st_of_march_is_two_questions_for_each_segment(desk: PnlDesk) -> None:
    view = reconciled(desk)

    assert [(span.segment, span.year) for span in view.spans] == [
        (segment, year) for year in ("2025-26", "2026-27") for segment in ("EQ", "FO", "COM", "CD")
    ]
    periods = [one for one in desk.broker.asked if not isinstance(one, (str, tuple))]
    assert len(periods) == 8
    assert {(one.year, one.first, one.last) for one in periods} == {
        ("2526", date(2026, 3, 30), date(2026, 3, 31)), ("2627", date(2026, 4, 1), date(2026, 11, 19)),
    }  # fmt: skip
    assert [span.gross_off_by for span in view.spans] == [0] * 8
    assert any("finished days only" in words for words in view.unknown)


def test_a_segment_that_fails_is_missing_and_never_zero_and_the_others_stand(desk: PnlDesk) -> None:
    desk.broker.broken = lambda period: NoAnswer("no answer came") if period.segment == "FO" else None

    view = reconciled(desk)

    (early, late) = view.missing
    assert (early.segment, late.segment) == ("FO", "FO")
    assert (late.broker.gross, late.broker.charges_total, late.broker.error) == (None, None, "no answer came")
    assert late.differences == ()
    assert [span.broker.gross for span in view.spans if span.segment == "EQ"] == [10_000, 4_000]


def test_what_was_told_before_stays_with_its_age_when_it_cannot_be_renewed(desk: PnlDesk) -> None:
    reconciled(desk)
    desk.clock.move(seconds=60)
    desk.broker.down = NoAnswer("no answer came")

    view = reconciled(desk)

    assert view.missing == ()
    equity = next(one for one in view.spans if (one.segment, one.year) == ("EQ", "2026-27"))
    assert (equity.broker.gross, equity.broker.told_at, equity.broker.stale) == (4_000, NOW, "no answer came")


def test_without_asking_what_was_never_told_is_missing(desk: PnlDesk) -> None:
    desk.book.read_whole()

    view = desk.book.reconcile(ask=False)

    assert {span.broker.error for span in view.spans} == {"not asked for yet"}


def test_charges_that_agree_to_the_paisa_have_no_difference(desk: PnlDesk) -> None:
    desk.broker.charged["EQ"] = as_charged(desk)

    equity = next(one for one in reconciled(desk).spans if (one.segment, one.year) == ("EQ", "2026-27"))

    assert equity.differences
    assert {one.cause for one in equity.differences} == {Cause.NONE}


@pytest.mark.parametrize(
    ("changed", "line", "cause"),
    [
        ({"demat_transaction": "18.50"}, Line.DP, Cause.DEPOSITORY),
        ({"stamp_duty": "0.15"}, Line.STAMP, Cause.ROUNDING),
        ({"brokerage": "0"}, Line.BROKERAGE, Cause.PLAN),
        ({"transaction": "9.99"}, Line.EXCHANGE, Cause.UNKNOWN),
    ],
)
def test_a_difference_is_told_by_line_with_its_likely_cause(
    desk: PnlDesk, changed: dict[str, str], line: Line, cause: Cause
) -> None:
    desk.broker.charged["EQ"] = as_charged(desk, **changed)

    equity = next(one for one in reconciled(desk).spans if (one.segment, one.year) == ("EQ", "2026-27"))

    assert [(one.line, one.cause) for one in equity.differences if one.off_by] == [(line, cause)]


def test_another_result_than_the_broker_s_names_what_is_not_known(desk: PnlDesk) -> None:
    desk.trades.add([traded("5", "SELL", 3, "104", day=date(2026, 11, 19), minute=3)], "trades", account="AB1234")
    desk.broker.rows["EQ"][1] = row("2026-11-18", "2026-11-19", "55")
    desk.book.changed()

    view = reconciled(desk)

    equity = next(one for one in view.spans if (one.segment, one.year) == ("EQ", "2026-27"))
    assert equity.gross_off_by not in {0, None}
    assert equity.gross_cause == "a part of the history is missing: RELIANCE"
    assert any(words.startswith("RELIANCE: 3 sold of which no purchase is in the book") for words in view.unknown)


def test_trades_of_which_nobody_tells_the_order_make_brokerage_uncertain_and_that_is_said(desk: PnlDesk) -> None:
    desk.broker.history = [past("9", "BUY", 1, "100", "2026-11-19")]
    desk.book.refresh()

    assert any(words.startswith("of 1 trades nobody tells the order") for words in reconciled(desk).unknown)


def test_imported_notes_stand_beside_ours_of_their_day(desk: PnlDesk) -> None:
    table = "trade_date,note,brokerage,stt,exchange,sebi,stamp_duty,gst\n" + "\n".join(
        (
            "2026-11-18,CN-1,20.00,1.00,0.03,0.00,0.00,3.61",
            "2026-11-17,CN-0,20.00,1.00,0.03,0.00,0.00,3.61",
        )
    )
    desk.imports.commit(desk.imports.preview(table.encode(), "notes.csv"), TRADER)

    of_that_day, of_another = reconciled(desk).notes

    assert (of_that_day.name, of_that_day.day, of_that_day.why_not) == ("CN-1", date(2026, 11, 18), "")
    assert of_that_day.ours is not None
    assert [one.line for one in of_that_day.differences if one.cause is Cause.UNKNOWN] == []
    assert (of_another.name, of_another.ours) == ("CN-0", None)
    assert of_another.why_not == "no trade of that day is in the book"


def a_position(quantity: int, total: str, *, bought: int = 0, sold: int = 0) -> BrokerHolds:
    return BrokerHolds(
        RELIANCE, "", "RELIANCE", "D", quantity, 0, None, Decimal(102), "broker", NOW, None, Decimal(total), True,
        bought, sold,
    )  # fmt: skip


def test_profit_from_trades_and_from_positions_agree_or_say_why_not(desk: PnlDesk) -> None:
    desk.trades.add([traded("6", "BUY", 4, "101")], "trades", account="AB1234")
    desk.broker.holds = (a_position(4, "4", bought=4),)
    desk.book.changed()

    (same,) = reconciled(desk).positions
    assert (same.quantity, same.broker_quantity, same.result, same.broker_result) == (4, 4, 400, 400)
    assert same.agrees

    desk.broker.holds = (a_position(4, "7", bought=6, sold=2),)
    (other,) = reconciled(desk).positions
    assert other.off_by == -300
    assert "trades are missing" in other.words

    desk.broker.holds = (a_position(9, "4", bought=9),)
    (held,) = reconciled(desk).positions
    assert held.words == "the broker holds 9, the book 4"


def test_of_an_account_that_does_not_run_the_broker_says_nothing(desk: PnlDesk) -> None:
    desk.book.read_whole()
    desk.account = "XY9999"

    view = desk.book.reconcile(Filter(account="AB1234"))

    assert (view.spans, view.positions) == ((), ())
    assert "not the running one" in view.unknown[0]
