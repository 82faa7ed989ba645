"""The running day: the broker's provisional bars, at most five minutes old, and what the live feed has told since.

Minutes and hours are made of the day's minutes, asked for once for all intervals; only where nobody knows when the
session opened is the interval itself asked for. Weeks and months are made of days.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

import numpy as np

from services.candles.deriving import MINUTE_MS, from_minutes, is_exact, one_bar
from services.candles.fetching import CandleSource, FetchCounts
from services.candles.flights import Flights
from services.candles.forming import Live, LiveBars, with_live
from services.candles.market_days import MarketDays
from services.candles.series import FORMING, FROM_MINUTES, INTRADAY
from services.candles.shelf import SeriesKey
from services.domain.candles import DAY, MINUTE
from services.domain.clock import Clock, epoch_ms, from_epoch_ms
from services.domain.errors import UpstoxError
from services.storage.candle_store import CandleStore, TodaysBars
from services.wire.candle_columns import CandleColumns, columns_of, no_candles

log = logging.getLogger(__name__)

TTL = timedelta(minutes=5)
MOST_KNOWN = 1_000
"""Days in memory, of some 20 KB each; the others lie in the file."""
WITH_FEED = timedelta(minutes=30)
"""While the feed tells every trade, the broker is asked again only so often."""


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """The running day's bars of one interval."""

    candles: CandleColumns
    source: str = INTRADAY
    fetched_ms: int | None = None
    """When the broker told them; `None`: he did not."""
    live_from_ms: int | None = None
    """Bars from here on are the feed's, at least in part."""
    error: UpstoxError | None = None
    """Why they are not as new as they should be."""


NOTHING = Running(no_candles())


class RunningDay:
    """Today's bars of every instrument. Thread-safe; readers of one instrument share one call. The lock guards what is
    known and is held neither across the network nor the disk."""

    def __init__(
        self,
        *,
        source: CandleSource,
        store: CandleStore,
        flights: Flights,
        clock: Clock,
        counts: FetchCounts,
        live: Live | None,
        ttl: timedelta = TTL,
    ) -> None:
        self._source = source
        self._store = store
        self._flights = flights
        self._clock = clock
        self._counts = counts
        self._live = live
        self._ttl = ttl
        self._guard = Lock()
        self._known: OrderedDict[SeriesKey, TodaysBars | None] = OrderedDict()

    def bars(self, of: SeriesKey, days: MarketDays, *, ask: bool, use_v3: bool = True) -> Running:
        """Today's bars of `of` (minutes, hours or the day). With `ask`, asked for if they are too old; never raises."""
        if not days.has_session(days.today) or not days.has_begun():
            return NOTHING
        origin, key, interval = of
        live = None if self._live is None else self._live.heard(key)
        if interval == DAY:
            return self._day(of, days, live, ask=ask, use_v3=use_v3)
        opening = days.opening(days.today)
        if interval != MINUTE and opening is None:
            told, error = self._told(of, days, None, ask=ask, use_v3=use_v3)
            return _as_told(told, error)
        told, error = self._told((origin, key, MINUTE), days, live, ask=ask, use_v3=use_v3)
        if interval != MINUTE and told is not None and not is_exact(told.candles, opening):
            told, error = self._told(of, days, None, ask=ask, use_v3=use_v3)
            return _as_told(told, error)
        if told is None:
            return Running(no_candles(), error=error)
        minutes, live_from = told.candles, None
        if live is not None and live.since_ms <= told.fetched_ms:  # else some minutes between were heard by nobody
            minutes = with_live(minutes, told.fetched_ms, live)
            heard = live.minutes.start_ms[live.minutes.start_ms + MINUTE_MS > told.fetched_ms]
            live_from = int(heard[0]) if len(heard) else None
        if interval == MINUTE:
            return Running(minutes, INTRADAY, told.fetched_ms, live_from, error)
        bars = from_minutes(minutes, days.days_of(minutes, MINUTE), interval, days.opening)
        if live_from is not None:
            live_from = int(bars.start_ms[np.searchsorted(bars.start_ms, live_from, side="right") - 1])
        return Running(bars, INTRADAY, told.fetched_ms, live_from, error)

    def clear(self) -> None:
        """Forget what is known."""
        with self._guard:
            self._known.clear()

    def forget(self, origin: str, key: str) -> None:
        """Forget one instrument."""
        with self._guard:
            for of in [of for of in self._known if of[:2] == (origin, key)]:
                del self._known[of]

    # -- the day as one bar ------------------------------------------------------------------------------------

    def _day(self, of: SeriesKey, days: MarketDays, live: LiveBars | None, *, ask: bool, use_v3: bool) -> Running:
        start = days.start_ms(days.today, intraday=False)
        if live is not None and live.day is not None:
            opened, high, low, last, volume = live.day
            candles = columns_of([[start], [opened], [high], [low], [last], [volume], [live.oi]])
            return Running(candles, FORMING, None, start)
        told, error = self._told(of, days, None, ask=ask and use_v3, use_v3=use_v3)
        if ask and (not use_v3 or (error is not None and error.other_route)):
            # v2 has no call for the running day: its minutes, as one bar
            minutes, second = self._told((of[0], of[1], MINUTE), days, None, ask=True, use_v3=False)
            if second is None and minutes is not None:
                return Running(one_bar(minutes.candles, start), FROM_MINUTES, minutes.fetched_ms)
            error = error or second
        return _as_told(told, error)

    # -- the broker's word -------------------------------------------------------------------------------------

    def _told(
        self, of: SeriesKey, days: MarketDays, live: LiveBars | None, *, ask: bool, use_v3: bool
    ) -> tuple[TodaysBars | None, UpstoxError | None]:
        known = self._remembered(of, days)
        if not ask or (known is not None and self._still_good(known, days, live)):
            return known, None
        flight, mine = self._flights.join_or_start(of, (days.today, days.today + 1))
        if not mine:
            flight.wait()
            return self._remembered(of, days), flight.error
        error: UpstoxError | None = None
        try:
            known = self._remembered(of, days)
            if known is None or not self._still_good(known, days, live):
                known = self._ask(of, days, use_v3=use_v3)
        except UpstoxError as failure:
            error = failure
            self._counts.failed()
        finally:
            self._flights.end(flight, error)
        return known, error

    def _ask(self, of: SeriesKey, days: MarketDays, *, use_v3: bool) -> TodaysBars:
        origin, key, interval = of
        asked_ms = epoch_ms(self._clock.now())
        v3 = use_v3 or interval.caps.v2_word is None
        served = self._source.candles_today(key, interval, use_v3=v3)
        self._counts.called(served)
        today = served.value.between(
            *days.span_ms(days.today, days.today + 1, interval)
        )  # before the open: yesterday's
        told = TodaysBars(days.today, today.frozen(), asked_ms)
        self._store.save_todays(origin, key, interval, today, day=days.today, fetched_ms=asked_ms)
        self._remember(of, told)
        return told

    def _remembered(self, of: SeriesKey, days: MarketDays) -> TodaysBars | None:
        with self._guard:
            if of in self._known:
                known = self._known[of]
                self._known.move_to_end(of)
                return known if known is not None and known.day == days.today else None
        stored = self._store.todays(*of, days.today, days.today + 1)
        return self._remember(of, stored[-1] if stored else None, over=False)

    def _remember(self, of: SeriesKey, told: TodaysBars | None, *, over: bool = True) -> TodaysBars | None:
        """Keep it in memory, `over` what another thread has put there, and let go of who was asked for first."""
        with self._guard:
            if over or of not in self._known:
                self._known[of] = told
            self._known.move_to_end(of)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
            return self._known[of]

    def _still_good(self, known: TodaysBars, days: MarketDays, live: LiveBars | None) -> bool:
        told = from_epoch_ms(known.fetched_ms)
        over = days.over_since()
        if over is not None and told >= over:
            return True  # nothing more comes today
        if live is not None:  # the feed goes on from there, if it was listened to by then
            return live.since_ms <= known.fetched_ms and days.now - told < WITH_FEED
        return timedelta(0) <= days.now - told < self._ttl


def _as_told(told: TodaysBars | None, error: UpstoxError | None) -> Running:
    if told is None:
        return Running(no_candles(), error=error)
    return Running(told.candles, INTRADAY, told.fetched_ms, None, error)
