"""What the paper account holds: positions of the day, shares in the demat account. Immutable; units as in `values`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.paper.trading.values import PRICE_UNITS


@dataclass(frozen=True, slots=True)
class Position:
    """One instrument under one product. Amounts and values are quantity x price, without the multiplier, as the broker
    tells them; `realised` and `unrealised` are money."""

    key: str
    product: str
    segment: str
    exchange: str
    symbol: str
    multiplier: int
    overnight_quantity: int = 0
    """Carried from the day before, signed."""
    overnight_buy_quantity: int = 0
    overnight_buy_amount: int = 0
    overnight_sell_quantity: int = 0
    overnight_sell_amount: int = 0
    day_buy_quantity: int = 0
    day_buy_value: int = 0
    day_sell_quantity: int = 0
    day_sell_value: int = 0
    cost: int = 0
    """What the open quantity was bought for; below 0: what a short one was sold for."""
    realised: int = 0
    """Of what was closed today."""
    tag: str = ""
    """Of the last order that opened or added to it."""

    @property
    def quantity(self) -> int:
        """Net, signed."""
        return self.overnight_quantity + self.day_buy_quantity - self.day_sell_quantity

    @property
    def average(self) -> Decimal:
        """Rupees a unit of the open quantity; 0 when it is closed."""
        return self._per_unit(self.cost, self.quantity)

    @property
    def buy_price(self) -> Decimal:
        """Average of everything bought, carried quantity included; 0 without any."""
        return self._per_unit(
            self.day_buy_value + self.overnight_buy_amount, self.day_buy_quantity + self.overnight_buy_quantity
        )

    @property
    def sell_price(self) -> Decimal:
        return self._per_unit(
            self.day_sell_value + self.overnight_sell_amount, self.day_sell_quantity + self.overnight_sell_quantity
        )

    @property
    def day_buy_price(self) -> Decimal:
        return self._per_unit(self.day_buy_value, self.day_buy_quantity)

    @property
    def day_sell_price(self) -> Decimal:
        return self._per_unit(self.day_sell_value, self.day_sell_quantity)

    def unrealised(self, price: int) -> int:
        """What closing the open quantity at `price` would bring."""
        return (self.quantity * price - self.cost) * self.multiplier

    def _per_unit(self, amount: int, quantity: int) -> Decimal:
        return Decimal(amount) / (quantity * PRICE_UNITS) if quantity else Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares in the demat account."""

    isin: str
    key: str
    """Of the exchange where they were first bought."""
    segment: str
    exchange: str
    symbol: str
    name: str
    quantity: int
    """All of them, those that are still to be delivered included."""
    t1_quantity: int
    """Bought on the last trading day: they arrive tonight."""
    cost: int

    @property
    def average(self) -> Decimal:
        """Rupees a share."""
        return Decimal(self.cost) / (self.quantity * PRICE_UNITS) if self.quantity else Decimal(0)


@dataclass(frozen=True, slots=True)
class HoldingNow:
    """A holding with what is sold of it today."""

    holding: Holding
    used: int
    """Sold today, not delivered yet (`cnc_used_quantity`)."""

    @property
    def sellable(self) -> int:
        return self.holding.quantity - self.used
