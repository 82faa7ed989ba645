"""What the account holds: positions of the day and carried ones, holdings, and what they are worth at a price.

Money is `Decimal` rupees. Quantities are whole units (MCX and currency: lots). The amounts of a position are price
times quantity, as the broker tells them; `multiplier` makes rupees of them where a lot is a thousand dollars.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.domain.orders import ZERO, Side


@dataclass(frozen=True, slots=True)
class Position:
    """One instrument in one product. `None` = not told: the stream knows neither symbol nor prices of the market."""

    key: str
    product: str
    quantity: int
    """Net, signed; 0 = closed today."""
    symbol: str = ""
    exchange: str = ""
    """`NSE`, `NFO` ...; the stream tells a segment here (`NSE_EQ`)."""
    multiplier: Decimal = Decimal(1)
    overnight_quantity: int = 0
    """Carried into the day, signed."""
    overnight_buy_quantity: int = 0
    overnight_buy_amount: Decimal = ZERO
    overnight_sell_quantity: int = 0
    overnight_sell_amount: Decimal = ZERO
    day_buy_quantity: int = 0
    day_buy_value: Decimal = ZERO
    day_buy_price: Decimal | None = None
    day_sell_quantity: int = 0
    day_sell_value: Decimal = ZERO
    day_sell_price: Decimal | None = None
    buy_value: Decimal = ZERO
    buy_price: Decimal | None = None
    sell_value: Decimal = ZERO
    sell_price: Decimal | None = None
    average_price: Decimal | None = None
    """As told; the broker leaves it out of positions of the day. `entry_price` works it out."""
    last_price: Decimal | None = None
    close_price: Decimal | None = None
    value: Decimal | None = None
    realised: Decimal | None = None
    unrealised: Decimal | None = None
    """The broker's; published samples of it make no sense."""
    pnl: Decimal | None = None

    @property
    def is_open(self) -> bool:
        return self.quantity != 0

    @property
    def side(self) -> Side | None:
        """The side that opened it; `None` when closed."""
        if self.quantity == 0:
            return None
        return Side.BUY if self.quantity > 0 else Side.SELL

    @property
    def bought(self) -> int:
        """Carried and of today."""
        return self.overnight_buy_quantity + self.day_buy_quantity

    @property
    def sold(self) -> int:
        return self.overnight_sell_quantity + self.day_sell_quantity

    @property
    def bought_amount(self) -> Decimal:
        """Price times quantity, without the multiplier."""
        return self.overnight_buy_amount + self.day_buy_value

    @property
    def sold_amount(self) -> Decimal:
        return self.overnight_sell_amount + self.day_sell_value

    @property
    def entry_price(self) -> Decimal | None:
        """The average price of the open side; `None` when closed or not to be found out."""
        if self.quantity > 0:
            return self.bought_amount / self.bought if self.bought else self.average_price
        if self.quantity < 0:
            return self.sold_amount / self.sold if self.sold else self.average_price
        return None


@dataclass(frozen=True, slots=True)
class PositionPnl:
    """Rupees, charges apart."""

    realised: Decimal
    unrealised: Decimal

    @property
    def total(self) -> Decimal:
        return self.realised + self.unrealised


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares in the demat account. Prices in rupees; the stream tells none: `None`."""

    key: str
    isin: str
    quantity: int
    symbol: str = ""
    company: str = ""
    exchange: str = ""
    product: str = ""
    average_price: Decimal | None = None
    t1_quantity: int = 0
    """Bought the day before and not yet delivered. Whether `quantity` counts them in is not documented."""
    cnc_used_quantity: int = 0
    """Sold or blocked today; they leave `quantity` at settlement only."""
    collateral_quantity: int = 0
    """Pledged."""
    collateral_update_quantity: int = 0
    collateral_type: str = ""
    haircut: Decimal | None = None
    last_price: Decimal | None = None
    close_price: Decimal | None = None
    pnl: Decimal | None = None
    """The broker's."""


def position_pnl(position: Position, ltp: Decimal) -> PositionPnl:
    """Our own sums: what was bought and sold again at average prices, and what is open at `ltp`, since entry.

    Total = (sold - bought + net quantity x `ltp`) x multiplier, whatever the averages are.
    """
    total = position.sold_amount - position.bought_amount + position.quantity * ltp
    matched = min(position.bought, position.sold)
    realised = ZERO
    if matched > 0:
        realised = matched * (position.sold_amount / position.sold - position.bought_amount / position.bought)
    if position.quantity == 0:
        realised = total  # no rest of a division is left over where everything is closed
    return PositionPnl(realised * position.multiplier, (total - realised) * position.multiplier)


def day_pnl(position: Position, ltp: Decimal) -> Decimal | None:
    """The same since yesterday's close, as brokers' screens mark what was carried; `None` without that close."""
    carried = ZERO
    if position.overnight_quantity:
        if position.close_price is None:
            return None
        carried = position.overnight_quantity * position.close_price
    today = position.day_sell_value - position.day_buy_value + position.quantity * ltp - carried
    return today * position.multiplier


def holding_pnl(holding: Holding, ltp: Decimal) -> Decimal | None:
    """Since purchase; `None` where the broker tells no average price."""
    if holding.average_price is None:
        return None
    return (ltp - holding.average_price) * holding.quantity


def sellable(holding: Holding) -> int:
    """What can be sold now without a doubt. T+1 shares are apart: selling them may end in an auction."""
    return max(0, holding.quantity - holding.cnc_used_quantity)
