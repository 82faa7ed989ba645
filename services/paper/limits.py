"""The broker's rate limits: exact sliding windows per operation and token, in monotonic time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from services.wire.endpoints import RATE_LIMITS, Limit, Operation

_FORGET_ABOVE = 1000


class RateLimits:
    """Remembers the instants of served calls. Used by the server's thread alone. A refused call costs nothing."""

    def __init__(self, limits: Mapping[str, Sequence[Limit]] = RATE_LIMITS, *, monotonic: Callable[[], float]) -> None:
        self._limits = {group: tuple(windows) for group, windows in limits.items()}
        self._longest = max(window.seconds for windows in self._limits.values() for window in windows)
        self._monotonic = monotonic
        self._calls: dict[tuple[str, str], deque[float]] = {}

    def allows(self, operation: Operation, who: str) -> bool:
        """Is there room for one more call of `operation` by `who`? If so it counts as made."""
        now = self._monotonic()
        windows = self._limits[operation.group]
        # In the standard group each operation has a bucket of its own; the order groups share one.
        bucket = operation.name if operation.group == "standard" else operation.group
        calls = self._calls.get((bucket, who))
        if calls is None:
            if len(self._calls) > _FORGET_ABOVE:
                self._forget(now)
            calls = self._calls[bucket, who] = deque(maxlen=max(window.calls for window in windows))
        for window in windows:
            if len(calls) >= window.calls and calls[-window.calls] > now - window.seconds:
                return False
        calls.append(now)
        return True

    def _forget(self, now: float) -> None:
        stale = [key for key, calls in self._calls.items() if not calls or calls[-1] <= now - self._longest]
        for key in stale:
            del self._calls[key]
