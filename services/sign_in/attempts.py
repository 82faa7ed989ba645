"""Guessing does not pay: ten wrong attempts pause a name, thirty an address, and the process takes few in a minute.

A browser on which somebody has signed in before is counted by itself: a stranger who knows a name can make its owner
wait nowhere but on new browsers.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from services.domain.errors import SignInPaused

MOST_WRONG = 10
PAUSE_SECONDS = 15 * 60.0
FORGET_SECONDS = 24 * 3600.0
"""A wrong attempt counts for a day, unless a right one comes."""
PER_MINUTE = 30
_MOST_KEPT = 20_000


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    under_way: int = 0
    """Admitted, and not yet known to be right or wrong."""
    last: float = 0.0
    paused_until: float = 0.0


class Attempts:
    """The wrong attempts of this process, by name, browser and address. Monotonic seconds; safe between threads."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        most_wrong: int = MOST_WRONG,
        pause_seconds: float = PAUSE_SECONDS,
        per_minute: int = PER_MINUTE,
    ) -> None:
        self._monotonic = monotonic
        self._most_wrong = most_wrong
        self.pause_seconds = pause_seconds
        self._per_minute = per_minute
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._lately: deque[float] = deque()
        self._lock = Lock()

    def admit(self, keys: Sequence[str], *, stranger: bool = True) -> None:
        """Take one attempt under all of `keys`. Raises `SignInPaused` if one of them, or the process, has to wait; what
        a known browser does is not held up by what strangers do.

        While it is under way it takes the place of a wrong one, under the same lock: many at once get no more tries
        than one after another. `wrong`, `right` or `take_back` has to follow, whatever happens.
        """
        now = self._monotonic()
        with self._lock:
            wait = max((self._wait(key, at, now) for at, key in enumerate(keys)), default=0.0)
            if wait > 0:
                raise SignInPaused("too many wrong attempts", wait_seconds=wait)
            if stranger:
                while self._lately and self._lately[0] <= now - 60:
                    self._lately.popleft()
                if len(self._lately) >= self._per_minute:
                    raise SignInPaused("too many attempts at once", wait_seconds=self._lately[0] + 60 - now)
                self._lately.append(now)
            for key in keys:
                self._count(key, now)

    def wrong(self, keys: Sequence[str]) -> bool:
        """The attempt was wrong. Did that pause one of `keys`?"""
        now, paused = self._monotonic(), False
        with self._lock:
            for at, key in enumerate(keys):
                one = self._ended(key)
                if one is None:
                    continue
                one.wrong += 1
                if one.wrong >= self._most(at):
                    one.wrong, one.paused_until, paused = 0, now + self.pause_seconds, True
        return paused

    def right(self, keys: Sequence[str]) -> None:
        """The attempt was right: nothing is held against its name any more, and it does not count for its address."""
        with self._lock:
            for at, key in enumerate(keys):
                one = self._ended(key)
                if one is not None and at == 0:
                    one.wrong, one.paused_until = 0, 0.0
                    if not one.under_way:
                        del self._counts[key]

    def take_back(self, keys: Sequence[str]) -> None:
        """Nobody can say whether the attempt was right: it is as if it had not been, but for the process's minute."""
        with self._lock:
            for key in keys:
                self._ended(key)

    def _ended(self, key: str) -> _Count | None:
        one = self._counts.get(key)
        if one is not None:
            one.under_way = max(0, one.under_way - 1)
        return one

    def _most(self, at: int) -> int:
        """The first key is a name or a browser; behind an address there may be many people."""
        return self._most_wrong if at == 0 else 3 * self._most_wrong

    def _wait(self, key: str, at: int, now: float) -> float:
        one = self._counts.get(key)
        if one is None:
            return 0.0
        full = one.wrong + one.under_way >= self._most(at) and now - one.last <= FORGET_SECONDS
        return max(one.paused_until - now, 1.0 if full else 0.0)

    def _count(self, key: str, now: float) -> None:
        one = self._counts.pop(key, None)
        if one is None or now - one.last > FORGET_SECONDS:
            one = _Count()
        one.under_way, one.last = one.under_way + 1, now
        self._counts[key] = one  # to the end of the line
        while len(self._counts) > _MOST_KEPT:
            self._counts.popitem(last=False)
