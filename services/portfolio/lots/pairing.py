"""First in, first out, for all instruments at once.

Whatever the order in which things were bought and sold, short or long, FIFO gives the n-th unit bought to the n-th unit
sold. So matching is nothing but laying the two rulers of units side by side and cutting where either has a mark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.portfolio.lots.fills import Flags, Ints


@dataclass(frozen=True, slots=True)
class Pairs:
    """Units of purchase `buy[i]` that belong to sale `sell[i]`: `quantity[i]` of them, from `buy_offset[i]` of what the
    purchase brought in and `sell_offset[i]` of the sale. `used`: how much of each row was paired."""

    buy: Ints
    sell: Ints
    quantity: Ints
    buy_offset: Ints
    sell_offset: Ints
    used: Ints


def pair(group: Ints, sells: Flags, quantity: Ints, order: Ints) -> Pairs:
    """Pair purchases with sales of one `group`, each side by rising `order`. Rows of quantity 0 take no part."""
    rows = len(group)
    if rows == 0:
        none = np.zeros(0, np.int64)
        return Pairs(none, none, none, none, none, none)
    _, number = np.unique(group, return_inverse=True)
    groups = int(number.max()) + 1
    sides = [np.flatnonzero(side) for side in (~sells, sells)]
    sides = [side[np.lexsort((order[side], number[side]))] for side in sides]
    totals = [_sums(quantity[side], number[side], groups) for side in sides]
    common = np.minimum(*totals)
    base = np.cumsum(common) - common
    ends, used = [], np.zeros(rows, np.int64)
    for side, total in zip(sides, totals, strict=True):
        own, of = quantity[side], number[side]
        within = np.cumsum(own) - (np.cumsum(total) - total)[of]
        end = base[of] + np.minimum(within, common[of])
        used[side] = end - (base[of] + np.minimum(within - own, common[of]))
        ends.append(end)
    cuts = np.union1d(ends[0], ends[1])
    cuts = cuts[cuts > 0]
    starts = np.r_[np.int64(0), cuts[:-1]] if len(cuts) else cuts
    found = [np.searchsorted(end, cuts, side="left") for end in ends]
    buy, sell = (side[place] for side, place in zip(sides, found, strict=True))
    offsets = [starts - (end[place] - used[side[place]]) for side, end, place in zip(sides, ends, found, strict=True)]
    return Pairs(buy, sell, cuts - starts, offsets[0], offsets[1], used)


def _sums(values: Ints, codes: Ints, groups: int) -> Ints:
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, codes, values)
    return sums
