"""The order book as it is drawn: groups, a search, pages, and one plain record per order. Pure.

Five thousand orders are a book that a busy month of testing makes; the browser gets one page of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from dashboard.formatting import MISSING, ist_time, number, price_decimals, quantity
from dashboard.tables import Head, Table, symbol_cell
from dashboard.ticket_form import SIDE_NAMES, TYPE_NAMES, product_name
from services.domain.clock import ist_date, practice_day
from services.domain.instruments import Instrument
from services.domain.order_words import status_in_words
from services.domain.orders import BookOrder, OrderType, Status, Trade

PAGE = 100


class Group(StrEnum):
    """Which orders are looked at."""

    OPEN = "Open"
    DONE = "Done"
    ALL = "All"

    def holds(self, order: BookOrder) -> bool:
        return self is Group.ALL or order.terminal == (self is Group.DONE)


class Tone(StrEnum):
    """How a status looks; its words say the same."""

    WAITING = "wait"
    OPEN = "open"
    PART = "part"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


_TONES: dict[str, Tone] = {
    Status.OPEN: Tone.OPEN,
    Status.TRIGGER_PENDING: Tone.OPEN,
    Status.NOT_CANCELLED: Tone.OPEN,
    Status.MODIFIED: Tone.OPEN,
    Status.NOT_MODIFIED: Tone.OPEN,
    Status.AMO_RECEIVED: Tone.OPEN,
    Status.AMO_MODIFIED: Tone.OPEN,
    Status.COMPLETE: Tone.FILLED,
    Status.REJECTED: Tone.REJECTED,
    Status.CANCELLED: Tone.CANCELLED,
    Status.AMO_CANCELLED: Tone.CANCELLED,
    Status.UNTOLD: Tone.CANCELLED,
}
"""What is not here is on its way to somewhere."""


def state_of(order: BookOrder) -> tuple[str, Tone]:
    """Where an order stands, in words, and how that looks. There is no status for a part of an order: what is filled
    tells it. A status that is new to us stays as it is, and means that the order lives."""
    told = status_in_words(order) or "no status told"
    tone = _TONES.get(order.status, Tone.WAITING)
    if tone is Tone.OPEN and 0 < order.filled_quantity < order.quantity:
        tone = Tone.PART
    return f"{told[:1].upper()}{told[1:]}", tone


def was_open_on(order: BookOrder, now: datetime) -> date | None:
    """The day that an order was good for, if that is over: its end has not been told. `None`: it may be open now."""
    if order.terminal or order.validity != "DAY" or order.amo or order.placed_at is None:
        return None
    return ist_date(order.placed_at) if practice_day(order.placed_at) < practice_day(now) else None


def may_change(order: BookOrder) -> bool:
    """Can it be modified or cancelled? What is on its way to either is asked again by nobody."""
    return not order.terminal and order.status not in {Status.CANCELLING}


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of one group of the book."""

    rows: tuple[BookOrder, ...]
    page: int
    pages: int
    found: int
    """How many there are on all pages."""
    counts: dict[Group, int]

    @property
    def range_words(self) -> str:
        if self.found <= PAGE:
            return ""
        first = (self.page - 1) * PAGE + 1
        return f"{quantity(first)} to {quantity(min(first + PAGE - 1, self.found))} of {quantity(self.found)}"


def shown(orders: Sequence[BookOrder], group: Group, *, text: str = "", page: int = 1) -> Shown:
    """The page that is looked at; `orders` newest first. A page beyond the last is the last."""
    open_ones = sum(not order.terminal for order in orders)
    counts = {Group.OPEN: open_ones, Group.DONE: len(orders) - open_ones, Group.ALL: len(orders)}
    found = list(matching((order for order in orders if group.holds(order)), text))
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(1, page), pages)
    return Shown(tuple(found[(page - 1) * PAGE : page * PAGE]), page, pages, len(found), counts)


def matching(orders: Iterable[BookOrder], text: str) -> Iterable[BookOrder]:
    """Those in whose symbol, id, tag or status all words of `text` occur."""
    words = text.casefold().split()
    for order in orders:
        if not words:
            yield order
            continue
        place = f"{order.symbol} {order.exchange} {order.order_id} {order.tag or ''} {SIDE_NAMES[order.side]} "
        place = f"{place}{state_of(order)[0]} {order.status} {order.message or ''}".casefold()
        if all(word in place for word in words):
            yield order


def order_record(order: BookOrder, *, decimals: int, now: datetime, reason: str = "") -> dict[str, Any]:
    """What the browser draws of one order (Any: texts, numbers, flags)."""
    words, tone = state_of(order)
    if (day := was_open_on(order, now)) is not None:
        words = f"{words} on {day:%a %d %b}"
    segment = order.key.partition("|")[0]
    market = order.order_type in (OrderType.MARKET, OrderType.STOP_MARKET)
    return {
        "id": order.order_id,
        "k": order.key,
        "time": when(order.placed_at, now),
        "s": order.symbol or order.key.partition("|")[2],
        "g": segment.replace("_", " "),
        "side": SIDE_NAMES[order.side],
        "q": order.quantity,
        "f": order.filled_quantity,
        "type": TYPE_NAMES.get(order.order_type, order.order_type),
        "product": product_name(order.product, segment),
        "validity": "" if order.validity == "DAY" else order.validity,
        "amo": order.amo,
        "price": "market" if market else number(order.price, decimals),
        "limit": None if market else float(order.price),
        "trigger": number(order.trigger_price, decimals) if order.trigger_price > 0 else "",
        "average": number(order.average_price, decimals) if order.average_price > 0 else MISSING,
        "d": decimals,
        "status": words,
        "tone": tone.value,
        "told": order.status,
        "reason": reason or (order.message or "") if tone is Tone.REJECTED or order.terminal else "",
        "alive": not order.terminal,
        "can": may_change(order),
    }


FILL_HEADS = (
    Head("symbol", "Instrument", num=False), Head("side", "Side", num=False), Head("quantity", "Quantity"),
    Head("price", "Price, ₹"), Head("value", "Value, ₹", rank=2), Head("order", "Order", num=False, rank=2),
    Head("trade", "Trade", num=False, rank=3),
)  # fmt: skip
"""Of the fills: what was traded and for how much stands on a phone too."""


def fill_row(trade: Trade, instrument: Instrument | None, now: datetime) -> Table:
    """What the table shows of one fill. The broker's own symbols carry a series; the instrument's, where it is known,
    do not."""
    decimals = price_decimals(None if instrument is None else instrument.tick_size)
    symbol = (trade.symbol or trade.key) if instrument is None else instrument.symbol
    product = product_name(trade.product, trade.key.partition("|")[0])
    value = number(trade.price * trade.quantity)
    named = symbol_cell(symbol, f"{product}, {when(trade.traded_at, now)} IST", "" if instrument is None else trade.key)
    return {
        "cells": [
            {**named, "n": f"order {trade.order_id}, trade {trade.trade_id}"},
            SIDE_NAMES[trade.side],
            quantity(trade.quantity),
            {"t": number(trade.price, decimals), "n": f"= {value}"},
            value,
            trade.order_id,
            trade.trade_id,
        ]
    }


def when(instant: datetime | None, now: datetime) -> str:
    """The time of day in India; of another day with its date, so that yesterday is not taken for today."""
    if instant is None:
        return MISSING
    time = ist_time(instant)
    told = ist_date(instant)
    return time if told == ist_date(now) else f"{told:%d %b} {time}"


def filled_value(order: BookOrder) -> Decimal:
    """What has changed hands so far, in rupees."""
    return order.average_price * order.filled_quantity
