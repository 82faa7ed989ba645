"""The account: who is logged in, with which kind of token, and what money there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.domain.clock import Clock


class TokenKind(StrEnum):
    """What a token may do."""

    ACCESS = "access"
    """Everything, until 03:30 IST."""
    READ_ONLY = "read_only"
    """The analytics token: reads for a year, never a write."""


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A bearer token and its end. Its text appears in no repr, so it cannot slip into a log."""

    secret: str
    kind: TokenKind
    issued: datetime
    expires: datetime
    user_id: str = ""
    user_name: str = ""
    issuer: str = ""

    def seconds_left(self, clock: Clock) -> float:
        return (self.expires - clock.now()).total_seconds()

    def __repr__(self) -> str:
        return f"Token({self.kind}, user_id={self.user_id!r}, expires={self.expires.isoformat()})"


@dataclass(frozen=True, slots=True)
class Profile:
    """The person behind the token."""

    user_id: str
    user_name: str
    email: str
    broker: str
    exchanges: tuple[str, ...]
    products: tuple[str, ...]
    order_types: tuple[str, ...]
    is_active: bool


@dataclass(frozen=True, slots=True)
class RegisteredAddresses:
    """From where the broker takes this person's orders. The instants are as the broker tells them, without a zone."""

    primary: str
    primary_since: str
    secondary: str
    secondary_since: str


@dataclass(frozen=True, slots=True)
class Funds:
    """Money, exact, in rupees."""

    available: Decimal
    used: Decimal
    api_version: str


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """What the broker says of one exchange. `status` is open-ended: unknown words mean "not open"."""

    exchange: str
    status: str
    last_updated: datetime
    cas_status: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """Opening hours of one exchange on one day (aware, UTC; the end is exclusive)."""

    exchange: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Holiday:
    """One row of the broker's holiday list. Decide per exchange by `closed` and `open`, never by `kind` alone."""

    day: str
    description: str
    kind: str
    closed: tuple[str, ...]
    open: tuple[Window, ...]
