"""What an order would take: margin and charges as the broker works them out, and the broker's own kill switch.

Money is `Decimal` rupees.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.domain.orders import ZERO, Side

MAX_MARGIN_LINES = 20


@dataclass(frozen=True, slots=True)
class MarginLine:
    """One order of those whose margin is asked for together. `price=None`: at the market."""

    key: str
    side: Side
    quantity: int
    product: str
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LineMargin:
    """What one line blocks, by kind."""

    total: Decimal
    span: Decimal = ZERO
    exposure: Decimal = ZERO
    equity: Decimal = ZERO
    net_buy_premium: Decimal = ZERO
    additional: Decimal = ZERO
    tender: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Margin:
    """`final` is what counts: after the benefit of lines that hedge each other."""

    required: Decimal
    final: Decimal
    lines: tuple[LineMargin, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargesEstimate:
    """The broker's estimate of what one order costs."""

    total: Decimal
    brokerage: Decimal = ZERO
    gst: Decimal = ZERO
    stt: Decimal = ZERO
    stamp_duty: Decimal = ZERO
    transaction: Decimal = ZERO
    clearing: Decimal = ZERO
    ipft: Decimal = ZERO
    sebi_turnover: Decimal = ZERO
    dp_plan: str = ""
    dp_min_expense: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class SegmentSwitch:
    """One segment at the broker."""

    segment: str
    active: bool
    """May this account trade there at all?"""
    killed: bool
    """The broker's kill switch is on: nothing can be opened for 12 hours."""
