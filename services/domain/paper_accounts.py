"""The account of a paper broker: it can be put away, and another one begun in its place.

The real broker has one account for ever. A practice account begins anew when somebody resets it: its orders, positions
and money are gone from the broker's books, though not from the desk's ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.domain.orders import BookOrder, Trade


@dataclass(frozen=True, slots=True)
class AccountMark:
    """Which account the broker's books are about, and where its orders begin."""

    number: int = 1
    after_order: str = ""
    """The id of the last order of the accounts before this one; "" if they had none. Ids only ever rise."""

    def is_before(self, order_id: str | None) -> bool:
        """Does that order belong to an account that was put away?"""
        if not order_id or not self.after_order:
            return False
        return (len(order_id), order_id) <= (len(self.after_order), self.after_order)


@dataclass(frozen=True, slots=True)
class ArchivedAccount:
    """An account that was put away. Instants aware UTC, money in rupees."""

    number: int
    opened: datetime
    closed: datetime
    opening: Decimal
    balance: Decimal
    orders: int
    trades: int


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """The account that runs, as the paper broker tells of it, and those before it, the oldest first."""

    user_id: str
    mark: AccountMark
    opened: datetime
    opening: Decimal
    balance: Decimal
    available: Decimal
    orders_today: int
    trades_today: int
    archives: tuple[ArchivedAccount, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchivedBook:
    """What the books of an account told last before it was put away: orders and fills of that day."""

    number: int
    orders: tuple[BookOrder, ...]
    trades: tuple[Trade, ...]
