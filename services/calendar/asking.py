"""The questions to the broker, one round at a time, and how long each rests after it has failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Protocol

from services.calendar.schedule import Due
from services.domain.accounts import Holiday, MarketStatus, Window
from services.domain.errors import (
    LoginRequired,
    MalformedPayload,
    NoAnswer,
    NotSent,
    RateBudgetSpent,
    RateLimited,
    RequestRefused,
    TokenRejected,
    UpstoxError,
)
from services.domain.phases import Market

HOLIDAYS, TIMINGS, STATUS = "holidays", "timings", "status"
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 300.0
"""Real seconds before a question that failed is asked again: doubled with every failure."""
_NOBODY_THERE = (NotSent, NoAnswer, RateLimited, RateBudgetSpent)
"""After these, more questions would fail the same way, or do harm."""
_NOT_LET_IN = (LoginRequired, TokenRejected)
"""After these, other questions about statuses would; the lists need no login."""

log = logging.getLogger(__name__)


class CalendarSource(Protocol):
    """The broker's three calls; each raises an `UpstoxError`."""

    def market_status(self, exchange: str) -> MarketStatus: ...
    def holidays(self, day: date | None = None) -> list[Holiday]: ...
    def timings(self, day: date) -> list[Window]: ...


class Listener(Protocol):
    """Who takes the answers in."""

    def take_holidays(self, rows: list[Holiday]) -> None: ...
    def take_timings(self, day: date, windows: list[Window]) -> None: ...
    def take_statuses(self, told: Mapping[Market, MarketStatus]) -> None: ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a question was not answered, and when it may be asked again (monotonic)."""

    said: str
    failures: int
    not_before: float


class Asking:
    """Asks `source` and remembers what failed. Rounds come one after the other; `troubles` may be read at any time."""

    def __init__(
        self, source: CalendarSource, listener: Listener, *, stopped: Callable[[], bool], monotonic: Callable[[], float]
    ) -> None:
        self._source = source
        self._listener = listener
        self._stopped = stopped
        self._monotonic = monotonic
        self._lock = Lock()  # guards the one below
        self._troubles: dict[str, Trouble] = {}
        self.was_answered = False
        """Has the broker answered anything since this was made?"""

    def errors(self) -> dict[str, str]:
        """What could not be asked the last time, and why."""
        with self._lock:
            return {name: trouble.said for name, trouble in self._troubles.items()}

    def rested(self, wanted: Due) -> Due:
        """`wanted` without the questions that have just failed."""
        now = self._monotonic()
        with self._lock:
            resting = {name for name, trouble in self._troubles.items() if now < trouble.not_before}
        return Due(
            wanted.holidays and HOLIDAYS not in resting,
            () if TIMINGS in resting else wanted.timings,
            () if STATUS in resting else wanted.statuses,
        )

    def forget(self) -> None:
        """Another broker is there: what failed before is no matter."""
        with self._lock:
            self._troubles.clear()

    def round(self, wanted: Due) -> UpstoxError | None:
        """Ask for `wanted`; the first error. A broker that gives no answer is not asked the rest."""
        questions: list[tuple[str, Callable[[], None]]] = []
        if wanted.holidays:
            questions.append((HOLIDAYS, self._ask_holidays))
        if wanted.timings:
            questions.append((TIMINGS, lambda: self._ask_timings(wanted.timings)))
        if wanted.statuses:
            questions.append((STATUS, lambda: self._ask_statuses(wanted.statuses)))
        first: UpstoxError | None = None
        for name, question in questions:
            if self._stopped():
                break
            if isinstance(first, _NOBODY_THERE):
                self._failed(name, first)
                continue
            try:
                question()
            except UpstoxError as error:
                self._failed(name, error)
                first = first or error
            else:
                self.was_answered = True
                with self._lock:
                    self._troubles.pop(name, None)
        return first

    def _ask_holidays(self) -> None:
        rows = self._source.holidays()
        if not rows:
            raise MalformedPayload("the broker's list of holidays is empty, which no year's is", field="data")
        self._listener.take_holidays(rows)

    def _ask_timings(self, days: Iterable[date]) -> None:
        for day in days:
            if not self._stopped():
                self._listener.take_timings(day, self._source.timings(day))

    def _ask_statuses(self, markets: Iterable[Market]) -> None:
        """One call for each market. A market that makes trouble leaves the others alone, and one that the broker does
        not serve is no trouble where it serves others."""
        told: dict[Market, MarketStatus] = {}
        problem: UpstoxError | None = None
        try:
            for market in markets:
                if self._stopped():
                    return
                try:
                    told[market] = self._status_of(market)
                except (*_NOBODY_THERE, *_NOT_LET_IN):
                    raise
                except UpstoxError as error:
                    log.info("the broker's status of %s was not heard: %s", market, error)
                    problem = error
        finally:
            if told:
                self._listener.take_statuses(told)
        if problem is not None and (not told or not isinstance(problem, RequestRefused)):
            raise problem

    def _status_of(self, market: Market) -> MarketStatus:
        status = self._source.market_status(market.value)
        if status.exchange != market.value:
            raise MalformedPayload(f"asked about {market}, told about {status.exchange[:20]!r}", field="exchange")
        return status

    def _failed(self, name: str, error: UpstoxError) -> None:
        said = "somebody has to log in first" if isinstance(error, LoginRequired) else str(error)
        with self._lock:
            before = self._troubles.get(name)
            failures = 1 if before is None else before.failures + 1
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
            self._troubles[name] = Trouble(said, failures, self._monotonic() + pause)
        log.log(logging.INFO if failures > 1 else logging.WARNING, "the calendar's %s were not heard: %s", name, said)
