"""Reports and charges as plain dictionaries, for programs: rupees to the paisa, dates as text, `None`: not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from services.domain.pnl_reports import ReportPeriod, ReportRow, StoredReport
from services.pnl.comparisons import BrokerSpan
from services.portfolio.charges.kinds import Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.closed import financial_year
from services.portfolio.money import rupees_of_paise
from services.portfolio.records import TradeCharge


def report_told(
    first: date,
    last: date,
    account: str,
    spans: Sequence[BrokerSpan],
    rows: Sequence[tuple[ReportPeriod, Sequence[ReportRow]]],
) -> dict[str, Any]:
    """The broker's report of these days: its rows, a line for each segment and year, and the sums if all is there."""
    trades = [_trade_row(period, row) for period, own in rows for row in own]
    trades.sort(key=lambda row: (row["sell_date"] or "", row["buy_date"] or ""))
    told = all(span.charges_total is not None for span in spans)
    gross = None if any(map(_rows_missing, spans)) else sum(span.gross or 0 for span in spans)
    charges = sum(span.charges_total or 0 for span in spans) if told else None
    return {
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "account": account,
        "trades": trades,
        "segments": [_segment_row(span) for span in spans],
        "total_trades": len(trades),
        "realized_pnl": _rupees(gross),
        "total_charges": _rupees(charges),
        "net_pnl": None if gross is None or charges is None else _rupees(gross - charges),
        "missing": [f"{span.segment} {span.year}: {why}" for span in spans for why in _missing_of(span)],
        "complete": all(not _missing_of(span) and span.stale is None for span in spans),
        "source": "the broker's report; finished days only, charges all together",
    }


def _rows_missing(span: BrokerSpan) -> str:
    if not span.told:
        return span.error
    if span.count is not None and span.rows is not None and span.rows < span.count:
        return f"the broker announced {span.count} rows and told {span.rows}"
    return ""


def _missing_of(span: BrokerSpan) -> list[str]:
    """What of a segment did not come, in words."""
    rows = _rows_missing(span)
    charges = "its charges were not told" if span.told and span.charges_total is None else ""
    return [why for why in (rows, charges) if why]


def _segment_row(span: BrokerSpan) -> dict[str, Any]:
    rows = _rows_missing(span)
    status = "missing" if not span.told else "incomplete" if rows else "ok" if span.stale is None else "stale"
    return {
        "segment": span.segment,
        "financial_year": span.year,
        "from_date": span.first.isoformat(),
        "to_date": span.last.isoformat(),
        "status": status,
        "error": rows or span.stale,
        "trades": span.rows,
        "realized_pnl": None if rows else _rupees(span.gross),
        "charges": _rupees(span.charges_total),
        "as_of": span.told_at,
    }


def _trade_row(period: ReportPeriod, row: ReportRow) -> dict[str, Any]:
    return {
        "segment": period.segment,
        "financial_year": financial_year(period.first),
        "trade_type": row.trade_type,
        "isin": row.isin,
        "scrip_name": row.name,
        "quantity": int(row.quantity) if row.quantity == int(row.quantity) else row.quantity,
        "buy_date": None if row.bought is None else row.bought.isoformat(),
        "buy_average": row.buy_average,
        "buy_amount": row.buy_amount,
        "sell_date": None if row.sold is None else row.sold.isoformat(),
        "sell_average": row.sell_average,
        "sell_amount": row.sell_amount,
        "realized_pnl": row.gain,
    }


def charges_told(
    trade_id: str | None, charges: Sequence[TradeCharge], broker: Sequence[StoredReport]
) -> dict[str, Any]:
    """What a trade cost (`None`: all of them), line by line, beside what the broker told of its charges."""
    unknown = next((one.status for one in charges if one.lines is None), None)
    if not charges:
        unknown = "unknown trade" if trade_id is not None else None
    total = None if unknown is not None else sum((one.lines for one in charges if one.lines is not None), PaiseLines())
    result = {"trade_id": trade_id, "status": unknown or "computed", **_line_row(total)}
    if trade_id is not None and len(charges) == 1:
        result |= _about(charges[0])
    return result | {
        "trades": [_about(one) | {"status": one.status} | _line_row(one.lines) for one in charges]
        if trade_id is not None
        else len(charges),
        "broker": [_broker_row(one) for one in broker] or None,
    }


def _about(charge: TradeCharge) -> dict[str, Any]:
    account, exchange, day, trade_id, instrument, side = charge.identity
    return {
        "trade_id": trade_id,
        "account": account,
        "exchange": exchange,
        "date": day.isoformat(),
        "instrument": instrument,
        "symbol": charge.symbol,
        "side": side,
        "order_id": charge.order_id or None,
    }


def _line_row(lines: PaiseLines | None) -> dict[str, Decimal | None]:
    names = {Line.STAMP: "stamp_duty", Line.EXCHANGE: "exchange_charges"}
    row: dict[str, Decimal | None] = {"total": None if lines is None else lines.rupees}
    for line in Line:
        row[names.get(line, line.value)] = None if lines is None else rupees_of_paise(lines.of(line))
    return row


def _broker_row(report: StoredReport) -> dict[str, Any]:
    period, charges = report.period, report.charges
    assert charges is not None  # told
    return {
        "segment": period.segment,
        "financial_year": financial_year(period.first),
        "from_date": period.first.isoformat(),
        "to_date": period.last.isoformat(),
        "as_of": report.charges_at,
        **{name: None if amount is None else round(amount, 2) for name, amount in asdict(charges).items()},
    }


def _rupees(paise: int | None) -> Decimal | None:
    return None if paise is None else rupees_of_paise(paise)
