"""Keeps our calls inside the broker's documented limits, and says how long it will take where they are used up.

By hand, because the limits are three exact sliding windows for each operation, a caller must learn its wait before it
waits, and reads must never stand in an order's way.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from services.domain.errors import RateBudgetSpent
from services.wire.endpoints import RATE_LIMITS, Limit, Operation

MARGIN_SECONDS = 0.02
"""Added to each window: calls travel, and may arrive closer together than they left."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of one documented window."""

    limit: Limit
    used: int
    frees_in: float
    """Seconds until the oldest call in the window no longer counts; 0 when none is counted."""

    @property
    def left(self) -> int:
        return max(0, self.limit.calls - self.used)


@dataclass(slots=True)
class _Bucket:
    """The calls of one budget, oldest first, including those that have reserved a moment in the near future."""

    calls: deque[float] = field(default_factory=deque)
    closed_until: float = 0.0


class RateGate:
    """Hands out moments to send. Every operation of `standard` has a budget of its own; order groups share one.

    The lock guards the buckets and is never held while waiting.
    """

    def __init__(
        self,
        limits: Mapping[str, tuple[Limit, ...]] = RATE_LIMITS,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        margin: float = MARGIN_SECONDS,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._margin = margin
        self._buckets: dict[str, _Bucket] = {}
        self._lock = Lock()

    def acquire(self, operation: Operation, *, max_wait: float) -> float:
        """Wait for this operation's turn and return the seconds waited.

        Raises `RateBudgetSpent` at once, without using up anything, if the turn would come later than `max_wait`.
        """
        began = self._clock()
        with self._lock:
            bucket = self._bucket(operation)
            turn = self._turn(bucket, self._limits[operation.group], began)
            self._refuse_beyond(began + max_wait, turn, began, operation)
            bucket.calls.append(turn)
        while (wait := turn - self._clock()) > 0:
            self._sleep(wait)
            with self._lock:
                turn = max(turn, bucket.closed_until)  # the broker may have complained while we waited
                self._refuse_beyond(began + max_wait, turn, self._clock(), operation)
        return max(0.0, self._clock() - began)

    def penalise(self, operation: Operation, seconds: float) -> None:
        """Nothing of this budget is sent for `seconds`: the broker said that there were too many calls."""
        with self._lock:
            bucket = self._bucket(operation)
            bucket.closed_until = max(bucket.closed_until, self._clock() + seconds)

    def wait_for(self, operation: Operation) -> float:
        """Seconds that a call would have to wait now. Uses up nothing."""
        with self._lock:
            now = self._clock()
            return max(0.0, self._turn(self._bucket(operation), self._limits[operation.group], now) - now)

    def budget(self, operation: Operation) -> tuple[Window, ...]:
        """What is used and left of each documented window, shortest first."""
        with self._lock:
            now = self._clock()
            calls = self._bucket(operation).calls
            windows = []
            for limit in self._limits[operation.group]:
                inside = [at for at in calls if at > now - limit.seconds]
                windows.append(Window(limit, len(inside), max(0.0, inside[0] + limit.seconds - now) if inside else 0.0))
            return tuple(windows)

    def _bucket(self, operation: Operation) -> _Bucket:
        name = operation.name if operation.group == "standard" else f"group {operation.group}"
        return self._buckets.setdefault(name, _Bucket())

    def _turn(self, bucket: _Bucket, limits: tuple[Limit, ...], now: float) -> float:
        """The first moment at which one more call breaks no window."""
        calls = bucket.calls
        longest = max(limit.seconds for limit in limits) + self._margin
        while calls and calls[0] <= now - longest:
            calls.popleft()
        turn = max(now, bucket.closed_until)
        if calls:
            turn = max(turn, calls[-1])  # first come, first served
        for limit in limits:
            if len(calls) >= limit.calls:
                turn = max(turn, calls[-limit.calls] + limit.seconds + self._margin)
        return turn

    @staticmethod
    def _refuse_beyond(deadline: float, turn: float, now: float, operation: Operation) -> None:
        if turn > deadline:
            wait = turn - now
            raise RateBudgetSpent(
                f"the broker's limit for {operation.name} is used up; the next call is possible in {wait:.0f} s",
                wait_seconds=wait,
            )
