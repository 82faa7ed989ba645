"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random
from collections.abc import Callable

CAP_SECONDS = 300.0
STABLE_SECONDS = 60.0
OWN_UNIFORM = random.SystemRandom().uniform
"""Not the shared generator: whatever seeds that one would make all desks wait alike."""


class Backoff:
    """2^n seconds with full jitter (anything from 0 up), at most `cap`; from the beginning again after a connection
    that held for `stable` seconds. Full jitter, because all desks lose a feed at the same moment."""

    def __init__(
        self,
        *,
        cap: float = CAP_SECONDS,
        stable: float = STABLE_SECONDS,
        uniform: Callable[[float, float], float] = OWN_UNIFORM,
    ) -> None:
        self._cap = cap
        self._stable = stable
        self._uniform = uniform
        self._failures = 0

    def next_pause(self) -> float:
        """Seconds until the next attempt. Every call counts as one more failure."""
        longest = min(self._cap, 2.0 ** min(self._failures, 30))
        self._failures += 1
        return self._uniform(0.0, longest)

    def lived(self, seconds: float) -> None:
        """A connection has ended after so long."""
        if seconds >= self._stable:
            self._failures = 0

    def reset(self) -> None:
        """Begin again: somebody asks for an attempt now."""
        self._failures = 0
