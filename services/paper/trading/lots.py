"""Which purchase belongs to which sale: pairs of the day first where shares are traded, then first in, first out.

The matching of a broker's report, apart from the account's own books: those carry positions and holdings at averages,
because a broker's screens do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Leg(NamedTuple):
    """A fill as the matching sees it."""

    number: int
    """Which fill it is, for whoever asks."""
    scrip: str
    """The ISIN of a share, wherever it was traded; the key of a contract."""
    share: bool
    intraday: bool
    """Traded under a product that is closed the same day: such fills are paired with each other first."""
    buys: bool
    quantity: int


class Pair(NamedTuple):
    """So many units of one purchase that belong to one sale; both by their numbers."""

    buy: int
    sell: int
    quantity: int


@dataclass(slots=True)
class _Lot:
    number: int
    left: int


class OpenLots:
    """What is held, or owed, of each scrip; one day is added after the other."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[_Lot]] = {}
        self._long: dict[str, bool] = {}

    def add(self, day: Sequence[Leg]) -> list[Pair]:
        """Add the fills of a day, in the order of time. The pairs that they close."""
        done = pairs_of_day(day)
        used: dict[int, int] = {}
        for pair in done:
            for number in (pair.buy, pair.sell):
                used[number] = used.get(number, 0) + pair.quantity
        for leg in day:
            left = leg.quantity - used.get(leg.number, 0)
            if left:
                done += self._take(leg, left)
        return done

    def open(self) -> Iterator[tuple[int, int]]:
        """What is not closed: the fill's number, and how many units of it."""
        for queue in self._queues.values():
            yield from ((lot.number, lot.left) for lot in queue)

    def _take(self, leg: Leg, left: int) -> list[Pair]:
        queue = self._queues.setdefault(leg.scrip, deque())
        found: list[Pair] = []
        while left and queue and self._long[leg.scrip] is not leg.buys:
            first = queue[0]
            many = min(left, first.left)
            found.append(Pair(leg.number, first.number, many) if leg.buys else Pair(first.number, leg.number, many))
            first.left -= many
            left -= many
            if not first.left:
                queue.popleft()
        if left:
            self._long[leg.scrip] = leg.buys
            queue.append(_Lot(leg.number, left))
        return found


def pairs_of_day(day: Sequence[Leg]) -> list[Pair]:
    """What was bought and sold of shares on one day: first what was traded for the day, then all that is left."""
    shares = [leg for leg in day if leg.share]
    if not shares:
        return []
    left = {leg.number: leg.quantity for leg in shares}
    found = list(_pairs((leg for leg in shares if leg.intraday), left))
    found += _pairs(shares, left)
    return found


def _pairs(legs: Iterable[Leg], left: dict[int, int]) -> Iterator[Pair]:
    waiting: dict[str, tuple[deque[int], deque[int]]] = {}
    for leg in legs:
        sides = waiting.setdefault(leg.scrip, (deque(), deque()))
        other = sides[leg.buys]
        while left[leg.number] and other:
            first = other[0]
            many = min(left[leg.number], left[first])
            left[leg.number] -= many
            left[first] -= many
            yield Pair(leg.number, first, many) if leg.buys else Pair(first, leg.number, many)
            if not left[first]:
                other.popleft()
        if left[leg.number]:
            sides[not leg.buys].append(leg.number)
