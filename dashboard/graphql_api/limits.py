"""What one question may be, and how many of them a person may ask."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

MOST_BYTES = 32_768
"""Of a request's body: a question and its variables."""
MOST_TOKENS = 1_000
"""Words and signs of a question."""
MOST_REPEATS = 40
"""Fields that stand twice in one place, and fragments that are called for: they are compared each with each."""
MOST_DEPTH = 8
"""Fields within fields."""
MOST_COST = 10_000
"""Points of one question."""
LEAST_COST = 10
"""Points of every request, one that is refused too."""
POINTS_A_SECOND = 500.0
"""So many come back to a person's purse, up to `PURSE`."""
PURSE = 20_000.0
AT_ONCE = 2
"""Questions that are answered at the same time, in threads of their own."""
WAIT_SECONDS = 5.0
"""A question waits so long for one of them."""
_MOST_PURSES = 1_000

WEIGHTS = {
    "Query.search": 20,
    "Query.positions": 20,
    "Query.holdings": 20,
    "Query.funds": 20,
    "Query.profit": 200,
    "Query.candles": 2_000,
    "Instrument.quote": 2,
}
"""Points of a field by itself, where it is more than one: what may have to be looked for, or asked of the broker. A
person who asks for nothing but candles has a quarter of a call in a second, a quarter of the broker's limit."""
SIZES = {"Query.markets": 8, "Depth.buy": 5, "Depth.sell": 5}
"""Items of lists whose length no argument says."""
COUNTS = ("first", "count")
"""Arguments that say how many items there may be; a list of `keys` says it itself."""


class Refused(Exception):
    """The question will not be answered. `errors`: as they are told, `message` and perhaps `locations`."""

    def __init__(self, code: str, errors: list[dict[str, Any]]) -> None:  # Any: a text, places in the question
        super().__init__(errors[0]["message"])
        self.code = code
        self.errors = errors


class Purses:
    """Everybody's points, by name. Any thread. Of many names those that are seen least are forgotten, and begin anew
    with a full purse."""

    def __init__(
        self,
        *,
        full: float = PURSE,
        a_second: float = POINTS_A_SECOND,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._full = full
        self._a_second = a_second
        self._monotonic = monotonic
        self._lock = Lock()  # guards the purses
        self._purses: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, points: float) -> float:
        """Take `points` out of the purse of `name`, and return 0; or, where they are not in it, take nothing and
        return the seconds until they are."""
        now = self._monotonic()
        with self._lock:
            held, since = self._purses.pop(name, (self._full, now))
            held = min(self._full, held + (now - since) * self._a_second)
            lacking = points - held
            self._purses[name] = (held if lacking > 0 else held - points, now)
            while len(self._purses) > _MOST_PURSES:
                self._purses.popitem(last=False)
        return max(0.0, lacking / self._a_second)
