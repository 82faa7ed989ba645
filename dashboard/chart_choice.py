"""What a chart shows: instrument, interval, range, indicators, what it is compared with. All of it is in the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from dashboard.indicators import Study, parse_studies, words_of
from services.domain.calendar.calendar import MarketCalendar, market_of
from services.domain.candles import DAY, MONTH, WEEK, Interval, Unit
from services.domain.clock import IST, ist_date
from services.domain.errors import InvalidRequest, UnknownInstrument
from services.domain.instruments import is_instrument_key

MOST_COMPARED = 5
INTERVALS = tuple(
    map(Interval.parse, ("1m", "3m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "day", "week", "month"))
)
"""What is offered; the broker serves any number of minutes to 300 and of hours to 5, which can be typed."""
MOST_BARS = 40_000
READ_AT_ONCE = 8_000
"""A range of more bars is there for who asks for it, and not by a change of the interval alone: it may take a while."""
_SHORT = {Unit.MINUTES: "m", Unit.HOURS: "h", Unit.DAYS: "D", Unit.WEEKS: "W", Unit.MONTHS: "M"}


class Span(StrEnum):
    """How far back a chart reaches. `D` are days of trading."""

    DAY = "1D"
    FIVE_DAYS = "5D"
    MONTH = "1M"
    THREE_MONTHS = "3M"
    SIX_MONTHS = "6M"
    YEAR = "1Y"
    FIVE_YEARS = "5Y"
    ALL = "All"


_DAYS = {Span.DAY: 1, Span.FIVE_DAYS: 5}
_MONTHS = {Span.MONTH: 1, Span.THREE_MONTHS: 3, Span.SIX_MONTHS: 6, Span.YEAR: 12, Span.FIVE_YEARS: 60}
NAMES = ("key", "interval", "range", "with", "compare", "log", "from", "to")
"""The members of a link; the second chart's have a 2 behind them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One chart. `view`: the instants between which it is looked at, if that is not all of it."""

    key: str
    interval: Interval = DAY
    span: Span = Span.YEAR
    studies: tuple[Study, ...] = ()
    compared: tuple[str, ...] = ()
    log: bool = False
    view: tuple[datetime, datetime] | None = None

    def words(self, suffix: str = "") -> dict[str, str]:
        """As members of a link; what is as usual is left out."""
        words = {"key": self.key, "interval": short(self.interval), "range": self.span.value}
        if self.studies:
            words["with"] = words_of(self.studies)
        if self.compared:
            words["compare"] = ",".join(self.compared)
        if self.log:
            words["log"] = "1"
        if self.view is not None:
            words |= {name: _stamp(at) for name, at in zip(("from", "to"), self.view, strict=True)}
        return {f"{name}{suffix}": word for name, word in words.items()}

    def of(self, interval: Interval) -> Choice:
        """The same at another interval, with a range that suits it where this one does not."""
        fits = suits(self.span, interval) and bars_of(self.span, interval) <= READ_AT_ONCE
        span = self.span if fits else usual_span(interval)
        return replace(self, interval=interval, span=span, view=None)


def read_choice(words: Mapping[str, str], suffix: str = "", *, otherwise: Choice) -> tuple[Choice, tuple[str, ...]]:
    """The choice that a link makes, and what of it makes no sense, in words: that is as in `otherwise` then."""
    given = {name: words[f"{name}{suffix}"] for name in NAMES if f"{name}{suffix}" in words}
    problems: list[str] = []
    key = given.get("key", otherwise.key)
    if not is_instrument_key(key):
        problems.append(f"{key[:40]!r} is no instrument key")
        key = otherwise.key
    interval = otherwise.interval
    if "interval" in given:
        try:
            interval = Interval.parse(given["interval"])
        except InvalidRequest as error:
            problems.append(str(error))
    span = otherwise.span if "interval" not in given else usual_span(interval)
    if given.get("range") in list(Span):
        span = Span(given["range"])
    elif "range" in given:
        problems.append(f"{given['range'][:20]!r} is no range: there are {', '.join(Span)}")
    studies, wrong = parse_studies(given.get("with", ""))
    others = tuple(dict.fromkeys(filter(None, given.get("compare", "")[:600].split(","))))
    compared = tuple(one for one in others if is_instrument_key(one) and one != key)[:MOST_COMPARED]
    if len(compared) < len(others):
        problems.append(f"a chart is compared with up to {MOST_COMPARED} instruments, by their keys")
    return (
        Choice(key, interval, span, studies, compared, given.get("log") == "1", _view(given)),
        (*problems, *wrong),
    )


def short(interval: Interval) -> str:
    """An interval in a few letters: 5m, 1h, 1D, 1W, 1M."""
    return f"{interval.count}{_SHORT[interval.unit]}"


def usual_span(interval: Interval) -> Span:
    """How far back one looks at bars of that length."""
    if interval in (WEEK, MONTH):
        return Span.FIVE_YEARS if interval == WEEK else Span.ALL
    minutes = interval.minutes
    if minutes is None:
        return Span.YEAR
    return Span.FIVE_DAYS if minutes <= 5 else Span.MONTH if minutes <= 30 else Span.SIX_MONTHS


def bars_of(span: Span, interval: Interval) -> float:
    """About how many bars of that length a share has in that range."""
    days = _DAYS.get(span, 0) or 21 * _MONTHS.get(span, 120)
    minutes = interval.minutes
    return days * 375 / minutes if minutes else days / {Unit.DAYS: 1, Unit.WEEKS: 5}.get(interval.unit, 21)


def suits(span: Span, interval: Interval) -> bool:
    """Are there enough bars, and not a flood of them?"""
    return 10 <= bars_of(span, interval) <= MOST_BARS


def first_day(
    span: Span, interval: Interval, now: datetime, *, calendar: MarketCalendar, segment: str, practice: bool
) -> date:
    """The day in India from which on bars are shown. In a practice session today trades, whatever day it is; days of
    which nobody knows count if they are weekdays."""
    today, since = ist_date(now), interval.caps.since
    if span is Span.ALL:
        return since
    if span in _MONTHS:
        months = today.year * 12 + today.month - 1 - _MONTHS[span]
        year, month = divmod(months, 12)
        day = date(year, month + 1, 1) + timedelta(days=today.day - 1)
        return max(since, day)
    left, day = _DAYS[span], today + timedelta(days=1)
    while left and day > since:
        day -= timedelta(days=1)
        left -= (practice and day == today) or _trades(calendar, segment, day)
    return day


def warmed(day: date, interval: Interval, bars: int) -> date:
    """A day from which on at least `bars` bars lie before `day`: averages want some before the first one shown."""
    if not bars:
        return day
    of_a_bar = interval.minutes / 375 if interval.minutes else {Unit.DAYS: 1, Unit.WEEKS: 5}.get(interval.unit, 22)
    return max(interval.caps.since, day - timedelta(days=int(bars * of_a_bar * 7 / 5) + 5))


def start_of(day: date) -> datetime:
    """The first instant of that day in India (aware, UTC)."""
    return datetime.combine(day, time(0), IST).astimezone(UTC)


def _trades(calendar: MarketCalendar, segment: str, day: date) -> bool:
    try:
        trades = calendar.is_trading_day(market_of(segment), day)
    except UnknownInstrument:
        trades = None
    return day.weekday() < 5 if trades is None else trades


def _stamp(at: datetime) -> str:
    return at.astimezone(IST).strftime("%Y-%m-%dT%H:%M")


def _view(given: Mapping[str, str]) -> tuple[datetime, datetime] | None:
    try:
        start, end = (
            datetime.strptime(given[name][:16], "%Y-%m-%dT%H:%M").replace(tzinfo=IST).astimezone(UTC)
            for name in ("from", "to")
        )
    except (KeyError, ValueError):
        return None
    return (start, end) if start < end else None
