"""What a candle call asks for: unit, interval and dates, checked and clipped as the API documents say.

Source: Upstox API documents of history and intraday candles, v2 and v3, up to September 2026. A span over the cap of
its interval is refused; without a first date the cap is what one gets, of weeks and months everything.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from services.paper.envelope import refusal
from services.paper.parameters import one_date

MOST = {"minutes": 300, "hours": 5, "days": 1, "weeks": 1, "months": 1}
"""By unit: the largest interval of v3."""
INTRADAY_UNITS = ("minutes", "hours", "days")
V2_WORDS = {
    "1minute": ("minutes", 1), "30minute": ("minutes", 30), "day": ("days", 1), "week": ("weeks", 1),
    "month": ("months", 1),
}  # fmt: skip
V2_INTRADAY = ("1minute", "30minute")
_MINUTES_SINCE, _DAYS_SINCE = date(2022, 1, 1), date(2000, 1, 1)
_SHORT_MINUTES = 15
_MONTH, _QUARTER, _YEAR, _DECADE = 1, 3, 12, 120
"""Spans in months."""
_V2_SPANS = {"1minute": _MONTH, "30minute": _YEAR, "day": _YEAR, "week": _DECADE, "month": _DECADE}
_V2_MINUTES_KEPT = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars of `count` `unit`s whose stamp is a day from `first` to `last`, both included."""

    unit: str
    count: int
    first: date
    last: date


def v3_interval(unit: str, interval: str, units: tuple[str, ...] = tuple(MOST)) -> tuple[str, int]:
    """Unit and count of a v3 path; UDAPI1146 or UDAPI1147 otherwise."""
    if unit not in units:
        raise refusal("UDAPI1146", property_path="unit", invalid_value=unit)
    whole = interval.isascii() and interval.isdecimal() and len(interval) <= 3
    if not whole or not 1 <= int(interval) <= MOST[unit]:
        raise refusal("UDAPI1147", property_path="interval", invalid_value=interval)
    return unit, int(interval)


def v2_interval(word: str, words: tuple[str, ...] = tuple(V2_WORDS)) -> tuple[str, int]:
    """Unit and count of a v2 path; UDAPI1020 otherwise."""
    if word not in words:
        raise refusal("UDAPI1020", property_path="interval", invalid_value=word)
    return V2_WORDS[word]


def v3_wanted(unit: str, interval: str, to_date: str, from_date: str | None) -> Wanted:
    """What a v3 history call asks for."""
    unit, count = v3_interval(unit, interval)
    if unit == "days":
        span: int | None = _DECADE
    elif unit in ("weeks", "months"):
        span = None
    else:
        span = _MONTH if unit == "minutes" and count <= _SHORT_MINUTES else _QUARTER
    first, last = _dates(to_date, from_date, span)
    return Wanted(unit, count, max(first, _since(unit)), last)


def v2_wanted(word: str, to_date: str, from_date: str | None, today: date) -> Wanted:
    """What a v2 history call asks for. Its minutes reach back six months from `today`."""
    unit, count = v2_interval(word)
    first, last = _dates(to_date, from_date, _V2_SPANS[word])
    kept = months_before(today, _V2_MINUTES_KEPT) if unit == "minutes" else _DAYS_SINCE
    return Wanted(unit, count, max(first, _since(unit), kept), last)


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` earlier, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def period(unit: str, day: date) -> tuple[date, date]:
    """First and last day of the bar of `unit` that `day` is in."""
    if unit == "weeks":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if unit == "months":
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return day, day


def _dates(to_date: str, from_date: str | None, span: int | None) -> tuple[date, date]:
    last = one_date(to_date, "to_date")
    first = None if from_date is None else one_date(from_date, "from_date")
    if first is not None and first > last:
        raise refusal("UDAPI1015", property_path="to_date", invalid_value=to_date)
    if span is None or last < _DAYS_SINCE:
        return first or _DAYS_SINCE, last
    reach = months_before(last, span)
    if first is not None and first < reach:
        raise refusal("UDAPI1148")
    return first or reach, last


def _since(unit: str) -> date:
    return _MINUTES_SINCE if unit in ("minutes", "hours") else _DAYS_SINCE
