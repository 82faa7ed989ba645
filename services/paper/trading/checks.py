"""Why an order is not taken. Each reason for people, and as the broker's risk system words it. Pure.

What is asked here ends as a `rejected` order in the book. The exchange's own texts are not published; these say the
same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.orders import OrderType, Product, Validity
from services.domain.phases import Accepts, Phase, SessionWindow
from services.paper.model import Snapshot
from services.paper.trading.instruments import Instrument
from services.paper.trading.order_values import Order
from services.paper.trading.values import rupees, units

AUCTION_BAND_PERCENT = 3
"""An order in the closing auction may be so far from the reference price."""

_BEYOND_BAND = "RMS:Rule: Check circuit limit including square off order exceeds"
_BEYOND_RANGE = "17070 : The Price is out of the current execution range"
"""Of contracts: the exchange's own code."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why not: for people, and in the broker's terms."""

    text: str
    raw: str


def form(order: Order, instrument: Instrument) -> Problem | None:
    """What is wrong with the order itself, whatever the hour."""
    return _quantity(order, instrument) or _prices(order, instrument) or _product(order, instrument)


def hour(order: Order, instrument: Instrument, window: SessionWindow) -> Problem | None:
    """What this step of the day does not take."""
    if window.accepts is Accepts.NOTHING:
        return Problem(
            f"The exchange takes no orders at the moment ({window.phase}: {window.stage})",
            "EXCH:Order entry not allowed",
        )
    if window.accepts is Accepts.ALL:
        return None
    name = window.phase.value
    if order.with_trigger or order.validity == Validity.IOC:
        return Problem(
            f"Stop-loss and IOC orders are not taken in the {name}", "EXCH:Order type not allowed in session"
        )
    if window.accepts is Accepts.LIMIT and order.order_type != OrderType.LIMIT:
        return Problem(f"Only limit orders are taken now ({name})", "EXCH:Market orders not allowed in session")
    if window.phase is Phase.CLOSING_AUCTION and order.disclosed:
        return Problem(
            "The closing auction takes no disclosed quantity", "EXCH:Disclosed quantity not allowed in session"
        )
    return None


def after_hours(order: Order) -> Problem | None:
    """What cannot be kept for the next session."""
    if order.with_trigger or order.disclosed or order.validity == Validity.IOC:
        return Problem(
            "Outside market hours only limit and market orders for the day are taken, without disclosed quantity",
            "RMS:Order type not allowed for after market orders",
        )
    return None


def band(order: Order, snapshot: Snapshot, window: SessionWindow | None) -> Problem | None:
    """Prices outside what the exchange allows today."""
    lower, upper = snapshot.lower_circuit, snapshot.upper_circuit
    if window is not None and window.phase is Phase.CLOSING_AUCTION and order.price:
        away = abs(order.price - units(snapshot.ltp)) * 100
        if away > units(snapshot.ltp) * AUCTION_BAND_PERCENT:
            return Problem(
                f"In the closing auction the price must lie within {AUCTION_BAND_PERCENT}% of "
                f"{rupees(units(snapshot.ltp)):,.2f}",
                "EXCH:Price outside the auction band",
            )
    if lower is None or upper is None:
        return None
    for price in (order.price, order.trigger):
        if price and not units(lower) <= price <= units(upper):
            return Problem(
                f"The price {rupees(price):,.2f} is outside today's limits, {lower:,.2f} to {upper:,.2f}",
                _BEYOND_BAND if order.segment.endswith("_EQ") else _BEYOND_RANGE,
            )
    return None


def new_intraday(order: Order, now: datetime, last: datetime | None, *, opens: bool) -> Problem | None:
    """Intraday positions are not opened shortly before they would be closed."""
    if order.product != Product.INTRADAY or not opens or last is None or now < last:
        return None
    return Problem(
        "New intraday positions are not allowed any more today: they are about to be squared off",
        "RMS:Intraday orders are blocked for the day",
    )


def _quantity(order: Order, instrument: Instrument) -> Problem | None:
    if order.quantity % instrument.lot or order.disclosed % instrument.lot:
        return Problem(
            f"The quantity must be a multiple of the lot size, {instrument.lot}",
            f"RMS:Quantity {order.quantity} is not a multiple of lot size {instrument.lot}",
        )
    if instrument.freeze is not None and order.quantity > instrument.freeze:
        return Problem(
            f"The quantity is above the freeze quantity of {instrument.freeze}: send it in parts",
            f"EXCH:Quantity freeze, {order.quantity} above {instrument.freeze}",
        )
    if order.disclosed and not order.quantity <= order.disclosed * 10 <= order.quantity * 10:
        return Problem(
            "The disclosed quantity is at least a tenth of the quantity and at most all of it",
            "RMS:Disclosed quantity out of range",
        )
    return None


def _prices(order: Order, instrument: Instrument) -> Problem | None:
    for name, price in (("price", order.price), ("trigger price", order.trigger)):
        if price % instrument.tick:
            return Problem(
                f"The {name} {rupees(price).normalize():f} is not a multiple of the tick size, "
                f"{rupees(instrument.tick).normalize():f}",
                "EXCH:Price is not a multiple of tick size",
            )
    if order.order_type == OrderType.STOP_LIMIT and order.sign * (order.price - order.trigger) < 0:
        where = "above" if order.buys else "below"
        return Problem(
            f"The trigger price of this stop-loss order must not be {where} its limit price",
            "RMS:Trigger price is not valid for the limit price",
        )
    return None


def _product(order: Order, instrument: Instrument) -> Problem | None:
    if order.product == Product.MTF and (not instrument.share or not instrument.listing.row.get("mtf_enabled")):
        return Problem("Margin funding (MTF) is not offered for this instrument", "RMS:Product MTF not allowed")
    return None
