"""What the documented rate limits come to: the windows of a budget, the budget that a call counts against, and a part
of it for each of several processes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Protocol

from services.wire.endpoints import RATE_LIMITS, Limit, Operation

MARGIN_SECONDS = 0.02
"""Added to each window: calls travel, and may arrive closer together than they left."""
_GROUP = "group "


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


class Gate(Protocol):
    """Hands out moments to send, within the documented limits."""

    def acquire(self, operation: Operation, *, max_wait: float) -> float:
        """Wait for this operation's turn and return the seconds waited. Raises `RateBudgetSpent`, without using up
        anything, if the turn would come later than `max_wait`."""

    def penalise(self, operation: Operation, seconds: float) -> None:
        """Nothing of this budget is sent for `seconds`."""

    def wait_for(self, operation: Operation) -> float:
        """Seconds that a call would have to wait now. Uses up nothing."""

    def budget(self, operation: Operation) -> tuple[Window, ...]:
        """What is used and left of each documented window, shortest first."""

    def budgets(self) -> dict[str, tuple[tuple[Window, ...], float]]:
        """Of every budget that was used: its windows, and the seconds for which a 429 keeps it closed."""


def bucket_of(operation: Operation) -> str:
    """The budget that it counts against: its own, which has its name, or a shared one, `group <name>`."""
    return operation.name if operation.group == "standard" else f"{_GROUP}{operation.group}"


def limits_of(bucket: str) -> tuple[Limit, ...]:
    """The documented windows of a budget, shortest first."""
    return RATE_LIMITS[bucket.removeprefix(_GROUP) if bucket.startswith(_GROUP) else "standard"]


def part_of(limits: tuple[Limit, ...], processes: int) -> tuple[Limit, ...]:
    """What one of `processes` may use where they cannot ask each other: all together stay within `limits`. Where there
    are more processes than calls, a call for each comes less often."""
    return tuple(
        Limit(limit.calls // processes, limit.seconds)
        if limit.calls >= processes
        else Limit(1, limit.seconds * ceil(processes / limit.calls))
        for limit in limits
    )
