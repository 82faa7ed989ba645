"""Open lots carried over a corporate action: other units, another instrument, the same cost to the last fraction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from services.portfolio.lots.actions import Action, Bonus, Demerger, Rename, Split
from services.portfolio.lots.fills import day_number
from services.portfolio.lots.items import Items, joined


@dataclass(frozen=True, slots=True)
class Left:
    """A fraction of a share that nobody can hold; it is paid out in cash, of which a book of trades knows nothing."""

    series: int
    units: Fraction
    cost: int
    """Ten-thousandths of a rupee."""


def carry(
    items: Items, action: Action, series_of: Callable[[str, int], int], hit: set[int]
) -> tuple[Items, list[Left]]:
    """`items` after `action`, which hits the series `hit`. `series_of(instrument, series)`: the number of that
    instrument in the same account."""
    parts: list[Items] = []
    left: list[Left] = []
    for series in np.unique(items.series).tolist():
        own = items.take(items.series == series)
        if series not in hit:
            parts.append(own)
            continue
        own = own.take(np.lexsort((own.rank, own.sells)))
        match action:
            case Rename(into=into):
                parts.append(_moved(own, series_of(into, series)))
            case Split(new=new, old=old, into=into):
                parts += _scaled(
                    own, Fraction(new, old), Fraction(1), left, series_of(into, series) if into else series
                )
            case Bonus(new=new, old=old, free_lots=False):
                parts += _scaled(own, Fraction(old + new, old), Fraction(1), left, series)
            case Bonus(new=new, old=old):
                parts += [own, *_free(own, Fraction(new, old), left, day_number(action.day))]
            case Demerger(into=into, new=new, old=old, cost_percent=percent):
                moved = Fraction(percent) / 100
                parts += _scaled(own, Fraction(1), 1 - moved, left, series)
                parts += _without_origin(_scaled(own, Fraction(new, old), moved, left, series_of(into, series)))
    return (joined(parts) if parts else items), left


def _scaled(own: Items, ratio: Fraction, share: Fraction, left: list[Left], series: int) -> Iterator[Items]:
    """Lots of `ratio` times the units and `share` of the cost. Purchases and shorts apart.

    Laid end to end, the lots cover a stretch of new units, of which only whole ones exist: each lot gets those that end
    within it and their cost, so that nothing is lost but the fraction at the very end.
    """
    for side in (False, True):
        lots = own.take(own.sells == side)
        if len(lots):
            yield _scaled_side(lots, ratio, share, left, series)


def _scaled_side(lots: Items, ratio: Fraction, share: Fraction, left: list[Left], series: int) -> Items:
    places = np.arange(len(lots))
    costs = lots.values(places, np.zeros_like(lots.quantity), lots.quantity).tolist()
    quantities = lots.quantity.tolist()
    chain = _chains(lots)
    units = np.zeros(len(lots), np.int64)
    chain_value, chain_quantity, chain_offset = units.copy(), units.copy(), units.copy()
    position, spent = Fraction(0), Fraction(0)  # in new units, and their cost, up to the chain at hand
    given, paid, unpriced = 0, 0, Fraction(0)  # whole units handed out, their rounded cost, cost of the fraction before
    for members in chain:
        size = sum(quantities[place] for place in members) * ratio
        cost = sum(costs[place] for place in members) * share
        whole = int(position + size) - given  # units that end within this chain
        fraction = (position + size) - int(position + size)
        unpriced = cost * fraction / size if whole else unpriced + cost
        spent += cost
        value = round(spent - unpriced) - paid if whole else 0
        at = 0
        seen = position
        for place in members:
            seen += quantities[place] * ratio
            units[place] = int(seen) - given - at
            chain_value[place], chain_quantity[place], chain_offset[place] = value, whole, at
            at += int(units[place])
        position, given, paid = position + size, given + whole, paid + value
    if position != given:
        left.append(Left(series, position - given, round(spent) - paid))
    changed = Items(
        np.full(len(lots), series, np.int64), lots.day, lots.rank, lots.sells, lots.intraday,
        np.ones(len(lots), bool), units, chain_value, chain_quantity, chain_offset, lots.fill, lots.fill_from,
        lots.fill_units,
    )  # fmt: skip
    return changed.take(units > 0)


def _chains(lots: Items) -> list[list[int]]:
    """Neighbours that were bought the same day at the same price: one lot to the rounding, in however many fills."""
    chains: list[list[int]] = []
    before: tuple[int, Fraction] | None = None
    columns = zip(lots.day.tolist(), lots.chain_value.tolist(), lots.chain_quantity.tolist(), strict=True)
    for place, (day, value, quantity) in enumerate(columns):
        price = (day, Fraction(value, quantity))
        if price == before:
            chains[-1].append(place)
        else:
            chains.append([place])
        before = price
    return chains


def _free(own: Items, ratio: Fraction, left: list[Left], day: int) -> Iterator[Items]:
    """Bonus shares as one lot bought for nothing on `day`; a short owes them likewise."""
    for side in (False, True):
        lots = own.take(own.sells == side)
        if len(lots) == 0:
            continue
        exact = int(lots.quantity.sum()) * ratio
        units = int(exact)
        series = int(lots.series[0])
        if exact != units:
            left.append(Left(series, exact - units, 0))
        if units:
            one = lots.take(np.array([len(lots) - 1]))
            amount, nothing = np.array([units]), np.zeros(1, np.int64)
            yield Items(
                one.series, np.array([day]), one.rank, one.sells, one.intraday, np.ones(1, bool), amount,
                nothing, amount, nothing, one.fill, nothing, nothing,
            )  # fmt: skip


def _moved(own: Items, series: int) -> Items:
    return Items(
        np.full(len(own), series, np.int64), own.day, own.rank, own.sells, own.intraday, np.ones(len(own), bool),
        own.quantity, own.chain_value, own.chain_quantity, own.chain_offset, own.fill, own.fill_from, own.fill_units,
    )  # fmt: skip


def _without_origin(parts: Iterator[Items]) -> Iterator[Items]:
    """Children of a demerger stand for no stretch of a fill: the charges stay with the parent."""
    for part in parts:
        zeros = np.zeros(len(part), np.int64)
        yield Items(
            part.series, part.day, part.rank, part.sells, part.intraday, part.carried, part.quantity,
            part.chain_value, part.chain_quantity, part.chain_offset, part.fill, zeros, zeros,
        )  # fmt: skip
