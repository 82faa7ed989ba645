"""What can only be told by comparing two looks: how long prices have been missing, whether the clock has jumped, when
something was dropped last. Pure; instants are monotonic seconds unless they say otherwise."""

from __future__ import annotations

from datetime import datetime

SILENT_SECONDS = 5.0
"""Shorter than this is no silence: prices of some instruments come a few seconds apart."""
JUMP_SECONDS = 5.0
"""A clock that moved so much more or less than monotonic time has jumped."""


class Silence:
    """For how long prices have been missing that should have come."""

    def __init__(self, *, least: float = SILENT_SECONDS) -> None:
        self._least = least
        self._expected_since: float | None = None

    def seconds(self, now: float, *, expected: bool, last_ago: float | None) -> float | None:
        """`expected`: should prices move now? `last_ago`: since the last one. The night before the market opened does
        not count. `None`: none is missing."""
        if not expected:
            self._expected_since = None
            return None
        if self._expected_since is None:
            self._expected_since = now
        missing = now - self._expected_since
        if last_ago is not None:
            missing = min(missing, last_ago)
        return missing if missing >= self._least else None


class Jumps:
    """Jumps of a clock against monotonic time."""

    def __init__(self, *, least: float = JUMP_SECONDS) -> None:
        self._least = least
        self._last: tuple[float, datetime] | None = None
        self.count = 0
        self.seconds: float | None = None
        """How far the last one went; negative: back."""
        self._at: float | None = None

    def look(self, now: float, told: datetime, speed: float) -> bool:
        """The clock tells `told` now. Has it jumped since the last look?"""
        before, self._last = self._last, (now, told)
        if before is None:
            return False
        moved = (told - before[1]).total_seconds()
        jump = moved - (now - before[0]) * speed
        if abs(jump) < self._least * max(1.0, speed):
            return False
        self.count += 1
        self.seconds, self._at = jump, now
        return True

    def ago(self, now: float) -> float | None:
        return None if self._at is None else now - self._at


class Growth:
    """When a count grew last."""

    def __init__(self) -> None:
        self._count = 0
        self._at: float | None = None

    def ago(self, now: float, count: int) -> float | None:
        """The count is `count` now. Seconds since it was last seen to have grown; `None`: it never was."""
        if count > self._count:
            self._at = now
        self._count = count
        return None if self._at is None else now - self._at
