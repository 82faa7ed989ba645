"""Orders as the desk means them: what is asked for, what the broker says of it, what may still be told.

Prices are `Decimal` rupees, quantities whole units (MCX: lots). Source: Upstox documentation up to September 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.domain.errors import InvalidRequest
from services.domain.instruments import require_instrument_key

MAX_TAG = 40
AUTOMATIC_PROTECTION = Decimal(-1)
"""Market protection chosen by the broker."""
ZERO = Decimal(0)


class Side(StrEnum):
    """Buy or sell."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How the price is found."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_LIMIT = "SL"
    STOP_MARKET = "SL-M"

    @property
    def needs_price(self) -> bool:
        return self in {OrderType.LIMIT, OrderType.STOP_LIMIT}

    @property
    def needs_trigger(self) -> bool:
        return self in {OrderType.STOP_LIMIT, OrderType.STOP_MARKET}

    @property
    def takes_protection(self) -> bool:
        return not self.needs_price


class Product(StrEnum):
    """How a position is held."""

    INTRADAY = "I"
    DELIVERY = "D"
    """Delivery in shares, carried forward in derivatives."""
    MTF = "MTF"
    COVER = "CO"
    """Seen in books only; cannot be asked for."""


_OTHER_BROKERS_WORDS = {"MIS": Product.INTRADAY, "CNC": Product.DELIVERY, "NRML": Product.DELIVERY}
PLACEABLE = (Product.DELIVERY, Product.INTRADAY, Product.MTF)


def read_product(text: str) -> Product:
    """`I`, `D`, `MTF`, or another broker's `MIS`, `CNC`, `NRML`."""
    word = str(text).strip().upper()
    found = _OTHER_BROKERS_WORDS.get(word) or next((one for one in PLACEABLE if one.value == word), None)
    if found is None:
        raise InvalidRequest(f"product {str(text)[:20]!r}: I (intraday), D (delivery, carry forward) or MTF")
    return found


class Validity(StrEnum):
    """How long an order lives."""

    DAY = "DAY"
    IOC = "IOC"


class Status(StrEnum):
    """The broker's words for the state of an order. A word that is not here is kept as it came, and means alive."""

    RECEIVED = "put order req received"
    VALIDATING = "validation pending"
    OPENING = "open pending"
    OPEN = "open"
    TRIGGER_PENDING = "trigger pending"
    COMPLETE = "complete"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    CANCELLING = "cancel pending"
    NOT_CANCELLED = "not cancelled"
    MODIFYING = "modify pending"
    MODIFY_VALIDATING = "modify validation pending"
    MODIFIED = "modified"
    NOT_MODIFIED = "not modified"
    AMO_RECEIVED = "after market order req received"
    AMO_MODIFIED = "modify after market order req received"
    AMO_CANCELLED = "cancelled after market order"
    UNTOLD = "end not told"
    """Our word, no broker's: its day is over, and the broker tells of it no more."""


TERMINAL = frozenset({Status.COMPLETE, Status.REJECTED, Status.CANCELLED, Status.AMO_CANCELLED, Status.UNTOLD})
"""No order leaves these, but the last for another where the broker tells of its end after all. Plain text compares
equal to its member, so raw words may be looked up here."""


def is_terminal(status: str) -> bool:
    """Is this the end of an order? An unknown word is not."""
    return status in TERMINAL


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order that somebody wants. Nonsense is refused when it is made (`InvalidRequest`, in the user's words);
    whether the market, the limits and the account allow it is asked later."""

    key: str
    side: Side
    quantity: int
    order_type: OrderType
    product: Product = Product.DELIVERY
    price: Decimal | None = None
    """Needed by LIMIT and SL, refused elsewhere."""
    trigger_price: Decimal | None = None
    """Needed by SL and SL-M, refused elsewhere."""
    validity: Validity = Validity.DAY
    disclosed_quantity: int = 0
    amo: bool = False
    """A wish: the broker infers it from the hour."""
    market_protection: Decimal | None = None
    """Percent, 1 to 25, or -1 for automatic; MARKET and SL-M only, where `None` becomes automatic."""
    slice: bool = False
    """Split above the freeze quantity."""

    def __post_init__(self) -> None:
        require_instrument_key(self.key)
        if not isinstance(self.quantity, int) or isinstance(self.quantity, bool) or self.quantity < 1:
            raise InvalidRequest("the quantity is a whole number of at least 1")
        if self.product not in PLACEABLE:
            raise InvalidRequest("an order is placed as I (intraday), D (delivery, carry forward) or MTF")
        kind = self.order_type
        _check_price("price", self.price, wanted=kind.needs_price, order_type=kind)
        _check_price("trigger price", self.trigger_price, wanted=kind.needs_trigger, order_type=kind)
        price, trigger = self.price, self.trigger_price
        if price is not None and trigger is not None and (price - trigger) * self.side.sign < 0:
            word = "not above the limit" if self.side is Side.BUY else "not below the limit"
            raise InvalidRequest(f"the trigger of a stop-loss {self.side.lower()} is {word}")
        if self.order_type.needs_trigger and self.validity is Validity.IOC:
            raise InvalidRequest("a stop-loss order waits for its trigger: it cannot be IOC")
        hidden = self.disclosed_quantity
        if hidden < 0 or hidden > self.quantity or (hidden and hidden * 10 < self.quantity):
            raise InvalidRequest("the disclosed quantity is 0, or at least a tenth of the quantity and at most that")
        if hidden and self.validity is Validity.IOC:
            raise InvalidRequest("an IOC order discloses all of its quantity")
        self._check_protection()

    def _check_protection(self) -> None:
        given = self.market_protection
        if not self.order_type.takes_protection:
            if given is not None:
                raise InvalidRequest("market protection belongs to MARKET and SL-M orders")
        elif given is None:
            object.__setattr__(self, "market_protection", AUTOMATIC_PROTECTION)
        elif not given.is_finite() or (given != AUTOMATIC_PROTECTION and not 1 <= given <= 25):
            raise InvalidRequest("market protection is 1 to 25 percent, or -1 to leave it to the broker")


def _check_price(name: str, value: Decimal | None, *, wanted: bool, order_type: OrderType) -> None:
    if wanted and (value is None or not value.is_finite() or value <= 0):
        raise InvalidRequest(f"a {order_type} order needs a {name} above 0")
    if not wanted and value is not None:
        raise InvalidRequest(f"a {order_type} order has no {name}")


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What shall be different about an order; `None` = as it is. `quantity` is the new total."""

    quantity: int | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    order_type: OrderType | None = None
    validity: Validity | None = None
    disclosed_quantity: int | None = None
    market_protection: Decimal | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, name) is None for name in self.__slots__):
            raise InvalidRequest("nothing was to be changed")


@dataclass(frozen=True, slots=True)
class BookOrder:
    """One order as the broker tells it, in the book, the details, the history or the stream. Instants are aware UTC."""

    order_id: str
    key: str
    side: Side
    quantity: int
    order_type: str
    """As told: mostly a value of `OrderType`."""
    product: str
    validity: str
    price: Decimal
    trigger_price: Decimal
    status: str
    """The broker's word, lower case; compare with `Status`."""
    filled_quantity: int = 0
    pending_quantity: int = 0
    average_price: Decimal = ZERO
    disclosed_quantity: int = 0
    symbol: str = ""
    exchange: str = ""
    tag: str | None = None
    message: str | None = None
    """The reason, as a person may read it."""
    raw_message: str | None = None
    exchange_order_id: str | None = None
    parent_order_id: str | None = None
    request_id: str = ""
    """`order_request_id`: rises with each modification."""
    reference_id: str = ""
    """`order_ref_id`: the GTT for its child."""
    variety: str = ""
    amo: bool = False
    placed_at: datetime | None = None
    exchange_at: datetime | None = None
    market_protection: Decimal | None = None

    @property
    def terminal(self) -> bool:
        return is_terminal(self.status)


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill. `traded_at` aware UTC; `price` rupees, exact."""

    trade_id: str
    order_id: str
    key: str
    side: Side
    quantity: int
    price: Decimal
    product: str
    exchange: str
    symbol: str
    order_type: str = ""
    exchange_order_id: str = ""
    traded_at: datetime | None = None
    reference_id: str = ""


@dataclass(frozen=True, slots=True)
class PastTrade:
    """One fill of an earlier day, as the broker's history tells it."""

    trade_id: str
    key: str
    segment: str
    exchange: str
    side: Side
    quantity: int
    price: Decimal
    amount: Decimal
    traded_on: str
    """YYYY-MM-DD."""
    symbol: str
    name: str
    isin: str = ""
    option_type: str = ""
    strike: str = ""
    expiry: str = ""


@dataclass(frozen=True, slots=True)
class LineError:
    """One line of a bulk call that was refused."""

    code: str
    message: str
    order_id: str | None = None
    correlation_id: str | None = None
    key: str | None = None

    @property
    def outcome_unknown(self) -> bool:
        """ "Something went wrong" is no refusal: the line may have been taken."""
        return self.code in {"", "UDAPI100500"}


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of a bulk call, line by line. `placed` maps correlation ids to order ids (multi place)."""

    order_ids: tuple[str, ...]
    errors: tuple[LineError, ...]
    total: int
    succeeded: int
    failed: int
    payload_errors: int = 0
    placed: dict[str, tuple[str, ...]] = field(default_factory=dict)
