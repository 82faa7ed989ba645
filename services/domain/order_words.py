"""Orders in plain words: what will be sent, where it stands, and why it was refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from services.domain.gtt import GttRequest, Strategy, TriggerType
from services.domain.instruments import Instrument
from services.domain.orders import (
    AUTOMATIC_PROTECTION,
    BookOrder,
    OrderRequest,
    OrderType,
    Product,
    Side,
    Status,
    Validity,
)

_LOTS = ("MCX_FO", "NSE_COM", "NCD_FO", "BCD_FO")
"""Segments whose quantities are counted in lots."""

REASONS: Mapping[str, str] = {
    "UDAPI10005": "too many requests: the broker wants a pause",
    "UDAPI100050": "the login has ended: log in again",
    "UDAPI100058": "no segment of this account is active",
    "UDAPI100060": "the broker does not know this call",
    "UDAPI100067": "this token may only read",
    "UDAPI100072": "the broker tells funds between 05:30 and 24:00 only",
    "UDAPI100074": "the broker takes orders between 05:30 and 24:00 only",
    "UDAPI100049": "the broker has restricted the access of this app",
    "UDAPI100500": "something went wrong at the broker",
    "UDAPI100010": "the broker does not know this order",
    "UDAPI100040": "too late to cancel: the order is already complete, rejected or cancelled",
    "UDAPI100041": "too late to change: the order is already complete, rejected or cancelled",
    "UDAPI1154": "the broker takes orders from the registered static IP address only, and this is not it",
    "UDAPI1179": "the broker does not allow this call from a static IP address",
    "UDAPI1155": "the app is under review at the broker, or was rejected",
    "UDAPI1157": "the app has expired at the broker",
    "UDAPI1156": "the broker does not know the name of the algorithm",
    "UDAPI1158": "a market order needs market protection: set one, or use a limit",
    "UDAPI1159": "market protection is at most 25 percent",
    "UDAPI1176": "the market protection is not valid",
    "UDAPI1177": "the market protection is not valid",
    "UDAPI1161": "the broker takes no MCX orders through its API at present",
    "UDAPI1004": "the order type is missing",
    "UDAPI1056": "the order type is not valid",
    "UDAPI1007": "the validity is missing",
    "UDAPI1055": "the validity is not valid",
    "UDAPI1054": "the product is not valid here",
    "UDAPI1063": "the product is not valid here",
    "UDAPI1057": "buy or sell is missing",
    "UDAPI1062": "buy or sell is missing",
    "UDAPI1026": "the instrument is missing",
    "UDAPI1040": "this type of order has no price",
    "UDAPI1052": "the quantity is zero",
    "UDAPI1053": "the broker does not accept this quantity",
    "UDAPI1108": "the broker does not know this segment",
    "UDAPI1109": "there is no open order to cancel",
    "UDAPI1110": "too many open orders to cancel in one go",
    "UDAPI1111": "there is no open position to exit",
    "UDAPI1112": "too many open positions to exit in one go",
    "UDAPI1113": "positions can be exited in market hours only",
    "UDAPI1114": "the basket is empty",
    "UDAPI1115": "a line of the basket has no mark of its own",
    "UDAPI1117": "two lines of the basket have the same mark",
    "UDAPI1118": "there are too many orders in the basket",
    "UDAPI1119": "the tag is longer than 40 characters",
    "UDAPI1134": "the number of the waiting order is missing",
    "UDAPI1135": "this is not the number of a waiting order",
    "UDAPI1136": "a single waiting order has one leg",
    "UDAPI1137": "a waiting order with exits has two or three legs",
    "UDAPI1141": "a waiting order needs an entry",
    "UDAPI1143": "target and stop-loss are watched from the entry on",
    "UDAPI1150": "once open, only target and stop-loss can be changed",
    "UDAPI1151": "the trailing gap is too small",
    "UDAPI1033": "the broker cannot tell the position at present",
    "UDAPI1034": "there is no position to convert",
    "UDAPI1035": "no position fits the conversion",
    "UDAPI1064": "the quantity is zero",
    "UDAPI1065": "the price is zero",
    "UDAPI1096": "a quantity must be above 0",
    "UDAPI1097": "a quantity is not a whole number of lots",
    "UDAPI1098": "an instrument key is not well formed",
    "UDAPI1099": "the broker does not know an instrument",
    "UDAPI1102": "margin can be asked for 20 orders at a time",
    "UDAPI1103": "the same order stands twice in the list",
}
"""The broker's codes on order, portfolio and margin calls. Where a code is missing the broker's own text is shown."""

_STATUS: Mapping[str, str] = {
    Status.RECEIVED: "received by the broker",
    Status.VALIDATING: "being checked by the broker",
    Status.OPENING: "on its way to the exchange",
    Status.OPEN: "open",
    Status.TRIGGER_PENDING: "waiting for its trigger",
    Status.COMPLETE: "complete",
    Status.REJECTED: "rejected",
    Status.CANCELLED: "cancelled",
    Status.CANCELLING: "being cancelled",
    Status.NOT_CANCELLED: "could not be cancelled",
    Status.MODIFYING: "being changed",
    Status.MODIFY_VALIDATING: "change being checked",
    Status.MODIFIED: "changed",
    Status.NOT_MODIFIED: "could not be changed",
    Status.AMO_RECEIVED: "waiting for the market to open",
    Status.AMO_MODIFIED: "changed, waiting for the market to open",
    Status.AMO_CANCELLED: "cancelled before the market opened",
    Status.UNTOLD: "over, its end was not told",
}
_PRODUCTS: Mapping[Product, str] = {
    Product.INTRADAY: "intraday",
    Product.DELIVERY: "delivery",
    Product.MTF: "margin funded",
    Product.COVER: "cover",
}


def rupees(amount: Decimal) -> str:
    """₹12,34,567.50: grouped the Indian way, two decimals, or as many more as the price has."""
    decimals = max(2, -_exponent(amount))
    text = f"{abs(amount):.{decimals}f}"
    whole, _, rest = text.partition(".")
    return f"{'−' if amount < 0 else ''}₹{_grouped(whole)}.{rest}"


def counted(number: int) -> str:
    """12,34,567: grouped the Indian way."""
    return f"{'−' if number < 0 else ''}{_grouped(str(abs(number)))}"


def _grouped(digits: str) -> str:
    head, tail = digits[:-3], digits[-3:]
    while head:
        tail = f"{head[-2:]},{tail}"
        head = head[:-2]
    return tail


def _exponent(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def product_in_words(product: str, key: str) -> str:
    """`D` is delivery in shares and carried forward in derivatives. Another word stays as it is."""
    if product == Product.DELIVERY and not _is_share(key):
        return "carried forward"
    return next((words for one, words in _PRODUCTS.items() if one == product), product)


def status_in_words(order: BookOrder) -> str:
    """Where an order stands; a word of the broker that is not known is shown as it came."""
    words = _STATUS.get(order.status, order.status)
    if order.status == Status.COMPLETE or not order.filled_quantity:
        return words
    return f"{words}, {counted(order.filled_quantity)} of {counted(order.quantity)} filled"


def reason_in_words(code: str, message: str = "") -> str:
    """Why the broker refused, in plain words, with its own text behind where it says more, and always the code."""
    words, told = REASONS.get(code, ""), " ".join(message.split())
    if not words:
        text = told or "the broker gave no reason"
    elif code == "UDAPI100500" and told:
        text = told  # the wrapper of whatever risk management had to say
    else:
        text = words
    return f"{text} ({code})" if code else text


def order_sentence(request: OrderRequest, instrument: Instrument | None = None) -> str:
    """The sentence that repeats an order before it is sent: "Buy 10 RELIANCE (NSE) at a limit of ₹1,234.50, delivery,
    valid today"."""
    parts = [f"{_verb(request.side)} {_quantity(request.quantity, request.key)} {_name(request.key, instrument)} "
             f"{_price_words(request)}"]  # fmt: skip
    parts.append(product_in_words(request.product, request.key))
    parts.append(
        "valid today" if request.validity is Validity.DAY else "what cannot be filled at once is cancelled (IOC)"
    )
    if request.disclosed_quantity:
        parts.append(f"showing {counted(request.disclosed_quantity)} at a time")
    if request.slice:
        parts.append("split where it is above the freeze quantity")
    if request.amo:
        parts.append("for the next opening of the market")
    return ", ".join(parts)


def gtt_sentence(request: GttRequest, instrument: Instrument | None = None) -> str:
    """The same for an order that waits."""
    legs: list[str] = []
    for leg in request.legs:
        price = rupees(leg.trigger_price)
        if leg.strategy is Strategy.ENTRY:
            when = {
                TriggerType.ABOVE: "once the price is at or above",
                TriggerType.BELOW: "once the price is at or below",
            }
            first = when.get(leg.trigger_type, "at once, at a limit of")
            legs.insert(0, f"{_verb(request.side)} {_quantity(request.quantity, request.key)} "
                           f"{_name(request.key, instrument)} {first} {price}")  # fmt: skip
        elif leg.strategy is Strategy.TARGET:
            legs.append(f"then take the profit at {price}")
        else:
            gap = f", trailing by {rupees(leg.trailing_gap)}" if leg.trailing_gap is not None else ""
            legs.append(f"then stop the loss at {price}{gap}")
    legs.append(product_in_words(request.product, request.key))
    legs.append("waiting at the broker for up to a year")
    return ", ".join(legs)


def _price_words(request: OrderRequest) -> str:
    price = rupees(request.price) if request.price is not None else ""
    trigger = rupees(request.trigger_price) if request.trigger_price is not None else ""
    direction = "rises to" if request.side is Side.BUY else "falls to"
    if request.order_type is OrderType.LIMIT:
        return f"at a limit of {price}"
    if request.order_type is OrderType.STOP_LIMIT:
        return f"at a limit of {price} once the price {direction} {trigger}"
    guard = _protection_words(request.market_protection)
    if request.order_type is OrderType.STOP_MARKET:
        return f"at the market once the price {direction} {trigger}, {guard}"
    return f"at the market, {guard}"


def _protection_words(percent: Decimal | None) -> str:
    if percent is None or percent == AUTOMATIC_PROTECTION:
        return "protected as the broker sees fit"
    return f"at most {percent.normalize():f}% worse than the last price"


def _verb(side: Side) -> str:
    return "Buy" if side is Side.BUY else "Sell"


def _quantity(quantity: int, key: str) -> str:
    if not key.startswith(_LOTS):
        return counted(quantity)
    return f"{counted(quantity)} lot{'' if quantity == 1 else 's'} of"


def _name(key: str, instrument: Instrument | None) -> str:
    return key if instrument is None else f"{instrument.symbol} ({instrument.exchange})"


def _is_share(key: str) -> bool:
    return key.startswith(("NSE_EQ|", "BSE_EQ|"))
