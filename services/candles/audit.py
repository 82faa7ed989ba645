"""What is wrong with a series: bars that are missing, came late, changed, or cannot be right. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from services.candles.deriving import MINUTE_MS
from services.candles.reading import Reading
from services.candles.series import CandleSeries
from services.domain.calendar.calendar import MarketCalendar
from services.domain.candles import Interval
from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.phases import TRADING, Listing, Phase
from services.storage.candle_store import Change
from services.wire.candle_columns import Counts


class Kind(StrEnum):
    """What an audit finds."""

    NOT_FETCHED = "not fetched"
    """Nobody has asked the broker for these bars, or it did not answer."""
    NO_TRADE = "no trade"
    """The broker was asked and has no bar there, though the session was on."""
    BEFORE = "before the first bar"
    """Nor on any earlier day of the stretch: a contract that had not been listed yet has no gap there."""
    LATE = "late"
    """The bar was not in the broker's running answer of the day and is in its history."""
    CHANGED = "changed"
    """The broker's history differs from what it had told before."""
    SUSPICIOUS = "suspicious"
    """High below low, a price of zero, a bar outside of the session: kept as it came, and told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Bars that follow each other and have the same fault. `start <= instant < end`, aware, UTC."""

    kind: Kind
    start: datetime
    end: datetime
    bars: int
    detail: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """One series, checked. `expected` counts the bars of a series without any gap."""

    key: str
    interval: Interval
    start: datetime
    end: datetime
    bars: int
    expected: int
    findings: tuple[Finding, ...]
    """By kind, then by time."""
    days_unknown: int = 0
    """Days whose hours nobody has published: nothing is expected of them, and nothing is out of session."""

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(one for one in self.findings if one.kind is kind)

    def count(self, kind: Kind) -> int:
        """How many bars have that fault."""
        return sum(one.bars for one in self.findings if one.kind is kind)


def examine(
    series: CandleSeries,
    reading: Reading,
    calendar: MarketCalendar,
    changes: Iterable[Change],
    listing: Listing = Listing.ORDINARY,
) -> AuditReport:
    """Check `series` against the sessions of its market. Bars that still run are not expected yet."""
    grid = _Grid(reading, calendar, listing)
    missing = _missing(series, reading, grid)
    told = [_told(one, series.interval) for one in changes]
    findings = sorted((*missing, *told, *_suspicious(series, grid)), key=lambda one: (_RANK[one.kind], one.start))
    return AuditReport(
        series.key,
        series.interval,
        reading.start,
        reading.end,
        len(series),
        len(grid.expected),
        tuple(findings),
        grid.days_unknown,
    )


_RANK = {kind: place for place, kind in enumerate(Kind)}


class _Grid:
    """When bars of a series should begin, and when they may."""

    def __init__(self, reading: Reading, calendar: MarketCalendar, listing: Listing) -> None:
        self.days_unknown = 0
        self.step_ms = (reading.interval.minutes or 24 * 60) * MINUTE_MS
        self._allowed: list[tuple[int, int]] = []
        first, end = reading.closed()
        today = reading.days.today
        starts = [
            self._day(day, reading, calendar, listing)
            for day in range(first, end if reading.longer or not reading.wants_today else today + 1)
            if reading.interval.period(date.fromordinal(day))[0].toordinal() == day
        ]
        if reading.longer and reading.wants_today:
            running = reading.interval.period(date.fromordinal(today))[0].toordinal()
            self._allow(*reading.days.span_ms(running, running + 1, reading.interval))
        every = np.concatenate(starts) if starts else np.empty(0, np.int64)
        over = every + self.step_ms <= epoch_ms(reading.days.now)
        self.expected = every[over & (every >= reading.start_ms) & (every < reading.end_ms)]

    def allows(self, starts: Counts) -> NDArray[np.bool_]:
        """Which bars begin while something trades?"""
        if not self._allowed:
            return np.full(len(starts), self.days_unknown > 0)
        edges = np.array(self._allowed).reshape(-1)
        inside: NDArray[np.bool_] = np.searchsorted(edges, starts, side="right") % 2 == 1
        return inside

    def _day(self, day: int, reading: Reading, calendar: MarketCalendar, listing: Listing) -> Counts:
        days = reading.days
        nothing = np.empty(0, np.int64)
        if days.practice or days.market is None:
            self.days_unknown += 1
            self._allow(*days.span_ms(day, day + 1, reading.interval))
            return nothing
        if not reading.interval.intraday:
            first, end = reading.interval.period(date.fromordinal(day))
            trades = {days.trades(one) for one in range(first.toordinal(), end.toordinal())}
            if trades == {False}:
                return nothing
            start, _ = span = days.span_ms(day, day + 1, reading.interval)
            self._allow(*span)
            self.days_unknown += True not in trades
            return np.array([start] if True in trades else [], np.int64)
        plan = calendar.day(days.market, date.fromordinal(day), listing=listing)
        if not plan.hours_known:
            self.days_unknown += 1
            self._allow(*days.span_ms(day, day + 1, reading.interval))
            return nothing
        windows = [one for one in plan.windows if one.phase in TRADING or one.phase is Phase.POST_CLOSE]
        for one in windows:
            self._allow(epoch_ms(one.start), epoch_ms(one.end))
        return np.concatenate(
            [nothing, *(np.arange(epoch_ms(start), epoch_ms(end), self.step_ms) for start, end in plan.hours)]
        )

    def _allow(self, start: int, end: int) -> None:
        if self._allowed and start <= self._allowed[-1][1]:
            self._allowed[-1] = (self._allowed[-1][0], max(end, self._allowed[-1][1]))
        else:
            self._allowed.append((start, end))


def _missing(series: CandleSeries, reading: Reading, grid: _Grid) -> list[Finding]:
    """Starts without a bar: not fetched where the series says so, else nobody traded."""
    lacking = np.setdiff1d(grid.expected, series.start_ms, assume_unique=True)
    unfetched = np.zeros(len(lacking), bool)
    for gap in series.missing:
        unfetched |= (lacking >= epoch_ms(gap.start)) & (lacking < epoch_ms(gap.end))
    now_known = _known_until(series, reading)
    if now_known is not None:
        unfetched |= lacking >= now_known
    early = np.zeros(len(lacking), bool)
    if len(series):
        day = reading.days.day_of(int(series.start_ms[0]), series.interval)
        early = ~unfetched & (lacking < reading.days.start_ms(day, intraday=series.interval.intraday))
    return [
        *_runs(Kind.NOT_FETCHED, lacking[unfetched], grid, "nobody has asked for them yet, or no answer came"),
        *_runs(Kind.NO_TRADE, lacking[~unfetched & ~early], grid, "the broker was asked and has none"),
        *_runs(Kind.BEFORE, lacking[early], grid, "the broker was asked and has none: perhaps not listed yet"),
    ]


def _known_until(series: CandleSeries, reading: Reading) -> int | None:
    """From here on the running day is not known yet."""
    if not reading.wants_today or reading.longer:
        return None
    today = reading.days.start_ms(reading.days.today, intraday=reading.interval.intraday)
    told = [epoch_ms(at) for part in series.sources if epoch_ms(part.end) > today for at in part.told]
    live = [epoch_ms(part.end) for part in series.sources if part.fetched_at is None and epoch_ms(part.end) > today]
    return max((*told, *live), default=today)


def _runs(kind: Kind, starts: Counts, grid: _Grid, detail: str) -> list[Finding]:
    """Starts that follow each other without an expected one between, as one finding."""
    if not len(starts):
        return []
    places = np.searchsorted(grid.expected, starts)
    breaks = np.flatnonzero(np.diff(places) != 1) + 1
    return [
        Finding(kind, from_epoch_ms(int(run[0])), from_epoch_ms(int(run[-1])) + _step(grid.step_ms), len(run), detail)
        for run in np.split(starts, breaks)
    ]


def _suspicious(series: CandleSeries, grid: _Grid) -> list[Finding]:
    low, high = series.low, series.high
    top, bottom = np.maximum(series.open, series.close), np.minimum(series.open, series.close)
    lowest = np.minimum(np.minimum(low, high), bottom)
    checks: Sequence[tuple[NDArray[np.bool_], str]] = (
        (high < low, "high below low"),
        ((high >= low) & ((top > high) | (bottom < low)), "open or close beyond high and low"),
        (lowest <= 0, "a price of zero or below"),
        ((series.volume < 0) | (series.oi < 0), "negative volume or open interest"),
        (~grid.allows(series.start_ms), "out of session"),
    )
    return [
        Finding(Kind.SUSPICIOUS, from_epoch_ms(start), from_epoch_ms(start) + _step(grid.step_ms), 1, detail)
        for wrong, detail in checks
        for start in series.start_ms[wrong].tolist()
    ]


def _told(one: Change, interval: Interval) -> Finding:
    end = from_epoch_ms(one.last_ms) + _step((interval.minutes or 24 * 60) * MINUTE_MS)
    return Finding(Kind(one.kind), from_epoch_ms(one.first_ms), end, one.bars, one.detail)


def _step(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)
