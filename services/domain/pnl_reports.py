"""The broker's own report of realised gains, as values. Amounts in rupees, exact as told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One closed trade, as the broker tells it. It names no symbol and no instrument key."""

    quantity: Decimal
    isin: str
    """Empty for contracts."""
    name: str
    trade_type: str
    """EQ, FUT, OPT."""
    bought: date | None
    buy_average: Decimal
    sold: date | None
    sell_average: Decimal
    buy_amount: Decimal
    sell_amount: Decimal

    @property
    def gain(self) -> Decimal:
        return self.sell_amount - self.buy_amount

    @property
    def closed(self) -> date | None:
        """The later of its days: of a short sale, that of the purchase."""
        days = [day for day in (self.bought, self.sold) if day is not None]
        return max(days) if days else None


@dataclass(frozen=True, slots=True)
class BrokerCharges:
    """The broker's charges of one segment and period, all trades together. `ipft=None`: not told."""

    total: Decimal
    brokerage: Decimal
    gst: Decimal
    stt: Decimal
    stamp_duty: Decimal
    transaction: Decimal
    clearing: Decimal
    ipft: Decimal | None
    others: Decimal
    sebi_turnover: Decimal
    demat_transaction: Decimal


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """What one question to the broker is about: a segment and days within one financial year."""

    account: str
    segment: str
    """EQ, FO, COM, CD."""
    year: str
    """In the broker's code: `2627` begins on 1 April 2026."""
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class StoredReport:
    """What the broker told of one period, and when. `charges=None`: not told yet."""

    period: ReportPeriod
    trades_count: int
    """As its metadata said."""
    told_at: datetime
    charges: BrokerCharges | None = None
    charges_at: datetime | None = None
