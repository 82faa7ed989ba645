"""Which days of the simulated years trade, counted once: other modules address a day by its place among them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from services.paper.hours import Group, Hours

Ints = NDArray[np.int64]

FIRST_DAY = date(2015, 1, 1)
LAST_DAY = date(2032, 12, 31)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
_USUAL_MINUTES = {Group.EQUITY: 375, Group.CURRENCY: 480, Group.COMMODITY: 870}


class TradingDays:
    """The trading days of each group. What it keeps is made once and never changed: use it from any thread."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.real_hours = Hours(practice=False, extra_days=hours.extra_days) if hours.practice else hours
        """Those of the exchanges, also in a practice market: files keep to them."""
        self._exchanges: TradingDays | None = None
        self._known: dict[Group, tuple[Ints, Ints, NDArray[np.float64]]] = {}

    def place(self, group: Group, day: date) -> int:
        """How many trading days there are from `FIRST_DAY` to `day`, both included: the place of `day`, or, where it
        does not trade, of the last one before. 0: none yet."""
        return int(self._of(group)[0][min(max((day - FIRST_DAY).days, 0), DAYS - 1)])

    def ordinals(self, group: Group) -> Ints:
        """The trading days as ordinals; the one at place `n` is entry `n - 1`."""
        return self._of(group)[1]

    def real(self, group: Group) -> Ints:
        """The ordinals of the days on which the exchanges themselves trade, also in a practice market."""
        if self.real_hours is self.hours:
            return self.ordinals(group)
        if self._exchanges is None:
            self._exchanges = TradingDays(self.real_hours)
        return self._exchanges.ordinals(group)

    def parts(self, group: Group) -> NDArray[np.float64]:
        """By place: how much of a usual day's hours each has, at most 1; place 0 counts as usual."""
        return self._of(group)[2]

    def _of(self, group: Group) -> tuple[Ints, Ints, NDArray[np.float64]]:
        found = self._known.get(group)
        if found is None:
            days = [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]
            minutes = np.array([self.hours.trading_minutes(group, day) for day in days])
            trading = np.flatnonzero(minutes)
            parts = np.append(1.0, np.minimum(minutes[trading] / _USUAL_MINUTES[group], 1.0))
            found = np.cumsum(minutes > 0), trading + FIRST_DAY.toordinal(), parts
            self._known[group] = found
        return found
