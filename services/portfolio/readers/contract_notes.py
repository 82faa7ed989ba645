"""Sums of contract notes, as somebody types them off or a broker's file lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.portfolio.charges.kinds import Line
from services.portfolio.money import to_paise
from services.portfolio.readers.rows import (
    Reading,
    Refusal,
    Row,
    Told,
    day_of_text,
    decimal_of,
    heading_of,
    optional,
    read_each,
    read_rows,
)

NOTES = "contract-note totals"
_NEEDED = frozenset({"trade_date", "brokerage", "gst", "stt", "stamp_duty"})
_COLUMNS = {
    Line.BROKERAGE: ("brokerage",),
    Line.STT: ("stt", "stt_ctt", "ctt"),
    Line.EXCHANGE: ("exchange_txn", "exchange", "transaction", "exchange_transaction_charges"),
    Line.IPFT: ("ipft",),
    Line.SEBI: ("sebi", "sebi_turnover", "sebi_fee"),
    Line.STAMP: ("stamp_duty", "stamp"),
    Line.CLEARING: ("clearing", "clearing_charges"),
    Line.DP: ("dp", "demat_transaction"),
    Line.GST: ("gst", "igst"),
}


@dataclass(frozen=True, slots=True)
class NoteTotals:
    """What a note says, in paise. A line it does not name is `None`: many notes print the IPFT within the exchange
    charge, and the depository charge never stands on one."""

    name: str
    day: date | None
    """`None`: the note's date is not known."""
    segment: str
    lines: dict[Line, int | None]
    obligation: int | None
    """What is paid in (below 0) or out, charges apart."""
    net: int | None

    @property
    def total(self) -> int:
        return sum(amount for amount in self.lines.values() if amount is not None)

    @property
    def off_by(self) -> int | None:
        """By how much the note's own figures miss each other, in paise; `None` where it does not tell all of them."""
        if self.obligation is None or self.net is None:
            return None
        return self.obligation - self.total - self.net


def are_contract_notes(text: str) -> bool:
    """Does a heading name the columns of contract-note totals?"""
    return any(columns >= _NEEDED for columns in heading_of(text))


def read_contract_notes(text: str, *, told: Told | None = None) -> Reading[NoteTotals]:
    """One note a row. Amounts in rupees; charges as positive numbers. A note whose date is not one is kept without."""
    return read_each(NOTES, read_rows(text, _NEEDED, f"table of {NOTES}", told=told), _note)


def _note(row: Row) -> NoteTotals:
    lines: dict[Line, int | None] = {}
    for line, names in _COLUMNS.items():
        name = next((name for name in names if optional(row, name)), None)
        lines[line] = None if name is None else _paise(row, name)
        if (lines[line] or 0) < 0:
            raise Refusal(f"{name} is below 0: charges are told as positive amounts")
    told = optional(row, "trade_date")
    day = None if not told or told.startswith("unknown") else day_of_text(told, "trade_date")
    return NoteTotals(
        optional(row, "note") or optional(row, "contract_note"),
        day,
        optional(row, "segment"),
        lines,
        _paise_or_none(row, "pay_in_out_obligation"),
        _paise_or_none(row, "net_receivable"),
    )


def _paise(row: Row, name: str) -> int:
    amount: Decimal = decimal_of(row, name)
    paise = to_paise(amount)
    if Decimal(paise).scaleb(-2) != amount:
        raise Refusal(f"{name} {amount} is finer than a paisa")
    return paise


def _paise_or_none(row: Row, name: str) -> int | None:
    return _paise(row, name) if optional(row, name) else None
