"""What a view of profit and loss is asked by and made of: values only. Amounts are whole paise, prices whole
ten-thousandths of a rupee; what cannot be told says why and is never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.domain.errors import UpstoxError
from services.portfolio.closed_columns import Days
from services.portfolio.lots.fills import Asset, Ints

RUNNING_ACCOUNT, ALL_ACCOUNTS = "", "*"


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the book is looked at. Days are those of the closing in India, both included; "" = all."""

    first: date | None = None
    last: date | None = None
    segment: str = ""
    """`EQ`, `FO`, `COM`, `CD`."""
    account: str = RUNNING_ACCOUNT
    symbol: str = ""
    """Without the exchange's series: `HSCL`, not `HSCL-BE`."""
    product: str = ""
    bucket: str = ""
    """A value of `lots.terms.Bucket`."""


EVERYTHING = Filter()
"""Of the running account."""


class Origin(StrEnum):
    """Where trades come from."""

    DESK = "trades of this desk"
    HISTORY = "the broker's trade history"
    FILE = "imported file"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source of the book's trades."""

    origin: Origin
    name: str
    """Of an imported file; else ""."""
    account: str
    trades: int
    first: date | None
    last: date | None
    told_at: datetime | None
    """When the broker told them, or when the file was imported (aware, UTC)."""
    unread: int = 0
    """Trades that could not be counted in, because their instrument or price is not understood."""
    why: str = ""
    """The first reason for that."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Paise, or why they are not known."""

    paise: int | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class PriceTold:
    """A price of now, in ten-thousandths of a rupee."""

    price: int
    told_by: str
    """`feed`, `quote`, `broker`."""
    at: datetime | None
    close: int | None = None
    """Of the day before."""
    key: str = ""
    """The instrument key that it was asked with."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the broker says is held of an instrument, holdings and positions together."""

    instrument: str
    symbol: str
    asset: Asset
    quantity: int
    """Below 0: short."""
    average: int | None
    multiplier: int = 1
    pending: int = 0
    """Bought the day before and not yet delivered: whether `quantity` counts them in is not documented."""
    key: str = ""

    def agrees(self, quantity: int) -> bool:
        return quantity in {self.quantity, self.quantity + self.pending}


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One instrument that is open, at the price of now."""

    account: str
    instrument: str
    symbol: str
    segment: str
    quantity: int
    """Below 0: short."""
    multiplier: int
    average: int | None
    """Cost of a unit, ten-thousandths of a rupee."""
    cost: int
    """Ten-thousandths of a rupee; below 0: what a short brought in."""
    price: int | None
    told_by: str
    at: datetime | None
    """When that price came (aware, UTC)."""
    unrealised: int | None
    """Paise, charges apart; `None`: `why_not`."""
    day_change: int | None
    """Paise since the close of the day before; `None`: a close is not known."""
    why_not: str = ""
    from_broker: bool = False
    """The book knows no purchase of it: quantity and cost are the broker's holdings."""
    doubt: str = ""
    """What does not fit: the broker holds another quantity, or a part of the history is missing."""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """Net results by closing day, in paise: columns of one length, the oldest first."""

    days: Days
    net: Ints
    cumulative: Ints
    below: Ints
    """The drawdown: how far below the highest point so far (at most 0)."""
    trades: Ints
    """How many trades were closed that day."""

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class PnlState:
    """How the book stands."""

    version: int
    account: str
    """The running one; "" while nobody is logged in and none was known before."""
    as_of: datetime | None
    trades: int
    building: bool
    asking: bool
    error: UpstoxError | None
    """What kept the last question to the broker from being answered."""
