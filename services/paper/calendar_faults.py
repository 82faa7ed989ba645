"""Calendar faults: what an exchange declares on short notice, and what a broker gets wrong. Opened by `--faults` alone.

`POST /_paper/calendar` takes one of these as JSON, answers with it as it was understood, and keeps it until
`DELETE /_paper/calendar` clears all (`GET` lists them):

    {"kind": "holiday", "date": "2026-11-20", "exchanges": ["NSE", "BSE"], "description": "Declared holiday"}
    {"kind": "special", "date": "2026-11-22", "exchanges": ["NSE"], "start": "10:00", "end": "11:30", "description": …}
    {"kind": "status", "exchanges": ["NSE"], "status": "NORMAL_CLOSE"}

`date` is today's if it is left out; `exchanges` are those of shares and their derivatives; `start` and `end` are Indian
time. A holiday and a special session change status, holidays and timings alike, and count for the exchanges named
only; the later one wins where two name the same exchange and day. A status changes the word of the status call alone
(that of the shares in the closing auction too), whatever the day, and `last_updated` is the instant it was declared.
In a practice session that never closes they count as well. Prices do not follow: they are those of the real table.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayOverride
from services.domain.clock import IST, epoch_ms
from services.domain.errors import InvalidRequest
from services.domain.phases import Market
from services.paper.hours import YEARS

_DATE, _TIME = re.compile(r"\d{4}-\d{2}-\d{2}"), re.compile(r"\d{2}:\d{2}")
_EQUITY = (Market.NSE, Market.NFO, Market.BSE, Market.BFO)
_MEMBERS = {
    "holiday": {"kind", "date", "exchanges", "description"},
    "special": {"kind", "date", "exchanges", "description", "start", "end"},
    "status": {"kind", "exchanges", "status"},
}


class CalendarFaultKind(StrEnum):
    """What is declared."""

    HOLIDAY = "holiday"
    SPECIAL = "special"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class CalendarFault:
    """One declaration."""

    kind: CalendarFaultKind
    exchanges: tuple[Market, ...]
    since: datetime
    day: date
    description: str = ""
    hours: tuple[tuple[datetime, datetime], ...] = ()
    """Of a special session."""
    status: str = ""

    @property
    def holiday_type(self) -> str:
        """The broker's word for such a day."""
        return "SPECIAL_TIMING" if self.kind is CalendarFaultKind.SPECIAL else "TRADING_HOLIDAY"

    def told(self) -> dict[str, object]:
        """As JSON."""
        told: dict[str, object] = {"kind": self.kind.value, "exchanges": [market.value for market in self.exchanges]}
        if self.kind is CalendarFaultKind.STATUS:
            return told | {"status": self.status, "since": epoch_ms(self.since)}
        told |= {"date": self.day.isoformat(), "description": self.description}
        for start, end in self.hours:
            told |= {"start": f"{start.astimezone(IST):%H:%M}", "end": f"{end.astimezone(IST):%H:%M}"}
        return told


class CalendarFaults:
    """The declarations in force, in the order in which they came. Used by the server's thread alone."""

    def __init__(self) -> None:
        self._all: list[CalendarFault] = []
        self.calendar = BUNDLED
        """The table with what is declared laid over it."""

    def declare(self, wanted: dict[str, object], now: datetime, today: date) -> CalendarFault:
        """Check and keep a fault given as JSON. `InvalidRequest` names what is wrong."""
        fault = _read(wanted, now, today)
        self._all.append(fault)
        self.calendar = MarketCalendar(self._overrides().values())
        return fault

    def told(self) -> list[dict[str, object]]:
        return [fault.told() for fault in self._all]

    def clear(self) -> None:
        self._all.clear()
        self.calendar = BUNDLED

    def covers(self, market: Market, day: date) -> bool:
        """Is a holiday or a special session declared for this market and day?"""
        return (market, day) in self._overrides()

    def _overrides(self) -> dict[tuple[Market, date], DayOverride]:
        """What holidays and special sessions say of each market and day; the last word on each."""
        return {
            (market, fault.day): DayOverride(
                market, fault.day, fault.hours, fault.description, fault.holiday_type, "declared by a calendar fault"
            )
            for fault in self._all
            if fault.kind is not CalendarFaultKind.STATUS
            for market in fault.exchanges
        }

    def declared(self, day: date) -> CalendarFault | None:
        """The last holiday or special session declared for `day`."""
        of_day = [fault for fault in self._all if fault.day == day and fault.kind is not CalendarFaultKind.STATUS]
        return of_day[-1] if of_day else None

    def status(self, market: Market) -> tuple[str, datetime] | None:
        """The word that the status of `market` shall be, and since when."""
        for fault in reversed(self._all):
            if fault.kind is CalendarFaultKind.STATUS and market in fault.exchanges:
                return fault.status, fault.since
        return None


def _read(wanted: dict[str, object], now: datetime, today: date) -> CalendarFault:
    kind = wanted.get("kind")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise InvalidRequest(f"kind: one of {', '.join(_MEMBERS)}")
    unknown = wanted.keys() - _MEMBERS[kind]
    if unknown:
        raise InvalidRequest(f"{', '.join(sorted(unknown))}: not a member of a {kind}")
    exchanges = _exchanges(wanted.get("exchanges"))
    if kind == "status":
        return CalendarFault(
            CalendarFaultKind.STATUS, exchanges, now, today, status=_word(wanted, "status", default=None)
        )
    day = _date(wanted.get("date", today.isoformat()))
    if kind == "holiday":
        described = _word(wanted, "description", default="Declared holiday")
        return CalendarFault(CalendarFaultKind.HOLIDAY, exchanges, now, day, described)
    start, end = _time(wanted, "start", day), _time(wanted, "end", day)
    if end <= start:
        raise InvalidRequest("end: must be after start")
    described = _word(wanted, "description", default="Special session")
    return CalendarFault(CalendarFaultKind.SPECIAL, exchanges, now, day, described, ((start, end),))


def _exchanges(value: object) -> tuple[Market, ...]:
    if value is None:
        return _EQUITY
    known = set(Market.__members__)
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name in known for name in value):
        raise InvalidRequest(f"exchanges: a list of some of {', '.join(Market)}")
    return tuple(Market(name) for name in dict.fromkeys(value))


def _word(wanted: dict[str, object], name: str, *, default: str | None) -> str:
    value = wanted.get(name, default)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{name}: a text")
    return value


def _date(value: object) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):
            day = date.fromisoformat(value)
            if day.year in YEARS:
                return day
    raise InvalidRequest(f"date: YYYY-MM-DD, from {YEARS.start} to {YEARS[-1]}")


def _time(wanted: dict[str, object], name: str, day: date) -> datetime:
    value = wanted.get(name)
    if isinstance(value, str) and _TIME.fullmatch(value):
        with suppress(ValueError):
            return datetime.combine(day, time.fromisoformat(value), IST)
    raise InvalidRequest(f"{name}: a time of day such as 10:00")
