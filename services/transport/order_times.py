"""How long a write takes, in its three parts: the desk's own time, the way there and back, the broker's own time."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from enum import StrEnum
from threading import Lock, local
from types import MappingProxyType

BOUNDS_SECONDS: tuple[float, ...] = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds of the histograms; beyond the last one is one more bucket."""


class OrderPart(StrEnum):
    """A part of a write's time."""

    OWN = "own"
    """From the decision to the request's leaving: checks, and the intent written to the disk."""
    NETWORK = "network"
    """The whole answer's time without the broker's own."""
    BROKER = "broker"
    """`latency`, as the broker tells it in its answer."""


class OrderTimes:
    """The histograms of one process. Any thread."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._mine = local()  # when this thread took up the decision that it sends next
        self._lock = Lock()  # guards the two below
        self._buckets = {part: [0] * (len(BOUNDS_SECONDS) + 1) for part in OrderPart}
        self._sums = dict.fromkeys(OrderPart, 0.0)

    def began(self) -> None:
        """This thread has taken up a decision."""
        self._mine.began = self._monotonic()

    def answered(self, elapsed_ms: float, latency_ms: float | None) -> None:
        """A write was answered, `elapsed_ms` after it left; the broker says that `latency_ms` of that were its own."""
        left = self._monotonic() - elapsed_ms / 1000
        began, self._mine.began = getattr(self._mine, "began", None), None  # of several requests the first one counts
        with self._lock:
            if began is not None:
                self._record(OrderPart.OWN, left - began)
            if latency_ms is not None:
                self._record(OrderPart.BROKER, latency_ms / 1000)
            self._record(OrderPart.NETWORK, (elapsed_ms - (latency_ms or 0.0)) / 1000)

    def all(self) -> Mapping[OrderPart, tuple[tuple[int, ...], float]]:
        """Counts of each bucket by itself, and the sum of the seconds."""
        with self._lock:
            return MappingProxyType({part: (tuple(self._buckets[part]), self._sums[part]) for part in OrderPart})

    def _record(self, part: OrderPart, seconds: float) -> None:
        seconds = max(0.0, seconds)  # the broker counts in whole milliseconds, with a clock of its own
        self._buckets[part][bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self._sums[part] += seconds
