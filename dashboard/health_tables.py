"""The tables of the health page: calls by operation, budgets, hops, errors. Pure: measures in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from dashboard.formatting import ist_when
from dashboard.words import title_of
from services.domain.error_words import call_in_words
from services.measures.calls_now import BudgetNow, OperationNow, Spread
from services.measures.snapshot import FeedNow

HOPS: Mapping[str, tuple[str, str]] = {
    "exchange to received": ("Broker to this desk", "From the broker's time of sending to our receipt: two clocks."),
    "received to board": ("Decoded and stored", "Until every page can see it."),
    "board to sent": ("Sent to the browsers", "Waits for the next push, at most 25 ms while few listen."),
    "sent to painted": ("Painted", "As browsers report back for a sample; the way of the report is in it."),
    "received to painted": ("From this desk to the screen", "All of it together, for the same sample."),
}
"""Title and meaning of the hops that are shown, in their order."""


class Cause(Protocol):
    """Errors of one cause (`services.storage.error_rows.ErrorGroup`)."""

    @property
    def error_type(self) -> str: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def status_code(self) -> int | None: ...
    @property
    def count(self) -> int: ...
    @property
    def first_at(self) -> datetime: ...
    @property
    def last_at(self) -> datetime: ...
    @property
    def message(self) -> str: ...


Row = dict[str, Any]  # Any: texts and numbers of a table's cells


def call_rows(operations: Iterable[OperationNow]) -> list[Row]:
    """One row for each operation and version, those with failures first, then the busiest."""
    rows = [
        {
            "Operation": call_in_words(one.operation),
            "Version": one.version,
            "Calls": one.attempts,
            "Failed": one.failed,
            "Failed %": 100 * one.failed / one.attempts if one.attempts else None,
            "Median ms": _ms(one.took, 0.5),
            "95 % ms": _ms(one.took, 0.95),
            "99 % ms": _ms(one.took, 0.99),
            "Refused (4xx)": one.answers.get("4xx", 0),
            "Broker's fault (5xx)": one.answers.get("5xx", 0),
            "No answer": one.answers.get("no_answer", 0) + one.answers.get("not_sent", 0),
            "Malformed": one.answers.get("malformed", 0),
            "Retries": one.retries,
            "Fallbacks": one.fallbacks,
        }
        for one in operations
    ]
    return sorted(rows, key=lambda row: (-row["Failed"], -row["Calls"], row["Operation"]))


def budget_rows(budgets: Iterable[BudgetNow]) -> list[Row]:
    """One row for each budget that was used, the tightest first: percent left of each window."""
    rows = []
    for one in sorted(budgets, key=lambda budget: (budget.share_left, budget.name)):
        row: Row = {"Budget": _budget_name(one.name)}
        for window in one.windows:
            row[f"Left in {_window(window.seconds)}"] = 100 * window.left / window.limit
            row[f"Calls, {_window(window.seconds)}"] = f"{window.used:,} of {window.limit:,}"
        row["Closed by a 429"] = f"{one.closed_for:.0f} s" if one.closed_for > 0 else ""
        rows.append(row)
    return rows


def hop_data(feed: FeedNow | None) -> list[Row]:
    """The histograms of the hops for the browser: percentiles in ms, and the share of each bucket."""
    told = []
    for name, (title, hint) in HOPS.items():
        spread = Spread() if feed is None else feed.hops.get(name, Spread())
        count = spread.count
        told.append(
            {
                "title": title,
                "hint": hint,
                "count": count,
                "p": [_ms(spread, share) for share in (0.5, 0.95, 0.99)],
                "bars": [
                    [round(bound * 1000, 4) if bound != float("inf") else None, round(number / count, 5)]
                    for bound, number in spread.buckets
                ]
                if count
                else [],
            }
        )
    return told


def error_rows(causes: Iterable[Cause], now: datetime) -> list[Row]:
    """One row for each cause, the latest first."""
    return [
        {
            "What": title_of(one.error_type),
            "Where": one.endpoint or "",
            "HTTP": "" if one.status_code is None else str(one.status_code),
            "Times": one.count,
            "First": ist_when(one.first_at, now),
            "Last": ist_when(one.last_at, now),
            "Last message": one.message,
        }
        for one in causes
    ]


def _ms(spread: Spread, share: float) -> float | None:
    value = spread.quantile(share)
    return None if value is None else round(value * 1000, 3)


def _budget_name(name: str) -> str:
    plain = name.replace("_", " ")
    return f"{plain.removeprefix('group ')} (shared)" if plain.startswith("group ") else plain


def _window(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"
