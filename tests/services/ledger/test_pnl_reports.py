"""The broker's report is kept once, however often and in whatever pieces it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import InvalidRequest, MalformedPayload
from services.domain.pnl_reports import BrokerCharges, ReportPeriod, ReportRow
from services.ledger.engine import Ledger
from services.ledger.pnl_reports import PnlReports
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, new_ledger

YEAR = ReportPeriod("UP1234", "EQ", "2627", date(2026, 4, 1), date(2027, 3, 31))
JUNE = replace(YEAR, first=date(2026, 6, 1), last=date(2026, 6, 30))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(new_ledger(tmp_path)) as made:
        yield made


@pytest.fixture
def reports(ledger: Ledger, clock: FakeClock) -> PnlReports:
    return PnlReports(ledger, clock)


def row(sold: date = date(2026, 6, 18), quantity: str = "10", **more: object) -> ReportRow:
    told = ReportRow(
        Decimal(quantity), "INE002A01018", "RELIANCE INDUSTRIES LTD", "EQ", date(2026, 6, 5), Decimal("1402.3"), sold,
        Decimal("1441.85"), Decimal("14023.0"), Decimal("14418.5"),
    )  # fmt: skip
    return replace(told, **more)  # type: ignore[arg-type]


CHARGES = BrokerCharges(*(None if one.name == "ipft" else Decimal("12.34") for one in fields(BrokerCharges)))  # type: ignore[arg-type]


def test_told_three_times_it_is_the_same_report(reports: PnlReports, clock: FakeClock) -> None:
    told = [row(), row(), row(quantity="5"), row(isin="", bought=None, trade_type="FUT")]

    new = []
    for _ in range(3):
        new.append(reports.keep(YEAR, told, 4))
        clock.instant += timedelta(minutes=1)

    assert new == [4, 0, 0]
    assert Counter(reports.rows(YEAR)) == Counter(told), "two equal rows are two trades"
    stored = reports.report(YEAR)
    assert stored is not None
    assert (stored.trades_count, stored.told_at, stored.charges) == (4, clock.now() - timedelta(minutes=1), None)


def test_the_same_rows_told_for_a_month_and_for_the_year_are_the_same_rows(reports: PnlReports) -> None:
    may = row(date(2026, 5, 20), bought=date(2026, 5, 4))
    assert reports.keep(YEAR, [may, row(), row()], 3) == 3

    assert reports.keep(JUNE, [row(), row()], 2) == 0
    assert len(reports.rows(YEAR)) == 3
    assert reports.rows(JUNE) == [row(), row()]
    assert [one.period for one in reports.reports("UP1234")] == [YEAR, JUNE]
    assert reports.reports("another") == []


def test_what_the_broker_takes_back_goes_and_rows_of_other_days_segments_and_accounts_stay(
    reports: PnlReports,
) -> None:
    fo, other = replace(YEAR, segment="FO"), replace(YEAR, account="OTHER")
    may = row(date(2026, 5, 20), bought=date(2026, 5, 4))
    for period in (YEAR, fo, other):
        reports.keep(period, [may, row()], 2)

    assert reports.keep(JUNE, [row(sell_amount=Decimal("14418.55"))], 1) == 1

    assert [one.sell_amount for one in reports.rows(YEAR)] == [Decimal("14418.5"), Decimal("14418.55")]
    assert reports.rows(fo) == reports.rows(other) == [may, row()]


def test_a_short_sale_belongs_to_the_day_of_its_purchase_and_a_row_without_days_to_the_end(reports: PnlReports) -> None:
    short = row(date(2026, 6, 1), bought=date(2026, 7, 2))
    undated = replace(row(bought=None), sold=None)

    reports.keep(YEAR, [short, undated], 2)

    assert reports.rows(JUNE) == []
    assert reports.rows(replace(YEAR, first=date(2026, 7, 2), last=date(2026, 7, 2))) == [short]
    assert reports.rows(YEAR) == [short, undated]


def test_charges_are_kept_beside_the_rows_and_the_last_telling_counts(reports: PnlReports, clock: FakeClock) -> None:
    reports.keep_charges(YEAR, CHARGES)
    assert reports.report(YEAR) is None, "its rows were never told"
    clock.instant += timedelta(minutes=1)
    later = replace(CHARGES, ipft=Decimal("0.01"))

    reports.keep(YEAR, [], 0)
    reports.keep_charges(YEAR, later)

    stored = reports.report(YEAR)
    assert stored is not None
    assert (stored.charges, stored.charges_at) == (later, clock.now())


def test_an_average_is_kept_to_four_places_and_nonsense_is_refused(reports: PnlReports) -> None:
    reports.keep(YEAR, [row(buy_average=Decimal("1402.3333333"))], 1)
    assert reports.keep(YEAR, [row(buy_average=Decimal("1402.3333333"))], 1) == 0
    assert reports.rows(YEAR)[0].buy_average == Decimal("1402.3333")

    with pytest.raises(InvalidRequest):
        reports.keep(replace(YEAR, last=date(2026, 3, 1)), [], 0)
    for wrong in ("1e30", "NaN"):
        with pytest.raises(MalformedPayload):
            reports.keep(YEAR, [row(sell_amount=Decimal(wrong))], 1)
    assert len(reports.rows(YEAR)) == 1
