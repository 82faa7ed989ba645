"""What to fetch now so that watched quotes never expire, in as few requests as can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHORTEST_MARGIN = 0.3
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class RefreshPlan:
    """Fetch `keys` if there are any, else look again after `wait` seconds."""

    keys: tuple[str, ...]
    wait: float


def plan_refresh(ages: Mapping[str, float], *, ttl: float, fetch_seconds: float, chunk: int) -> RefreshPlan:
    """`ages`: seconds since each watched key was last told (infinite = never; negative = the clock was set back).

    A key is due when it would expire before a fetch of the usual length (`fetch_seconds`) has come back twice over.
    Requests that are made anyway are filled up to `chunk` keys with the oldest of the others: that costs nothing of the
    rate budget, and what is fetched together falls due together.
    """
    margin = min(ttl / 2, max(SHORTEST_MARGIN, 2 * fetch_seconds))
    limit = ttl - margin
    due = [key for key, age in ages.items() if age >= limit or age < 0]
    if due:
        others = sorted(ages.keys() - set(due), key=lambda key: -ages[key])
        return RefreshPlan((*due, *others[: -len(due) % chunk]), SHORTEST_WAIT)
    oldest = max(ages.values(), default=0.0)
    return RefreshPlan((), min(LONGEST_WAIT, max(SHORTEST_WAIT, limit - oldest)))
