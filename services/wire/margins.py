"""The broker's own sums: margin of a list of orders, charges of one."""

from __future__ import annotations

from decimal import Decimal

from services.domain.margins import ChargesEstimate, LineMargin, Margin
from services.domain.orders import ZERO
from services.wire.fields import Row, as_list, as_map, decimal, decimal_or_blank, text_or_none


def parse_margin(data: object) -> Margin:
    """Margin of every line and of all together, in rupees."""
    row = as_map(data, "data")
    lines = as_list(row.get("margins"), "data.margins")
    return Margin(
        required=decimal(row, "required_margin", "data"),
        final=decimal(row, "final_margin", "data"),
        lines=tuple(_line(as_map(line, f"data.margins[{at}]"), f"data.margins[{at}]") for at, line in enumerate(lines)),
    )


def _line(row: Row, where: str) -> LineMargin:
    def part(name: str) -> Decimal:
        return decimal_or_blank(row, name, where) or ZERO

    return LineMargin(
        total=decimal(row, "total_margin", where),
        span=part("span_margin"),
        exposure=part("exposure_margin"),
        equity=part("equity_margin"),
        net_buy_premium=part("net_buy_premium"),
        additional=part("additional_margin"),
        tender=part("tender_margin"),
    )


def parse_charges(data: object) -> ChargesEstimate:
    """Charges of one order, in rupees. Two blocks have several spellings."""
    row = as_map(as_map(data, "data").get("charges"), "data.charges")
    taxes = _block(row, "taxes")
    other = _block(row, "other_charges", "other_taxes", "otherTaxes")
    plan = _block(row, "dp_plan", "dpPlan")

    def part(block: Row, *names: str) -> Decimal:
        return next((found for name in names if (found := decimal_or_blank(block, name, "data.charges"))), ZERO)

    return ChargesEstimate(
        total=decimal(row, "total", "data.charges"),
        brokerage=part(row, "brokerage"),
        gst=part(taxes, "gst"),
        stt=part(taxes, "stt"),
        stamp_duty=part(taxes, "stamp_duty", "stampDuty"),
        transaction=part(other, "transaction"),
        clearing=part(other, "clearing"),
        ipft=part(other, "ipft"),
        sebi_turnover=part(other, "sebi_turnover", "sebiTurnover"),
        dp_plan=text_or_none(plan, "name", "data.charges.dp_plan") or "",
        dp_min_expense=part(plan, "min_expense", "minExpense"),
    )


def _block(row: Row, *names: str) -> Row:
    """The first of these blocks that is there; none is an empty one."""
    for name in names:
        if row.get(name) is not None:
            return as_map(row[name], f"data.charges.{name}")
    return {}
