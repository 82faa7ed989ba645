"""Which of the subscribed instruments have shown themselves. The broker never answers a subscription: an unknown key is
met with silence, and now and then only a part of a long list comes. What is missing is asked for once more, then it is
called silent. Pure; instants are monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

PATIENCE_SECONDS = 10.0


class Arrivals:
    """Keys that were asked for, until something came of them. One thread changes it."""

    def __init__(self, *, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._asked: dict[str, float] = {}
        self._again: dict[str, float] = {}
        self._silent: dict[str, None] = {}

    @property
    def complete(self) -> bool:
        """Has something come of every key?"""
        return not (self._asked or self._again or self._silent)

    def has_come(self, key: str) -> bool:
        """Has something come of `key` since it was asked for? Any thread may ask."""
        return not (key in self._asked or key in self._again or key in self._silent)

    @property
    def silent(self) -> tuple[str, ...]:
        """Keys of which nothing came though they were asked for twice."""
        return tuple(self._silent)

    def asked(self, keys: Iterable[str], now: float) -> None:
        """The broker was asked for `keys` for the first time on this connection."""
        for key in keys:
            self._again.pop(key, None)
            self._silent.pop(key, None)
            self._asked.pop(key, None)  # to the end of the line
            self._asked[key] = now

    def came(self, keys: Iterable[str]) -> bool:
        """Something came of `keys`. True: one of them had been called silent."""
        spoke = False
        for key in keys:
            if self._asked.pop(key, None) is None and self._again.pop(key, None) is None and key in self._silent:
                del self._silent[key]
                spoke = True
        return spoke

    def dropped(self, keys: Iterable[str]) -> None:
        """Nobody wants `keys` any more."""
        for key in keys:
            for of in (self._asked, self._again, self._silent):
                of.pop(key, None)

    def overdue(self, now: float) -> list[str]:
        """Keys that are to be asked for once more, now; they count as asked. Those that were twice become silent."""
        for key in _older(self._again, now - self._patience):
            self._silent[key] = None  # in this order, so that no reader takes it for one that came
            del self._again[key]
        late = _older(self._asked, now - self._patience)
        for key in late:
            self._again[key] = now
            del self._asked[key]
        return late

    def forget(self) -> None:
        """The connection is gone."""
        self._asked.clear()
        self._again.clear()
        self._silent.clear()


def _older(asked: dict[str, float], than: float) -> list[str]:
    """The keys asked for before that instant; they stand in the order in which they were asked for."""
    found = []
    for key, at in asked.items():
        if at > than:
            break
        found.append(key)
    return found
