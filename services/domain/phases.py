"""Is the market open? Plain hours and the holidays of 2026; a closed market is never called open by mistake.

Pure: instant in, phase out. Days for which nothing is published are `UNKNOWN`, and said so.
Sources: NSE holiday list 2026 with its amendments; NSE/CMTR/74466 (closing auction from 2026-08-03, F&O to 15:40).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from services.domain.clock import IST, ist_date


class Phase(StrEnum):
    """What can be done now in a segment."""

    PRE_OPEN = "pre-open"
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PhaseNow:
    """The phase at an instant, why, and when it ends (aware, UTC; `None` = not known)."""

    phase: Phase
    reason: str
    until: datetime | None


KNOWN_YEARS = range(2026, 2027)

HOLIDAYS_2026 = {
    date(2026, 1, 15): "Maharashtra municipal polls",
    date(2026, 1, 26): "Republic Day",
    date(2026, 3, 3): "Holi",
    date(2026, 3, 26): "Ram Navami",
    date(2026, 3, 31): "Mahavir Jayanti",
    date(2026, 4, 3): "Good Friday",
    date(2026, 4, 14): "Ambedkar Jayanti",
    date(2026, 5, 1): "Maharashtra Day",
    date(2026, 5, 28): "Bakri Id",
    date(2026, 6, 26): "Muharram",
    date(2026, 9, 14): "Ganesh Chaturthi",
    date(2026, 10, 2): "Gandhi Jayanti",
    date(2026, 10, 20): "Dussehra",
    date(2026, 11, 10): "Diwali Balipratipada",
    date(2026, 11, 24): "Guru Nanak Jayanti",
    date(2026, 12, 25): "Christmas",
}

SPECIAL_DAYS_2026 = {date(2026, 2, 1): "Budget session"}
"""Weekend days with ordinary hours. The muhurat session of 2026-11-08 has no confirmed hours and is `UNKNOWN`."""

_MUHURAT_2026 = date(2026, 11, 8)
_PRE_OPEN = time(9, 0)
_OPEN = time(9, 15)


def is_trading_day(day: date) -> bool | None:
    """Does NSE trade shares on `day`? `None` where the year is not published or the hours are not confirmed."""
    if day.year not in KNOWN_YEARS or day == _MUHURAT_2026:
        return None
    if day in SPECIAL_DAYS_2026:
        return True
    return day.weekday() < 5 and day not in HOLIDAYS_2026


def closing_time(day: date, segment: str = "NSE_EQ") -> time:
    """When `segment` stops on a trading day (regimes of 2026; the closing auction belongs to the open day here)."""
    if segment.endswith("_FO") and not segment.startswith(("MCX", "NCD", "BCD")):
        if day >= date(2026, 12, 7):
            return time(15, 45)
        if day >= date(2026, 8, 3):
            return time(15, 40)
    elif day >= date(2026, 12, 7):
        return time(15, 40)
    return time(15, 30)


def nse_phase(instant: datetime, segment: str = "NSE_EQ") -> PhaseNow:
    """The phase of an NSE (or BSE) share or derivative segment at `instant`."""
    day = ist_date(instant)
    trading = is_trading_day(day)
    if trading is None:
        return PhaseNow(Phase.UNKNOWN, f"no hours are published for {day:%d %b %Y}", None)
    local = instant.astimezone(IST).time()
    if not trading:
        why = HOLIDAYS_2026.get(day) or f"{day:%A}"
        return PhaseNow(Phase.CLOSED, why, _next_opening(day + timedelta(days=1)))
    close = closing_time(day, segment)
    if local < _PRE_OPEN:
        return PhaseNow(Phase.CLOSED, "before the open", _at(day, _PRE_OPEN))
    if local < _OPEN:
        return PhaseNow(Phase.PRE_OPEN, "pre-open session", _at(day, _OPEN))
    if local < close:
        return PhaseNow(Phase.OPEN, f"until {close:%H:%M}", _at(day, close))
    return PhaseNow(Phase.CLOSED, "after the close", _next_opening(day + timedelta(days=1)))


def _at(day: date, clock_time: time) -> datetime:
    return datetime.combine(day, clock_time, IST).astimezone(UTC)


def _next_opening(day: date) -> datetime | None:
    for ahead in range(15):
        candidate = day + timedelta(days=ahead)
        trading = is_trading_day(candidate)
        if trading is None:
            return None
        if trading:
            return _at(candidate, _PRE_OPEN)
    return None
