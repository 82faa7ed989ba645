"""The measures of one process: a snapshot for whoever asks, the checks made of it, and a week of history."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from services.domain.clock import Clock
from services.domain.errors import StorageError, UpstoxError
from services.domain.health_row import HealthRow
from services.measures.calls_now import RestNow
from services.measures.checks import Check, CheckBook
from services.measures.history import row_between
from services.measures.process import ProcessMeter
from services.measures.shared_check import check_shared
from services.measures.shared_now import SharingNow
from services.measures.snapshot import (
    CacheNow,
    ClockNow,
    ErrorsNow,
    FeedNow,
    LedgerNow,
    MarketNow,
    OrdersNow,
    PushNow,
    Snapshot,
    TokenNow,
)
from services.measures.storage_now import THE_LEDGER, StorageNow
from services.measures.verdicts import RULES
from services.measures.watching import Jumps
from services.storage.background import Recurring
from services.storage.health_history import HealthHistory

FRESH_SECONDS = 1.0
"""Whoever asks again so soon gets the same snapshot."""
EVERY_SECONDS = 10.0
THIN_EVERY = 60
"""Rows between two rounds of thinning: ten minutes."""
MOST_UNWRITTEN = 360
"""Rows that wait for a disk that takes none, an hour's worth; then the oldest are let go."""

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who is asked for each part of a snapshot. None of them asks the network; `None` as an answer: the part is not
    built. What they raise becomes a problem of the snapshot."""

    rest: Callable[[], RestNow | None]
    feed: Callable[[], FeedNow | None]
    portfolio_feed: Callable[[], FeedNow | None]
    cache: Callable[[], CacheNow | None]
    storage: Callable[[Mapping[str, str]], StorageNow | None]
    """Is given what did not work when files were looked at or written for the measures themselves."""
    ledger: Callable[[], LedgerNow | None]
    orders: Callable[[], OrdersNow | None]
    errors: Callable[[], ErrorsNow | None]
    token: Callable[[], TokenNow | None]
    market: Callable[[], MarketNow | None]
    clock_offset: Callable[[], float | None]
    shared: Callable[[], SharingNow | None] = lambda: None


class Measures:
    """Safe to share between threads. Thread: `measures`, from `start` on; it looks every ten seconds and keeps a row of
    history. One lock guards the snapshot that is handed out; it is not held while the parts are asked."""

    def __init__(
        self,
        *,
        sources: Sources,
        clock: Clock,
        speed: Callable[[], float] = lambda: 1.0,
        history: Callable[[], HealthHistory] | None = None,
        fresh_seconds: float = FRESH_SECONDS,
        every_seconds: float = EVERY_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.push: Callable[[], PushNow | None] = lambda: None
        """Set by whoever has browsers that listen."""
        self._sources = sources
        self._clock = clock
        self._speed = speed
        self._history = history
        self._fresh = fresh_seconds
        self._every = every_seconds
        self._monotonic = monotonic
        self._process = ProcessMeter()
        self._book = CheckBook({**RULES, "shared": check_shared})
        self._guard = Lock()  # guards the next two
        self._last: tuple[float, Snapshot] | None = None
        self._jumps = Jumps()
        self._looking = Lock()  # held while the parts are asked: one look at a time
        self._faults: dict[str, str] = {}  # swapped whole
        self._before: tuple[float, Snapshot] | None = None  # of the thread alone, as the rest
        self._unwritten: deque[HealthRow] = deque(maxlen=MOST_UNWRITTEN)
        self._written = 0
        self._thread = Recurring(self._step, name="measures")

    # -- now -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """How the desk does now, at most a second old. Never raises; may read files, never asks the network."""
        now = self._monotonic()
        with self._guard:
            last = self._last
        if last is not None and now - last[0] < self._fresh:
            return last[1]
        if not self._looking.acquire(blocking=last is None):
            assert last is not None
            return last[1]  # somebody else is about to know better
        try:
            with self._guard:
                newest = self._last
            if newest is not None and newest is not last:
                return newest[1]
            taken = self._look(now)
            self._book.look(taken, now)  # whoever looks, checks change their state when it changes
            with self._guard:
                self._last = (now, taken)
            return taken
        finally:
            self._looking.release()

    def checks(self) -> tuple[Check, ...]:
        """The checks, of a snapshot that is at most a second old."""
        return self._book.look(self.snapshot(), self._monotonic())

    def _look(self, now: float) -> Snapshot:
        sources = self._sources
        problems: dict[str, str] = {}

        def ask(part: str, source: Callable[[], T | None]) -> T | None:
            try:
                return source()
            except (UpstoxError, sqlite3.Error, SQLAlchemyError, OSError) as error:
                problems[part] = in_words(error)
            except Exception as error:  # a fault in one part must not hide how all the others do
                log.exception("the measures of %s could not be read", part)
                problems[part] = f"a fault of the desk's own ({type(error).__name__}); the log has it"
            return None

        at = self._clock.now()
        self._jumps.look(now, at, self._speed())
        errors, ledger = ask("errors", sources.errors), ask("ledger", sources.ledger)
        faults = dict(self._faults)
        for part, name in (("errors", "The error log"), ("ledger", THE_LEDGER)):
            if part in problems:
                faults[name] = problems[part]
        return Snapshot(
            at=at,
            rest=ask("rest", sources.rest),
            feed=ask("feed", sources.feed),
            portfolio_feed=ask("portfolio_feed", sources.portfolio_feed),
            push=ask("push", self.push),
            cache=ask("cache", sources.cache),
            storage=ask("storage", lambda: sources.storage(faults)),
            ledger=ledger,
            orders=ask("orders", sources.orders),
            errors=errors,
            token=ask("token", sources.token),
            market=ask("market", sources.market),
            process=self._process.read(),
            clock=ClockNow(
                offset_seconds=ask("clock", sources.clock_offset),
                jumps=self._jumps.count,
                jump_seconds=self._jumps.seconds,
                jumped_ago=self._jumps.ago(now),
                speed=self._speed(),
            ),
            problems=problems,
            shared=ask("shared", sources.shared),
        )

    # -- history -------------------------------------------------------------------------------------------------

    def history(self, since: timedelta, *, width_ms: int = 1) -> list[HealthRow]:
        """The rows of the last `since`, the oldest first, those that wait for the disk among them; stored rows of the
        same stretch of `width_ms` come as one. Raises what the disk says."""
        now = self._clock.now()
        rows = [] if self._history is None else self._history().read(now - since, now, width_ms=width_ms)
        newest = rows[-1].at_ms if rows else 0
        return rows + [row for row in list(self._unwritten) if row.at_ms > newest]

    def start(self) -> None:
        """Begin to keep history; a second call changes nothing."""
        self._thread.ensure()

    def close(self) -> None:
        self._thread.close()

    def keep(self) -> None:
        """One look for the history. Called by the thread; by nobody else but tests."""
        now, taken = self._monotonic(), self.snapshot()
        before, self._before = self._before, (now, taken)
        if before is None or now <= before[0]:
            return
        self._unwritten.append(row_between(before[1], taken, now - before[0]))
        if self._history is None:
            return
        rows = list(self._unwritten)
        thin = self._written % THIN_EVERY == 0
        try:
            self._history().add(rows, thin_at=taken.at if thin else None)
        except (StorageError, sqlite3.Error) as error:
            if not self._faults:
                log.warning("the history of the desk's health is not written: %s", error)
            self._faults = {"The market file": in_words(error)}
            return
        self._faults = {}
        self._written += 1
        for _ in rows:
            self._unwritten.popleft()

    def _step(self) -> float | None:
        self.keep()
        return self._every


def in_words(error: Exception) -> str:
    """What an error says, for a person; of foreign ones the name alone, as their texts hold statements and values."""
    if isinstance(error, UpstoxError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        return f"the file cannot be used ({type(error).__name__}: {error})"
    return f"it cannot be read ({type(error).__name__})"
