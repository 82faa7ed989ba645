"""What the portfolio book tells: the last answers, when they came, and what keeps them from being renewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.accounts import Funds
from services.domain.errors import UpstoxError
from services.portfolio_book.marks import MarkedHolding, MarkedPosition


@dataclass(frozen=True, slots=True)
class PositionsView:
    """The positions, open ones first. No rows with `as_of` is an answer: there are none. Without it nothing is known
    yet."""

    rows: tuple[MarkedPosition, ...] = ()
    as_of: datetime | None = None
    """When the broker told them (aware, UTC); `None`: it never did."""
    error: UpstoxError | None = None
    """What keeps them from being renewed now."""
    without: UpstoxError | None = None
    """Why positions under margin trading are not among them, if they are not."""


@dataclass(frozen=True, slots=True)
class HoldingsView:
    """The holdings, by symbol; otherwise as the positions."""

    rows: tuple[MarkedHolding, ...] = ()
    as_of: datetime | None = None
    error: UpstoxError | None = None


@dataclass(frozen=True, slots=True)
class FundsView:
    """The money; otherwise as the positions."""

    funds: Funds | None = None
    as_of: datetime | None = None
    error: UpstoxError | None = None
