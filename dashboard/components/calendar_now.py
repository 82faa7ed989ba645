"""What is open now and in the seven days from today: the phase of each market with its countdown, and its day bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from dashboard.calendar_words import (
    PHASE_NAMES,
    EntryKind,
    group_words,
    hours_words,
    ordered,
    sentence,
    span,
    stage_words,
)
from dashboard.calendar_year import Entry
from dashboard.components.web import browser_component
from services.domain.calendar.calendar import MarketCalendar
from services.domain.calendar.days import DayKind, DayPlan, midnight
from services.domain.clock import epoch_ms, ist_date
from services.domain.phases import Listing, Market, PhaseNow, SessionWindow

_mount = browser_component("calendar_now")

DAYS = 7
FROM_HOUR, TO_HOUR = 8, 24
"""The part of a day in India that the bar shows: the first market opens at 08:45 at the earliest, the last ends at
23:55."""

_EXCHANGE = {Market.NFO: "NSE", Market.BFO: "BSE", Market.CDS: "NSE", Market.BCD: "BSE", Market.NSCOM: "NSE"}
_GROUPS: tuple[tuple[str, Listing, tuple[Market, ...]], ...] = (
    ("Other shares", Listing.ORDINARY, (Market.NSE, Market.BSE)),
    ("Shares with F&O", Listing.AUCTION, (Market.NSE, Market.BSE)),
    ("F&O", Listing.ORDINARY, (Market.NFO, Market.BFO)),
    ("Currency", Listing.ORDINARY, (Market.CDS, Market.BCD)),
    ("Commodities", Listing.ORDINARY, (Market.MCX, Market.NSCOM)),
)


class Phases(Protocol):
    """Tells the phase of a market now, with what the broker says of it."""

    def phase(self, market: Market = ..., *, listing: Listing = ...) -> PhaseNow: ...


@dataclass(frozen=True, slots=True)
class Lane:
    """Markets that are in the same phase now and keep the same hours on all days shown."""

    name: str
    markets: tuple[Market, ...]
    phase: PhaseNow
    plans: tuple[DayPlan, ...]

    @property
    def id(self) -> str:
        return f"{self.name} {' '.join(self.markets)}"

    @property
    def exchanges(self) -> str:
        return " · ".join(_EXCHANGE.get(market, market.value) for market in self.markets)


def now_board(
    board: dict[str, Any],
    *,
    key: str,
    on_due: Callable[[], None] = lambda: None,
) -> None:
    """Draw it. The browser counts down by itself and asks for a new look when a phase has ended (`on_due`)."""
    _mount(key=key, data=board, on_due_change=on_due)


def board_data(
    calendar: MarketCalendar,
    phases: Phases,
    now: datetime,
    *,
    speed: float,
    notes: Callable[[date], Sequence[Entry]],
) -> dict[str, Any]:
    """What the browser draws. `notes(day)` tells holidays, expiries and changes of hours of a day."""
    today = ist_date(now)
    days = [today + timedelta(days=ahead) for ahead in range(DAYS)]
    lanes = list(lanes_of(calendar, phases, days))
    return {
        "speed": speed,
        "now": epoch_ms(now),
        "rows": [_row(lane) for lane in lanes],
        "days": [_day(day, place, lanes, today, notes(day)) for place, day in enumerate(days)],
        "chosen": _first_with_sessions(lanes, now),
    }


def lanes_of(calendar: MarketCalendar, phases: Phases, days: Sequence[date]) -> Iterable[Lane]:
    """The rows of the board: markets that agree share one, those that do not have one each."""
    seen: list[Lane] = []
    for name, listing, markets in _GROUPS:
        found: list[Lane] = []
        for market in markets:
            plans = tuple(calendar.day(market, day, listing=listing) for day in days)
            lane = Lane(name, (market,), phases.phase(market, listing=listing), plans)
            twin = next((place for place, other in enumerate(found) if _agree(lane, other)), None)
            if twin is None:
                found.append(lane)
            else:
                found[twin] = replace(found[twin], markets=(*found[twin].markets, market))
        if listing is Listing.AUCTION:  # before there was a closing auction both keep the same hours
            found = [lane for lane in found if not any(_agree(lane, other) for other in seen)]
        seen += found
    split = any(lane.name == "Shares with F&O" for lane in seen)
    for lane in seen:
        yield lane if split or lane.name != "Other shares" else replace(lane, name="Shares")


def _agree(one: Lane, other: Lane) -> bool:
    """Same phase, same hours on all days, closed for the same reason."""
    same_days = all(
        (a.windows, a.kind, a.name, a.confirmed) == (b.windows, b.kind, b.name, b.confirmed)
        for a, b in zip(one.plans, other.plans, strict=True)
    )
    a, b = one.phase, other.phase
    return same_days and (a.phase, a.stage, a.until, a.then, a.confirmed) == (
        b.phase,
        b.stage,
        b.until,
        b.then,
        b.confirmed,
    )


def _row(lane: Lane) -> dict[str, Any]:
    phase = lane.phase
    return {
        "id": lane.id,
        "name": lane.name,
        "markets": lane.exchanges,
        "phase": phase.phase.value,
        "label": PHASE_NAMES[phase.phase],
        "stage": stage_words(phase.phase, phase.stage) or _unplanned(lane),
        "reason": phase.reason,
        "until": None if phase.until is None else epoch_ms(phase.until),
        "then": _then(lane),
        "confirmed": phase.confirmed,
        "help": sentence(phase),
    }


def _unplanned(lane: Lane) -> str:
    """Why a market does something on a day of which no hours are known: only its status tells."""
    return "" if lane.plans[0].hours_known else lane.phase.reason


def _then(lane: Lane) -> str | None:
    """What follows, with its step: "Pre-open: limit orders only"; `None` where that is not known."""
    phase = lane.phase
    if phase.then is None:
        return None
    follows = (window for plan in lane.plans for window in plan.windows if window.start == phase.until)
    window = next((one for one in follows if one.phase is phase.then), None)
    stage = stage_words(window.phase, window.stage) if window is not None else ""
    name = PHASE_NAMES[phase.then]
    return stage.capitalize() if stage and phase.then is phase.phase else name


def _day(day: date, place: int, lanes: Sequence[Lane], today: date, notes: Sequence[Entry]) -> dict[str, Any]:
    plans = [lane.plans[place] for lane in lanes]
    start = midnight(day)
    return {
        "iso": day.isoformat(),
        "weekday": f"{day:%a}",
        "date": f"{day.day} {day:%b}",
        "full": f"{day:%A}, {day.day} {day:%B %Y}",
        "today": day == today,
        "tone": _tone(plans),
        "summary": _summary(lanes, place),
        "notes": _notes(notes),
        "from": epoch_ms(start + timedelta(hours=FROM_HOUR)),
        "to": epoch_ms(start + timedelta(hours=TO_HOUR)),
        "bars": {lane.id: _bar(lane.plans[place]) for lane in lanes},
    }


def _notes(entries: Sequence[Entry]) -> list[dict[str, str]]:
    """Occasion, expiries and changes; an occasion that concerns markets in several ways is named once, and is doubtful
    only where all that is told of it is."""
    notes: dict[str, tuple[str, bool]] = {}
    for entry in entries:
        text = entry.name
        if entry.kind in (EntryKind.EXPIRY, EntryKind.WEEKLY):
            text += f" expiry; {entry.hours_text}" if entry.hours else " expiry"
        mark, confirmed = notes.get(text, (entry.mark(tuple(Market)), False))
        notes[text] = mark, confirmed or entry.confirmed
    return [
        {"mark": mark, "text": text if confirmed else f"{text} (unconfirmed)"}
        for text, (mark, confirmed) in notes.items()
    ]


def _bar(plan: DayPlan) -> dict[str, Any]:
    return {
        "words": _closed_words(plan),
        "unconfirmed": not plan.confirmed and plan.kind is not DayKind.UNKNOWN,
        "unknown": not plan.hours_known,
        "source": plan.source,
        "windows": [_window(window) for window in plan.windows],
    }


def _window(window: SessionWindow) -> list[Any]:
    """Start and end in ms since the epoch, the phase, and the window in words for its tooltip and its line."""
    stage = stage_words(window.phase, window.stage)
    name = PHASE_NAMES[window.phase]
    return [
        epoch_ms(window.start),
        epoch_ms(window.end),
        window.phase.value,
        f"{name}: {stage}" if stage else name,
        window.accepts.value,
        span(window.start, window.end),
    ]


def _closed_words(plan: DayPlan) -> str:
    """What stands in an empty lane."""
    if plan.windows:
        return ""
    if plan.kind is DayKind.UNKNOWN:
        return "Not published yet"
    if plan.trades:
        return f"{plan.name or 'A session'}: hours not published"
    return f"Closed: {plan.name or f'{plan.day:%A}'}"


def _summary(lanes: Sequence[Lane], place: int) -> list[str]:
    """The hours of a day in one or a few lines: one line per set of markets that share them."""
    hours: dict[str, set[Market]] = {}
    plans = [(lane, lane.plans[place]) for lane in lanes]
    if all(plan.kind is DayKind.WEEKEND for _, plan in plans):
        return ["Closed"]
    if all(plan.kind is DayKind.UNKNOWN for _, plan in plans):
        return ["Not published yet"]
    if all(plan.kind is DayKind.TRADING for _, plan in plans):
        return ["Normal hours"]
    for lane, plan in plans:
        if lane.name != "Shares with F&O":
            hours.setdefault(hours_words(plan), set()).update(lane.markets)
    if len(hours) == 1:
        return [next(iter(hours)).capitalize()]
    lines = [f"{group_words(ordered(markets))} {words}" for words, markets in hours.items()]
    return [f"{line[:1].upper()}{line[1:]}" for line in lines]


def _tone(plans: Sequence[DayPlan]) -> str:
    """How a day looks in the row of days."""
    if all(plan.trades is None for plan in plans):
        return "unknown"
    if not any(plan.trades for plan in plans):
        return "closed"
    return "open" if all(plan.kind is DayKind.TRADING for plan in plans) else "special"


def _first_with_sessions(lanes: Sequence[Lane], now: datetime) -> int:
    """Today if anything trades today, else the next day on which something does: a weekend looks at its Monday."""
    for place in range(DAYS):
        if any(lane.plans[place].windows for lane in lanes):
            return place
    return 0
