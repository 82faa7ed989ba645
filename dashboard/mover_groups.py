"""What movers can be looked for in: the watchlists, and groups that the instrument list itself tells.

The broker's lists do not tell which shares an index is made of, so no index is offered as a group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

SHARES, INDICES = "NSE shares with futures", "NSE indices"
MOST = 500
"""Instruments of a group that are looked at."""


class Named(Protocol):
    """A saved watchlist."""

    @property
    def name(self) -> str: ...
    @property
    def keys(self) -> tuple[str, ...]: ...


class Master(Protocol):
    """What is asked of the instrument master."""

    def shares_with_contracts(self, segment: str = ...) -> list[str]: ...
    def indices(self, segment: str = ...) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Group:
    """Some instruments under one name. `note` says what they are."""

    name: str
    keys: tuple[str, ...]
    note: str


def groups(watchlists: Iterable[Named], master: Master | None) -> dict[str, Group]:
    """Every group by its name, the watchlists first; of the instrument list's own those that are not empty."""
    found = {}
    for watchlist in watchlists:
        name = f"{watchlist.name} (watchlist)" if watchlist.name in (SHARES, INDICES) else watchlist.name
        found[name] = _group(name, watchlist.keys, "your watchlist")
    if master is not None:
        shares, indices = master.shares_with_contracts("NSE_EQ"), master.indices("NSE_INDEX")
        listed = (
            _group(SHARES, shares, "every share that has futures at NSE in today's instrument list"),
            _group(INDICES, indices, "every index of NSE in today's instrument list"),
        )
        found |= {group.name: group for group in listed if group.keys}
    return found


def _group(name: str, keys: Sequence[str], what: str) -> Group:
    shown = tuple(keys[:MOST])
    left = f", the first {MOST} of {len(keys)}" if len(keys) > MOST else ""
    return Group(name, shown, f"{what}{left}")
