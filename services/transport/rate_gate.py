"""Keeps our calls inside the broker's documented limits, and says how long it will take where they are used up.

By hand, because the limits are three exact sliding windows for each operation, a caller must learn its wait before it
waits, and reads must never stand in an order's way.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from threading import Lock

from services.domain.errors import RateBudgetSpent
from services.domain.time_words import duration
from services.wire.endpoints import RATE_LIMITS, Limit, Operation
from services.wire.rate_windows import MARGIN_SECONDS, Window, bucket_of


@dataclass(slots=True)
class _Slot:
    """The moment of one call. Until the call has `left` a penalty may move it, or take it away (`lost`) if the new
    moment would come after `until`, so that nobody stands behind a call that is not made."""

    at: float
    until: float
    left: bool = False
    lost: bool = False


@dataclass(slots=True)
class _Bucket:
    """The calls of one budget, oldest first, including those that have reserved a moment in the near future."""

    limits: tuple[Limit, ...]
    calls: deque[_Slot] = field(default_factory=deque)
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

        Raises `RateBudgetSpent`, without using up anything, if the turn would come later than `max_wait`: at once, or
        where a penalty moved it there, when the first turn would have come.
        """
        began = self._clock()
        with self._lock:
            bucket = self._bucket(operation)
            slot = _Slot(self._turn(bucket, began), began + max_wait)
            if slot.at > slot.until:
                raise _spent(operation, slot.at - began)
            bucket.calls.append(slot)
        while (wait := self._still_to_wait(operation, slot)) > 0:
            self._sleep(wait)
        return max(0.0, self._clock() - began)

    def _still_to_wait(self, operation: Operation, slot: _Slot) -> float:
        """Seconds until the turn of `slot`, which a penalty may have moved by now. 0: it is its turn, and it leaves."""
        with self._lock:
            now = self._clock()
            if slot.lost:
                raise _spent(operation, max(0.0, slot.at - now))
            slot.left = slot.at <= now
            return 0.0 if slot.left else slot.at - now

    def penalise(self, operation: Operation, seconds: float) -> None:
        """Nothing of this budget is sent for `seconds`: the broker said that there were too many calls. Those that wait
        get new turns after that, in their order and within the limits."""
        with self._lock:
            now = self._clock()
            bucket = self._bucket(operation)
            bucket.closed_until = max(bucket.closed_until, now + seconds)
            waiting = [slot for slot in bucket.calls if not slot.left]
            bucket.calls = deque(slot for slot in bucket.calls if slot.left)
            for slot in waiting:
                slot.at = self._turn(bucket, now)
                slot.lost = slot.at > slot.until
                if not slot.lost:
                    bucket.calls.append(slot)

    def count(self, operation: Operation) -> None:
        """A call of this budget leaves now, by leave of somebody else who keeps the limits."""
        with self._lock:
            bucket, now = self._bucket(operation), self._clock()
            self._turn(bucket, now)  # lets go of what no longer counts
            bucket.calls.append(_Slot(max(now, bucket.calls[-1].at if bucket.calls else now), now, left=True))

    def ages(self, operation: Operation) -> tuple[float, ...]:
        """Seconds since each call of this budget that left and still counts, oldest first."""
        with self._lock:
            bucket, now = self._bucket(operation), self._clock()
            self._turn(bucket, now)
            return tuple(max(0.0, now - slot.at) for slot in bucket.calls if slot.left)

    def wait_for(self, operation: Operation) -> float:
        """Seconds that a call would have to wait now. Uses up nothing."""
        with self._lock:
            now = self._clock()
            return max(0.0, self._turn(self._bucket(operation), now) - now)

    def budget(self, operation: Operation) -> tuple[Window, ...]:
        """What is used and left of each documented window, shortest first."""
        with self._lock:
            return _windows(self._bucket(operation), self._clock())

    def budgets(self) -> dict[str, tuple[tuple[Window, ...], float]]:
        """Of every budget that was used: its windows, shortest first, and the seconds for which a 429 keeps it closed.
        An operation's own budget has the operation's name, a shared one is `group <name>`."""
        with self._lock:
            now = self._clock()
            return {
                name: (_windows(bucket, now), max(0.0, bucket.closed_until - now))
                for name, bucket in self._buckets.items()
            }

    def _bucket(self, operation: Operation) -> _Bucket:
        name = bucket_of(operation)
        if name not in self._buckets:
            self._buckets[name] = _Bucket(self._limits[operation.group])
        return self._buckets[name]

    def _turn(self, bucket: _Bucket, now: float) -> float:
        """The first moment at which one more call breaks no window."""
        calls, limits = bucket.calls, bucket.limits
        longest = max(limit.seconds for limit in limits) + self._margin
        while calls and calls[0].at <= now - longest:
            calls.popleft()
        turn = max(now, bucket.closed_until)
        if calls:
            turn = max(turn, calls[-1].at)  # first come, first served
        for limit in limits:
            if len(calls) >= limit.calls:
                turn = max(turn, calls[-limit.calls].at + limit.seconds + self._margin)
        return turn


def _windows(bucket: _Bucket, now: float) -> tuple[Window, ...]:
    """Calls stand in the order of time, so those inside a window are its last ones."""
    moments = [slot.at for slot in bucket.calls]
    windows = []
    for limit in bucket.limits:
        first = bisect_right(moments, now - limit.seconds)
        oldest = moments[first] if first < len(moments) else None
        frees_in = 0.0 if oldest is None else max(0.0, oldest + limit.seconds - now)
        windows.append(Window(limit, len(moments) - first, frees_in))
    return tuple(windows)


def _spent(operation: Operation, wait: float) -> RateBudgetSpent:
    return RateBudgetSpent(
        f"the broker's limit for {operation.name} is used up; the next call is possible in {duration(ceil(wait))}",
        wait_seconds=wait,
    )
