"""The broker's calls at one instant, as plain values: how long they take, what comes of them, how many are left.

Units as in `snapshot`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Buckets = tuple[tuple[float, int], ...]
"""A histogram: upper bound in seconds (the last one infinite) and how many fell into that bucket alone."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Times of one kind, as a histogram and its sum (seconds)."""

    buckets: Buckets = ()
    total_seconds: float = 0.0

    @property
    def count(self) -> int:
        return sum(count for _, count in self.buckets)

    def quantile(self, share: float) -> float | None:
        """The time that `share` (0-1) of them took at most: the bound of its bucket. `None` without any."""
        left = share * self.count
        last = None
        for bound, count in self.buckets:
            if count:
                last = bound if bound != float("inf") else last
                left -= count
                if left <= 0:
                    return last
        return last


NO_TIMES = Spread()


@dataclass(frozen=True, slots=True)
class OperationNow:
    """One operation of the broker over one version of its API."""

    operation: str
    version: str
    answers: Mapping[str, int]
    """Attempts by what came of them: `2xx` `3xx` `4xx` `5xx`, `no_answer`, `not_sent`, `malformed`."""
    took: Spread
    """Of attempts that were answered, whatever the answer."""
    retries: int
    fallbacks: int
    """How often this version's failure sent a call on to the next one."""

    @property
    def attempts(self) -> int:
        return sum(self.answers.values())

    @property
    def failed(self) -> int:
        return self.attempts - self.answers.get("2xx", 0) - self.answers.get("3xx", 0)


@dataclass(frozen=True, slots=True)
class WindowNow:
    """One documented window of a rate limit."""

    seconds: float
    limit: int
    used: int
    frees_in: float

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class BudgetNow:
    """What is left of a rate budget: an operation's own, or that of a group of operations."""

    name: str
    windows: tuple[WindowNow, ...]
    closed_for: float
    """Seconds for which the broker's 429 keeps it closed; 0.0 as a rule."""

    @property
    def share_left(self) -> float:
        """Of its tightest window, 0-1; 0 while it is closed."""
        return 0.0 if self.closed_for > 0 else min((one.left / one.limit for one in self.windows), default=1.0)


@dataclass(frozen=True, slots=True)
class RestNow:
    """Calls to the broker."""

    operations: tuple[OperationNow, ...] = ()
    budgets: tuple[BudgetNow, ...] = ()
    last_answer_ago: float | None = None
    """Seconds since the broker answered anything at all; `None`: it never has."""
    last_success_ago: float | None = None
    failing_since: float | None = None
    """Seconds since the first of the failures that no success has followed; `None`: the last call succeeded."""
    last_failure: str = ""
    """What the last failure was, in words, while it is the last thing that happened."""
