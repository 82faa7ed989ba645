"""Own trades and open orders, as a chart asks for them: from what the order desk knows, without a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from decimal import Decimal
from threading import Lock
from typing import Protocol, TypeVar

from dashboard.chart_marks import Mark
from dashboard.formatting import number, quantity
from dashboard.order_rows import may_change
from services.domain.clock import IST, ist_date
from services.domain.order_records import StoredTrade
from services.domain.orders import BookOrder, Side
from services.orders.views import BookView, TradesView

PAST_SECONDS = 30.0
"""Fills of past days are read from the ledger no more often than this."""
MOST_KEPT = 64
K = TypeVar("K")
V = TypeVar("V")
_Books = tuple[tuple[BookOrder, ...], tuple[StoredTrade, ...]]
_PAISA = Decimal("0.01")
_OPENING = day_time(9, 15)
_WORDS = {Side.BUY: ("Bought", "Buy"), Side.SELL: ("Sold", "Sell")}


class OrderReads(Protocol):
    """What is asked of the order desk. None of it makes a request."""

    def book(self) -> BookView: ...
    def trades(self) -> TradesView: ...
    def fills_of(self, key: str, start: date, end: date) -> Sequence[StoredTrade]: ...


class OwnMarks:
    """A `MarkSource`: one for the process. A chart asks every few seconds, so that only what is new costs anything."""

    def __init__(self, orders: Callable[[], OrderReads], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._orders = orders
        self._monotonic = monotonic
        self._guard = Lock()  # guards the two below; not held while marks are made
        self._past: dict[tuple[str, date, date], tuple[float, tuple[Mark, ...]]] = {}
        self._today: dict[str, tuple[_Books, tuple[Mark, ...]]] = {}

    def __call__(self, key: str, start: datetime, end: datetime) -> Sequence[Mark]:
        """The own trades of `key` in `start <= at < end`, and its open orders."""
        orders = self._orders()
        first, last = ist_date(start), ist_date(end) - timedelta(days=1)
        past = self._of_the_past(orders, key, first, last) if first <= last else ()
        today = self._of_today((orders.book().orders, orders.trades().trades), key)
        return [mark for mark in (*past, *today) if mark.at is None or start <= mark.at < end]

    def _of_today(self, books: _Books, key: str) -> tuple[Mark, ...]:
        with self._guard:
            known = self._today.get(key)
        if known is not None and all(one is other for one, other in zip(known[0], books, strict=True)):
            return known[1]  # the books are the very same: nothing was told since
        waiting = [mark for one in books[0] if one.key == key and (mark := order_mark(one)) is not None]
        marks = (*waiting, *trade_marks(one for one in books[1] if one.key == key))
        with self._guard:
            _keep(self._today, key, (books, marks))
        return marks

    def _of_the_past(self, orders: OrderReads, key: str, first: date, last: date) -> tuple[Mark, ...]:
        asked, now = (key, first, last), self._monotonic()
        with self._guard:
            known = self._past.get(asked)
        if known is not None and now - known[0] < PAST_SECONDS:
            return known[1]
        marks = trade_marks(orders.fills_of(key, first, last))
        with self._guard:
            _keep(self._past, asked, (now, marks))
        return marks


def _keep(kept: dict[K, V], name: K, value: V) -> None:
    """The newest `MOST_KEPT`."""
    kept.pop(name, None)
    while len(kept) >= MOST_KEPT:
        kept.pop(next(iter(kept)))
    kept[name] = value


def order_mark(order: BookOrder) -> Mark | None:
    """A line at the price at which an open order waits; `None`: it has ended, or waits for no price."""
    price = order.trigger_price or order.price
    if order.terminal or price <= 0:
        return None
    left = max(0, order.quantity - order.filled_quantity)
    told = f"{_WORDS[order.side][1]} {quantity(left)} at {_price(order.price or price)}"
    if order.trigger_price > 0:
        told = f"{_WORDS[order.side][1]} {quantity(left)}, stop at {_price(order.trigger_price)}"
    if not may_change(order):
        told += ", being cancelled"
    return Mark(float(price), order.side, told)


def trade_marks(fills: Iterable[StoredTrade]) -> tuple[Mark, ...]:
    """The fills, those of one order within one minute and at one price as one."""
    together: dict[tuple[object, ...], list[StoredTrade]] = {}
    for fill in fills:
        minute = None if fill.traded_at is None else fill.traded_at.replace(second=0, microsecond=0)
        name = fill.order_id or fill.trade_id
        together.setdefault((name, fill.side, fill.price, fill.day, minute), []).append(fill)
    return tuple(_trade_mark(some) for some in together.values())


def _trade_mark(fills: Sequence[StoredTrade]) -> Mark:
    one = fills[0]
    units = sum(fill.quantity for fill in fills)
    told = f"{_WORDS[one.side][0]} {quantity(units)} at {_price(one.price)}"
    times = [fill.traded_at for fill in fills if fill.traded_at is not None]
    if not times:  # only the broker's history of past days told of it
        opening = datetime.combine(one.day, _OPENING, IST).astimezone(UTC)
        return Mark(float(one.price), one.side, f"{told}, time not told", opening)
    return Mark(float(one.price), one.side, told, max(times))


def _price(price: Decimal) -> str:
    return number(price, 4 if price % _PAISA else 2)
