"""The week of history as lines of small charts. Pure: rows in, what the browser draws out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from services.alerts.rules import ERROR_RATE
from services.domain.clock import epoch_ms
from services.domain.health_row import HealthRow

MOST_POINTS = 240
"""Of one line: more cannot be told apart on a small chart."""


class Range(Enum):
    """How far back the charts go."""

    HOUR = ("1 h", timedelta(hours=1))
    SIX_HOURS = ("6 h", timedelta(hours=6))
    DAY = ("24 h", timedelta(days=1))
    WEEK = ("7 days", timedelta(days=7))

    def __init__(self, label: str, length: timedelta) -> None:
        self.label = label
        self.length = length
        self.width_ms = max(10_000, int(length.total_seconds() * 1000) // MOST_POINTS)
        """Of one point."""


Figure = Callable[[Sequence[HealthRow]], float | None]
"""What a stretch of rows comes to."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    tone: str
    """`main`, `bad`, `warn` or `second`: a colour of the theme; the legend says in words which is which."""
    figure: Figure


@dataclass(frozen=True, slots=True)
class Chart:
    """One small chart."""

    id: str
    title: str
    unit: str
    hint: str
    lines: tuple[Line, ...]
    rule: str = ""
    """The kind of alert whose threshold is drawn across it, while that rule is in use."""
    decimals: int = 0


def _a_minute(name: str) -> Figure:
    return _rate(name, 60.0)


def _rate(name: str, seconds: float) -> Figure:
    def figure(rows: Sequence[HealthRow]) -> float | None:
        told = [(getattr(row, name), row.seconds) for row in rows if getattr(row, name) is not None]
        length = sum(span for _, span in told)
        return sum(count for count, _ in told) / length * seconds if length > 0 else None

    return figure


def _most(name: str, factor: float = 1.0) -> Figure:
    def figure(rows: Sequence[HealthRow]) -> float | None:
        told = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        return max(told) * factor if told else None

    return figure


CHARTS: tuple[Chart, ...] = (
    Chart(
        "calls", "Calls to the broker", "a minute", "Every attempt, repeated ones among them.",
        (Line("all", "main", _a_minute("requests")), Line("failed", "bad", _a_minute("failures"))), decimals=1,
    ),
    Chart(
        "answers", "Answer time", "ms", "From sending a call to its whole answer.",
        (Line("half within", "main", _most("rest_p50", 1000)), Line("95 % within", "warn", _most("rest_p95", 1000))),
    ),
    Chart(
        "errors", "Errors", "a minute, over 5 minutes", "Failed requests.",
        (Line("errors", "bad", _most("errors")),), rule=ERROR_RATE, decimals=1,
    ),
    Chart(
        "prices", "Live prices", "a second", "Updates that the feed brought.",
        (Line("updates", "main", _rate("updates", 1.0)),), decimals=1,
    ),
    Chart(
        "missing", "Missing prices", "s", "How long no price came while the market traded; nothing while it is closed.",
        (Line("longest gap", "bad", _most("tick_age")),),
    ),
    Chart(
        "latency", "Price latency", "ms", "95 of 100 prices took at most so long.",
        (
            Line("to this desk", "main", _most("received_p95", 1000)),
            Line("to the board", "second", _most("board_p95", 1000)),
            Line("desk to screen", "warn", _most("painted_p95", 1000)),
        ), decimals=1,
    ),
    Chart(
        "memory", "Memory", "MB", "Resident memory of this process.",
        (Line("memory", "main", _most("resident", 1e-6)),),
    ),
    Chart(
        "processor", "Processor", "% of a core", "All threads of this process together, and how many they are.",
        (Line("processor", "main", _most("cpu", 100)), Line("threads (count)", "second", _most("threads"))),
    ),
)  # fmt: skip


def chart_data(
    rows: Sequence[HealthRow], range_: Range, now: datetime, limits: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """What the browser draws: one axis of time for all charts (epoch ms, the desk's clock; each point is the end of a
    stretch that begins at the one before), and a value or `None` for each of its points. A stretch without rows is a
    gap: the desk did not run, or could not write. `limits`: the thresholds of the alert rules in use, by kind."""
    limits = limits or {}
    until = epoch_ms(now)
    since = epoch_ms(now - range_.length)
    width = range_.width_ms
    # Buckets end on whole multiples of their width, so that a redraw moves no bucket's border.
    first = since // width
    buckets: dict[int, list[HealthRow]] = {}
    for row in rows:
        if since < row.at_ms <= until:
            buckets.setdefault((row.at_ms - 1) // width, []).append(row)
    coarse = max((row.seconds for row in rows), default=0.0) * 1000
    filled = _without_small_gaps(buckets, max(1, round(coarse / width)))
    places = range(first, (until - 1) // width + 1)
    return {
        "from": since,
        "to": until,
        "t": [min(until, (place + 1) * width) for place in places],
        "charts": [
            {
                "id": chart.id,
                "title": chart.title,
                "unit": chart.unit,
                "hint": chart.hint + (" The line is the threshold of the alert." if chart.rule in limits else ""),
                "limit": limits.get(chart.rule),
                "decimals": chart.decimals,
                "lines": [
                    {
                        "name": line.name,
                        "tone": line.tone,
                        "v": [_rounded(line.figure(filled[place])) if place in filled else None for place in places],
                    }
                    for line in chart.lines
                ],
            }
            for chart in CHARTS
        ],
    }


def _without_small_gaps(buckets: dict[int, list[HealthRow]], steps: int) -> dict[int, list[HealthRow]]:
    """Rows that stand for a longer time than a bucket is wide fill the buckets before them as well."""
    if steps <= 1:
        return buckets
    filled = dict(buckets)
    for place, rows in buckets.items():
        for earlier in range(place - 1, place - steps, -1):
            if earlier in buckets:
                break
            filled.setdefault(earlier, rows)
    return filled


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
