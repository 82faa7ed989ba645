from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from services.domain.errors import MalformedPayload
from services.domain.pnl_reports import ReportPeriod
from services.wire.pnl import parse_report_charges, parse_report_page, parse_report_size, period_params
from tests.support.shared_data import shared

ROW = {
    "quantity": 10.0, "isin": "INE002A01018", "scrip_name": "RELIANCE INDUSTRIES LTD", "trade_type": "EQ",
    "buy_date": "05-06-2026", "buy_average": 1402.3, "sell_date": "18-06-2026", "sell_average": 1441.85,
    "buy_amount": 14023.0, "sell_amount": 14418.5,
}  # fmt: skip
CHARGES = {
    "charges_breakdown": {
        "total": 154.23, "brokerage": 97.23, "taxes": {"gst": 20.93, "stt": 15.0, "stamp_duty": 2.0},
        "charges": {"transaction": 0.56, "clearing": 0.0, "ipft": None, "others": 0.0, "sebi_turnover": 0.01,
                    "demat_transaction": 18.5},
    }
}  # fmt: skip


def test_a_period_is_asked_for_in_days_first_dates() -> None:
    period = ReportPeriod("A", "EQ", "2627", date(2026, 4, 1), date(2026, 11, 5))

    assert period_params(period) == {
        "segment": "EQ", "financial_year": "2627", "from_date": "01-04-2026", "to_date": "05-11-2026",
    }  # fmt: skip


def test_rows_are_read_as_they_were_printed() -> None:
    (row,) = parse_report_page([ROW], {"page": {"page_number": 1, "page_size": 500}}).rows

    assert (row.bought, row.sold, row.closed) == (date(2026, 6, 5), date(2026, 6, 18), date(2026, 6, 18))
    assert row.gain == Decimal("395.5")
    assert row.buy_average == Decimal("1402.3")


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [
        ("buy_date", "2026-06-05", "data[0].buy_date"),
        ("sell_date", "31-02-2026", "data[0].sell_date"),
        ("buy_amount", None, "data[0].buy_amount"),
        ("quantity", "10", "data[0].quantity"),
        ("trade_type", None, "data[0].trade_type"),
    ],
)
def test_a_row_that_cannot_be_read_names_its_member(member: str, value: object, field: str) -> None:
    with pytest.raises(MalformedPayload) as caught:
        parse_report_page([ROW | {member: value}], {})

    assert caught.value.field == field


@pytest.mark.parametrize("told", [{}, {"trades_count": -1, "page_size_limit": 5}, {"trades_count": 1}, [], None])
def test_metadata_without_its_figures_is_malformed(told: object) -> None:
    with pytest.raises(MalformedPayload):
        parse_report_size(told)


def test_charges_that_are_not_told_are_told_apart_from_nothing() -> None:
    told = parse_report_charges(CHARGES)

    assert (told.total, told.ipft, told.clearing) == (Decimal("154.23"), None, Decimal("0.0"))
    assert told.demat_transaction == Decimal("18.5")
    without = copy.deepcopy(CHARGES)
    del without["charges_breakdown"]["total"]
    with pytest.raises(MalformedPayload):
        parse_report_charges(without)


def test_the_broker_s_own_samples_are_read() -> None:
    def sample(name: str) -> Any:
        return orjson.loads(shared(f"upstox/examples/{name}.json").read_bytes())

    assert parse_report_size(sample("pnl_metadata")["data"]).page_size_limit == 5000
    page = parse_report_page(sample("pnl_data")["data"], sample("pnl_data")["metadata"])
    assert (len(page.rows), page.number) == (2, 1)
    assert parse_report_charges(sample("pnl_charges")["data"]).total == Decimal("154.23")
