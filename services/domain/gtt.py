"""Orders that wait at the broker for a price (good till triggered), for up to a year.

One leg is an entry. Two or three are an entry with a target and a stop-loss behind it: a bracket that first opens a
position. There is none that only exits. Each child is a limit order at its trigger price: nothing is guaranteed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.domain.errors import InvalidRequest
from services.domain.instruments import require_instrument_key
from services.domain.orders import AUTOMATIC_PROTECTION, PLACEABLE, Product, Side


class Strategy(StrEnum):
    """What a leg is for."""

    ENTRY = "ENTRY"
    TARGET = "TARGET"
    STOPLOSS = "STOPLOSS"


class TriggerType(StrEnum):
    """When a leg fires."""

    ABOVE = "ABOVE"
    BELOW = "BELOW"
    IMMEDIATE = "IMMEDIATE"
    """At once for an entry; for the others as soon as their price is met after it."""


@dataclass(frozen=True, slots=True)
class GttLeg:
    """One rule. Prices in rupees."""

    strategy: Strategy
    trigger_type: TriggerType
    trigger_price: Decimal
    trailing_gap: Decimal | None = None
    """A stop-loss follows the price at this distance. The broker wants at least a tenth of the way to the price."""
    market_protection: Decimal | None = None
    """Percent, 1 to 25, or -1 for automatic; `None` leaves it out."""

    def __post_init__(self) -> None:
        name = self.strategy.lower()
        if not self.trigger_price.is_finite() or self.trigger_price <= 0:
            raise InvalidRequest(f"the {name} needs a trigger price above 0")
        if self.strategy is not Strategy.ENTRY and self.trigger_type is not TriggerType.IMMEDIATE:
            raise InvalidRequest(f"the {name} is watched from the entry on: its trigger is IMMEDIATE")
        gap = self.trailing_gap
        if gap is not None and (self.strategy is not Strategy.STOPLOSS or not gap.is_finite() or gap <= 0):
            raise InvalidRequest("a trailing gap is above 0 and belongs to the stop-loss")
        guard = self.market_protection
        if guard is not None and (not guard.is_finite() or (guard != AUTOMATIC_PROTECTION and not 1 <= guard <= 25)):
            raise InvalidRequest("market protection is 1 to 25 percent, or -1 to leave it to the broker")


@dataclass(frozen=True, slots=True)
class GttRequest:
    """What is asked for. `side` is the entry's; target and stop-loss close what it opened."""

    key: str
    side: Side
    quantity: int
    product: Product
    legs: tuple[GttLeg, ...]

    def __post_init__(self) -> None:
        require_instrument_key(self.key)
        if not isinstance(self.quantity, int) or isinstance(self.quantity, bool) or self.quantity < 1:
            raise InvalidRequest("the quantity is a whole number of at least 1")
        if self.product not in PLACEABLE:
            raise InvalidRequest("an order is placed as I (intraday), D (delivery, carry forward) or MTF")
        object.__setattr__(self, "legs", tuple(self.legs))
        names = [leg.strategy for leg in self.legs]
        if names.count(Strategy.ENTRY) != 1:
            raise InvalidRequest("exactly one leg is the entry: the broker knows no order that only waits to exit")
        if len(set(names)) != len(names):
            raise InvalidRequest("there is one entry, at most one target and at most one stop-loss")
        self._check_sides()

    def _check_sides(self) -> None:
        """A target lies where the position wins, a stop-loss where it loses."""
        entry = self.leg(Strategy.ENTRY)
        if entry is None:
            return
        wins, loses = ("above", "below") if self.side is Side.BUY else ("below", "above")
        target, stop = self.leg(Strategy.TARGET), self.leg(Strategy.STOPLOSS)
        if target is not None and (target.trigger_price - entry.trigger_price) * self.side.sign <= 0:
            raise InvalidRequest(f"after a {self.side.lower()} the target lies {wins} the entry")
        if stop is not None and (entry.trigger_price - stop.trigger_price) * self.side.sign <= 0:
            raise InvalidRequest(f"after a {self.side.lower()} the stop-loss lies {loses} the entry")

    @property
    def kind(self) -> str:
        return "SINGLE" if len(self.legs) == 1 else "MULTIPLE"

    def leg(self, strategy: Strategy) -> GttLeg | None:
        return next((leg for leg in self.legs if leg.strategy is strategy), None)


ENDED = frozenset({"COMPLETED", "CANCELLED", "FAILED", "EXPIRED"})
"""Statuses that a leg does not leave. A word that is not here means alive."""
_ENTRY_DIED = ENDED - {"COMPLETED"}


@dataclass(frozen=True, slots=True)
class GttLegState:
    """One leg as the broker tells it. Words as they came, upper case."""

    strategy: str
    status: str
    """SCHEDULED, TRIGGERED, OPEN, PENDING, INACTIVE, or one of `ENDED`."""
    trigger_type: str
    trigger_price: Decimal
    side: Side | None = None
    message: str = ""
    order_id: str | None = None
    """The child, once fired."""
    trailing_gap: Decimal | None = None


@dataclass(frozen=True, slots=True)
class GttOrder:
    """One waiting order as the broker tells it. Instants aware UTC."""

    gtt_id: str
    kind: str
    key: str
    quantity: int
    product: str
    legs: tuple[GttLegState, ...]
    symbol: str = ""
    segment: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def alive(self) -> bool:
        """Can anything of it still happen?"""
        entry = self.leg(Strategy.ENTRY)
        if entry is not None and entry.status in _ENTRY_DIED:
            return False
        return any(leg.status not in ENDED for leg in self.legs)

    @property
    def side(self) -> Side | None:
        """The entry's."""
        entry = self.leg(Strategy.ENTRY)
        return None if entry is None else entry.side

    def leg(self, strategy: Strategy) -> GttLegState | None:
        return next((leg for leg in self.legs if leg.strategy == strategy), None)
