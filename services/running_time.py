"""Time that goes on while the machine sleeps. Python's own monotonic clock stands still then on Linux and macOS, and a
price of before the sleep would count as seconds old after it."""

from __future__ import annotations

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
"""Linux; on macOS CLOCK_MONOTONIC counts sleep, unlike `time.monotonic`."""


def running_ns() -> int:
    """Nanoseconds since some moment, the same for all processes of this machine. Never goes back."""
    return time.monotonic_ns() if _CLOCK is None else time.clock_gettime_ns(_CLOCK)
