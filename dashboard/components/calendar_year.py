"""The year view: twelve months with holidays, special sessions, part days, settlement holidays, expiries, new hours."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from dashboard.calendar_words import KINDS, MARKS, SOME_REST, EntryKind, listed
from dashboard.calendar_words import NAMES as MARKET_NAMES
from dashboard.calendar_year import Entry, YearPlan
from dashboard.components.web import browser_component
from services.domain.phases import Market

_mount = browser_component("calendar_year")


def year_view(plan: YearPlan, today: date, *, key: str) -> None:
    """Draw the year of `plan`; `today` is marked where it lies in it."""
    _mount(key=key, data=year_data(plan, today))


def year_data(plan: YearPlan, today: date) -> dict[str, Any]:
    """What the browser draws. Days that are not in `days` are ordinary ones; days in `unknown` are not published."""
    days: dict[str, list[Entry]] = {}
    for entry in plan.entries:
        days.setdefault(entry.day.isoformat(), []).append(entry)
    return {
        "year": plan.year,
        "today": today.isoformat() if today.year == plan.year else None,
        "published": plan.published,
        "note": unpublished_words(plan),
        "unknown": sorted(day.isoformat() for day in plan.unknown) if plan.published else [],
        "days": {iso: _day(entries, plan.markets) for iso, entries in days.items()},
        "legend": _legend(plan),
    }


def unpublished_words(plan: YearPlan) -> str:
    """What of the year is not published, in a sentence; empty when all is."""
    if not plan.published:
        return f"{plan.year} is not published yet. Nobody knows these days, so none is shown as open."
    if plan.unpublished:
        names = listed([MARKET_NAMES[market] for market in plan.unpublished])
        return f"Of {names} nothing is published for {plan.year}."
    return ""


def _legend(plan: YearPlan) -> list[list[str]]:
    """Only what can occur among the markets shown."""
    rows = [[MARKS[kind], *KINDS[kind]] for kind in EntryKind]
    if len(plan.markets) > 1:
        rows.insert(1, [SOME_REST, "Holiday, shares trade", "Other markets rest, currencies say"])
    return rows


def _day(entries: Iterable[Entry], shown: Collection[Market]) -> dict[str, Any]:
    found = list(entries)
    marks = list(dict.fromkeys(entry.mark(shown) for entry in found))
    return {
        "marks": marks,
        "doubt": any(not entry.confirmed for entry in found if entry.kind not in (EntryKind.EXPIRY, EntryKind.WEEKLY)),
        "lines": [
            {
                "mark": entry.mark(shown),
                "kind": KINDS[entry.kind][0],
                "name": entry.name,
                "hours": [" ".join(part for part in pair if part) for pair in entry.hours],
                "note": entry.note,
                "source": entry.source,
                "doubt": not entry.confirmed,
            }
            for entry in found
        ],
    }
