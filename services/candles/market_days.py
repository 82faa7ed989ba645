"""The days of one instrument's market, as candles need them: which have a session, when it opens, which one runs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

from services.domain.calendar.calendar import MarketCalendar
from services.domain.calendar.days import DayPlan, market_of
from services.domain.candles import Interval
from services.domain.clock import IST, TOKEN_END, epoch_ms, ist_date, practice_day
from services.domain.day_spans import DaySpans, Span
from services.domain.errors import UnknownInstrument
from services.domain.phases import Market
from services.storage.candle_store import DAY_MS, EPOCH, IST_MS
from services.wire.candle_columns import CandleColumns, Counts

PRACTICE_ROLL_MS = (TOKEN_END.hour * 60 + TOKEN_END.minute) * 60_000
"""A practice day runs from 03:30 to 03:30."""
SETTLED_AFTER = timedelta(hours=6)
"""So long after midnight a day that is over and of which the broker tells nothing may still be filled in by him."""
AFTER_CLOSE = timedelta(minutes=2)
"""So long after the close the running day's bars are complete."""


class MarketDays:
    """One market at one instant. Cheap to make; days are ordinals, instants aware, UTC.

    In a practice session (`practice`) the broker trades around the clock: every day has a session.
    """

    def __init__(self, key: str, calendar: MarketCalendar, now: datetime, *, practice: bool) -> None:
        self.now = now
        self.practice = practice
        self.today = (practice_day(now) if practice else ist_date(now)).toordinal()
        self._calendar = calendar
        self._market = _market(key)

    def has_session(self, day: int) -> bool:
        """May there be bars on `day`? True where nobody knows."""
        return self.trades(day) is not False

    def trades(self, day: int) -> bool | None:
        """Is there a session on `day`? `None`: nobody knows."""
        if self.practice:
            return True
        if self._market is None:
            return None
        return self._calendar.is_trading_day(self._market, date.fromordinal(day))

    @property
    def rules(self) -> object:
        """What `has_session` goes by: equal rules, equal answers."""
        return self._calendar, self._market, self.practice

    def with_days_off(self, spans: DaySpans) -> DaySpans:
        """`spans`, longer by the days after and before each that have no session, up to the next. What is left between
        begins and ends with a session: one call can ask for it."""
        edges: list[Span] = []
        for one, following in pairwise(list(spans)):
            low, high = one[1], following[0]
            while low < high and not self.has_session(low):
                low += 1
            while low < high and not self.has_session(high - 1):
                high -= 1
            edges += ((one[1], low), (high, following[0]))
        return DaySpans((*spans, *edges))

    def opening(self, day: int) -> int | None:
        """When (ms) the one session of `day` begins; `None`: not known, or there are several."""
        if self.practice:
            return self.start_ms(day, intraday=True)
        plan = self.plan(day)
        return epoch_ms(plan.hours[0][0]) if plan is not None and len(plan.hours) == 1 else None

    def plan(self, day: int) -> DayPlan | None:
        """What the calendar says of `day`; `None`: it does not know this market."""
        return None if self._market is None else self._calendar.day(self._market, date.fromordinal(day))

    @property
    def market(self) -> Market | None:
        return self._market

    def has_begun(self) -> bool:
        """May there be bars of today yet?"""
        if self.practice:
            return True
        plan = self.plan(self.today)
        if plan is None or not plan.windows:
            return self.has_session(self.today)
        return self.now >= plan.windows[0].start

    def over_since(self) -> datetime | None:
        """From when on nothing more comes of today; `None`: not yet, or not known."""
        if self.practice or (plan := self.plan(self.today)) is None:
            return None
        if plan.trades is False:
            return self.start(self.today)
        if not plan.windows:
            return None
        end = plan.windows[-1].end + AFTER_CLOSE
        return end if self.now >= end else None

    def settled(self, day: int) -> bool:
        """Is the broker's history of `day` complete for certain?"""
        return self.now >= self.start(day + 1) + SETTLED_AFTER

    def start(self, day: int) -> datetime:
        """Midnight in India."""
        of = date.fromordinal(day)
        return datetime(of.year, of.month, of.day, tzinfo=IST)

    def start_ms(self, day: int, *, intraday: bool) -> int:
        """When `day` begins, for minutes (a practice day begins late) or for days."""
        return (day - EPOCH) * DAY_MS - IST_MS + (PRACTICE_ROLL_MS if self.practice and intraday else 0)

    def span_ms(self, first: int, end: int, interval: Interval) -> tuple[int, int]:
        """From the beginning of `first` to that of `end`."""
        return self.start_ms(first, intraday=interval.intraday), self.start_ms(end, intraday=interval.intraday)

    def day_of(self, start_ms: int, interval: Interval) -> int:
        """The day of a bar that begins at `start_ms`."""
        return (start_ms - self.start_ms(EPOCH, intraday=interval.intraday)) // DAY_MS + EPOCH

    def days_of(self, candles: CandleColumns, interval: Interval) -> Counts:
        """The day of each bar."""
        days: Counts = (candles.start_ms - self.start_ms(EPOCH, intraday=interval.intraday)) // DAY_MS + EPOCH
        return days


def _market(key: str) -> Market | None:
    try:
        return market_of(key)
    except UnknownInstrument:
        return None
