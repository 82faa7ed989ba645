"""What has to be done now and then, and by nobody's order: ticks packed, old records let go."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from threading import Event
from time import monotonic

from services.domain.calendar.calendar import MarketCalendar
from services.domain.clock import IST, Clock, ist_date
from services.domain.errors import StorageError
from services.domain.phases import TRADING, Market
from services.storage.background import Recurring
from services.storage.feed_metrics import FeedMetrics
from services.storage.tick_packing import TickPacker

EVERY_SECONDS = 1800.0
SHORTEST_PAUSE = 2.0
"""Real seconds: a simulated night may be over in a minute, and its rounds take time too."""
METRICS_DAYS = 90

log = logging.getLogger(__name__)


class Housekeeping:
    """The thread `housekeeping`: one round at its start, then one every half hour, and charts warmed in between where
    that is on. `close` interrupts a round between
    two of its transactions."""

    def __init__(
        self,
        *,
        packer: TickPacker,
        metrics: FeedMetrics,
        clock: Clock,
        calendar: Callable[[], MarketCalendar],
        log_days: int,
        packed_days: int,
        speed: Callable[[], float] = lambda: 1.0,
        every_seconds: float = EVERY_SECONDS,
        warm: Callable[[Callable[[], bool]], float] | None = None,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        """`every_seconds` of `clock`, which runs `speed()` times as fast as the host's. `warm` is done between rounds
        until it is stopped, and tells in how many seconds again."""
        self._packer = packer
        self._metrics = metrics
        self._clock = clock
        self._calendar = calendar
        self._log_days = log_days
        self._packed_days = packed_days
        self._speed = speed
        self._every = every_seconds
        self._warm = warm
        self._monotonic = monotonic
        self._due = float("-inf")
        self._stop = Event()
        self._thread = Recurring(self._step, name="housekeeping")

    def start(self) -> None:
        """Begin; a second call changes nothing."""
        self._thread.ensure()

    def begin_close(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self._stop.set()
        self._thread.close()

    def round(self) -> None:
        """Pack what is settled and let go of what is too old. Raises what the disk says."""
        now = self._clock.now()
        done = self._packer.tidy(
            self.settled_before(now), log_days=self._log_days, packed_days=self._packed_days, stop=self._stop.is_set
        )
        if done.packed or done.left_the_log or done.given_up:
            log.info("ticks: %d packed, %d left the log, %d given up", done.packed, done.left_the_log, done.given_up)
        self._metrics.prune(now - timedelta(days=METRICS_DAYS))

    def settled_before(self, now: datetime) -> datetime:
        """Up to when ticks are all in: now, once every market has closed; until then the beginning of the day."""
        calendar = self._calendar()
        if any(calendar.phase(market, now).phase in TRADING for market in Market):
            return datetime.combine(ist_date(now), time(0), IST).astimezone(UTC)
        return now

    def _step(self) -> float | None:
        if self._warm is None:
            return self._tidied()
        if self._monotonic() >= self._due and (pause := self._tidied()) is not None:
            self._due = self._monotonic() + pause
        if self._stop.is_set():
            return None
        again = self._warm(self._stop.is_set)
        return None if self._stop.is_set() else min(again, max(0.0, self._due - self._monotonic()))

    def _tidied(self) -> float | None:
        """One round; the seconds until the next."""
        try:
            self.round()
        except (StorageError, sqlite3.Error) as error:
            log.warning("housekeeping was not done: %s", error)
        return None if self._stop.is_set() else max(SHORTEST_PAUSE, self._every / max(1.0, self._speed()))
