"""How late what is shared arrives, by one clock: that of Redis, which every process asks now and then."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from threading import Lock
from typing import Any

from services.shared.link import RedisLink

WINDOW_SECONDS = 10.0
_SAMPLES = 4
_MOST = 20_000


class RedisTime:
    """Redis' clock as seen from here, in microseconds. Of the last questions the quickest counts: its answer is the
    least uncertain, by half the way there and back."""

    def __init__(self, link: RedisLink, *, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._link = link
        self._now_ns = now_ns
        self._looks: deque[tuple[int, int]] = deque(maxlen=_SAMPLES)
        self._offset: int | None = None

    def look(self) -> None:
        """Ask. Raises `RedisAway`."""
        took = [0, 0]

        def ask(client: Any) -> tuple[int, int]:
            took[0] = self._now_ns()
            told: tuple[int, int] = client.time()
            took[1] = self._now_ns()
            return told

        seconds, micros = self._link.run(ask)
        middle = (took[0] + took[1]) // 2000
        self._looks.append((took[1] - took[0], seconds * 1_000_000 + micros - middle))
        self._offset = min(self._looks)[1]

    def now_us(self) -> int:
        """0: it has not been asked yet."""
        offset = self._offset
        return 0 if offset is None else self._now_ns() // 1000 + offset


@dataclass(frozen=True, slots=True)
class LagNow:
    """Milliseconds from the holder's receipt of the oldest frame of a batch until this process had the batch, of the
    last ten seconds."""

    p50_ms: float
    p99_ms: float
    batches: int


class Lag:
    """The lags of the last seconds. One thread writes; any may look."""

    def __init__(self, *, window: float = WINDOW_SECONDS, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._window = window
        self._monotonic = monotonic
        self._guard = Lock()  # guards the next one
        self._seen: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def record(self, ms: float) -> None:
        now = self._monotonic()
        with self._guard:
            seen = self._seen
            seen.append((now, ms))
            while seen[0][0] < now - self._window:
                seen.popleft()

    def now(self) -> LagNow | None:
        """`None`: nothing with frames came lately."""
        since = self._monotonic() - self._window
        with self._guard:
            found = sorted(ms for at, ms in self._seen if at >= since)
        if not found:
            return None
        if len(found) == 1:
            return LagNow(found[0], found[0], 1)
        cuts = quantiles(found, n=100, method="inclusive")
        return LagNow(cuts[49], cuts[98], len(found))
