"""Candles of one instrument and interval as columns: how they are parsed, stored and joined.

A list of objects costs a hundred times as much to make as the columns that a chart or a table wants in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.domain.clock import from_epoch_ms
from services.domain.quotes import Bar

Counts = NDArray[np.int64]
Prices = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CandleColumns:
    """One entry a bar, ascending by start, each start once. Starts in ms since the epoch (UTC), prices in rupees,
    volume and open interest in units."""

    start_ms: Counts
    open: Prices
    high: Prices
    low: Prices
    close: Prices
    volume: Counts
    oi: Counts

    def __len__(self) -> int:
        return len(self.start_ms)

    def as_tuple(self) -> tuple[Counts, Prices, Prices, Prices, Prices, Counts, Counts]:
        """The columns in their order."""
        return self.start_ms, self.open, self.high, self.low, self.close, self.volume, self.oi

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp] | slice) -> CandleColumns:
        """The bars that the mask, the indices or the slice choose; of a slice no copy is made."""
        return CandleColumns._of(column[which] for column in self.as_tuple())

    @classmethod
    def _of(cls, columns: Iterable[Any]) -> CandleColumns:  # Any: arrays of two types in one row
        return cls(*columns)

    def between(self, start_ms: int, end_ms: int) -> CandleColumns:
        """The bars whose start is in `start_ms <= start < end_ms`, without a copy."""
        first, end = np.searchsorted(self.start_ms, (start_ms, end_ms)).tolist()
        return self if first == 0 and end == len(self) else self.take(slice(first, max(first, end)))

    def bars(self) -> list[Bar]:
        """One object a bar, oldest first: for a few of them, not for a chart."""
        columns = (column.tolist() for column in self.as_tuple())
        return [Bar(from_epoch_ms(start), *others) for start, *others in zip(*columns, strict=True)]

    def frozen(self) -> CandleColumns:
        """The same, and nobody can write into it by mistake: many readers share it."""
        for column in self.as_tuple():
            column.setflags(write=False)
        return self

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self.as_tuple())


def no_candles() -> CandleColumns:
    """Columns without a bar."""
    return columns_of([[] for _ in range(7)])


def columns_of(cells: Sequence[Any]) -> CandleColumns:  # Any: lists or arrays of numbers
    """Columns of seven lists, in the order of the columns. Raises `ValueError` or `OverflowError` for what does not fit
    in them."""
    starts, *prices, volumes, ois = cells
    return CandleColumns._of(
        (
            np.array(starts, np.int64),
            *(np.array(column, np.float64) for column in prices),
            np.array(volumes, np.int64),
            np.array(ois, np.int64),
        )
    )


def in_order(columns: CandleColumns) -> CandleColumns:
    """Ascending, each start once. Where a start comes twice the first one counts."""
    starts = columns.start_ms
    if len(starts) < 2 or (starts[1:] > starts[:-1]).all():
        return columns
    _, first = np.unique(starts, return_index=True)  # sorted, and of equal ones the first
    return columns.take(first)


def joined(parts: Sequence[CandleColumns]) -> CandleColumns:
    """All bars of `parts`. Where a start is in several, the later part counts."""
    some = [part for part in parts if len(part)]
    if len(some) < 2:
        return some[0] if some else no_candles()
    rising = all(one.start_ms[-1] < next_one.start_ms[0] for one, next_one in pairwise(some))
    if not rising:
        some.reverse()
    whole = CandleColumns._of(map(np.concatenate, zip(*(one.as_tuple() for one in some), strict=True)))
    return whole if rising else in_order(whole)
