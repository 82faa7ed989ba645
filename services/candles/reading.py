"""One question for candles, its days worked out: which are closed, which one runs, what has to come from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.candles.market_days import MarketDays
from services.candles.shelf import SeriesKey
from services.domain.candles import DAY, Interval
from services.domain.clock import epoch_ms
from services.domain.day_spans import Span


@dataclass(frozen=True, slots=True)
class Reading:
    """Bars of one series that begin in `start <= instant < end`. Days are ordinals."""

    of: SeriesKey
    days: MarketDays
    start: datetime
    end: datetime

    @property
    def interval(self) -> Interval:
        return self.of[2]

    @property
    def of_days(self) -> SeriesKey:
        """The daily series of the same instrument."""
        return self.of[0], self.of[1], DAY

    @property
    def longer(self) -> bool:
        """Weeks or months?"""
        return not self.interval.intraday and self.interval != DAY

    @property
    def start_ms(self) -> int:
        """The earliest start of a bar: for weeks and months that of the bar which holds `start`."""
        if not self.longer:
            return epoch_ms(self.start)
        return self.days.start_ms(self._days()[0], intraday=False)

    @property
    def end_ms(self) -> int:
        return epoch_ms(self.end)

    def closed(self) -> Span:
        """The days that are over (of weeks and months the bars that are), as far back as the broker keeps them."""
        first, end = self._days()
        running = self.interval.period(date.fromordinal(self.days.today))[0].toordinal()
        first = max(first, self.interval.caps.since.toordinal())
        return first, max(first, min(end, running))

    def running_period(self) -> Span:
        """The closed days of the week or month that runs, if it is asked for."""
        first, end = self._days()
        low, high = self.interval.period(date.fromordinal(self.days.today))
        wanted = first < high.toordinal() and low.toordinal() < end
        return (low.toordinal(), self.days.today if wanted else low.toordinal())

    @property
    def wants_today(self) -> bool:
        """Is the running day, or the week or month that it is in, asked for?"""
        first, end = self._days()
        if self.longer:
            low, high = self.interval.period(date.fromordinal(self.days.today))
            return first < high.toordinal() and low.toordinal() < end
        return first <= self.days.today < end

    def _days(self) -> Span:
        """Of the stretch; whole weeks and months."""
        first = self.days.day_of(epoch_ms(self.start), self.interval)
        end = self.days.day_of(epoch_ms(self.end) - 1, self.interval) + 1
        if self.longer:
            first = self.interval.period(date.fromordinal(first))[0].toordinal()
            end = self.interval.period(date.fromordinal(end - 1))[1].toordinal()
        return first, end
