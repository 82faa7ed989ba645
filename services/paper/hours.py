"""When each part of the practice market trades: real hours by date, or the practice day that never closes.

By hand because calendar packages miss special sessions, the closing auction, MCX evenings and currency holidays.
Years without a published list count every weekday as a trading day: a practice market may guess, a live desk may not.
Sources: `services.domain.phases` for NSE and BSE; MCX and currency hours and holidays of 2026 by the exchanges' lists.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from services.domain.clock import IST, TOKEN_END, epoch_ms, from_epoch_ms, ist_date, practice_day
from services.domain.phases import HOLIDAYS_2026, closing_time, is_trading_day

PRACTICE_MINUTES = 24 * 60
_MINUTE_MS = 60_000

_MCX_CLOSED = {date(2026, 1, 26), date(2026, 4, 3), date(2026, 10, 2), date(2026, 12, 25)}
_MCX_MORNING_ONLY = {date(2026, 1, 1)}
_CURRENCY_CLOSED = {date(2026, 2, 19), date(2026, 3, 19), date(2026, 4, 1), date(2026, 8, 26)}
"""Settlement holidays: shares trade, currencies do not."""


class Group(StrEnum):
    """Segments that share their days and their opening time."""

    EQUITY = "equity"
    CURRENCY = "currency"
    COMMODITY = "commodity"


def group_of(segment: str) -> Group:
    """The group of a segment such as `NSE_FO`."""
    if segment.startswith(("NCD", "BCD")):
        return Group.CURRENCY
    if segment.startswith("MCX") or segment == "NSE_COM":
        return Group.COMMODITY
    return Group.EQUITY


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day of a group: its date, its start (epoch ms) and its length in minutes."""

    group: Group
    day: date
    start_ms: int
    minutes: int
    settle_minute: int
    """The minute, from the start, at which closing prices are fixed (shares stop before their derivatives do)."""


class Hours:
    """Trading days and sessions. `practice`: every day, all day. `extra_days` trade besides (days of real candles)."""

    def __init__(self, *, practice: bool, extra_days: Collection[date] = ()) -> None:
        self.practice = practice
        self._extra = frozenset(extra_days)

    def trades(self, group: Group, day: date) -> bool:
        """Does the group trade on `day`?"""
        if self.practice:
            return True
        if group is Group.COMMODITY:
            return day.weekday() < 5 and day not in _MCX_CLOSED
        if day in self._extra:
            return True
        open_day = is_business_day(day)
        return open_day and not (group is Group.CURRENCY and day in _CURRENCY_CLOSED)

    def session(self, group: Group, day: date) -> Session:
        """The session that `day` has, or would have."""
        if self.practice:
            return Session(group, day, _ms(day, TOKEN_END), PRACTICE_MINUTES, PRACTICE_MINUTES)
        opens, closes, settles = _real_hours(group, day)
        return Session(group, day, _ms(day, opens), _minutes(opens, closes), _minutes(opens, settles))

    def segment_minutes(self, segment: str, session: Session) -> int:
        """How many minutes of `session` this segment trades."""
        if self.practice or group_of(segment) is not Group.EQUITY:
            return session.minutes
        return _minutes(time(9, 15), closing_time(session.day, segment))

    def locate(self, group: Group, at_ms: int) -> tuple[Session, int]:
        """The session that runs at `at_ms`, else the last one that has ended; and the whole seconds of it gone by
        (at most its length less one second: after the close the last second stands)."""
        instant = from_epoch_ms(at_ms)
        day = practice_day(instant) if self.practice else ist_date(instant)
        session = self.session(group, day)
        if not self.trades(group, day) or at_ms < session.start_ms:
            session = self.session(group, self.previous(group, day))
        return session, min((at_ms - session.start_ms) // 1000, session.minutes * 60 - 1)

    def previous(self, group: Group, day: date) -> date:
        """The trading day before `day`."""
        before = day - timedelta(days=1)
        while not self.trades(group, before):
            before -= timedelta(days=1)
        return before

    def day_of(self, instant: datetime) -> date:
        """The date that `instant` belongs to: the practice day, or the date in India."""
        return practice_day(instant) if self.practice else ist_date(instant)


def is_business_day(day: date) -> bool:
    """Do shares trade on `day`? Unpublished years: every weekday; days without confirmed hours: no."""
    known = is_trading_day(day)
    if known is None:
        return day.year != 2026 and day.weekday() < 5
    return known


def _real_hours(group: Group, day: date) -> tuple[time, time, time]:
    if group is Group.EQUITY:
        return time(9, 15), closing_time(day, "NSE_FO"), closing_time(day, "NSE_EQ")
    if group is Group.CURRENCY:
        return time(9, 0), time(17, 0), time(17, 0)
    opens = time(17, 0) if day in HOLIDAYS_2026 else time(9, 0)
    closes = time(23, 30) if _us_summer(day) else time(23, 55)
    if day in _MCX_MORNING_ONLY:
        closes = time(17, 0)
    return opens, closes, closes


def _us_summer(day: date) -> bool:
    """Is the United States on daylight saving time? From the second Sunday of March to the first of November."""
    return _nth_sunday(day.year, 3, 2) <= day < _nth_sunday(day.year, 11, 1)


def _nth_sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


def _ms(day: date, at: time) -> int:
    return epoch_ms(datetime.combine(day, at, IST))


def _minutes(start: time, end: time) -> int:
    return (end.hour - start.hour) * 60 + end.minute - start.minute
