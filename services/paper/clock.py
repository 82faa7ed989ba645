"""The broker's clock: the host's time, the host's time with real trading hours, or a simulated instant that runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from services.domain.clock import IST, HostClock, ScaledClock
from services.domain.errors import ConfigurationError


class ClockMode(StrEnum):
    """What the clock makes of trading hours."""

    ALWAYS = "always"
    """Host time; every segment is open, a practice day runs 03:30-03:30 IST."""
    EXCHANGE = "exchange"
    """Host time, real hours."""
    SIMULATED = "simulated"
    """A given instant that runs on, real hours."""


class PaperClock:
    """A `Clock` (aware, UTC) with the mode it was asked for. `speed` is simulated seconds per real second."""

    def __init__(self, source: HostClock | ScaledClock, mode: ClockMode) -> None:
        self._source = source
        self.mode = mode
        self.speed = source.speed if isinstance(source, ScaledClock) else 1.0

    @classmethod
    def parse(
        cls,
        text: str,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> PaperClock:
        """`always`, `exchange`, or an ISO instant with an optional speed (`2026-11-20T09:15:00+05:30x60`).

        An instant without a zone is Indian time. Raises `ConfigurationError` for anything else.
        """
        wanted = text.strip()
        if wanted.lower() in {ClockMode.ALWAYS, ClockMode.EXCHANGE}:
            return cls(HostClock(wall), ClockMode(wanted.lower()))
        instant, speed = _instant_and_speed(wanted)
        return cls(ScaledClock(instant, speed=speed, monotonic=monotonic), ClockMode.SIMULATED)

    @property
    def practice(self) -> bool:
        """Is every segment open all day long?"""
        return self.mode is ClockMode.ALWAYS

    def now(self) -> datetime:
        return self._source.now()


def _instant_and_speed(text: str) -> tuple[datetime, float]:
    stamp, mark, factor = text.partition("x")
    try:
        instant = datetime.fromisoformat(stamp)
        speed = float(factor) if mark else 1.0
    except ValueError:
        raise ConfigurationError(
            f"clock {text!r}: expected 'always', 'exchange', or an instant such as "
            "2026-11-20T09:15:00+05:30, with an optional speed (…x60)"
        ) from None
    if not (math.isfinite(speed) and speed > 0):
        raise ConfigurationError(f"clock {text!r}: the speed must be a number above 0")
    return (instant if instant.tzinfo else instant.replace(tzinfo=IST)), speed
