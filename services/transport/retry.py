"""How long and how often a read is tried again. Reads only: nothing here is ever put around a write.

The error tree says whether (`retryable`), this module says when. A read as a whole, all its routes together, ends
within `RetryPolicy.total_seconds`, whatever the broker does. Only an answer that starts in time and then drips byte by
byte can hold it longer, by one read timeout at the most.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from services.domain.errors import RateBudgetSpent, RateLimited, UpstoxError

OWN_UNIFORM = random.SystemRandom().uniform
"""Not the shared generator: whatever seeds that one would make all desks wait alike."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds and counts for reads."""

    attempts: int = 3
    """On one route, the first one included."""
    first_pause: float = 0.25
    longest_pause: float = 2.0
    limited_first: float = 1.0
    """First pause after a 429 that names none; doubles with every further one."""
    limited_longest: float = 60.0
    told_longest: float = 3600.0
    """A longer `Retry-After` is taken for a mistake."""
    total_seconds: float = 20.0
    """For one read over all its attempts and routes."""


class ReadRetry:
    """Runs a read until it succeeds, is not worth repeating, or has no time left."""

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = OWN_UNIFORM,
    ) -> None:
        self.policy = policy
        self._sleep = sleep
        self._monotonic = monotonic
        self._uniform = uniform

    def run(
        self,
        attempt: Callable[[float], T],
        *,
        until: float,
        retrying: Callable[[UpstoxError, int, float], None],
    ) -> T:
        """The result of `attempt(seconds it may take)`, or its last error.

        `retrying(error, retries so far, pause)` is told of every failure that is followed by another attempt.
        """

        def enough(state: RetryCallState) -> bool:
            late = self._monotonic() + state.upcoming_sleep >= until
            return late or state.attempt_number >= self.policy.attempts

        def tell(state: RetryCallState) -> None:
            error = _error_of(state)
            if error is not None:
                retrying(error, state.attempt_number - 1, state.upcoming_sleep)

        loop = Retrying(
            sleep=self._sleep,
            retry=retry_if_exception(_worth_repeating),
            wait=self._pause,
            stop=enough,
            before_sleep=tell,
            reraise=True,
        )
        return loop(lambda: attempt(max(0.05, until - self._monotonic())))

    def _pause(self, state: RetryCallState) -> float:
        """Exponential with jitter; after a 429 exactly what was found out about it."""
        error = _error_of(state)
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after
        longest = min(self.policy.longest_pause, self.policy.first_pause * 2 ** (state.attempt_number - 1))
        return self._uniform(longest / 2, longest)


class Strikes:
    """Counts 429 answers in a row for each operation and says how long to keep still. Shared by all threads."""

    def __init__(self, policy: RetryPolicy, *, uniform: Callable[[float, float], float] = OWN_UNIFORM) -> None:
        self._policy = policy
        self._uniform = uniform
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def struck(self, name: str, told: float | None) -> float:
        """The pause after one more 429: what the broker `told`, else 1 s, 2 s, 4 s ... 60 s with jitter upwards."""
        with self._lock:
            count = self._counts[name] = self._counts.get(name, 0) + 1
        if told is not None:
            return min(told, self._policy.told_longest)
        pause = self._policy.limited_first * 2.0 ** min(count - 1, 30)
        return min(self._policy.limited_longest, self._uniform(pause, pause * 1.25))

    def cleared(self, name: str) -> None:
        """The operation was served again."""
        with self._lock:
            self._counts.pop(name, None)


def _worth_repeating(error: BaseException) -> bool:
    # Our own gate has waited as long as it may already; repeating would only wait again.
    return isinstance(error, UpstoxError) and error.retryable and not isinstance(error, RateBudgetSpent)


def _error_of(state: RetryCallState) -> UpstoxError | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, UpstoxError) else None
