"""What stands in the order ticket, as one value: pure, so that every rule of it can be read and tested without a page.

The fields of a page give floats and may be empty; an `OrderRequest` takes exact prices and refuses nonsense. In between
stands the form: it may be half filled in, and says in words what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from dashboard.formatting import price_decimals, quantity, tick
from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.orders import (
    AUTOMATIC_PROTECTION,
    PLACEABLE,
    BookOrder,
    OrderRequest,
    OrderType,
    Product,
    Side,
    Validity,
)

PAISA = Decimal("0.01")
TYPE_NAMES: Mapping[str, str] = {
    OrderType.LIMIT: "Limit",
    OrderType.MARKET: "Market",
    OrderType.STOP_LIMIT: "SL",
    OrderType.STOP_MARKET: "SL-M",
}
TYPE_HELP = (
    "Limit: at your price or better. Market: at the best prices there are, within the protection. "
    "SL and SL-M wait for the trigger, then become a limit or a market order."
)
SIDE_NAMES: Mapping[str, str] = {Side.BUY: "Buy", Side.SELL: "Sell"}
VALIDITY_NAMES: Mapping[str, str] = {Validity.DAY: "Day", Validity.IOC: "IOC"}
_CASH = ("NSE_EQ", "BSE_EQ")


@dataclass(frozen=True, slots=True)
class TicketForm:
    """A ticket as it is filled in. Prices in rupees, quantities in units (MCX: lots); `None` = an empty field."""

    key: str
    side: Side = Side.BUY
    order_type: OrderType = OrderType.LIMIT
    product: Product = Product.DELIVERY
    validity: Validity = Validity.DAY
    quantity: int | None = 1
    price: Decimal | None = None
    trigger: Decimal | None = None
    protection: Decimal = AUTOMATIC_PROTECTION
    disclosed: int = 0
    slicing: bool = False

    @property
    def missing(self) -> str:
        """What has to be filled in before this can be an order; empty when nothing is."""
        wanted = []
        if not self.quantity:
            wanted.append("quantity")
        if self.order_type.needs_price and self.price is None:
            wanted.append("price")
        if self.order_type.needs_trigger and self.trigger is None:
            wanted.append("trigger price")
        return f"Fill in the {' and the '.join(wanted)}." if wanted else ""

    def request(self) -> OrderRequest:
        """The order that it asks for; fields that its type does not take are left out. Raises `InvalidRequest`."""
        if self.missing:
            raise InvalidRequest(self.missing)
        assert self.quantity is not None  # nothing is missing
        kind = self.order_type
        stop = kind.needs_trigger
        return OrderRequest(
            key=self.key,
            side=self.side,
            quantity=self.quantity,
            order_type=kind,
            product=self.product,
            price=self.price if kind.needs_price else None,
            trigger_price=self.trigger if stop else None,
            validity=Validity.DAY if stop else self.validity,
            disclosed_quantity=0 if self.validity is Validity.IOC and not stop else self.disclosed,
            market_protection=self.protection if kind.takes_protection else None,
            slice=self.slicing,
        )


def fresh(instrument: Instrument, side: Side = Side.BUY, *, last: float | None = None) -> TicketForm:
    """An empty ticket for that instrument: one lot, at a limit of the last price where that is known."""
    price = None if last is None else snap(Decimal(repr(last)), instrument.tick_size)
    return TicketForm(instrument.key, side, quantity=units_of_lot(instrument), price=price)


def like(order: BookOrder) -> TicketForm:
    """A ticket that asks for the same once more. What cannot be asked for again (a cover order) becomes the usual."""
    kind = next((one for one in OrderType if one == order.order_type), OrderType.LIMIT)
    return TicketForm(
        key=order.key,
        side=order.side,
        order_type=kind,
        product=next((one for one in PLACEABLE if one == order.product), Product.DELIVERY),
        validity=next((one for one in Validity if one == order.validity), Validity.DAY),
        quantity=order.quantity,
        price=order.price if kind.needs_price and order.price > 0 else None,
        trigger=order.trigger_price if kind.needs_trigger and order.trigger_price > 0 else None,
        disclosed=order.disclosed_quantity,
    )


def of_request(request: OrderRequest) -> TicketForm:
    """A ticket filled in with what was asked for."""
    return TicketForm(
        key=request.key,
        side=request.side,
        order_type=request.order_type,
        product=request.product,
        validity=request.validity,
        quantity=request.quantity,
        price=request.price,
        trigger=request.trigger_price,
        protection=request.market_protection or AUTOMATIC_PROTECTION,
        disclosed=request.disclosed_quantity,
        slicing=request.slice,
    )


def ticket_query(request: OrderRequest) -> dict[str, str]:
    """The members of an address that opens the ticket with that in it; its type and price are chosen there."""
    told = {"key": request.key, "side": request.side, "quantity": str(request.quantity), "product": request.product}
    return {name: str(value) for name, value in told.items()}


def suited(form: TicketForm, instrument: Instrument) -> TicketForm:
    """The form without what that instrument does not have: margin funding of a future, disclosed units of an option."""
    if form.product not in products_of(instrument):
        form = replace(form, product=Product.DELIVERY)
    return form


def products_of(instrument: Instrument) -> tuple[Product, ...]:
    """How a position in it can be held."""
    if instrument.segment in _CASH:
        return (Product.DELIVERY, Product.INTRADAY, Product.MTF)
    return (Product.DELIVERY, Product.INTRADAY)


def product_name(product: str, segment: str) -> str:
    """In a person's word: delivery in shares is what carrying forward is in contracts."""
    if product == Product.DELIVERY:
        return "Delivery" if segment in _CASH else "Carry forward"
    return {Product.INTRADAY.value: "Intraday", Product.MTF.value: "MTF", Product.COVER.value: "Cover"}.get(
        product, product
    )


def why_not_traded(instrument: Instrument) -> str:
    """Why no order can be placed in it; empty if one can."""
    if instrument.is_index:
        return "An index is not traded itself: its futures, its options and funds on it are."
    return ""


def units_of_lot(instrument: Instrument) -> int:
    """The smallest quantity: a lot in units; 1 where the exchange counts in lots (MCX)."""
    return max(1, instrument.lot_size or 1)


def trades_in_lots(instrument: Instrument) -> bool:
    """Is a quantity a number of lots of more than one unit?"""
    return units_of_lot(instrument) > 1


def slices(units: int | None, freeze: int | None) -> int:
    """As how many orders the exchange sees it, when it is split above the freeze quantity."""
    if not units or not freeze or freeze < 1:
        return 1
    return -(-units // freeze)


def price_step(instrument: Instrument | None) -> Decimal:
    """What one press of an arrow key moves a price by."""
    size = instrument.tick_size if instrument is not None else None
    return size if size is not None and size > 0 else PAISA


def exact(value: float | None, decimals: int) -> Decimal | None:
    """A price out of a number field: as it reads there, not as its binary float is."""
    if value is None:
        return None
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def on_tick(price: Decimal, size: Decimal | None) -> bool:
    """Is it a price that the exchange knows?"""
    return size is None or size <= 0 or price % size == 0


def snap(price: Decimal, size: Decimal | None, side: Side | None = None) -> Decimal:
    """The nearest price on the tick; for a side the one that does not pay more or take less."""
    if size is None or size <= 0:
        return price
    rounding = {None: ROUND_HALF_UP, Side.BUY: ROUND_FLOOR, Side.SELL: ROUND_CEILING}[side]
    steps = (price / size).quantize(Decimal(1), rounding)
    return max(steps * size, size).quantize(Decimal(1).scaleb(-price_decimals(size)))


def tick_hint(price: Decimal | None, instrument: Instrument, side: Side) -> Decimal | None:
    """The price to offer in place of one that is between two ticks."""
    if price is None or price <= 0 or on_tick(price, instrument.tick_size):
        return None
    return snap(price, instrument.tick_size, side)


def rules_of(instrument: Instrument) -> str:
    """Tick, lot and freeze quantity in one line: Tick 0.10 · lot 75 · freeze 1,755."""
    parts = [f"Tick {tick(instrument.tick_size)}"] if instrument.tick_size else []
    if trades_in_lots(instrument):
        parts.append(f"lot {quantity(instrument.lot_size)}")
    if instrument.freeze_quantity:
        parts.append(f"freeze {quantity(instrument.freeze_quantity)}")
    return " · ".join(parts)
