"""Orders as values: made out of what is asked for, in parts where that is needed, and changed. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.domain.clock import epoch_ms
from services.domain.orders import OrderType, Status
from services.domain.phases import Phase, SessionWindow
from services.paper.envelope import refusal
from services.paper.trading.instruments import Instrument
from services.paper.trading.order_values import Changes, Order, Wanted
from services.paper.trading.work import Work

MOST_SLICES = 25
"""Children of one sliced order."""
_EXCHANGE_IDS = {"NSE": 11, "NFO": 12, "CDS": 13, "BSE": 17, "BFO": 18, "BCD": 19, "MCX": 23, "NSCOM": 24}


def new_order(work: Work, wanted: Wanted, quantity: int, instrument: Instrument, now: datetime, why: str) -> Order:
    number = work.next("order")
    day = work.book.day
    listing = instrument.listing
    return Order(
        order_id=f"{day[2:4]}{day[5:7]}{day[8:10]}{number:09d}",
        number=number,
        key=wanted.key,
        segment=listing.segment,
        exchange=instrument.market.value,
        symbol=listing.quote_symbol,
        buys=wanted.buys,
        quantity=quantity,
        product=wanted.product,
        order_type=wanted.order_type,
        validity=wanted.validity,
        price=wanted.price,
        trigger=wanted.trigger,
        disclosed=min(wanted.disclosed, quantity),
        protection=wanted.protection,
        tag=wanted.tag,
        status=Status.RECEIVED.value,
        day=day,
        placed_ms=epoch_ms(now),
        changed_ms=epoch_ms(now),
        reference_id=wanted.reference_id or f"{57_744_000_000_000 + number}",
        message=why,
        by_broker=bool(why),
    )


def parts_of(
    wanted: Wanted, instrument: Instrument, window: SessionWindow | None, most_parts: int | None = MOST_SLICES
) -> list[int]:
    """The quantities of the orders that `wanted` becomes. The closing auction takes no sliced ones."""
    most = instrument.freeze
    in_auction = window is not None and window.phase is Phase.CLOSING_AUCTION
    if not wanted.slices or most is None or wanted.quantity <= most or in_auction:
        return [wanted.quantity]
    most -= most % instrument.lot
    whole, rest = divmod(wanted.quantity, most)
    if most_parts is not None and whole + bool(rest) > most_parts:
        raise refusal(
            "UDAPI1053",
            property_path="quantity",
            invalid_value=str(wanted.quantity),
            message=f"The order would have to be sliced into more than {most_parts} parts",
        )
    return [most] * whole + ([rest] if rest else [])


def changed(order: Order, changes: Changes) -> Order:
    """`order` with what shall be different. A type without a price or trigger has none."""
    order_type = order.order_type if changes.order_type is None else changes.order_type
    priced = order_type in {OrderType.LIMIT, OrderType.STOP_LIMIT}
    triggered = order_type in {OrderType.STOP_LIMIT, OrderType.STOP_MARKET}
    return replace(
        order,
        order_type=order_type,
        quantity=order.quantity if changes.quantity is None else changes.quantity,
        price=(order.price if changes.price is None else changes.price) if priced else 0,
        trigger=(order.trigger if changes.trigger is None else changes.trigger) if triggered else 0,
        validity=order.validity if changes.validity is None else changes.validity,
        disclosed=order.disclosed if changes.disclosed is None else changes.disclosed,
        protection=order.protection if changes.protection is None else changes.protection,
    )


def keeps_place(order: Order, wanted: Order) -> bool:
    """Does the order keep its place in the queue? Only who asks for less."""
    same = (order.price, order.trigger, order.order_type) == (wanted.price, wanted.trigger, wanted.order_type)
    return same and wanted.quantity <= order.quantity and wanted.disclosed == order.disclosed


def exchange_id(work: Work, order: Order) -> str:
    return f"{_EXCHANGE_IDS.get(order.exchange, 10)}{work.next('exchange'):014d}"
