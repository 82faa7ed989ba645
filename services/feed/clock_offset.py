"""How far the host's clock is ahead of the broker's, as its frames tell.

A frame carries the broker's time of sending. What lies between that and our time of receipt is the way of the frame and
the difference of the two clocks; the way is never less than nothing, so the shortest of many is the best estimate.
"""

from __future__ import annotations

SPAN_SECONDS = 10.0
GOOD_SECONDS = 120.0
"""An estimate that is older says nothing: clocks may have been set since."""


class ClockOffset:
    """The least delay of the last two spans. One thread records, any thread reads."""

    def __init__(self, *, span_seconds: float = SPAN_SECONDS) -> None:
        self._span = span_seconds
        self._until = float("-inf")
        self._least: float | None = None
        self._before: float | None = None
        self._last = float("-inf")

    def record(self, delay_ms: float, now: float) -> None:
        """A frame came `delay_ms` after it was sent, by the two clocks; `now` is a monotonic instant."""
        self._last = now
        if now >= self._until:
            self._before = self._least if now < self._until + self._span else None
            self._least, self._until = delay_ms, now + self._span
        elif self._least is None or delay_ms < self._least:
            self._least = delay_ms

    def seconds(self, now: float) -> float | None:
        """The estimate, at most a frame's way too high; negative: the host's clock is behind. `None`: no frame has
        come lately."""
        if now - self._last > GOOD_SECONDS:
            return None
        told = [delay for delay in (self._least, self._before) if delay is not None]
        return min(told) / 1000 if told else None
