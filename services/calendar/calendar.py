"""Keeps the calendar of this process: the desk's own table, with the broker's word laid over it as it comes in."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Event, Lock

from services.calendar.asking import HOLIDAYS, STATUS, TIMINGS, Asking, CalendarSource
from services.calendar.brokers_word import BrokersWord, remembered
from services.calendar.laying import Laid
from services.calendar.schedule import Due, due, everything
from services.calendar.state import CalendarState, SourceState
from services.calendar.telling import RaiseAlert, ResolveAlerts, Telling
from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.calendar.calendar import BUNDLED, MarketCalendar, known_until
from services.domain.clock import Clock, ist_date
from services.domain.errors import StorageError
from services.domain.phases import Listing, Market, PhaseNow
from services.storage.background import Recurring
from services.storage.calendar_contradictions import Contradiction, ContradictionStore
from services.storage.calendar_store import CalendarStore, HeardStatus
from services.storage.pool import Pool

LOOK_SECONDS = 15.0
"""Real seconds between two looks at what is due, and the least between two rounds of questions: a clock that runs 60
times as fast must not make 60 times the requests."""
BELIEVED = timedelta(minutes=20)
"""So long a status that contradicts the calendar is followed after it was heard last; then the calendar answers."""
REMEMBERED = timedelta(days=400)
"""What the broker said of days up to so long ago still counts for them."""
PATIENCE = 25.0
"""Real seconds that somebody who needs an answer waits for the round of another."""
TABLE = "table"

log = logging.getLogger(__name__)


class Calendar:
    """The calendar of one market file. Safe to share between threads; make one per process and file, and close it.

    Questions are answered at once from what is known: `current`, `phase` and `state` make no request. The broker is
    asked by the thread `calendar-refresher` (from `start` on) or by whoever calls `refresh`. What it answers is kept in
    the file, so that a desk that starts without network has it, with its age.

    In a practice session (`practice()`) the broker trades around the clock; its word is kept and not followed.
    One lock guards the memory; it is never held across the network or the disk.
    """

    def __init__(
        self,
        *,
        ask: CalendarSource,
        pool: Pool,
        clock: Clock,
        raise_alert: RaiseAlert,
        resolve_alerts: ResolveAlerts,
        judges: Callable[[], bool] = lambda: True,
        practice: Callable[[], bool] = lambda: False,
        broker: str = "Upstox",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.broker = broker
        """Who is asked, as it is named to a person."""
        self._store = CalendarStore(pool)
        self._contradictions = ContradictionStore(pool)
        self._clock = clock
        self._practice = practice
        self._monotonic = monotonic
        self._closed = Event()
        self._asking = Asking(ask, self, stopped=self._closed.is_set, monotonic=monotonic)
        self._telling = Telling(raise_alert, resolve_alerts, judges)
        self._guard = Lock()  # guards the three below
        self._word = BrokersWord()
        self._laid = Laid()
        self._standing: tuple[Contradiction, ...] = ()
        self._turn = Lock()  # one round at a time; held across the network, by those who wait for it only
        self._in_practice: bool | None = None  # memory is of such a session; None: it is empty yet
        self._next_round = 0.0
        self._written: tuple[tuple[Contradiction, ...], bool] | None = None
        self._copied: date | None = None
        self._refresher = Recurring(self._look, name="calendar-refresher")
        self._remember()
        self._lay()

    # -- answers -----------------------------------------------------------------------------------------------

    @property
    def current(self) -> MarketCalendar:
        """The table with the broker's word, as a value. Makes no request."""
        return self._laid.current

    def phase(self, market: Market = Market.NSE, *, listing: Listing = Listing.ORDINARY) -> PhaseNow:
        """The phase of the real market now. Makes no request."""
        return self._laid.current.phase(market, self._clock.now(), listing=listing)

    def now(self) -> datetime:
        """The instant by which this calendar goes."""
        return self._clock.now()

    def heard_status(self, market: Market) -> HeardStatus | None:
        """What the broker said last of `market`, of any age; `None`: nothing yet. Makes no request."""
        return self._word.statuses.get(market)

    def heard_holidays(self, year: int) -> datetime | None:
        """When the broker told the holidays of `year` last; `None`: never."""
        return self._word.years.get(year)

    def heard_timings(self, day: date) -> datetime | None:
        """When the broker told the hours of `day` last; `None`: never."""
        return self._word.days.get(day)

    def state(self) -> CalendarState:
        """How current each source is, and what is contradicted. Makes no request."""
        with self._guard:
            word, standing = self._word, self._standing
        errors = self._asking.errors()
        now = self._clock.now()
        heard = {HOLIDAYS: word.holidays_at(now), TIMINGS: word.timings_at(now), STATUS: word.statuses_at(now)}
        sources = [SourceState(TABLE, "the desk's own table", None, None)]
        sources += [SourceState(name, self.broker, at, errors.get(name)) for name, at in heard.items()]
        until = min(known_until(market) for market in Market)
        return CalendarState(tuple(sources), standing, until, self._practice())

    # -- keeping it current ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Keep the calendar current from now on, in a thread. A second call does nothing."""
        self._refresher.ensure()

    def close(self) -> None:
        """End the thread, within a second. What is known can still be asked for."""
        self._closed.set()
        self._refresher.close(timeout=1.0)

    def refresh(self) -> None:
        """Ask the broker for everything that can be asked of today, now. Raises the first `UpstoxError` met, after
        what could be heard was taken in."""
        with self._turn:
            self._remember()
            error = self._asking.round(everything(self._clock.now()))
            self._lay()
            self._tell()
        if error is not None:
            raise error

    def refresh_if_due(self, *, wait: bool = False) -> None:
        """Ask the broker for what is due, if anything is. Failures are logged and kept in `state()`.

        Blocks while it asks. If another thread is at it: returns at once, or with `wait` when that one is done.
        """
        if not self._turn.acquire(blocking=wait, timeout=PATIENCE if wait else -1):
            return
        try:
            self._remember()
            now = self._monotonic()
            wanted = self._wanted() if now >= self._next_round else Due()
            if wanted:
                self._next_round = now + LOOK_SECONDS
                self._asking.round(wanted)
            self._lay()
            self._tell()
        finally:
            self._turn.release()

    def _look(self) -> float:
        self.refresh_if_due()
        return LOOK_SECONDS

    def _wanted(self) -> Due:
        """What is due and has not just failed."""
        with self._guard:
            word, laid = self._word, self._laid
        wanted = due(self._clock.now(), word, laid.by_days, laid.disputed, practice=bool(self._in_practice))
        return self._asking.rested(wanted)

    # -- answers come in (in turn) -----------------------------------------------------------------------------

    def take_holidays(self, rows: list[Holiday]) -> None:
        self._take(
            lambda word, at: word.with_holidays(rows, at),
            lambda source, at: self._store.save_holidays(source, rows, at),
        )

    def take_timings(self, day: date, windows: list[Window]) -> None:
        self._take(
            lambda word, at: word.with_timings(day, windows, at),
            lambda source, at: self._store.save_timings(source, day, windows, at),
        )

    def take_statuses(self, told: Mapping[Market, MarketStatus]) -> None:
        self._take(
            lambda word, at: word.with_statuses(told, at),
            lambda source, at: self._store.save_statuses(source, told.values(), at),
        )

    def _take(
        self, grow: Callable[[BrokersWord, datetime], BrokersWord], save: Callable[[str, datetime], object]
    ) -> None:
        """Take an answer in, and keep it. One that came while the session changed its nature is let go."""
        if self._practice() is not self._in_practice:
            return
        at = self._clock.now()
        with self._guard:
            self._word = grow(self._word, at)
        self._on_file(lambda: save(self._source, at))

    # -- laying the broker's word over the table, and telling of it (in turn) ----------------------------------

    @property
    def _source(self) -> str:
        """The name under which answers are kept. Those of a practice session say nothing of the market."""
        name = self.broker.removeprefix("the ")
        return f"{name}, practice" if self._in_practice else name

    def _remember(self) -> None:
        """Bring into memory what the file holds, at first and when a session of the other kind has begun."""
        practice = self._practice()
        if practice is self._in_practice:
            return
        self._in_practice = practice
        now = self._clock.now()
        words: list[BrokersWord] = []
        self._on_file(lambda: words.append(remembered(self._store, self._source, ist_date(now) - REMEMBERED, now)))
        with self._guard:
            self._word = words[0] if words else BrokersWord()
            self._laid = Laid()
        self._asking.forget()

    def _lay(self) -> None:
        """Make the calendar of this instant, if it differs from the one of before."""
        now = self._clock.now()
        with self._guard:
            word, before = self._word, self._laid
        laid = Laid() if self._in_practice else before.with_word(word, self.broker, now, self._believed)
        with self._guard:
            self._laid = laid
            known = {(one.market, one.day, one.about): one.since for one in self._standing}
            self._standing = tuple(
                replace(one, since=known.get((one.market, one.day, one.about), one.since))
                for one in laid.contradictions
            )

    @property
    def _believed(self) -> timedelta:
        """At least until the next look, however fast the clock runs."""
        return max(BELIEVED, timedelta(seconds=2 * LOOK_SECONDS * float(getattr(self._clock, "speed", 1.0))))

    def _tell(self) -> None:
        """Write the contradictions down and raise or resolve their alerts.

        After a start nothing is over before the broker was heard: what the desk does not know yet may stand.
        """
        now = self._clock.now()
        sure = self._asking.was_answered or bool(self._in_practice)
        with self._guard:
            standing = self._standing
        if (standing, sure) != self._written:
            kept: list[tuple[Contradiction, ...]] = []
            if self._on_file(lambda: kept.append(self._contradictions.settle(standing, now, end_others=sure))):
                since = {(one.market, one.day, one.about): one.since for one in kept[0]}
                standing = tuple(replace(one, since=since[one.market, one.day, one.about]) for one in standing)
                self._written = standing, sure
                with self._guard:
                    self._standing = standing
        self._telling.tell(standing, ist_date(now), may_resolve=sure)
        self._copy_table(ist_date(now), now)

    def _copy_table(self, today: date, now: datetime) -> None:
        """Once a day, for people who look into the file."""
        if self._copied == today:
            return
        days, plans = BUNDLED.named_days(today.year), [BUNDLED.day(market, today) for market in Market]
        if self._on_file(lambda: self._store.save_table(today, days, plans, now)):
            self._copied = today

    def _on_file(self, work: Callable[[], object]) -> bool:
        """Do `work` on the market file. The calendar goes on without the file where that fails."""
        try:
            work()
        except (StorageError, sqlite3.Error) as error:
            log.warning("the calendar's file could not be used: %s", error)
            return False
        return True
