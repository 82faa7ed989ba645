"""Medians of things that are done in turns, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

WARM_UP = 3
"""In the first turn. After that a single one brings back what the others have pushed out of the caches."""


def medians_ms(what: Mapping[str, Callable[[], object]], *, turns: int, each: int) -> dict[str, float]:
    """Milliseconds, by name: the median of `turns` x `each` runs. In each turn everything is done `each` times."""
    times: dict[str, list[float]] = {name: [] for name in what}
    for turn in range(turns):
        for name, do in what.items():
            for _ in range(1 if turn else WARM_UP):
                do()
            for _ in range(each):
                began = time.perf_counter()
                do()
                times[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}
