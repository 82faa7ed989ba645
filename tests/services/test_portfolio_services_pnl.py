"""Profit, loss and charges as the guide promises them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest, NoAnswer
from services.portfolio_services_v3 import PortfolioServicesV3
from services.runtime import use_runtime
from tests.support.pnl_desk import NO_CHARGES, PnlDesk, past, row, traded


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PnlDesk]:
    made = PnlDesk(tmp_path)
    with use_runtime(made.runtime()):
        yield made
    made.close()


def test_the_same_report_three_times_has_the_same_totals(desk: PnlDesk) -> None:
    desk.broker.rows = {
        "EQ": [row("2026-03-30", "2026-03-31", "100.25"), row("2026-11-18", "2026-11-19", "40")] * 2,
        "FO": [row("2026-11-18", "2026-11-19", "-7.5", isin="")],
    }
    desk.broker.charged = {"EQ": NO_CHARGES.__class__(*([Decimal("12.34")] * 11))}
    portfolio = PortfolioServicesV3()

    reports = [portfolio.get_pnl_report(start_date="2026-03-01", end_date="2026-11-19") for _ in range(3)]

    for report in reports:
        assert report["realized_pnl"] == Decimal("273.00")
        assert report["total_charges"] == Decimal("24.68")
        assert report["net_pnl"] == Decimal("248.32")
        assert (report["total_trades"], len(report["trades"]), report["complete"]) == (5, 5, True)
    first = reports[0]["trades"][0]
    assert (first["buy_date"], first["realized_pnl"], first["quantity"]) == ("2026-03-30", Decimal("100.25"), 10)


def test_a_time_over_the_31st_of_march_is_two_calls_for_each_segment(desk: PnlDesk) -> None:
    PortfolioServicesV3().get_pnl_report("2026-03-31", date(2026, 4, 1), segment="eq")

    assert [(one.segment, one.year, one.first, one.last) for one in desk.broker.asked] == [
        ("EQ", "2526", date(2026, 3, 31), date(2026, 3, 31)), ("EQ", "2627", date(2026, 4, 1), date(2026, 4, 1)),
    ]  # fmt: skip


def test_without_dates_it_is_the_running_financial_year(desk: PnlDesk) -> None:
    PortfolioServicesV3().get_pnl_report()

    assert {(one.first, one.last) for one in desk.broker.asked} == {(date(2026, 4, 1), date(2026, 11, 20))}
    assert [one.segment for one in desk.broker.asked] == ["EQ", "FO", "COM", "CD"]


def test_a_failing_segment_is_missing_and_there_is_no_total_without_it(desk: PnlDesk) -> None:
    desk.broker.rows = {"EQ": [row("2026-11-18", "2026-11-19", "40")]}
    desk.broker.broken = lambda period: NoAnswer("no answer came") if period.segment == "FO" else None

    report = PortfolioServicesV3().get_pnl_report()

    told = {one["segment"]: one for one in report["segments"]}
    assert (told["EQ"]["status"], told["EQ"]["realized_pnl"]) == ("ok", Decimal("40.00"))
    assert (told["FO"]["status"], told["FO"]["realized_pnl"], told["FO"]["trades"]) == ("missing", None, None)
    assert told["FO"]["error"] == "no answer came"
    assert (report["realized_pnl"], report["total_charges"], report["net_pnl"]) == (None, None, None)
    assert report["missing"] == ["FO 2026-27: no answer came"]
    assert len(report["trades"]) == 1

    desk.broker.broken = lambda period: NoAnswer("no answer came")
    again = PortfolioServicesV3().get_pnl_report(segment="EQ")
    assert (again["segments"][0]["status"], again["realized_pnl"]) == ("stale", Decimal("40.00"))
    assert not again["complete"]


def test_a_broker_that_tells_nothing_at_all_is_an_error(desk: PnlDesk) -> None:
    desk.broker.down = NoAnswer("no answer came")

    with pytest.raises(NoAnswer):
        PortfolioServicesV3().get_pnl_report()


@pytest.mark.parametrize(
    "asked", [{"start_date": "2026-13-01"}, {"segment": "MF"}, {"start_date": "2026-11-19", "end_date": "2026-11-18"}]
)
def test_nonsense_is_refused_before_anybody_is_asked(desk: PnlDesk, asked: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        PortfolioServicesV3().get_pnl_report(**asked)

    assert desk.broker.asked == []


def test_the_summary_is_of_our_own_book(desk: PnlDesk) -> None:
    desk.broker.history = [
        past("1", "BUY", 10, "100", "2026-11-17"), past("2", "SELL", 4, "130", "2026-11-18"),
        past("3", "SELL", 4, "90", "2026-11-19"),
    ]  # fmt: skip

    summary = PortfolioServicesV3().calculate_pnl_summary()

    assert summary["total_realized_pnl"] == Decimal("80.00")
    assert summary["net_pnl"] == summary["total_realized_pnl"] - summary["total_charges"]
    assert summary["total_charges"] > 0
    assert (summary["total_trades"], summary["winning_trades"], summary["losing_trades"]) == (2, 1, 1)
    assert summary["win_rate"] == Decimal("50.00")
    assert summary["total_unrealized_pnl"] is None
    assert summary["notes"] == ["unrealised: RELIANCE: no price is known"]


def test_a_summary_of_nothing_has_no_win_rate_and_one_without_an_answer_is_an_error(desk: PnlDesk) -> None:
    assert PortfolioServicesV3().calculate_pnl_summary()["win_rate"] is None
    desk.broker.down = NoAnswer("no answer came")

    summary = PortfolioServicesV3().calculate_pnl_summary()

    assert (summary["error"], summary["net_pnl"]) == ("no answer came", Decimal("0.00"))


def test_a_first_summary_that_nobody_answers_is_an_error(desk: PnlDesk) -> None:
    desk.broker.down = NoAnswer("no answer came")

    with pytest.raises(NoAnswer):
        PortfolioServicesV3().calculate_pnl_summary()


def test_charges_of_a_trade_come_from_our_engine_and_are_kept(desk: PnlDesk) -> None:
    desk.trades.add(
        [traded("50", "BUY", 100, "100"), traded("51", "SELL", 100, "101", minute=1)], "trades", account="AB1234"
    )
    desk.broker.charged = {"EQ": NO_CHARGES.__class__(*([Decimal("12.34")] * 11))}
    portfolio = PortfolioServicesV3()
    portfolio.get_pnl_report(segment="EQ")

    bought, sold = portfolio.get_charges(trade_id="50"), portfolio.get_charges("51")

    assert (bought["status"], bought["symbol"], bought["side"], bought["exchange"]) == (
        "computed",
        "RELIANCE",
        "BUY",
        "NSE",
    )
    assert bought["brokerage"] == Decimal("10.00")  # 0.1% of an intraday order
    lines = [
        "brokerage", "stt", "exchange_charges", "ipft", "sebi", "stamp_duty", "clearing", "dp", "gst",
    ]  # fmt: skip
    for charges in (bought, sold):
        assert charges["total"] == sum(charges[name] for name in lines)
    (note,) = desk.book.read_whole().today
    assert bought["total"] + sold["total"] == note.lines.rupees
    assert bought["broker"][0]["total"] == Decimal("12.34")
    assert {one.identity[3] for one in desk.trade_charges.all()} == {"50", "51"}
    assert portfolio.get_charges()["total"] == note.lines.rupees


def test_an_unknown_trade_is_said_to_be_unknown_and_has_no_amounts(desk: PnlDesk) -> None:
    charges = PortfolioServicesV3().get_charges(trade_id="TRD123")

    assert charges["status"] == "unknown trade"
    assert (charges["total"], charges["brokerage"], charges["gst"], charges["broker"]) == (None, None, None, None)
    assert charges["trades"] == []


def test_a_trade_older_than_the_rates_has_no_amounts_and_says_why(desk: PnlDesk) -> None:
    desk.trades.add([traded("1", "BUY", 1, "100", day=date(2001, 1, 3))], "trades", account="AB1234")

    charges = PortfolioServicesV3().get_charges("1")

    assert "no rates are known" in charges["status"]
    assert charges["total"] is None
