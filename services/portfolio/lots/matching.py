"""The queue worked off: pairs of the same day first, then first in, first out, with corporate actions in between."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TypeVar

import numpy as np

from services.portfolio.lots.actions import Action, Demerger, Rename, Split, in_order
from services.portfolio.lots.carrying import Left, carry
from services.portfolio.lots.fills import Fills, Flags, Ints, Series, day_number
from services.portfolio.lots.items import Items, items_of, joined
from services.portfolio.lots.pairing import Pairs, pair


@dataclass(frozen=True, slots=True)
class Matches:
    """Columns of one length: so many units bought there and sold here. Values in ten-thousandths of a rupee.

    `buy`, `sell`: places of the fills. `buy_from` to `buy_to`: the stretch of that fill, in its own units, that this
    match stands for (`sell_from` to `sell_to` likewise); it shares out the charges of the fill.
    """

    series: Ints
    quantity: Ints
    buy: Ints
    sell: Ints
    buy_value: Ints
    sell_value: Ints
    buy_day: Ints
    sell_day: Ints
    buy_from: Ints
    buy_to: Ints
    sell_from: Ints
    sell_to: Ints
    same_day: Flags
    """Shares bought and sold the same day."""
    long: Flags
    """Bought first."""

    def __len__(self) -> int:
        return len(self.series)

    @property
    def realised(self) -> Ints:
        """Charges apart, in ten-thousandths of a rupee."""
        return self.sell_value - self.buy_value


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Columns: shares that were sold, of which the book knows no purchase."""

    series: Ints
    sell: Ints
    quantity: Ints
    sell_value: Ints
    sell_from: Ints
    sell_to: Ints


_Table = TypeVar("_Table", Matches, Unexplained)


@dataclass(frozen=True, slots=True)
class Matched:
    """Everything that was bought or sold is in exactly one of `matches`, `unexplained`, `open` and `left`."""

    names: tuple[Series, ...]
    """The series of the fills, and those that corporate actions brought."""
    matches: Matches
    unexplained: Unexplained
    open: Items
    left: tuple[Left, ...]


def match(fills: Fills, actions: list[Action] | None = None, *, today: date | None = None) -> Matched:
    """Work off `fills`. What was traded `today` in an intraday product may still be undone before the close: until then
    it neither closes what was carried into the day, nor is a sale of it one of shares that nobody knows of."""
    names = list(fills.names)
    items = items_of(fills)
    events = in_order(actions or [])
    touched = _touched(names, events)
    if not touched:
        era = _era(items, _delivered(names), today)
        return Matched(tuple(names), era.matches, era.unexplained, era.left, ())
    lookup = _Lookup(names)
    apart = np.isin(items.series, np.array(sorted(touched)))
    first = _era(items.take(~apart), _delivered(names), today)
    queue = items.take(apart)
    done, unexplained, left = [first.matches], [first.unexplained], []
    for event in events:
        before = queue.day < day_number(event.day)
        before |= queue.carried
        era = _era(queue.take(before), _delivered(names), today)
        done.append(era.matches)
        unexplained.append(era.unexplained)
        hit = {place for place, name in enumerate(names) if name.instrument == event.instrument}
        carried, lost = carry(era.left, event, lookup.number, hit)
        left += lost
        queue = joined([_as_carried(carried), queue.take(~before)])
    last = _era(queue, _delivered(names), today)
    return Matched(
        tuple(names),
        _stacked([*done, last.matches]),
        _stacked([*unexplained, last.unexplained]),
        joined([first.left, last.left]),
        tuple(left),
    )


def _touched(names: list[Series], events: list[Action]) -> set[int]:
    instruments: set[str] = set()
    for event in events:
        instruments.add(event.instrument)
        if isinstance(event, Split | Rename | Demerger) and event.into:
            instruments.add(event.into)
    return {place for place, name in enumerate(names) if name.instrument in instruments}


class _Lookup:
    """Numbers of series, with new ones where an action brings an instrument that was never traded."""

    def __init__(self, names: list[Series]) -> None:
        self._names = names
        self._numbers = {(name.account, name.instrument): place for place, name in enumerate(names)}

    def number(self, instrument: str, beside: int) -> int:
        """Of `instrument` in the account of the series `beside`."""
        other = self._names[beside]
        key = (other.account, instrument)
        if key not in self._numbers:
            self._numbers[key] = len(self._names)
            self._names.append(Series(other.account, instrument, other.asset, other.multiplier))
        return self._numbers[key]


@dataclass(frozen=True, slots=True)
class _Era:
    matches: Matches
    unexplained: Unexplained
    left: Items


def _era(items: Items, delivered: Flags, today: date | None) -> _Era:
    """A stretch of time without corporate actions."""
    used = np.zeros(len(items), np.int64)
    parts: list[Matches] = []
    pending = _may_be_undone(items, delivered, today)
    shares = np.flatnonzero(delivered[items.series] & ~items.carried) if len(items) else np.zeros(0, np.int64)
    for stage in (shares[items.intraday[shares]], shares[~pending[shares]]):
        if len(stage):
            day = items.day[stage]
            group = items.series[stage] * (int(day.max()) + 1) + day
            pairs = pair(group, items.sells[stage], (items.quantity - used)[stage], items.rank[stage])
            parts.append(_matches(items, stage, pairs, used, same_day=True))
            used[stage] += pairs.used
    ripe = np.where(pending, 0, items.quantity - used)
    missing_of, missing = _missing(items, ripe, delivered)
    rows = np.r_[np.arange(len(items)), np.zeros(len(missing), np.int64)]
    pairs = pair(
        np.r_[items.series, missing_of],
        np.r_[items.sells, np.zeros(len(missing), bool)],
        np.r_[ripe, missing],
        np.r_[items.rank, np.full(len(missing), -1)],  # what is not in the book was there first
    )
    known = pairs.buy < len(items)
    parts.append(_matches(items, rows, _only(pairs, known), used, same_day=False))
    unexplained = _unexplained(items, _only(pairs, ~known), used)
    used = used + pairs.used[: len(items)]
    return _Era(_stacked(parts), unexplained, items.after(used))


def _may_be_undone(items: Items, delivered: Flags, today: date | None) -> Flags:
    """Shares of an intraday product on the day that is not over."""
    if today is None or len(items) == 0:
        return np.zeros(len(items), bool)
    return np.asarray(delivered[items.series] & items.intraday & ~items.carried & (items.day == day_number(today)))


def _missing(items: Items, quantity: Ints, delivered: Flags) -> tuple[Ints, Ints]:
    """Series of which more was sold than could be there, and how much at the worst moment."""
    shares = np.flatnonzero(delivered[items.series] & (quantity > 0)) if len(items) else np.zeros(0, np.int64)
    if len(shares) == 0:
        return shares, shares
    shares = shares[np.lexsort((items.rank[shares], items.sells[shares], items.day[shares], items.series[shares]))]
    series = items.series[shares]
    change = np.where(items.sells[shares], -quantity[shares], quantity[shares])
    starts = np.flatnonzero(np.r_[True, series[1:] != series[:-1]])
    running = np.cumsum(change)
    before = np.repeat(running[starts] - change[starts], np.diff(np.r_[starts, len(series)]))
    lowest = np.minimum.reduceat(running - before, starts)
    short = lowest < 0
    return series[starts[short]], -lowest[short]


def _matches(items: Items, rows: Ints, pairs: Pairs, used: Ints, *, same_day: bool) -> Matches:
    buy, sell = rows[pairs.buy], rows[pairs.sell]
    buy_start, sell_start = used[buy] + pairs.buy_offset, used[sell] + pairs.sell_offset
    buy_end, sell_end = buy_start + pairs.quantity, sell_start + pairs.quantity
    return Matches(
        series=items.series[buy],
        quantity=pairs.quantity,
        buy=items.fill[buy],
        sell=items.fill[sell],
        buy_value=items.values(buy, buy_start, buy_end),
        sell_value=items.values(sell, sell_start, sell_end),
        buy_day=items.day[buy],
        sell_day=items.day[sell],
        buy_from=items.origins(buy, buy_start),
        buy_to=items.origins(buy, buy_end),
        sell_from=items.origins(sell, sell_start),
        sell_to=items.origins(sell, sell_end),
        same_day=np.full(len(buy), same_day),
        long=items.rank[buy] < items.rank[sell],
    )


def _unexplained(items: Items, pairs: Pairs, used: Ints) -> Unexplained:
    sell = pairs.sell
    start = used[sell] + pairs.sell_offset
    end = start + pairs.quantity
    return Unexplained(
        items.series[sell],
        items.fill[sell],
        pairs.quantity,
        items.values(sell, start, end),
        items.origins(sell, start),
        items.origins(sell, end),
    )


def _only(pairs: Pairs, which: Flags) -> Pairs:
    return Pairs(
        pairs.buy[which],
        pairs.sell[which],
        pairs.quantity[which],
        pairs.buy_offset[which],
        pairs.sell_offset[which],
        pairs.used,
    )


def _stacked(parts: list[_Table]) -> _Table:
    kind = type(parts[0])
    if len(parts) == 1:
        return parts[0]
    return kind(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(kind)))


def _delivered(names: list[Series]) -> Flags:
    return np.array([name.asset.delivered for name in names], bool)


def _as_carried(items: Items) -> Items:
    return replace(items, carried=np.ones(len(items), bool))
