"""Longer bars made of shorter ones, where that is exact. Pure.

Minutes are counted from the opening of the day, as the broker counts them. Daily bars are never made of minutes: the
exchange's close is an average or an auction's price, and its volume holds what traded outside of the minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from services.domain.candles import Interval
from services.storage.candle_store import DAY_MS, EPOCH, IST_MS
from services.wire.candle_columns import CandleColumns, Counts, no_candles

MINUTE_MS = 60_000

Opening = Callable[[int], int | None]
"""When (ms) the session of a day begins; `None`: not known, or there are several."""


def from_minutes(minutes: CandleColumns, days: Counts, interval: Interval, opening: Opening) -> CandleColumns:
    """Bars of `interval` (minutes or hours) of minutes, whose day `days` tells. Minutes of days without an opening are
    left out: ask `is_exact` before."""
    if not len(minutes) or interval.minutes is None:
        return no_candles()
    each, place = np.unique(days, return_inverse=True)
    opens = np.array([_open_or_none(opening(day)) for day in each.tolist()], np.int64)[place]
    known = opens >= 0
    if not known.all():
        minutes, opens = minutes.take(known), opens[known]
    length = interval.minutes * MINUTE_MS
    return grouped(minutes, opens + (minutes.start_ms - opens) // length * length)


def is_exact(minutes: CandleColumns, opening: int | None) -> bool:
    """Can longer bars be made of the minutes of one day? Not where nobody knows when it opened, nor of minutes before
    that; of none at all always."""
    return not len(minutes) or (opening is not None and int(minutes.start_ms[0]) >= opening)


def from_days(days: CandleColumns, interval: Interval) -> CandleColumns:
    """Weeks or months, stamped midnight of their first day."""
    if not len(days):
        return no_candles()
    ordinals = ((days.start_ms + IST_MS) // DAY_MS + EPOCH).tolist()
    firsts = [interval.period(date.fromordinal(day))[0].toordinal() for day in ordinals]
    return grouped(days, (np.array(firsts, np.int64) - EPOCH) * DAY_MS - IST_MS)


def one_bar(candles: CandleColumns, start_ms: int) -> CandleColumns:
    """All of `candles` as one bar."""
    return grouped(candles, np.full(len(candles), start_ms, np.int64))


def grouped(candles: CandleColumns, starts: Counts) -> CandleColumns:
    """Bars that share a start as one; `starts` (ascending) has one for each."""
    if not len(candles):
        return candles
    first = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    last = np.append(first[1:], len(starts)) - 1
    return CandleColumns(
        starts[first],
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[last],
        np.add.reduceat(candles.volume, first),
        candles.oi[last],
    )


def _open_or_none(opening: int | None) -> int:
    return -1 if opening is None else opening
