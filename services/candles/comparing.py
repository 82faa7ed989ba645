"""Is what the broker tells now the same as what it told before? After a split or a bonus all older prices are others.

Pure. Bars are matched by their start.
"""

from __future__ import annotations

import numpy as np

from services.domain.clock import IST, from_epoch_ms
from services.storage.candle_store import Change
from services.wire.candle_columns import CandleColumns, Counts, Prices

SAME = 1e-4
"""Ratios this close to 1 are rounding."""
RUNNING_SAME = 5e-3
"""What was told while the day ran differs by a little as a rule, by so much only after an action."""
JUMP = 0.04
"""From one bar to the next day's: reason enough to look whether the older ones are still the same."""
_PAISA = 0.01


def factor(before: CandleColumns, now: CandleColumns, *, running: bool = False) -> float | None:
    """By what all prices of `before` have to be multiplied to be those of `now`; `None`: they are the same, or differ
    in another way, or no bar is in both. `running`: `before` was told while the day ran."""
    mine, its = _matched(before, now)
    old, new = (np.concatenate((one.open, one.high, one.low, one.close)) for one in (mine, its))
    usable = (old > 0) & (new > 0)
    if not usable.any():
        return None
    ratios: Prices = new[usable] / old[usable]
    middle = float(np.median(ratios))
    if abs(middle - 1) <= (RUNNING_SAME if running else SAME):
        return None
    rounding = 2 * _PAISA / float(min(old[usable].min(), new[usable].min()))
    agreeing = np.abs(ratios / middle - 1) <= rounding + (RUNNING_SAME if running else SAME)
    return middle if agreeing.mean() > 0.9 else None


def jumps(earlier: CandleColumns, later: CandleColumns) -> bool:
    """Does the price leap from the last bar of one to the first bar of the other?"""
    if not len(earlier) or not len(later):
        return False
    close, opened = float(earlier.close[-1]), float(later.open[0])
    return close > 0 and opened > 0 and abs(opened / close - 1) > JUMP


def changes(before: CandleColumns, now: CandleColumns, *, at_ms: int, told_ms: int | None = None) -> list[Change]:
    """How `now` differs from what was told `before` of the same day: one note of the bars that are others (`changed`),
    one of those that were not there, though their time was over when `before` was told, at `told_ms` (`late`)."""
    mine, its = _matched(before, now)
    size = np.zeros(len(mine))
    for old, new in zip(mine.as_tuple()[1:], its.as_tuple()[1:], strict=True):
        size = np.maximum(size, np.abs(new - old) / np.maximum(np.abs(old), 1e-9))
    found = []
    if size.any():
        starts, worst = mine.start_ms[size > 0], int(np.argmax(size))
        found.append(_note(starts, at_ms, "changed", f"most: {_difference(mine, its, worst)}"))
    if told_ms is not None and len(before):
        over = min(int(before.start_ms[-1]), told_ms)
        late = np.setdiff1d(now.start_ms, before.start_ms)
        if (late := late[late < over]).size:
            found.append(_note(late, at_ms, "late", "not told while the day ran"))
    return found


def _note(starts: Counts, at_ms: int, kind: str, detail: str) -> Change:
    return Change(int(starts[0]), int(starts[-1]), at_ms, kind, len(starts), detail)


def _matched(before: CandleColumns, now: CandleColumns) -> tuple[CandleColumns, CandleColumns]:
    _, mine, its = np.intersect1d(before.start_ms, now.start_ms, assume_unique=True, return_indices=True)
    return before.take(mine), now.take(its)


def _difference(before: CandleColumns, now: CandleColumns, place: int) -> str:
    names = ("open", "high", "low", "close", "volume", "oi")
    at = from_epoch_ms(int(before.start_ms[place])).astimezone(IST)
    pairs = zip(names, before.as_tuple()[1:], now.as_tuple()[1:], strict=True)
    others = [f"{name} {old[place]:.10g} -> {new[place]:.10g}" for name, old, new in pairs if old[place] != new[place]]
    return f"{at:%d %b %Y %H:%M} {', '.join(others)}"
