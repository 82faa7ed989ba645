"""Bars on their way to the browser: which part of a series is sent, how many bars become one, lines beside them. Pure.

A bar is placed by its number in the series and not by its time. So nights, weekends and holidays take no room, an hour
of muhurat or a Sunday of a special session stands in its place, and that at every interval, in a practice session that
trades around the clock too. Gaps worked out from a calendar instead would hide bars wherever calendar and bars differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.candles.series import CandleSeries

MOST_IN_SIGHT = 1_000
"""Bars that are drawn for what is in sight; more cost the browser more than they show."""
WHOLE = 1_400
"""A series of so few bars goes as it is, all of it."""
BESIDE = 0.4
"""So much of what is in sight is sent on each side besides, for whoever drags the chart."""

Column = list[float | None]


@dataclass(frozen=True, slots=True)
class Cut:
    """Bars `first` to `last` (exclusive) of a series, `step` of them in one. `first` is a multiple of `step`, so that
    the same bars come together however the chart is moved."""

    first: int
    last: int
    step: int


def cut_of(total: int, view: tuple[int, int] | None) -> Cut:
    """What to send of `total` bars to somebody who looks at those of `view` (exclusive end; `None`: all)."""
    if total <= WHOLE:
        return Cut(0, total, 1)
    start, end = (0, total) if view is None else (max(0, view[0]), min(total, view[1]))
    if end - start < 2:
        start, end = max(0, min(start, total - 2)), max(2, min(total, max(end, start + 2)))
    step = -(-(end - start) // MOST_IN_SIGHT)
    beside = int((end - start) * BESIDE)
    first = max(0, start - beside) // step * step
    return Cut(first, min(total, -(-(end + beside) // step) * step), step)


def thinned(series: CandleSeries, cut: Cut) -> dict[str, object]:
    """The bars of `cut` as lists: the first open, the highest high, the lowest low, the last close, all the volume; the
    time of the first and the open interest of the last bar."""
    part = slice(cut.first, cut.last)
    starts = np.arange(0, cut.last - cut.first, cut.step)
    if not len(starts):
        empty: list[float] = []
        return {**dict.fromkeys(("time", "open", "high", "low", "close", "volume", "oi"), empty), **_place(cut, None)}
    ends = np.append(starts[1:], cut.last - cut.first) - 1
    before = float(series.close[cut.first - 1]) if cut.first else None
    return {
        "time": series.start_ms[part][starts].tolist(),
        "open": series.open[part][starts].tolist(),
        "high": np.maximum.reduceat(series.high[part], starts).tolist(),
        "low": np.minimum.reduceat(series.low[part], starts).tolist(),
        "close": series.close[part][ends].tolist(),
        "volume": np.add.reduceat(series.volume[part], starts).tolist(),
        "oi": series.oi[part][ends].tolist() if series.oi[part].any() else None,
        **_place(cut, before),
    }


def _place(cut: Cut, before: float | None) -> dict[str, object]:
    return {"first": cut.first, "step": cut.step, "before": before}


def line(values: NDArray[np.float64], cut: Cut, decimals: int) -> Column:
    """A line of the same length as the series beside the bars of `cut`: the value at the last bar of each."""
    if cut.last <= cut.first:
        return []
    ends = np.minimum(np.arange(cut.first, cut.last, cut.step) + cut.step, cut.last) - 1
    return figures(values[ends], decimals)


def figures(values: NDArray[np.float64], decimals: int) -> Column:
    """Rounded, with `None` for what is no number."""
    return [value if value == value else None for value in np.round(values, decimals).tolist()]


def beside(series: CandleSeries, other: CandleSeries) -> NDArray[np.float64]:
    """The closes of `other` at the bars of `series`: of the same start, or the last known before it; NaN before its
    first bar and after its last one by more than a bar."""
    values = np.full(len(series), np.nan)
    if not len(series) or not len(other):
        return values
    at = np.searchsorted(other.start_ms, series.start_ms, side="right") - 1
    known = at >= 0
    values[known] = other.close[at[known]]
    values[np.flatnonzero(series.start_ms > other.start_ms[-1])[1:]] = np.nan
    return values


def places_of(series: CandleSeries, starts_ms: Sequence[int]) -> list[int]:
    """The number of the first bar at or after each instant; the length of the series if there is none."""
    return [int(place) for place in np.searchsorted(series.start_ms, np.asarray(starts_ms, dtype=np.int64))]
