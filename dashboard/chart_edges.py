"""When the bar that forms now began, when it ends, and when the next ones do. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from services.domain.calendar.calendar import MarketCalendar, market_of
from services.domain.candles import Interval
from services.domain.clock import IST, ist_date
from services.domain.errors import UnknownInstrument
from services.domain.phases import Phase

AHEAD = timedelta(hours=6)
"""A page tells its browser so far ahead when bars end; long before that it has told more."""
MOST = 400
_SESSION = (Phase.OPEN, Phase.CLOSING_AUCTION)


def edges(
    interval: Interval, begun: datetime, now: datetime, *, calendar: MarketCalendar, segment: str, practice: bool
) -> tuple[datetime, ...]:
    """The starts of the bars from the one that began at `begun` on, ascending; the last one is an end only.

    A bar of a day or longer ends with the last session that is in it. Shorter ones follow each other from `begun` to
    the end of the session, with which the last of them ends. In a practice session there is no such end.
    """
    if not interval.intraday:
        over = end_of(interval, begun)
        return begun, over if practice else _last_session_end(calendar, segment, begun, over) or over
    end = None if practice else _session_end(calendar, segment, begun)
    length = timedelta(minutes=interval.minutes or 1)
    starts = [begun]
    while starts[-1] < max(now, begun) + AHEAD and len(starts) < MOST:
        following = starts[-1] + length
        if end is not None and following >= end:
            return (*starts, end)
        starts.append(following)
    return tuple(starts)


def end_of(interval: Interval, begun: datetime) -> datetime:
    """When a bar is over that began then, sessions aside."""
    if interval.intraday:
        return begun + timedelta(minutes=interval.minutes or 1)
    return _midnight(interval.period(ist_date(begun))[1])


def _last_session_end(calendar: MarketCalendar, segment: str, begun: datetime, over: datetime) -> datetime | None:
    """The end of the last session between the two; `None`: there is none, or nobody knows whether one follows."""
    try:
        found = calendar.sessions(market_of(segment), begun, over, phases=_SESSION)
    except UnknownInstrument:
        return None
    if not found.windows or any(day > found.windows[-1].start.astimezone(IST).date() for day in found.unknown):
        return None
    return found.windows[-1].end


def _session_end(calendar: MarketCalendar, segment: str, at: datetime) -> datetime | None:
    """The end of the session that `at` is in; with a closing auction, the auction's. `None`: not known, or no session
    then."""
    try:
        market = market_of(segment)
    except UnknownInstrument:
        return None
    following = _midnight(ist_date(at) + timedelta(days=1))
    end: datetime | None = at
    for one in calendar.sessions(market, at, following, phases=_SESSION).windows:
        if end is None or one.start > end:
            break
        end = one.end
    return None if end == at else end


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), IST).astimezone(UTC)
