"""The broker's report of realised gains: how many rows there are, the rows page by page, what all of them cost."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.domain.orders import ZERO
from services.domain.pnl_reports import BrokerCharges, ReportPeriod, ReportRow
from services.wire.fields import (
    Row,
    as_list,
    as_map,
    decimal,
    decimal_or_blank,
    malformed,
    rows_of,
    text,
    text_or_none,
    whole_or_none,
)


@dataclass(frozen=True, slots=True)
class ReportSize:
    """What the metadata tells."""

    trades: int
    page_size_limit: int


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One page of rows."""

    rows: tuple[ReportRow, ...]
    number: int | None
    """As the broker counts it; `None`: not told."""


def period_params(period: ReportPeriod) -> dict[str, str]:
    """How a period is asked for."""
    return {
        "segment": period.segment,
        "financial_year": period.year,
        "from_date": f"{period.first:%d-%m-%Y}",
        "to_date": f"{period.last:%d-%m-%Y}",
    }


def parse_report_size(data: object) -> ReportSize:
    """How many rows a period has, and how many come at once."""
    row = as_map(data, "data")
    trades, limit = whole_or_none(row, "trades_count", "data"), whole_or_none(row, "page_size_limit", "data")
    if trades is None or trades < 0:
        malformed("data.trades_count", "a whole number of at least 0", row.get("trades_count"))
    if limit is None or limit < 1:
        malformed("data.page_size_limit", "a whole number of at least 1", row.get("page_size_limit"))
    return ReportSize(trades, limit)


def parse_report_page(data: object, metadata: Mapping[str, object]) -> ReportPage:
    """The rows of one page, in the broker's order."""
    page = metadata.get("page")
    number = whole_or_none(page, "page_number", "metadata.page") if isinstance(page, dict) else None
    return ReportPage(tuple(_row(row, where) for row, where in rows_of(as_list(data, "data"))), number)


def _row(row: Row, where: str) -> ReportRow:
    return ReportRow(
        quantity=decimal(row, "quantity", where),
        isin=text_or_none(row, "isin", where) or "",
        name=text_or_none(row, "scrip_name", where) or "",
        trade_type=text(row, "trade_type", where).upper(),
        bought=_day(row, "buy_date", where),
        buy_average=decimal(row, "buy_average", where),
        sold=_day(row, "sell_date", where),
        sell_average=decimal(row, "sell_average", where),
        buy_amount=decimal(row, "buy_amount", where),
        sell_amount=decimal(row, "sell_amount", where),
    )


def _day(row: Row, name: str, where: str) -> date | None:
    """`dd-mm-yyyy`."""
    told = text_or_none(row, name, where)
    if told is None:
        return None
    parts = told.split("-")
    if [len(part) for part in parts] == [2, 2, 4] and all(part.isascii() and part.isdigit() for part in parts):
        day, month, year = map(int, parts)
        with suppress(ValueError):
            return date(year, month, day)
    return malformed(f"{where}.{name}", "a date dd-mm-yyyy", told)


def parse_report_charges(data: object) -> BrokerCharges:
    """The charges of a period, in rupees. A member that is null or missing counts as nothing but where that means that
    it is not told (`ipft`); the total must be there."""
    where = "data.charges_breakdown"
    row = as_map(as_map(data, "data").get("charges_breakdown"), where)
    taxes, charges = _block(row, "taxes", where), _block(row, "charges", where)

    def part(block: Row, name: str) -> Decimal:
        return decimal_or_blank(block, name, where) or ZERO

    return BrokerCharges(
        total=decimal(row, "total", where),
        brokerage=part(row, "brokerage"),
        gst=part(taxes, "gst"),
        stt=part(taxes, "stt"),
        stamp_duty=part(taxes, "stamp_duty"),
        transaction=part(charges, "transaction"),
        clearing=part(charges, "clearing"),
        ipft=decimal_or_blank(charges, "ipft", where),
        others=part(charges, "others"),
        sebi_turnover=part(charges, "sebi_turnover"),
        demat_transaction=part(charges, "demat_transaction"),
    )


def _block(row: Row, name: str, where: str) -> Row:
    return {} if row.get(name) is None else as_map(row[name], f"{where}.{name}")
