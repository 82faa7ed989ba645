"""What time it is, as a value that is handed around.

Everything that dates, ages or expires something asks the `Clock` of the runtime; socket timeouts, back-off and
latencies use monotonic time instead. Nothing here reads a clock by itself: the callables come in from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Protocol

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""India has one zone and no daylight saving, so a fixed offset is exact and needs no zone files."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

TOKEN_END = time(3, 30)
"""Upstox tokens die at 03:30 IST whenever they were issued; a practice day rolls at the same instant."""


class Clock(Protocol):
    """Tells the instant (aware, UTC). The only source of "now" for dates, ages and expiries."""

    def now(self) -> datetime: ...


class HostClock:
    """The host's time. `wall` is seconds since the epoch, usually `time.time`."""

    speed = 1.0

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)


class ScaledClock:
    """Time that started at `anchor` and runs `speed` times as fast as `monotonic`."""

    def __init__(self, anchor: datetime, *, speed: float, monotonic: Callable[[], float]) -> None:
        if anchor.tzinfo is None:
            raise ValueError("the anchor of a clock must carry a time zone")
        if not speed > 0:
            raise ValueError("a clock runs forwards: speed must be above 0")
        self.speed = speed
        self._anchor = anchor.astimezone(UTC)
        self._monotonic = monotonic
        self._started = monotonic()

    def now(self) -> datetime:
        return self._anchor + timedelta(seconds=(self._monotonic() - self._started) * self.speed)


class FollowedClock:
    """The clock of somebody else, who may begin anew: from `follow` on it tells the time of another one."""

    def __init__(self, clock: HostClock | ScaledClock) -> None:
        self._clock = clock

    @property
    def speed(self) -> float:
        """Seconds of this clock in a real second."""
        return self._clock.speed

    def follow(self, clock: HostClock | ScaledClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since the epoch, exactly (no float on the way)."""
    return (instant - _EPOCH) // _MILLISECOND


def from_epoch_ms(milliseconds: int) -> datetime:
    """The aware UTC instant of `milliseconds` since the epoch."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def ist_date(instant: datetime) -> date:
    """The calendar date in India."""
    return instant.astimezone(IST).date()


def next_token_end(issued: datetime) -> datetime:
    """The next 03:30 IST strictly after `issued` (aware, UTC)."""
    local = issued.astimezone(IST)
    end = datetime.combine(local.date(), TOKEN_END, IST)
    if end <= local:
        end += timedelta(days=1)
    return end.astimezone(UTC)


def practice_day(instant: datetime) -> date:
    """The date of the practice day (03:30-03:30 IST) that `instant` belongs to."""
    return (instant.astimezone(IST) - timedelta(hours=3, minutes=30)).date()
