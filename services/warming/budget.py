"""How much of the broker's limits may be spent on what nobody has asked for yet. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.wire.rate_windows import Window

SHARE = 0.1
"""Of what is free when our own calls are left out of account."""


def spare_calls(windows: Sequence[Window], ages: Sequence[float], *, closed: float) -> int:
    """How many calls may be made now, in every window at once: our own calls, made `ages` seconds ago, are never more
    than a tenth of what others leave. 0 while the budget is `closed` (seconds)."""
    if closed > 0 or not windows:
        return 0
    spare = []
    for window in windows:
        own = sum(age <= window.limit.seconds for age in ages)
        others = max(0, window.used - own)
        spare.append(int(SHARE * max(0, window.limit.calls - others)) - own)
    return max(0, min(spare))
