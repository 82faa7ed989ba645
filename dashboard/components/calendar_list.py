"""The dated lines of a year as a table, and as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from dashboard.calendar_words import KINDS, group_words, in_days
from dashboard.calendar_year import Entry
from dashboard.components.web import browser_component
from services.domain.phases import Market
from services.domain.spreadsheets import harmless

_mount = browser_component("calendar_list")

CSV_HEAD = ("date", "weekday", "kind", "name", "markets", "hours (IST)", "confirmed", "note", "source")


def day_list(entries: Iterable[Entry], shown: Collection[Market], today: date, *, key: str, empty: str) -> None:
    """Draw the lines; the next one from today on is scrolled into view."""
    _mount(key=key, data=list_data(entries, shown, today, empty=empty))


def list_data(entries: Iterable[Entry], shown: Collection[Market], today: date, *, empty: str) -> dict[str, Any]:
    """What the browser draws. `shown`: the markets that were chosen."""
    return {"rows": [_row(entry, shown, today) for entry in entries], "empty": empty}


def as_csv(entries: Iterable[Entry]) -> str:
    """The same lines as a file: ISO dates, market codes, no formatting."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_HEAD)
    for entry in entries:
        writer.writerow(
            harmless(cell)
            for cell in (
                entry.day.isoformat(),
                f"{entry.day:%a}",
                entry.kind.value,
                entry.name,
                " ".join(entry.markets),
                entry.hours_text,
                "yes" if entry.confirmed else "no",
                entry.note,
                entry.source,
            )
        )
    return out.getvalue()


def _row(entry: Entry, shown: Collection[Market], today: date) -> dict[str, Any]:
    return {
        "id": f"{entry.day.isoformat()} {entry.kind} {entry.name} {' '.join(entry.markets)}",
        "month": f"{entry.day:%B %Y}",
        "day": f"{entry.day:%a} {entry.day.day} {entry.day:%b}",
        "when": in_days(entry.day, today),
        "past": entry.day < today,
        "mark": entry.mark(shown),
        "kind": KINDS[entry.kind][0],
        "name": entry.name,
        "markets": group_words(entry.markets),
        "hours": [list(pair) for pair in entry.hours],
        "note": entry.note,
        "source": entry.source,
        "doubt": not entry.confirmed,
    }
