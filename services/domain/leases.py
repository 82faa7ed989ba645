"""Who watches which keys, and until when. A lease that is not renewed ends by itself, so none can leak."""

from __future__ import annotations

from collections.abc import Iterable


class Leases:
    """Keys by holder. Instants are seconds of one clock, the caller's. Not locked: its owner's lock guards it."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, tuple[str, ...]]] = {}

    def hold(self, holder: str, keys: Iterable[str], *, until: float) -> None:
        """`holder` watches exactly `keys` from now on; none = it watches nothing any more."""
        wanted = tuple(dict.fromkeys(keys))
        if wanted:
            self._held[holder] = (until, wanted)
        else:
            self._held.pop(holder, None)

    def union(self, now: float) -> list[str]:
        """Every key that somebody watches, in the order of holders; leases that ended are dropped."""
        for holder in [holder for holder, (until, _) in self._held.items() if until <= now]:
            del self._held[holder]
        return list(dict.fromkeys(key for _, keys in self._held.values() for key in keys))

    def clear(self) -> None:
        self._held.clear()
