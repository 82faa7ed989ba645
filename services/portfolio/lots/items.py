"""What stands in the queue: fills, and lots that were carried over a corporate action, as columns.

The cost of units is told by a whole amount and the units it is for (`chain_value`, `chain_quantity`): units from `a`
to `b` of it cost what the rounded cost of the first `b` exceeds that of the first `a`. So parts always add up, and a
lot in two pieces costs what it costs in one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from services.portfolio.lots.fills import Fills, Flags, Ints


@dataclass(frozen=True, slots=True)
class Items:
    """Columns of one length."""

    series: Ints
    day: Ints
    """Of the purchase (or of the sale of a short), days since 1970-01-01."""
    rank: Ints
    """Time, as a number."""
    sells: Flags
    intraday: Flags
    carried: Flags
    """Came over a corporate action: no partner for the sales of the day."""
    quantity: Ints
    chain_value: Ints
    chain_quantity: Ints
    chain_offset: Ints
    """Where these units begin in their chain."""
    fill: Ints
    """The fill they came from."""
    fill_from: Ints
    fill_units: Ints
    """The stretch of that fill they stand for, in its own units; 0 units: what a demerger brought."""

    def __len__(self) -> int:
        return len(self.series)

    def take(self, places: Ints | Flags) -> Items:
        return Items(*(getattr(self, one.name)[places] for one in fields(self)))

    def values(self, places: Ints, start: Ints, end: Ints) -> Ints:
        """What units `start` to `end` of these items cost, in ten-thousandths of a rupee."""
        offset = self.chain_offset[places]
        return self._upto(places, offset + end) - self._upto(places, offset + start)

    def origins(self, places: Ints, units: Ints) -> Ints:
        """Where `units` into an item lies in its fill."""
        return np.asarray(self.fill_from[places] + units * self.fill_units[places] // self.quantity[places])

    def after(self, used: Ints) -> Items:
        """What is left when the first `used` units of each are gone."""
        left = np.flatnonzero(self.quantity > used)
        gone = used[left]
        begin = self.origins(left, gone)
        end = self.fill_from[left] + self.fill_units[left]
        return replace(
            self.take(left),
            quantity=self.quantity[left] - gone,
            chain_offset=self.chain_offset[left] + gone,
            fill_from=begin,
            fill_units=end - begin,
        )

    def _upto(self, places: Ints, units: Ints) -> Ints:
        quantity = self.chain_quantity[places]
        whole, rest = np.divmod(self.chain_value[places], quantity)
        return np.asarray(whole * units + (2 * rest * units + quantity) // (2 * quantity))


def items_of(fills: Fills) -> Items:
    """The fills themselves."""
    rows = len(fills)
    zeros, places = np.zeros(rows, np.int64), np.arange(rows, dtype=np.int64)
    return Items(
        fills.series, fills.day, places, fills.sells, fills.intraday, np.zeros(rows, bool), fills.quantity,
        fills.value, fills.quantity, zeros, places, zeros, fills.quantity,
    )  # fmt: skip


def joined(parts: list[Items]) -> Items:
    """All of them, one after the other."""
    return Items(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Items)))
