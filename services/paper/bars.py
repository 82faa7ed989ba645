"""Longer bars made of minutes."""

from __future__ import annotations

from collections.abc import Sequence

from services.paper.model import MarketBar

MINUTE_MS = 60_000
HALF_HOUR_MS = 30 * MINUTE_MS
_QUARTER_MS = 15 * MINUTE_MS


def grouped(minutes: Sequence[MarketBar], span_ms: int) -> list[MarketBar]:
    """Bars of `span_ms`, oldest first, counted from the opening (09:15, 09:45 … for half hours of shares).

    The opening is taken from the first minute: every session here opens at a full quarter of an hour.
    """
    if not minutes:
        return []
    opening = minutes[0].start_ms - minutes[0].start_ms % _QUARTER_MS
    bars: list[MarketBar] = []
    start, group = opening, list[MarketBar]()
    for minute in minutes:
        if minute.start_ms >= start + span_ms:
            if group:
                bars.append(_merged(start, group))
            start = opening + (minute.start_ms - opening) // span_ms * span_ms
            group = []
        group.append(minute)
    bars.append(_merged(start, group))
    return bars


def whole_day(minutes: Sequence[MarketBar], start_ms: int) -> list[MarketBar]:
    """The running day as one bar stamped `start_ms`; nothing before the first minute."""
    return [_merged(start_ms, minutes)] if minutes else []


def _merged(start_ms: int, group: Sequence[MarketBar]) -> MarketBar:
    return MarketBar(
        start_ms,
        group[0].open,
        max(bar.high for bar in group),
        min(bar.low for bar in group),
        group[-1].close,
        sum(bar.volume for bar in group),
        group[-1].oi,
    )
