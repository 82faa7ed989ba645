"""Medians of things that are done in turn, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

WARM_UP = 3


def medians_ms(
    what: Mapping[str, Callable[[], object]], *, rounds: int, pause: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Milliseconds, by name. `pause` is called between two measurements and is not counted."""
    times: dict[str, list[float]] = {name: [] for name in what}
    for number in range(rounds + WARM_UP):
        for name, do in what.items():
            pause()
            began = time.perf_counter()
            do()
            took = (time.perf_counter() - began) * 1000
            if number >= WARM_UP:
                times[name].append(took)
    return {name: statistics.median(taken) for name, taken in times.items()}
