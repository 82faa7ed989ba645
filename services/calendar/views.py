"""The calendar's answers as the guide's dicts."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from services.calendar.calendar import Calendar
from services.domain.calendar.days import DayKind, DayPlan, NamedDay
from services.domain.phases import Market, Phase

MATCHING = frozenset({Phase.OPEN, Phase.CLOSING_AUCTION})
"""The phases in which orders can be matched."""


class Status(TypedDict):
    """One market now. Instants are aware, UTC; `None` = not known."""

    exchange: str
    status: str
    """The broker's word as heard last (`NORMAL_OPEN` ...), `UNKNOWN` if it has said nothing yet. The phase below is
    what the desk goes by."""
    last_updated: datetime | None
    """Since when, by the broker's account."""
    as_of: datetime | None
    """When the broker said so; `None`: never."""
    is_open: bool
    phase: str
    reason: str
    until: datetime | None
    source: str
    """Who says what phase it is: the broker, or a circular in the desk's own table."""
    confirmed: bool
    practice: bool
    """The paper broker trades around the clock, whatever the phase of the real market is."""
    error: str | None
    """Why the broker's word is missing or old."""


class Session(TypedDict):
    """Hours of continuous trading (aware, UTC)."""

    exchange: str
    start_time: datetime
    end_time: datetime


class HolidayRow(TypedDict):
    """A date that differs from an ordinary one in at least one of the markets asked about."""

    date: str
    name: str
    holiday_type: str
    """`TRADING_HOLIDAY`, `SETTLEMENT_HOLIDAY` (shares trade) or `SPECIAL_TIMING`. Which markets it means is told by the
    two lists below, never by this word."""
    closed_exchanges: list[str]
    open_exchanges: list[Session]
    hours_to_be_announced: list[str]
    """Exchanges that trade at hours nobody has confirmed."""
    source: str
    as_of: datetime | None
    """When the broker told the list of that year last; `None`: never, the desk's own table answers."""
    confirmed: bool


class Timings(TypedDict):
    """The hours of one market on one day. Instants are aware, UTC."""

    exchange: str
    date: str
    trades: bool | None
    """`None`: not known of this market."""
    start_time: datetime | None
    """The first instant of continuous trading; `None`: closed, or hours that are not confirmed."""
    end_time: datetime | None
    sessions: list[dict[str, object]]
    """Every phase of the day: `phase`, `stage`, `accepts` (which orders), `start_time`, `end_time`."""
    name: str
    kind: str
    """`trading day`, `special session`, `part of a day`, `holiday`, `weekend` or `not published`."""
    settles: bool
    source: str
    as_of: datetime | None
    """When the broker told the hours of that day last; `None`: never, the desk's own table answers."""
    confirmed: bool


def status_of(calendar: Calendar, market: Market) -> Status:
    """What `market` does now. Makes no request."""
    now, heard, state = calendar.phase(market), calendar.heard_status(market), calendar.state()
    return {
        "exchange": market.value,
        "status": heard.status.status if heard else "UNKNOWN",
        "last_updated": heard.status.last_updated if heard else None,
        "as_of": heard.fetched_at if heard else None,
        "is_open": now.phase in MATCHING,
        "phase": now.phase.value,
        "reason": now.reason,
        "until": now.until,
        "source": now.source,
        "confirmed": now.confirmed,
        "practice": state.practice,
        "error": state.source("status").error,
    }


def holiday_row(day: NamedDay, as_of: datetime | None) -> HolidayRow:
    """A date; `as_of`: when the broker told the list of its year."""
    return {
        "date": day.day.isoformat(),
        "name": day.name,
        "holiday_type": _holiday_type(day),
        "closed_exchanges": [market.value for market in day.closed],
        "open_exchanges": [
            {"exchange": plan.market.value, "start_time": start, "end_time": end}
            for plan in day.plans
            for start, end in plan.hours
        ],
        "hours_to_be_announced": [plan.market.value for plan in day.plans if plan.trades and not plan.hours_known],
        "source": day.source,
        "as_of": as_of,
        "confirmed": day.confirmed,
    }


def _holiday_type(day: NamedDay) -> str:
    """In the broker's words, by the first market that differs."""
    if day.kind is DayKind.SPECIAL:
        return "SPECIAL_TIMING"
    return "SETTLEMENT_HOLIDAY" if day.kind is DayKind.TRADING else "TRADING_HOLIDAY"


def timings_of(plan: DayPlan, as_of: datetime | None) -> Timings:
    """The hours of a market's day; `as_of`: when the broker told them."""
    return {
        "exchange": plan.market.value,
        "date": plan.day.isoformat(),
        "trades": plan.trades,
        "start_time": plan.opens,
        "end_time": plan.closes,
        "sessions": [
            {
                "phase": window.phase.value,
                "stage": window.stage.value,
                "accepts": window.accepts.value,
                "start_time": window.start,
                "end_time": window.end,
            }
            for window in plan.windows
        ],
        "name": plan.name,
        "kind": plan.kind.value,
        "settles": plan.settles,
        "source": plan.source,
        "as_of": as_of,
        "confirmed": plan.confirmed,
    }
