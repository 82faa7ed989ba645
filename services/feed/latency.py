"""How long a price takes from the exchange to the screen, step by step, as histograms with fixed buckets."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

BOUNDS_MS: tuple[float, ...] = tuple(round(10 ** (step / 10), 4) for step in range(-20, 51))
"""Upper bounds in milliseconds, ten to each power of ten, from 0.01 ms to 100 s: a percentile is right within 13 %."""


class Step(StrEnum):
    """A stretch of a price's way."""

    EXCHANGE_TO_RECEIVED = "exchange to received"
    """From the broker's time of sending to our socket. Two clocks: a host clock that is off shows here."""
    RECEIVED_TO_BOARD = "received to board"
    BOARD_TO_SENT = "board to sent"
    """Until the frame for the browsers is handed to their sockets; holds the time between two pushes."""
    SENT_TO_PAINTED = "sent to painted"
    """Until the browser has painted it, as it reports back for a sample."""
    RECEIVED_TO_PAINTED = "received to painted"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; `None` where nothing was recorded."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    worst: float | None
    early: int
    """Of `count`: arrived before they were sent, by the clocks."""


class Histogram:
    """Counts by bucket. One thread records; any thread may read, and sees counts that are a moment old."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_MS) + 1)
        self._early = 0
        self._worst: float | None = None

    def record(self, milliseconds: float, times: int = 1) -> None:
        """`times` prices took so long. A negative time counts as none at all, and as early."""
        if milliseconds < 0:
            self._early += times
            milliseconds = 0.0
        self._counts[bisect_left(BOUNDS_MS, milliseconds)] += times
        if self._worst is None or milliseconds > self._worst:
            self._worst = milliseconds

    def percentiles(self) -> Percentiles:
        """What most of them took at most: the upper bound of the bucket, never more than the worst."""
        counts, worst = list(self._counts), self._worst
        total = sum(counts)
        p50, p95, p99 = (_at(counts, total, share, worst) for share in (0.5, 0.95, 0.99))
        return Percentiles(total, p50, p95, p99, worst, self._early)

    def buckets(self) -> list[tuple[float, int]]:
        """Upper bound in milliseconds and count of every bucket; the last bound is infinite."""
        return list(zip((*BOUNDS_MS, float("inf")), self._counts, strict=True))

    def clear(self) -> None:
        self._counts = [0] * (len(BOUNDS_MS) + 1)
        self._early = 0
        self._worst = None


class Latency:
    """A histogram for every step. Each step has one recording thread: the feed's, the push's."""

    def __init__(self) -> None:
        self._steps = {step: Histogram() for step in Step}

    def __getitem__(self, step: Step) -> Histogram:
        return self._steps[step]

    def steps(self) -> Iterable[tuple[Step, Histogram]]:
        return self._steps.items()

    def percentiles(self) -> dict[Step, Percentiles]:
        return {step: histogram.percentiles() for step, histogram in self._steps.items()}


def _at(counts: list[int], total: int, share: float, worst: float | None) -> float | None:
    if not total or worst is None:
        return None
    passed = 0
    for bound, count in zip(BOUNDS_MS, counts, strict=False):
        passed += count
        if passed >= share * total:
            return min(bound, worst)
    return worst
