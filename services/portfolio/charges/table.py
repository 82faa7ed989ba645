"""Which rate holds for a trade on its day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from services.domain.errors import NotPublished
from services.domain.orders import Side
from services.portfolio.charges.kinds import RATED, Group, Kind, Line, Rate
from services.portfolio.charges.rates import EARLIEST, RATES

_Where = tuple[Line, Kind, str, Group, Side | None]


class RateTable:
    """The dated rates, looked up by trade. Immutable; equal questions get equal answers."""

    def __init__(self, rates: Iterable[Rate] = RATES) -> None:
        """Of two rates for the same trades from the same day, the later one counts."""
        self.rates = tuple(rates)
        newest = {(self._where(rate), rate.since): rate for rate in self.rates}
        ordered: dict[_Where, list[Rate]] = {}
        for rate in sorted(newest.values(), key=lambda rate: rate.since):
            ordered.setdefault(self._where(rate), []).append(rate)
        self._ordered = {where: (tuple(rate.since for rate in rates), tuple(rates)) for where, rates in ordered.items()}
        self.changes = tuple(sorted({rate.since for rate in self.rates}))
        """Days on which any rate changes."""
        self._found = lru_cache(maxsize=4096)(self._find)

    def with_rates(self, rates: Iterable[Rate]) -> RateTable:
        """A table in which `rates` come before those of the same trades and the same first day. The new rate of a day
        between two others holds until the next one begins."""
        return RateTable((*self.rates, *rates))

    def rate(self, line: Line, kind: Kind, exchange: str, side: Side, on: date, group: Group = Group.NONE) -> Rate:
        """The rate of `line` for a trade on `on`.

        The most particular row counts: of the group before the ordinary, of the exchange before any, of the side before
        both. `NotPublished` where the table knows none: it is unknown, not nothing.
        """
        return self._found(line, kind, exchange, side, on, group)

    def units(self, kind: Kind, exchange: str, side: Side, on: date, group: Group = Group.NONE) -> tuple[int, ...]:
        """The rates of `RATED`, in its order, in parts of 10⁹."""
        return tuple(self.rate(line, kind, exchange, side, on, group).units for line in RATED)

    def unconfirmed(self, kind: Kind, exchange: str, side: Side, on: date, group: Group = Group.NONE) -> list[Rate]:
        """Of the rates that hold for a trade, those that stand on doubtful ground."""
        rates = (self.rate(line, kind, exchange, side, on, group) for line in RATED)
        return [rate for rate in rates if not rate.confirmed]

    @staticmethod
    def _where(rate: Rate) -> _Where:
        return (rate.line, rate.kind, rate.exchange, rate.group, rate.side)

    def _find(self, line: Line, kind: Kind, exchange: str, side: Side, on: date, group: Group) -> Rate:
        groups = (group, Group.NONE) if group is not Group.NONE else (Group.NONE,)
        for one_group in groups:
            for where in (exchange, ""):
                for one_side in (side, None):
                    found = self._ordered.get((line, kind, where, one_group, one_side))
                    if found is not None and (place := bisect_right(found[0], on)):
                        return found[1][place - 1]
        raise NotPublished(
            f"no {line} rate is known for {kind.value} on {exchange or 'an unnamed exchange'} on {on:%Y-%m-%d}; "
            f"the table begins on {EARLIEST:%Y-%m-%d}"
        )


STANDARD = RateTable()
"""The published rates, nothing overridden."""
