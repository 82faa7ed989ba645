"""Orders and trades of the paper account: as they are asked for, at each step of their life, and as they were filled.
Immutable; units as in `values`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.domain.orders import OrderType, Status, Validity, is_terminal
from services.paper.trading.values import AUTOMATIC, PRICE_UNITS

AFTER_HOURS = frozenset({Status.AMO_RECEIVED, Status.AMO_MODIFIED})
"""Taken outside hours, and kept by the broker until the market opens."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One order that somebody asks for; its form has been checked."""

    key: str
    buys: bool
    quantity: int
    product: str
    order_type: str
    validity: str = Validity.DAY.value
    price: int = 0
    trigger: int = 0
    disclosed: int = 0
    protection: int | None = AUTOMATIC
    """1/100 percent; counts for MARKET and SL-M."""
    tag: str = ""
    slices: bool = False
    """Split above the freeze quantity."""
    reference_id: str = ""
    """Becomes `order_ref_id`; a child of a GTT order holds that one's id. Empty: a number of its own."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an order shall be; `None` = as it is. `quantity` is the new total."""

    quantity: int | None = None
    price: int | None = None
    trigger: int | None = None
    order_type: str | None = None
    validity: str | None = None
    disclosed: int | None = None
    protection: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One order at one moment. Each step of its life is such a value; the history is the list of them."""

    order_id: str
    number: int
    """Rises with every order of the account file."""
    key: str
    segment: str
    exchange: str
    """The exchange segment's name in order answers: NSE, NFO, BSE ..."""
    symbol: str
    """As quotes spell it (`RELIANCE`, `NIFTY26NOV26000CE`)."""
    buys: bool
    quantity: int
    product: str
    order_type: str
    validity: str
    price: int
    trigger: int
    disclosed: int
    protection: int | None
    tag: str
    status: str
    day: str
    """The trading day for which it was taken."""
    placed_ms: int
    changed_ms: int
    """When this step happened."""
    reference_id: str
    exchange_id: str = ""
    """The exchange's number; empty until the order has reached it."""
    exchange_ms: int | None = None
    request_number: int = 1
    """Rises with each modification."""
    variety: str = "SIMPLE"
    amo: bool = False
    message: str = ""
    """Why it was rejected or cancelled, for people."""
    raw_message: str = ""
    filled: int = 0
    value: int = 0
    """Sum of price x quantity of its fills, without the multiplier."""
    limit: int = 0
    """The price that no fill may cross: the order's own, or what market protection makes of it. 0: none yet."""
    priority: int = 0
    """Time priority; the lower the earlier."""
    resting: bool = False
    """It stands in the book, and whoever comes trades at its price; else it still takes what is on offer."""
    charges: int = 0
    """What its fills have cost besides, so far."""
    by_broker: bool = False
    """Sent by the broker himself: square-off, settlement."""

    @property
    def alive(self) -> bool:
        return not is_terminal(self.status)

    @property
    def left(self) -> int:
        """What is still to be filled, alive or not."""
        return self.quantity - self.filled

    @property
    def pending(self) -> int:
        """What may still be filled: 0 at the end of its life."""
        return self.left if self.alive else 0

    @property
    def sign(self) -> int:
        return 1 if self.buys else -1

    @property
    def average(self) -> Decimal:
        """Rupees, exact as a fraction of the fills; 0 before the first one."""
        return Decimal(self.value) / (self.filled * PRICE_UNITS) if self.filled else Decimal(0)

    @property
    def at_market(self) -> bool:
        """Without a price of its own: held by market protection only."""
        return self.order_type in {OrderType.MARKET, OrderType.STOP_MARKET}

    @property
    def with_trigger(self) -> bool:
        return self.order_type in {OrderType.STOP_LIMIT, OrderType.STOP_MARKET}


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade, with what is to be told of its instrument when that is listed no more."""

    trade_id: str
    number: int
    order_id: str
    exchange_id: str
    key: str
    segment: str
    exchange: str
    symbol: str
    buys: bool
    quantity: int
    price: int
    product: str
    order_type: str
    reference_id: str
    at_ms: int
    order_ms: int
    day: str
    multiplier: int
    name: str = ""
    isin: str = ""
    option_type: str = ""
    strike: int = 0
    expiry: str = ""

    @property
    def amount(self) -> int:
        """Quantity x price."""
        return self.quantity * self.price

    @property
    def paid(self) -> int:
        """What it cost; below 0 what it brought."""
        return self.amount * self.multiplier * (1 if self.buys else -1)
