"""Contract notes of days, order by order: what was traded, what it cost, and what is paid in or out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from services.domain.clock import from_epoch_ms
from services.domain.orders import Side
from services.portfolio.charges.engine import NoteOf
from services.portfolio.charges.kinds import LINES
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.costs import Costs
from services.portfolio.lots.book import Book, base_symbol
from services.portfolio.lots.fills import day_number


@dataclass(frozen=True, slots=True)
class NoteTrade:
    """One fill. `price` and `value` in ten-thousandths of a rupee."""

    trade_id: str
    at: datetime | None
    quantity: int
    price: int
    value: int
    lines: PaiseLines


@dataclass(frozen=True, slots=True)
class NoteOrder:
    """One order of the day. `value` in ten-thousandths of a rupee."""

    order_id: str
    """Where the source tells no orders, the id of the trade."""
    symbol: str
    instrument: str
    exchange: str
    side: Side
    product: str
    quantity: int
    average: int
    """Of a unit, in ten-thousandths of a rupee, rounded."""
    value: int
    lines: PaiseLines
    """Its share of the note: the orders of a note add up to it, to the paisa."""
    trades: tuple[NoteTrade, ...]
    settled: bool = False
    """Not an order: an open contract was settled at its expiry."""


@dataclass(frozen=True, slots=True)
class DayNote:
    """The note of one account and day. Amounts in paise but for values (ten-thousandths of a rupee)."""

    account: str
    day: date
    of: NoteOf
    lines: PaiseLines
    """As it is printed: STT and stamp duty to the rupee. The depository charge is on no note; it is `lines.dp`."""
    bought: int
    sold: int
    orders: tuple[NoteOrder, ...]
    unpriced: int = 0
    """Fills whose charges are not known; they stand at 0 in `lines`."""

    @property
    def obligation(self) -> int:
        """What is paid in (below 0) or out, charges apart."""
        units = self.sold - self.bought
        return (units + 50) // 100 if units >= 0 else -((-units + 50) // 100)

    @property
    def net(self) -> int:
        """What is paid in (below 0) or out."""
        return self.obligation - self.lines.total


def notes_of(
    book: Book, costs: Costs, first: date | None = None, last: date | None = None, account: str | None = None
) -> list[DayNote]:
    """The notes from `first` to `last`, both included, the newest first."""
    fills = book.fills
    chosen = np.ones(len(fills), bool)
    if first is not None:
        chosen &= fills.day >= day_number(first)
    if last is not None:
        chosen &= fills.day <= day_number(last)
    unpriced = set(costs.unpriced.tolist())
    notes = costs.notes()
    by_note: dict[tuple[str, date, NoteOf], dict[tuple[str, str, str], list[int]]] = {}
    for place in np.flatnonzero(chosen).tolist():
        fill = fills.rows[place]
        if account is not None and fill.account != account:
            continue
        commodity = fill.asset.kind(intraday=False).of_commodities
        key = (fill.account, fill.day, NoteOf.COMMODITIES if commodity else NoteOf.SECURITIES)
        order = (fill.order_id or fill.trade_id, fill.instrument, fill.side.value)
        by_note.setdefault(key, {}).setdefault(order, []).append(place)
    printed = {(key.account, key.day, key.of): lines for key, lines in notes.items()}
    found = [
        DayNote(
            *key,
            lines=printed.get(key, PaiseLines()),
            bought=_value(book, orders, Side.BUY),
            sold=_value(book, orders, Side.SELL),
            orders=tuple(_order(book, costs, places) for places in orders.values()),
            unpriced=sum(place in unpriced for places in orders.values() for place in places),
        )
        for key, orders in by_note.items()
    ]
    return sorted(found, key=lambda note: (-note.day.toordinal(), note.account, note.of))


def _value(book: Book, orders: dict[tuple[str, str, str], list[int]], side: Side) -> int:
    rows = (book.fills.rows[place] for places in orders.values() for place in places)
    return sum(fill.value for fill in rows if fill.side is side and not fill.settled)


def _order(book: Book, costs: Costs, places: list[int]) -> NoteOrder:
    rows = [book.fills.rows[place] for place in places]
    lines = [PaiseLines(*(int(costs.fills[line][place]) for line in LINES)) for place in places]
    one, quantity, value = rows[0], sum(fill.quantity for fill in rows), sum(fill.value for fill in rows)
    units = quantity * one.multiplier
    return NoteOrder(
        order_id=one.order_id or one.trade_id,
        symbol=base_symbol(one.symbol),
        instrument=one.instrument,
        exchange=one.exchange,
        side=one.side,
        product=one.product,
        quantity=quantity,
        average=(2 * value + units) // (2 * units),
        value=value,
        lines=sum(lines, PaiseLines()),
        trades=tuple(
            NoteTrade(
                fill.trade_id, None if fill.at_ms is None else from_epoch_ms(fill.at_ms), fill.quantity, fill.price,
                fill.value, own,
            )
            for fill, own in zip(rows, lines, strict=True)
        ),
        settled=one.settled,
    )  # fmt: skip
