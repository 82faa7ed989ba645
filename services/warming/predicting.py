"""Which charts somebody will open in the coming minutes, as far as habits tell. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from services.domain.clock import IST, epoch_ms
from services.storage.use_store import KEPT_DAYS, Use, faded

CHART_PAGE = "candles"
OTHER_PAGES = 0.2
"""What a look on another page counts beside one at the chart."""
ANY_HOUR = 0.1
"""What a use in another hour of the day counts beside one in this."""
AGAIN_SECONDS = 1_800.0
AGAIN = 0.5
"""What has just been looked at counts as so many uses of this hour, half as many after `AGAIN_SECONDS`, and so on."""


def likeliest(uses: Iterable[Use], now: datetime) -> list[str]:
    """What was looked at on the chart page, the likeliest first: by the uses in this hour of the day
    and, the nearer its end, in the next; a little by those of all hours; and by how lately it was."""
    local = now.astimezone(IST)
    day, hour, share = local.toordinal(), local.hour, (local.minute * 60 + local.second) / 3600
    here = {(hour + more) % 24: ANY_HOUR + part for more, part in enumerate((1.0 - share, share))}
    left = [faded(days) for days in range(KEPT_DAYS + 1)]
    now_ms, again_ms = epoch_ms(now), AGAIN_SECONDS * 1000
    scores: dict[str, float] = defaultdict(float)
    charts: dict[str, int] = {}
    for use in uses:
        what, counts = use.what, use.weight * left[min(KEPT_DAYS, max(0, day - use.day))] * here.get(use.hour, ANY_HOUR)
        if use.page == CHART_PAGE:
            scores[what] += counts
            charts[what] = max(charts.get(what, 0), use.last_ms)
        else:
            scores[what] += OTHER_PAGES * counts
    for what, last_ms in charts.items():
        scores[what] += AGAIN * 0.5 ** (max(0, now_ms - last_ms) / again_ms)
    return sorted(charts, key=lambda what: (-scores[what], what))


def last_details(uses: Iterable[Use]) -> dict[str, str]:
    """How each chart was looked at the last time."""
    last: dict[str, tuple[int, str]] = {}
    for use in uses:
        if use.page == CHART_PAGE:
            last[use.what] = max(last.get(use.what, (0, "")), (use.last_ms, use.detail))
    return {what: detail for what, (_, detail) in last.items()}
