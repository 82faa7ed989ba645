"""The highest and the lowest price of each instrument between two looks: no crossing is missed in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias

LATE_SECONDS = 15.0
"""Another process takes over within ten seconds."""

Spans: TypeAlias = dict[str, tuple[float, float]]
"""The lowest and the highest price of each instrument."""


@dataclass(slots=True)
class _Wished:
    """What was heard for a wish that no look has seen yet: the lowest and the highest since."""

    key: str
    low: float = float("inf")
    high: float = float("-inf")


class Extremes:
    """Ticks come on the feed's thread, wishes on any, looks on one."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._late: list[tuple[float, Spans]] = []  # of looks at which another one judged
        self._guard = Lock()  # guards the next three
        self._watched: frozenset[str] = frozenset()
        self._spans: Spans = {}
        self._wished: dict[int, _Wished] = {}

    def heard(self, received_ms: int, ticks: Sequence[tuple[Any, ...]]) -> None:  # Any: a tick's columns
        """Ticks of the feed: neither waits nor raises."""
        watched = self._watched
        if not watched:
            return
        for tick in ticks:
            if tick[0] in watched:
                price = tick[1]
                with self._guard:
                    low, high = self._spans.get(tick[0], (price, price))
                    self._spans[tick[0]] = (min(low, price), max(high, price))
                    for wish in self._wished.values():
                        if wish.key == tick[0]:
                            wish.low, wish.high = min(wish.low, price), max(wish.high, price)

    def listen(self, id: int, key: str) -> None:
        """Hear for the wish `id` from now on, not only after the first look: the price may be there and back before
        that."""
        with self._guard:
            self._wished[id] = _Wished(key)
            self._watched |= {key}

    def forget(self, id: int) -> None:
        with self._guard:
            self._wished.pop(id, None)

    def watch(self, keys: Collection[str], *, judges: bool) -> None:
        """From now on these instruments are listened to, and those of new wishes. `judges`: this process looks at
        them."""
        with self._guard:
            if not judges:
                self._wished.clear()
            self._watched = frozenset(keys) | {wish.key for wish in self._wished.values()}

    def of_wish(self, id: int) -> tuple[float, float] | None:
        """What was heard since the wish was made, told once; `None`: nothing was."""
        with self._guard:
            wish = self._wished.pop(id, None)
        return None if wish is None or wish.low > wish.high else (wish.low, wish.high)

    def since_last(self, *, judges: bool) -> tuple[Spans, Spans | None]:
        """Those since the last look; and, where another process judged until now, those since then: who takes over has
        to know what happened while nobody looked."""
        now = self._monotonic()
        with self._guard:
            fresh, self._spans = self._spans, {}
        self._late = [(at, one) for at, one in self._late if now - at < LATE_SECONDS]
        if not judges:
            self._late.append((now, fresh))
            return {}, None
        if not self._late:
            return fresh, None
        late = dict(fresh)
        for _, spans in self._late:
            for key, (low, high) in spans.items():
                known = late.get(key, (low, high))
                late[key] = (min(low, known[0]), max(high, known[1]))
        self._late = []
        return fresh, late
