"""What is kept of orders: each change of an order, each fill, each conversion, each act of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.domain.actors import Actor
from services.domain.intents import IntentState
from services.domain.orders import Side, Trade


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One change of an order. Instants are aware UTC, prices rupees."""

    number: int
    """Rises with the order of recording."""
    order_id: str
    recorded_at: datetime
    told_at: datetime | None
    """The broker's own time of it, to the second."""
    source: str
    """Who told: answer, book, details, history, stream."""
    status: str
    """The broker's word, as it came."""
    quantity: int
    filled_quantity: int
    price: Decimal
    trigger_price: Decimal
    average_price: Decimal
    message: str | None
    request_id: str
    intent_id: str | None
    raw: Mapping[str, Any] | None  # Any: the broker's payload

    @property
    def at(self) -> datetime:
        """The broker's time where it was told."""
        return self.told_at or self.recorded_at


@dataclass(frozen=True, slots=True)
class StoredTrade(Trade):
    """A fill as the ledger keeps it. `order_id`, `product` and `traded_at` are empty where only the broker's history
    of past days told of it."""

    day: date = date.min
    """In India."""
    segment: str = ""
    """Of the instrument key: `NSE_EQ`."""
    source: str = ""
    recorded_at: datetime | None = None
    account: str = ""
    """Whose it is; empty in rows of a desk that did not write it down."""

    @property
    def amount(self) -> Decimal:
        """Price times quantity, exact; for MCX and currencies times the multiplier of the contract besides."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Conversion:
    """One position that somebody wanted to hold as another product."""

    intent_id: str
    key: str
    side: Side
    quantity: int
    from_product: str
    to_product: str
    state: IntentState
    code: str
    reason: str
    actor: Actor
    asked_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act: who, what, when, from which session, before and after. Amounts are exact decimal texts."""

    number: int
    at: datetime
    actor: Actor
    what: str
    """`PLACE`, `PLACE refused`, `PLACE ACCEPTED`, `limits`, `kill switch` ..."""
    target: str
    intent_id: str | None
    before: Mapping[str, Any] | None  # Any: JSON values
    after: Mapping[str, Any] | None  # Any: JSON values
