"""Joins what is known of a series: stored days, bars made of minutes, the running day; and says which is which.

Makes no call but for the running day, and that only if it is told to ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from services.candles.deriving import from_days, from_minutes, is_exact
from services.candles.fetching import Fetched
from services.candles.planning import to_ask, whole_periods
from services.candles.reading import Reading
from services.candles.running_day import NOTHING, Running, RunningDay
from services.candles.series import (
    FORMING,
    FROM_DAYS,
    FROM_MINUTES,
    INTRADAY,
    STORED,
    CandleSeries,
    Missing,
    SourcePart,
)
from services.candles.shelf import SeriesKey, Shelf
from services.domain.candles import DAY, MINUTE
from services.domain.clock import from_epoch_ms
from services.domain.day_spans import DaySpans, Span
from services.domain.errors import UpstoxError
from services.storage.candle_store import CandleStore
from services.wire.candle_columns import CandleColumns, joined, no_candles

NOT_FETCHED = "not fetched"

Told = tuple[int, int] | None
"""When the broker told the oldest and the newest of some bars; `None`: he did not, or it is not known."""


class Assembler:
    """Makes series. Thread-safe; keeps nothing."""

    def __init__(self, store: CandleStore, shelf: Shelf, running: RunningDay) -> None:
        self._store = store
        self._shelf = shelf
        self._running = running

    def series(self, reading: Reading, fetched: Fetched, *, ask: bool, use_v3: bool = True) -> CandleSeries:
        """The bars of `reading` as they are known now, after `fetched` came. With `ask`, the running day is asked for
        if what is known of it is too old."""
        parts = _Parts(reading)
        known = self._shelf.known(reading.of, reading.days)
        self._add_stored(parts, reading, known, fetched)
        if gaps := _gaps(reading, known):
            known = known.union(self._add_unstored(parts, reading, known, gaps))
        running = NOTHING
        if reading.wants_today:
            base = reading.of_days if reading.longer else reading.of
            running = self._running.bars(base, reading.days, ask=ask, use_v3=use_v3)
            if reading.longer:
                self._add_running_period(parts, reading, running)
            else:
                parts.add_running(running)
        missing = [*_not_kept(reading), *_failed(reading, fetched)]
        if not ask:
            missing += self._not_fetched(reading, known)
        if running.error is not None:
            missing.append(_stale(reading, running, running.error))
        return parts.series(missing)

    def derivable(self, reading: Reading) -> DaySpans:
        """The closed days whose bars are not stored and can be made, exactly, of minutes that are."""
        if not reading.interval.intraday or reading.interval == MINUTE:
            return DaySpans()
        gaps = _gaps(reading, self._shelf.known(reading.of, reading.days))
        minutes = self._shelf.known(_minutes_of(reading.of), reading.days) if gaps else DaySpans()
        return DaySpans(
            (day, day + 1) for gap in gaps for span in minutes.within(*gap) for day in self._exact_days(reading, span)
        )

    # -- closed days -------------------------------------------------------------------------------------------

    def _add_stored(self, parts: _Parts, reading: Reading, known: DaySpans, fetched: Fetched) -> None:
        first, end = reading.closed()
        if first >= end or not known:
            return
        stretch = self._shelf.days(reading.of, first, end)
        told = DaySpans()
        for version, spans in fetched.told.items():
            for span in spans.within(first, end):
                parts.add(version, stretch.candles, span, stretch.told_ms(*span))
            told = told.union(spans)
        for span in told.missing(first, end):
            parts.add(STORED, stretch.candles, span, stretch.told_ms(*span))

    def _add_unstored(self, parts: _Parts, reading: Reading, known: DaySpans, gaps: list[Span]) -> DaySpans:
        """Closed days that history has not told: made of minutes, or as told while they ran. Returns the former."""
        derived = self.derivable(reading)
        minutes_of = _minutes_of(reading.of)
        for span in derived:
            stretch = self._shelf.days(minutes_of, *span)
            minutes = stretch.candles.between(*reading.days.span_ms(*span, MINUTE))
            parts.add(FROM_MINUTES, self._made(reading, minutes), span, stretch.told_ms(*span))
        if not reading.longer:
            base = minutes_of if reading.interval.intraday else reading.of
            for one in self._store.todays(*base, gaps[0][0], gaps[-1][1]):
                if one.day not in known and one.day not in derived:
                    bars = self._made(reading, one.candles) if reading.interval != base[2] else one.candles
                    parts.add(INTRADAY, bars, (one.day, one.day + 1), _at_once(one.fetched_ms), provisional=True)
        return derived

    def _made(self, reading: Reading, minutes: CandleColumns) -> CandleColumns:
        days = reading.days
        return from_minutes(minutes, days.days_of(minutes, MINUTE), reading.interval, days.opening)

    def _exact_days(self, reading: Reading, span: Span) -> Iterable[int]:
        days = reading.days
        stretch = self._shelf.days(_minutes_of(reading.of), *span)
        for day in range(*span):
            if not days.has_session(day) or is_exact(
                stretch.candles.between(*days.span_ms(day, day + 1, MINUTE)), days.opening(day)
            ):
                yield day

    # -- the week or month that runs -----------------------------------------------------------------------------

    def _add_running_period(self, parts: _Parts, reading: Reading, running: Running) -> None:
        first, end = reading.running_period()
        days = no_candles()
        if first < end:
            span_ms = reading.days.span_ms(first, end, DAY)
            days = self._shelf.days(reading.of_days, first, end).candles.between(*span_ms)
            covered = self._shelf.coverage(reading.of_days)
            told = [one for one in self._store.todays(*reading.of_days, first, end) if one.day not in covered]
            days = joined([days, *(one.candles for one in told)])
        bars = from_days(joined([days, running.candles]), reading.interval)
        parts.add(FROM_DAYS, bars, (first, first + 31), _at_once(running.fetched_ms), provisional=True)

    # -- what is missing ---------------------------------------------------------------------------------------

    def _not_fetched(self, reading: Reading, known: DaySpans) -> list[Missing]:
        return [one for gap in _gaps(reading, known) for one in _missing(reading, gap, NOT_FETCHED)]


class _Parts:
    """Stretches of one series, gathered."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._bounds = reading.start_ms, reading.end_ms
        self._columns: list[CandleColumns] = []
        self._sources: list[SourcePart] = []
        self._provisional: list[int] = []

    def add(self, source: str, candles: CandleColumns, span: Span, told_ms: Told, *, provisional: bool = False) -> None:
        """The bars of the days `span` out of `candles`."""
        low, high = self._reading.days.span_ms(*span, self._reading.interval)
        self._put(source, candles.between(max(low, self._bounds[0]), min(high, self._bounds[1])), told_ms)
        if provisional and len(self._columns) and len(candles):
            self._provisional.append(low)

    def add_running(self, running: Running) -> None:
        """The running day, the broker's part and the feed's."""
        bars = running.candles.between(*self._bounds)
        if not len(bars):
            return
        self._provisional.append(int(bars.start_ms[0]))
        split = len(bars) if running.live_from_ms is None else int(np.searchsorted(bars.start_ms, running.live_from_ms))
        self._put(running.source, bars.take(slice(0, split)), _at_once(running.fetched_ms))
        self._put(FORMING, bars.take(slice(split, None)), None)

    def series(self, missing: list[Missing]) -> CandleSeries:
        provisional = min(self._provisional, default=None)
        return CandleSeries.of(
            self._reading.of[1],
            self._reading.interval,
            joined(self._columns),
            sources=_merged(self._sources),
            missing=tuple(sorted(missing, key=lambda one: one.start)),
            provisional_from=None if provisional is None else from_epoch_ms(max(provisional, self._bounds[0])),
        )

    def _put(self, source: str, bars: CandleColumns, told_ms: Told) -> None:
        if not len(bars):
            return
        self._columns.append(bars)
        oldest, newest = (None, None) if told_ms is None else map(from_epoch_ms, told_ms)
        first, last = from_epoch_ms(int(bars.start_ms[0])), from_epoch_ms(int(bars.start_ms[-1]) + 1)
        self._sources.append(SourcePart(source, first, last, len(bars), oldest, newest))


def _merged(parts: list[SourcePart]) -> tuple[SourcePart, ...]:
    """By time; parts of one source with nothing but days off between them as one."""
    merged: list[SourcePart] = []
    for part in sorted(parts, key=lambda part: part.start):
        if merged and merged[-1].source == part.source:
            before = merged.pop()
            told = (*before.told, *part.told)
            part = replace(
                part,
                start=before.start,
                bars=before.bars + part.bars,
                fetched_at=min(told, default=None),
                newest_fetched_at=max(told, default=None),
            )
        merged.append(part)
    return tuple(merged)


def _at_once(fetched_ms: int | None) -> Told:
    return None if fetched_ms is None else (fetched_ms, fetched_ms)


def _gaps(reading: Reading, known: DaySpans) -> list[Span]:
    """Closed days that are not known and may have bars."""
    return to_ask(known.missing(*reading.closed()), reading.days.has_session)


def _minutes_of(of: SeriesKey) -> SeriesKey:
    return of[0], of[1], MINUTE


def _failed(reading: Reading, fetched: Fetched) -> list[Missing]:
    return [one for span, error in fetched.failed.items() for one in _missing(reading, span, str(error), error)]


def _not_kept(reading: Reading) -> list[Missing]:
    """The part that is older than anything the broker keeps."""
    since = reading.interval.caps.since
    start = reading.days.start(since.toordinal())
    if reading.start >= start:
        return []
    why = f"the broker keeps {reading.interval.unit} since {since:%B %Y}"
    return [Missing(reading.start, min(start, reading.end), why)]


def _stale(reading: Reading, running: Running, error: UpstoxError) -> Missing:
    """The running day from where it is known on."""
    days = reading.days
    told = days.start_ms(days.today, intraday=reading.interval.intraday)
    if running.fetched_ms is not None:
        told = max(told, running.fetched_ms)
    start = max(from_epoch_ms(told), reading.start)
    return Missing(start, max(start, min(days.now, reading.end)), str(error), error)


def _missing(reading: Reading, span: Span, why: str, error: UpstoxError | None = None) -> list[Missing]:
    """`span`, as far as it was asked for. Without one of its days a week or a month is not known."""
    whole = whole_periods(span, reading.interval)
    low, high = (from_epoch_ms(at) for at in reading.days.span_ms(*whole, reading.interval))
    start, end = max(low, reading.start), min(high, reading.end)
    return [Missing(start, end, why, error)] if start < end else []
