"""What is open, at the prices of now: unrealised gains, and what the day has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.portfolio.lots.book import Book
from services.portfolio.lots.fills import Asset, day_number


@dataclass(frozen=True, slots=True)
class Mark:
    """One instrument of one account. Amounts in ten-thousandths of a rupee; `None`: a price that is needed is not
    known, and then nothing is made up."""

    account: str
    instrument: str
    symbol: str
    asset: Asset
    quantity: int
    """Open now, below 0 when short."""
    cost: int
    """Of what is open, below 0 when short: what selling it brought in."""
    average: int | None
    """Cost of a unit, rounded; `None` when nothing is open."""
    value: int | None
    unrealised: int | None
    day_change: int | None
    """Since the close of the day before: what was open then, and what was traded since."""


def marks_of(
    book: Book, prices: Mapping[str, int], closes: Mapping[str, int] | None = None, *, today: date | None = None
) -> list[Mark]:
    """Everything that is open, and everything that was traded `today`. `prices` and `closes` by instrument, in
    ten-thousandths of a rupee: of now, and of the end of the day before."""
    items, fills = book.matched.open, book.fills
    names = book.matched.names
    costs = items.values(np.arange(len(items)), np.zeros_like(items.quantity), items.quantity)
    sign = np.where(items.sells, -1, 1)
    quantity, cost = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    np.add.at(quantity, items.series, sign * items.quantity)
    np.add.at(cost, items.series, sign * costs)
    day = fills.day == day_number(today) if today is not None else np.zeros(len(fills), bool)
    day_sign = np.where(fills.sells, -1, 1)
    bought, paid = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    np.add.at(bought, fills.series[day], (day_sign * fills.quantity)[day])
    np.add.at(paid, fills.series[day], (day_sign * fills.value)[day])
    traded = set(fills.series[day].tolist())
    marks: list[Mark] = []
    for series in sorted({*np.flatnonzero(quantity).tolist(), *traded}):
        name = names[series]
        held, spent = int(quantity[series]), int(cost[series])
        price = prices.get(name.instrument)
        value = 0 if held == 0 else None if price is None else held * price * name.multiplier
        before = held - int(bought[series])
        close = (closes or {}).get(name.instrument)
        opened = 0 if before == 0 else None if close is None else before * close * name.multiplier
        change = None
        if today is not None and value is not None and opened is not None:
            change = value - opened - int(paid[series])
        marks.append(
            Mark(
                name.account, name.instrument, book.symbols[series], name.asset, held, spent,
                None if held == 0 else round(spent / (held * name.multiplier)),
                value, None if value is None else value - spent, change,
            )
        )  # fmt: skip
    return marks
