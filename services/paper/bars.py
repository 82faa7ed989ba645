"""Longer bars made of shorter ones.

Minutes and hours are counted from the opening of the session that they are in; a day, a week and a month are stamped
at midnight in India, a week on its Monday.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.domain.calendar.days import midnight
from services.domain.clock import epoch_ms
from services.paper.model import NO_BARS, Bars

Ints = NDArray[np.int64]

MINUTE_MS = 60_000
HALF_HOUR_MS = 30 * MINUTE_MS
_DAY_MS = 24 * 60 * MINUTE_MS
_EPOCH = date(1970, 1, 1).toordinal()
_MIDNIGHT_MS = epoch_ms(midnight(date(1970, 1, 1)))


def joined(parts: Iterable[Bars]) -> Bars:
    """Bars that follow each other, as one."""
    found = list(parts)
    if not found:
        return NO_BARS
    columns = ("start_ms", "prices", "volume", "interest", "opening_ms")
    return Bars(*(np.concatenate([getattr(part, name) for part in found]) for name in columns))


def grouped(minutes: Bars, span_ms: int) -> Bars:
    """Bars of `span_ms`, counted from the opening of each session (09:15, 09:45 ... for half hours of shares)."""
    opening = minutes.opening_ms
    return _merged(minutes, opening + (minutes.start_ms - opening) // span_ms * span_ms, opening)


def daily(minutes: Bars, days: Ints) -> Bars:
    """One bar for each day; `days`: the date that each minute belongs to, as an ordinal."""
    stamps = midnights(days)
    return _merged(minutes, stamps, stamps)


def weekly(days: Bars) -> Bars:
    """One bar for each week."""
    ordinal = ordinals(days)
    stamps = midnights(ordinal - (ordinal - 1) % 7)  # ordinal 1 is a Monday
    return _merged(days, stamps, stamps)


def monthly(days: Bars) -> Bars:
    """One bar for each month."""
    first = [date.fromordinal(day).replace(day=1).toordinal() for day in ordinals(days).tolist()]
    stamps = midnights(np.array(first, dtype=np.int64))
    return _merged(days, stamps, stamps)


def midnights(ordinal: Ints) -> Ints:
    """The start of each day in India, epoch ms."""
    found: Ints = _MIDNIGHT_MS + (ordinal - _EPOCH) * _DAY_MS
    return found


def ordinals(bars: Bars) -> Ints:
    """The date in India on which each bar starts."""
    found: Ints = (bars.start_ms - _MIDNIGHT_MS) // _DAY_MS + _EPOCH
    return found


def _merged(bars: Bars, stamps: Ints, opening_ms: Ints) -> Bars:
    """Neighbours with the same stamp as one bar."""
    if not len(bars):
        return bars
    first = np.flatnonzero(np.diff(stamps, prepend=stamps[0] - 1))
    last = np.append(first[1:], len(stamps)) - 1
    prices = bars.prices
    merged = np.column_stack([
        prices[first, 0],
        np.maximum.reduceat(prices[:, 1], first),
        np.minimum.reduceat(prices[:, 2], first),
        prices[last, 3],
    ])  # fmt: skip
    return Bars(stamps[first], merged, np.add.reduceat(bars.volume, first), bars.interest[last], opening_ms[first])
