"""Intervals of candles: every unit and length that the broker serves, their names, and what one call may span.

A bar is known by its start. Minutes and hours are counted from the opening of the day's session (09:15, 10:15 ...); a
day, a week (Monday) and a month begin at midnight in India. Source of the limits: Upstox API documents, history v3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from services.domain.errors import InvalidRequest

_DAY = timedelta(days=1)


class Unit(StrEnum):
    """In the broker's words."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


_ORDER = {unit: place for place, unit in enumerate(Unit)}
_MOST = {Unit.MINUTES: 300, Unit.HOURS: 5, Unit.DAYS: 1, Unit.WEEKS: 1, Unit.MONTHS: 1}
_INTRADAY_SINCE, _DAILY_SINCE = date(2022, 1, 1), date(2000, 1, 1)
_V2_WORDS = {
    (Unit.MINUTES, 1): ("1minute", 28), (Unit.MINUTES, 30): ("30minute", 360), (Unit.DAYS, 1): ("day", 360),
    (Unit.WEEKS, 1): ("week", 3_600), (Unit.MONTHS, 1): ("month", 3_600),
}  # fmt: skip
_UNIT_WORDS = {
    "m": Unit.MINUTES, "min": Unit.MINUTES, "minute": Unit.MINUTES, "i": Unit.MINUTES,
    "h": Unit.HOURS, "hr": Unit.HOURS, "hour": Unit.HOURS,
    "d": Unit.DAYS, "day": Unit.DAYS, "daily": Unit.DAYS,
    "w": Unit.WEEKS, "wk": Unit.WEEKS, "week": Unit.WEEKS, "weekly": Unit.WEEKS,
    "mo": Unit.MONTHS, "mon": Unit.MONTHS, "month": Unit.MONTHS, "monthly": Unit.MONTHS,
}  # fmt: skip
_COUNT_FIRST = re.compile(r"([0-9]{0,3})[ _-]?([a-z]+)")
_UNIT_FIRST = re.compile(r"([a-z]+)(?:[/ _:-]?([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Caps:
    """What the broker serves of an interval. Days are counted with both ends."""

    since: date
    """Nothing older is kept."""
    days: int | None
    """The safe span of one v3 call; `None`: no limit."""
    v2_word: str | None
    """The interval's name in v2; `None`: v2 does not have it."""
    v2_days: int
    """The safe span of one v2 call; 0 where there is none."""


@dataclass(frozen=True)
class Interval:
    """How long a bar is. Raises `InvalidRequest` for what the broker does not serve."""

    unit: Unit
    count: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.unit, Unit):
            raise InvalidRequest(f"{str(self.unit)[:20]!r} is not a unit of candles: {', '.join(Unit)}")
        most = _MOST[self.unit]
        if isinstance(self.count, bool) or not isinstance(self.count, int) or not 1 <= self.count <= most:
            allowed = "1" if most == 1 else f"1 to {most}"
            raise InvalidRequest(f"{str(self.count)[:20]} {self.unit} are no interval; {self.unit} come by {allowed}")

    @classmethod
    def parse(cls, text: str | Interval) -> Interval:
        """The interval that `text` names: `day`, `1minute`, `30minute`, `minutes/5`, `5m`, `1h`, `week`, `1M` (a month;
        `1m` is a minute) ... Raises `InvalidRequest`."""
        if isinstance(text, Interval):
            return text
        if not isinstance(text, str):
            raise InvalidRequest(f"{str(text)[:40]!r} is not an interval")
        word = text.strip()
        if word in ("M", "1M"):
            return cls(Unit.MONTHS)
        word = word.lower()
        if (found := _COUNT_FIRST.fullmatch(word)) is not None:
            count, name = found.groups()
        elif (found := _UNIT_FIRST.fullmatch(word)) is not None:
            name, count = found.groups()
        else:
            raise _unknown(text)
        unit = _UNIT_WORDS.get(name) or _UNIT_WORDS.get(name.removesuffix("s"))
        if unit is None:
            raise _unknown(text)
        return cls(unit, int(count) if count else 1)

    @property
    def word(self) -> str:
        """The shortest name that tells it from all others: `minutes/5`."""
        return f"{self.unit}/{self.count}"

    @property
    def label(self) -> str:
        """As a person says it: `5 minutes`, `1 day`."""
        return f"{self.count} {self.unit if self.count > 1 else self.unit.removesuffix('s')}"

    @property
    def minutes(self) -> int | None:
        """Its length in minutes; `None` for days and longer."""
        if self.unit is Unit.MINUTES:
            return self.count
        return 60 * self.count if self.unit is Unit.HOURS else None

    @property
    def intraday(self) -> bool:
        """Are there several bars in a day?"""
        return self.unit in (Unit.MINUTES, Unit.HOURS)

    @cached_property
    def caps(self) -> Caps:
        """What one call may ask for."""
        word, v2_days = _V2_WORDS.get((self.unit, self.count), (None, 0))
        if self.unit is Unit.DAYS:
            return Caps(_DAILY_SINCE, 9 * 365, word, v2_days)
        if not self.intraday:
            return Caps(_DAILY_SINCE, None, word, v2_days)
        short = self.unit is Unit.MINUTES and self.count <= 15
        return Caps(_INTRADAY_SINCE, 28 if short else 85, word, v2_days)

    def period(self, day: date) -> tuple[date, date]:
        """The first day of the bar that `day` is in, and the first day after it. The day itself for anything up to a
        day."""
        if self.unit is Unit.WEEKS:
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=7)
        if self.unit is Unit.MONTHS:
            return day.replace(day=1), (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        return day, day + _DAY

    def __lt__(self, other: Interval) -> bool:
        return (_ORDER[self.unit], self.count) < (_ORDER[other.unit], other.count)

    def __str__(self) -> str:
        return self.label


MINUTE = Interval(Unit.MINUTES)
DAY = Interval(Unit.DAYS)
WEEK = Interval(Unit.WEEKS)
MONTH = Interval(Unit.MONTHS)


def _unknown(text: str) -> InvalidRequest:
    return InvalidRequest(f"{text[:40]!r} is not an interval: try day, week, month, 1minute, minutes/5 or hours/1")
