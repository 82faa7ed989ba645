"""Units of the paper broker's trading desk, and what it tells of the account as a whole. How JSON spells values is not
known here; orders are in `order_values`, positions and holdings in `position_values`.

Money and prices are integers of 1/10000 rupee (`PRICE_UNITS`): the finest tick is Rs 0.0025, so that every fill is
exact. Quantities are units (currency and commodities: lots); rupees = quantity x price x the instrument's multiplier.
Instants are epoch ms, days ISO dates of the trading day.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.domain.errors import BrokerError

PRICE_UNITS = 10_000
UNITS_OF_PAISA = 100
AUTOMATIC = -100
"""Market protection in 1/100 percent that says: as the broker likes."""


def rupees(units: int) -> Decimal:
    """`units` of 1/10000 rupee as rupees, exact."""
    return Decimal(units).scaleb(-4)


def units(price: float) -> int:
    """A price of the market (rupees) in 1/10000 rupee."""
    return round(price * PRICE_UNITS)


@dataclass(frozen=True, slots=True)
class MoneyState:
    """The account's money. `available` is what a new order may use."""

    opening: int
    """At the start of the day (a new account: what it was opened with)."""
    balance: int
    """Cash if every open position were undone at its cost: opening + realised - charges, less what was paid for
    delivered shares, plus what delivered ones brought."""
    available: int
    used: int
    """Blocked: the parts below, orders included."""
    delivery: int
    """For shares bought today under D and not delivered yet, and for orders of such."""
    intraday_and_funded: int
    """For shares under I and MTF."""
    span: int
    exposure: int
    premium: int
    """For bought options."""
    realised: int
    """Today, charges apart."""
    unrealised: int
    """Of the open positions of margin products (not of what is paid in full), at last prices."""
    charges: int
    """Of today's fills."""
    sold_holdings: int
    """Brought in by shares sold out of the holdings today: may be used at once."""


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of one line of a bulk call: `order_ids`, or the refusal."""

    order_ids: tuple[str, ...] = ()
    error: BrokerError | None = None
    correlation_id: str = ""
    key: str = ""
    order_id: str = ""
    """The order or, for exits, nothing, that the line was about."""


@dataclass(frozen=True, slots=True)
class Switch:
    """The kill switch of one segment."""

    segment: str
    active: bool
    """Does the account trade in this segment at all?"""
    killed: bool
    until_ms: int | None = None
    """Before that it cannot be lifted."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that runs. `after_order`: the id of the last order of the accounts before it, "" if there is none;
    its own orders have greater ones."""

    number: int
    opened_ms: int
    after_order: str
    opening: int
    """Money that it began with."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An account that was put away by a reset."""

    number: int
    opened_ms: int
    closed_ms: int
    opening: int
    balance: int
    orders: int
    trades: int
