"""Our charges beside others', and why they differ."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from services.portfolio.charges.kinds import LINES, Kind, Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.charges.plan import PLUS_PLAN, STANDARD_PLAN, Brokerage
from services.portfolio.charges.rates import EARLIEST
from services.portfolio.costs import Costs, costs_of
from services.portfolio.lots.book import build_book
from services.portfolio.lots.fills import Asset
from services.portfolio.reconcile import Cause, Difference, assumptions, reconcile
from tests.support.lots import fill

OPTION = {"asset": Asset.OPTION, "instrument": "NSE:NIFTY:2026-04-28:25000:CE", "symbol": "NIFTY 25000 CE"}


def costs(plan=STANDARD_PLAN) -> Costs:
    book = build_book([
        fill("BUY", 10, "100.05", 0, trade_id="1"),
        fill("SELL", 10, "140.35", 9, trade_id="2"),
        fill("SELL", 650, "100", 4, trade_id="3", **OPTION),
        fill("BUY", 650, "80", 5, trade_id="4", **OPTION),
    ])  # fmt: skip
    return costs_of(book, plan=plan)


def told(lines: PaiseLines, **changed: int | None) -> dict[Line, int | None]:
    return {line: lines.of(line) for line in LINES} | {Line(name): amount for name, amount in changed.items()}


def differing(found: list[Difference]) -> dict[Line, Cause]:
    return {one.line: one.cause for one in found if one.cause is not Cause.NONE}


def test_equal_figures_agree() -> None:
    ours = costs().total

    found = reconcile(ours, told(ours))

    assert differing(found) == {}
    assert all(one.off_by == 0 for one in found)


def test_ipft_within_the_exchange_charge_is_compared_with_it() -> None:
    ours = costs().total

    assert differing(reconcile(ours, told(ours, ipft=None, exchange=ours.exchange + ours.ipft))) == {}


def test_a_rupee_rounding_and_paise_are_told_as_rounding() -> None:
    ours = costs().total

    found = differing(reconcile(ours, told(ours, stt=ours.stt - 40, exchange=ours.exchange + 1)))

    assert found == {Line.STT: Cause.ROUNDING, Line.EXCHANGE: Cause.ROUNDING}


def test_another_plan_is_recognised() -> None:
    standard, plus = costs(), costs(PLUS_PLAN).total

    found = reconcile(standard.total, told(plus), others=assumptions(standard))

    assert differing(found) == {Line.BROKERAGE: Cause.PLAN, Line.GST: Cause.PLAN}
    assert "Plus" in next(one.words for one in found if one.line is Line.BROKERAGE)


def test_another_base_of_gst_is_recognised() -> None:
    ours = costs()
    without = costs(replace(STANDARD_PLAN, gst_on_dp=False)).total

    assert differing(reconcile(ours.total, told(without), others=assumptions(ours))) == {Line.GST: Cause.GST_BASE}


def test_the_rate_of_another_day_is_recognised() -> None:
    ours = costs()
    old = next(lines for words, (_, lines) in assumptions(ours).items() if words.endswith("2026-04-01"))

    found = reconcile(ours.total, told(ours.total, stt=old.stt), others=assumptions(ours))

    assert differing(found) == {Line.STT: Cause.RATE_DATE}


def test_lines_that_are_not_told_and_what_cannot_be_explained_are_said_so() -> None:
    ours = costs().total

    found = differing(reconcile(ours, told(ours, dp=None, sebi=99_999, brokerage=1)))

    assert found == {Line.DP: Cause.NOT_TOLD, Line.SEBI: Cause.UNKNOWN, Line.BROKERAGE: Cause.PLAN}


def test_gst_that_follows_from_their_own_lines_is_no_mystery() -> None:
    ours = costs().total
    free = costs(STANDARD_PLAN.with_brokerage(list(Kind), Brokerage(EARLIEST, Decimal(1), None, "a test"))).total

    found = differing(reconcile(ours, told(free)))

    assert found == {Line.BROKERAGE: Cause.PLAN, Line.GST: Cause.FOLLOWS}


def test_nothing_traded_has_no_other_assumptions() -> None:
    assert assumptions(costs_of(build_book([]))) == {}
