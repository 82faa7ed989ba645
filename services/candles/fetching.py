"""Fetches the closed days that are missing, and no others; stores each answer before the next call is made.

The newest days come first. Each call goes v3 then v2 (the transport's rule); where v2 takes fewer days in one call, or
has the interval only as single minutes, the second way is gone here, in several calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from threading import Lock, local
from typing import Protocol

import numpy as np

from services.candles.comparing import changes, factor, jumps
from services.candles.flights import Flights
from services.candles.market_days import MarketDays
from services.candles.planning import FAR, calls, overlapping, to_ask, whole_periods
from services.candles.shelf import SeriesKey, Shelf
from services.domain.candles import MINUTE, Interval
from services.domain.clock import Clock, epoch_ms
from services.domain.day_spans import DaySpans, Span
from services.domain.errors import (
    AccessDenied,
    BadInstrumentKey,
    LoginRequired,
    NotSent,
    RateBudgetSpent,
    RateLimited,
    TokenRejected,
    UpstoxError,
)
from services.storage.candle_store import CandleStore, Change
from services.transport.caller import Served
from services.wire.candle_columns import CandleColumns

log = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
"""`progress(done, words)`: `done` from 0 to 1, on the reader's own thread."""

_HOPELESS = (LoginRequired, TokenRejected, AccessDenied, BadInstrumentKey, NotSent, RateBudgetSpent, RateLimited)
"""After one of these the next call would end alike: the rest is not asked for."""


class CandleSource(Protocol):
    """The broker's candle calls, as `UpstoxApi` has them."""

    def candles(
        self, key: str, interval: Interval, first: date, last: date, *, use_v3: bool = True
    ) -> Served[CandleColumns]: ...

    def candles_today(self, key: str, interval: Interval, *, use_v3: bool = True) -> Served[CandleColumns]: ...


@dataclass(slots=True)
class Fetched:
    """What one reader's fetching came to."""

    told: dict[str, DaySpans] = field(default_factory=dict)
    """The days that came now, by the call that told them."""
    failed: dict[Span, UpstoxError] = field(default_factory=dict)
    settled: DaySpans = field(default_factory=DaySpans)
    """Days that need not be asked for again in this read: the broker has nothing to tell yet, or minutes of them came
    by the second way."""
    begun_anew: bool = False
    """All that was stored of the instrument was out of date and is gone: look again at what is missing."""

    def needs_no_more(self, span: Span) -> None:
        self.settled = self.settled.with_span(*span)


class FetchCounts:
    """Calls and what they brought, since this process began. Thread-safe."""

    def __init__(self) -> None:
        self.calls = self.candles = self.failures = self.begun_anew = 0
        self.seconds = 0.0
        self._guard = Lock()
        self._own = local()

    @property
    def own_calls(self) -> int:
        """Calls that the thread which asks has made."""
        return getattr(self._own, "calls", 0)

    def called(self, served: Served[CandleColumns]) -> None:
        """A call was answered."""
        self._own.calls = self.own_calls + 1
        with self._guard:
            self.calls += 1
            self.candles += len(served.value)
            self.seconds += served.elapsed_ms / 1000

    def failed(self) -> None:
        """A call was not."""
        self._own.calls = self.own_calls + 1
        with self._guard:
            self.failures += 1

    def anew(self) -> None:
        """All that was stored of an instrument was out of date."""
        with self._guard:
            self.begun_anew += 1


class Fetcher:
    """Fills the store. Thread-safe; readers of the same days share one call."""

    def __init__(
        self, *, source: CandleSource, store: CandleStore, shelf: Shelf, flights: Flights, clock: Clock
    ) -> None:
        self.counts = FetchCounts()
        self._source = source
        self._store = store
        self._shelf = shelf
        self._flights = flights
        self._clock = clock

    def fetch(
        self,
        of: SeriesKey,
        wanted: list[Span],
        days: MarketDays,
        *,
        use_v3: bool = True,
        progress: Progress | None = None,
    ) -> Fetched:
        """Have the closed days of `wanted` covered, as far as they can be. Failures are told, not raised."""
        done = Fetched()
        left = self._left(of, wanted, days, done)
        total = sum(end - first for first, end in left)
        while left and not done.begun_anew:
            if progress is not None:
                progress(1 - sum(end - first for first, end in left) / total, _in_words(of, left[0]))
            call = left[0]
            flight, mine = self._flights.join_or_start(of, call)
            if not mine:
                flight.wait()
                if flight.error is not None:
                    self._give_up(flight.span, flight.error, left, done)
            elif call not in self._left(of, wanted, days, done):  # somebody has brought it this very moment
                self._flights.end(flight)
            else:
                error: UpstoxError | None = None
                try:
                    self._bring(of, call, days, done, use_v3=use_v3)
                except UpstoxError as failure:
                    error = failure
                    self.counts.failed()
                    self._give_up(call, failure, left, done)
                finally:
                    self._flights.end(flight, error)
            left = self._left(of, wanted, days, done)
        if progress is not None and total:
            progress(1.0, _in_words(of, None))
        return done

    def _left(self, of: SeriesKey, wanted: list[Span], days: MarketDays, done: Fetched) -> list[Span]:
        """The calls to be made: what is wanted, not covered, and has not failed."""
        covered = self._shelf.known(of, days)
        gaps = [gap for first, end in wanted for gap in covered.missing(*whole_periods((first, end), of[2]))]
        over = DaySpans((*done.failed, *done.settled))
        gaps = [part for gap in gaps for part in over.missing(*gap)] if over else gaps
        planned = calls(to_ask(gaps, days.has_session), of[2].caps.days, days.has_session)
        return [whole_periods(call, of[2]) for call in planned]

    def _give_up(self, span: Span, error: UpstoxError, left: list[Span], done: Fetched) -> None:
        """Do not ask for `span` again in this read; for nothing more, if that would end alike."""
        done.failed[span] = error
        if isinstance(error, _HOPELESS):
            done.failed.update((call, error) for call in left)

    # -- one call ----------------------------------------------------------------------------------------------

    def _bring(self, of: SeriesKey, call: Span, days: MarketDays, done: Fetched, *, use_v3: bool) -> None:
        """Ask for the days of `call` and store what comes. Raises what kept them from coming."""
        _, key, interval = of
        v2_only = not use_v3 and (interval.caps.v2_word is None or call[1] - call[0] > interval.caps.v2_days)
        if v2_only:
            self._second_way(of, call, days, done, None)
            return
        asked = overlapping(call, self._shelf.coverage(of), interval, days.has_session)
        try:
            served = self._ask(key, interval, asked, use_v3=use_v3)
        except UpstoxError as error:
            if not error.other_route:
                raise
            self._second_way(of, call, days, done, error)
            return
        self._keep(of, asked, served, days, done)

    def _second_way(
        self, of: SeriesKey, call: Span, days: MarketDays, done: Fetched, error: UpstoxError | None
    ) -> None:
        """The days of `call` by v2 alone: in shorter calls, or as single minutes, of which longer bars can be made."""
        origin, key, interval = of
        other = interval if interval.caps.v2_word is not None else MINUTE if interval.intraday else None
        if other is None or (error is not None and other == interval and call[1] - call[0] <= interval.caps.v2_days):
            raise error if error is not None else AssertionError(f"v2 has {interval} or minutes")
        target = (origin, key, other)
        gaps = [call] if other == interval else self._shelf.coverage(target).missing(*call)
        for short in calls(gaps, other.caps.v2_days, days.has_session):
            part = whole_periods(short, other)
            try:
                served = self._ask(key, other, part, use_v3=False)
            except UpstoxError as second:
                raise (error or second) from second
            self._keep(target, part, served, days, done)
        if other != interval:
            done.needs_no_more(call)  # longer bars are made of these minutes

    def _ask(self, key: str, interval: Interval, span: Span, *, use_v3: bool) -> Served[CandleColumns]:
        first, last = date.fromordinal(span[0]), date.fromordinal(span[1] - 1)
        served = self._source.candles(key, interval, first, last, use_v3=use_v3)
        self.counts.called(served)
        return served

    def _keep(self, of: SeriesKey, asked: Span, served: Served[CandleColumns], days: MarketDays, done: Fetched) -> None:
        """Store an answer, unless it tells that everything stored before is out of date."""
        origin, key, interval = of
        candles, now_ms = served.value, epoch_ms(self._clock.now())
        notes, moved = self._compared(of, asked, candles, days, now_ms)
        if moved is None:
            moved = self._moved_beside(of, asked, candles, days, use_v3=served.api_version != "v2")
        if moved is not None:
            self._begin_anew(of, moved, done)
            notes = [_moved_note(candles, now_ms, moved)] if len(candles) else []
        known = self._known_until(asked, candles, days, interval)
        if known < asked[1]:
            done.needs_no_more((known, asked[1]))
        if known <= asked[0]:
            return
        self._store.save(
            origin,
            key,
            interval,
            candles,
            covered=(asked[0], known),
            source=served.api_version,
            fetched_ms=now_ms,
            changes=notes,
        )
        self._shelf.changed(of)
        version = served.api_version
        done.told[version] = done.told.get(version, DaySpans()).with_span(asked[0], known)

    def _known_until(self, asked: Span, candles: CandleColumns, days: MarketDays, interval: Interval) -> int:
        """The end of the days of `asked` that are known now. What is silent about a session just over may speak yet."""
        first, end = asked
        told = set(np.unique(days.days_of(candles, interval)).tolist())
        while first < end and not days.settled(end - 1):
            low = interval.period(date.fromordinal(end - 1))[0].toordinal()
            if low in told or not any(days.has_session(day) for day in range(low, end)):
                break
            end = low
        return end

    # -- is what is stored still right? ------------------------------------------------------------------------

    def _compared(
        self, of: SeriesKey, asked: Span, candles: CandleColumns, days: MarketDays, now_ms: int
    ) -> tuple[list[Change], float | None]:
        """What differs from what was told of the same days before; and the factor, if all prices have become others."""
        interval = of[2]
        before = self._shelf.days(of, *asked).candles.between(*days.span_ms(*asked, interval))
        notes, moved = changes(before, candles, at_ms=now_ms), factor(before, candles)
        for running in self._store.todays(*of, *asked):
            now = candles.between(*days.span_ms(running.day, running.day + 1, interval))
            notes += changes(running.candles, now, at_ms=now_ms, told_ms=running.fetched_ms)
            moved = moved or factor(running.candles, now, running=True)
        return notes, moved

    def _moved_beside(
        self, of: SeriesKey, asked: Span, candles: CandleColumns, days: MarketDays, *, use_v3: bool
    ) -> float | None:
        """Where the price leaps between these days and stored ones beside them, ask for one of those again: if it is
        another one now, the factor."""
        interval, covered = of[2], self._shelf.coverage(of)
        earlier = next((day for day in range(asked[0] - 1, asked[0] - FAR, -1) if days.has_session(day)), None)
        later = next((day for day in range(asked[1], asked[1] + FAR) if days.has_session(day)), None)
        for day, newer in ((earlier, False), (later, True)):
            if day is None or day not in covered:
                continue
            span = whole_periods((day, day + 1), interval)
            stored = self._shelf.days(of, *span).candles.between(*days.span_ms(*span, interval))
            if jumps(candles, stored) if newer else jumps(stored, candles):
                again = self._ask(of[1], interval, span, use_v3=use_v3).value
                if (moved := factor(stored, again)) is not None:
                    return moved
        return None

    def _begin_anew(self, of: SeriesKey, moved: float, done: Fetched) -> None:
        """Forget every bar of the instrument: prices of before and after would not go together."""
        log.info("%s: older prices have changed by a factor of %.6g; its candles are fetched anew", of[1], moved)
        self._store.forget(of[0], of[1])
        self._shelf.forget(of[0], of[1])
        self.counts.anew()
        done.begun_anew = True


def _moved_note(candles: CandleColumns, at_ms: int, moved: float) -> Change:
    start = int(candles.start_ms[0])
    return Change(start, start, at_ms, "changed", 1, f"all older prices by a factor of {moved:.6g}; fetched anew")


def _in_words(of: SeriesKey, call: Span | None) -> str:
    if call is None:
        return f"candles of {of[2]}: done"
    first, last = date.fromordinal(call[0]), date.fromordinal(call[1] - 1)
    return f"candles of {of[2]}: {first:%d %b %Y} to {last:%d %b %Y}"
