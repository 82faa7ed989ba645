"""What one connection is subscribed to, within the documented limits. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from services.paper.feed.requests import FeedRequest, Method, Mode

_NO_LIMIT = 1 << 30
ALONE = {Mode.LTPC: 5000, Mode.OPTION_GREEKS: 3000, Mode.FULL: 2000, Mode.FULL_D30: 50}
"""Most keys of a mode while a connection uses no other mode."""
MIXED = {Mode.LTPC: 2000, Mode.OPTION_GREEKS: 2000, Mode.FULL: 1500, Mode.FULL_D30: 50}
"""Most keys of a mode beside others. (The documents name 1500 for `full_d30` there too; the smaller figure is kept.)"""


class Subscriptions:
    """Mode by key. Keys beyond a limit are passed over, as unknown keys are: the feed never answers a request."""

    def __init__(self, *, plus: bool, limited: bool) -> None:
        """`plus`: the account may have `full_d30`. `limited`: keep to the limits."""
        self._plus = plus
        self._limited = limited
        self._mode: dict[str, Mode] = {}
        self._count: Counter[Mode] = Counter()

    def __len__(self) -> int:
        return len(self._mode)

    def mode_of(self, key: str) -> Mode | None:
        return self._mode.get(key)

    def counts(self) -> dict[str, int]:
        """How many keys each mode has."""
        return {mode.value: count for mode, count in self._count.items() if count}

    def by_key(self) -> dict[str, Mode]:
        return dict(self._mode)

    def apply(self, request: FeedRequest, is_listed: Callable[[str], bool]) -> list[str]:
        """Do what is asked, and return the keys whose snapshot is due. A key that is subscribed already gets the mode
        of a repeated `sub`; `change_mode` of a key that is not subscribed does nothing."""
        if request.method is Method.UNSUB:
            for key in request.keys:
                self._drop(key)
            return []
        if request.mode is Mode.FULL_D30 and not self._plus:
            return []
        if request.method is Method.SUB:
            wanted = [key for key in request.keys if key in self._mode or is_listed(key)]
        else:
            wanted = [key for key in request.keys if key in self._mode]
        return [key for key in wanted if self._put(key, request.mode)]

    def _put(self, key: str, mode: Mode) -> bool:
        old = self._mode.get(key)
        if old is mode:
            return True
        if old is not None:
            self._count[old] -= 1
        if self._count[mode] >= self._most(mode):
            if old is not None:
                self._count[old] += 1
            return False
        self._mode[key] = mode
        self._count[mode] += 1
        return True

    def _drop(self, key: str) -> None:
        mode = self._mode.pop(key, None)
        if mode is not None:
            self._count[mode] -= 1

    def _most(self, mode: Mode) -> int:
        if not self._limited:
            return _NO_LIMIT
        mixed = any(count for other, count in self._count.items() if other is not mode)
        return (MIXED if mixed else ALONE)[mode]
