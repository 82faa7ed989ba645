"""When the broker is to be asked what. Pure: instants in, questions out.

The lists are asked for at most once an hour, and soon after midnight, at 06:00 when the broker has prepared its day and
before the first pre-open. A market's status is asked for shortly after each boundary of its day, every few minutes
while it trades, is argued about or may trade at hours that nobody has told, and once an hour besides. When a status
begins to contradict the calendar, the lists are asked for at once: they may tell why.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.calendar.brokers_word import SET_BACK, BrokersWord
from services.calendar.compare import JITTER
from services.domain.calendar.calendar import BUNDLED, MarketCalendar
from services.domain.calendar.days import DayKind, DayPlan
from services.domain.clock import IST, ist_date
from services.domain.phases import TRADING, Market, Phase

LISTS_EVERY = timedelta(hours=1)
MARKS = (time(0, 1), time(6, 0), time(8, 40))
COMING_DAYS = 7
COMING_EVERY = timedelta(hours=12)
IN_SESSION_EVERY = timedelta(minutes=5)
AT_REST_EVERY = timedelta(hours=1)
_WATCHED = TRADING | {Phase.UNKNOWN}
AFTER_BOUNDARY = (timedelta(seconds=15), JITTER + timedelta(seconds=15))
"""Soon, to show the new word, and again when it can be judged."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be asked now."""

    holidays: bool = False
    timings: tuple[date, ...] = ()
    statuses: tuple[Market, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.holidays or self.timings or self.statuses)


def everything(now: datetime) -> Due:
    """All that can be asked of today."""
    return Due(True, (ist_date(now),), tuple(Market))


def due(
    now: datetime, word: BrokersWord, calendar: MarketCalendar, disputed: Collection[Market], *, practice: bool
) -> Due:
    """What is due at `now`, as far as `word` has not answered it. `calendar` tells the boundaries of the day.

    In a practice session statuses say nothing of the market; they are asked for once a day, to be looked at.
    """
    today = ist_date(now)
    argued_since = max((word.statuses[market].first_seen for market in disputed), default=None)
    days = [today] if _list_is_due(word.days.get(today), now, argued_since) else []
    days += [day for day in _coming_unknown(today, calendar) if _is_older(word.days.get(day), COMING_EVERY, now)]
    statuses = (one for one in Market if _status_is_due(one, now, word, calendar, one in disputed, practice))
    return Due(_list_is_due(word.holidays_at(now), now, argued_since), tuple(days), tuple(statuses))


def _list_is_due(heard: datetime | None, now: datetime, argued_since: datetime | None) -> bool:
    if heard is None or _is_older(heard, LISTS_EVERY, now):
        return True
    if argued_since is not None and heard < argued_since:
        return True
    marks = (datetime.combine(ist_date(now), mark, IST) for mark in MARKS)
    return any(heard < mark <= now for mark in marks)


def _coming_unknown(today: date, calendar: MarketCalendar) -> list[date]:
    """The next days of this year of which nothing is known: then the broker alone can tell when the market opens
    again. Of another year it knows nothing either, and its empty answer would pose as a closed day."""
    coming = (today + timedelta(days=ahead) for ahead in range(1, COMING_DAYS + 1))
    return [day for day in coming if day.year == today.year and calendar.day(Market.NSE, day).kind is DayKind.UNKNOWN]


def _status_is_due(
    market: Market, now: datetime, word: BrokersWord, calendar: MarketCalendar, disputed: bool, practice: bool
) -> bool:
    heard = word.statuses.get(market)
    at = None if heard is None else heard.fetched_at
    if at is None or practice:
        return at is None or ist_date(at) != ist_date(now)
    busy = disputed or calendar.phase(market, now).phase in _WATCHED or _opens_some_time(market, now, calendar)
    if _is_older(at, IN_SESSION_EVERY if busy else AT_REST_EVERY, now):
        return True
    edges = _boundaries(calendar.day(market, ist_date(now)))
    return any(at < edge + after <= now for edge in edges for after in AFTER_BOUNDARY)


def _opens_some_time(market: Market, now: datetime, calendar: MarketCalendar) -> bool:
    """Does the table have a session today, at hours that nobody has told? Then only a status tells of its hour, also
    where the broker's own list does not know of it."""
    plan = BUNDLED.day(market, ist_date(now))
    return bool(plan.trades) and not plan.hours_known and not calendar.day(market, ist_date(now)).windows


def _boundaries(plan: DayPlan) -> set[datetime]:
    """Where one phase of the day begins or ends; the steps within a pre-open are not the broker's matter."""
    ends = {(window.start, window.phase) for window in plan.windows} ^ {(w.end, w.phase) for w in plan.windows}
    return {instant for instant, _ in ends}


def _is_older(heard: datetime | None, age: timedelta, now: datetime) -> bool:
    return heard is None or now - heard >= age or heard - now > SET_BACK
