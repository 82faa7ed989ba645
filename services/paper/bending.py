"""A path through a day made to open, turn and close where a given bar says, with its wanderings kept in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day of one root. Rupees (points)."""

    open: float
    high: float
    low: float
    close: float


def bent(grid: Floats, bar: DayBar, settle: int, last: int, pause: tuple[int, int] | None = None) -> Floats:
    """The minute edges `grid` on the way of `bar`: the close is found in the minute `settle`, high and low are reached
    by the minute `last` (later ones a closing auction would hide). `pause`: first minute without trading and first one
    with it again, between which the path stands."""
    if pause is None:
        return _bent(grid, bar, settle, last)
    first, again = pause
    rest = again - first
    whole = _bent(np.delete(grid, slice(first + 1, again + 1)), bar, settle - rest, last - rest)
    return np.concatenate([whole[: first + 1], np.full(rest, whole[first]), whole[first + 1 :]])


def _bent(grid: Floats, bar: DayBar, settle: int, last: int) -> Floats:
    path = np.log(grid)
    opened, close, low, high = (float(np.log(price)) for price in (bar.open, bar.close, bar.low, bar.high))
    done = np.minimum(np.arange(grid.size) / settle, 1.0)
    path += (opened - path[0]) * (1 - done) + (close - path[settle]) * done
    path = _folded(path, low, high)
    bottom, top = min(opened, close), max(opened, close)
    trading = path[: last + 1]
    _reach(trading, low, bottom, -1.0)
    _reach(trading, high, top, 1.0)
    marks, goals = [bottom], [bottom]
    if top > bottom:
        marks, goals = [bottom, top], [bottom, top]
    if low < bottom:
        marks, goals = [float(trading.min()), *marks], [low, *goals]
    if high > top:
        marks, goals = [*marks, float(trading.max())], [*goals, high]
    return np.exp(np.interp(path, marks, goals))


def _folded(path: Floats, low: float, high: float) -> Floats:
    """What goes beyond the day's range comes back from there: cut off, it would stand."""
    width = high - low
    if width <= 0:
        return np.full_like(path, low)
    over = np.mod(path - low, 2 * width)
    back: Floats = low + np.minimum(over, 2 * width - over)
    return back


def _reach(path: Floats, goal: float, end: float, sign: float) -> None:
    """Where the day went beyond both its ends and the path hardly did, lead the path out there."""
    room = sign * (goal - end)
    if room <= 0:
        return
    minutes = np.arange(path.size)
    furthest = int(np.argmax(sign * path))
    peak = int(np.clip(furthest, 0.08 * path.size, 0.92 * path.size))
    missing = sign * (end - path[peak]) + 0.3 * room
    if missing > 0:
        hill = np.exp(-(((minutes - peak) / (0.07 * path.size)) ** 2)) * np.sin(np.pi * minutes / (path.size - 1))
        path += sign * missing * hill / hill[peak]
