"""Counts what is looked at, and keeps the likeliest charts warm."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from services.domain.clock import IST, Clock, epoch_ms
from services.domain.errors import StorageError, UpstoxError
from services.storage.use_store import Use, UseStore
from services.warming.budget import spare_calls
from services.warming.predicting import CHART_PAGE, last_details, likeliest
from services.wire.rate_windows import Window

STEP_SECONDS = 60.0
WARM_SECONDS = 240.0
"""A chart is fetched again after that: its running day is good for 300 s."""
MOST_CHARTS = 26
"""As many as a tenth of 2,000 calls in half an hour keeps warm without a pause: more would push each other out."""
RELOAD_SECONDS = 300.0
"""What other processes on the same file have counted is read so often."""
ONE_USE_SECONDS = 600.0
"""A look that goes on, or comes back so soon, is one use."""
_MOST_LOOKS = 5_000
_MOST_WAITING = 2_000
_LONGEST_WINDOW = 1_800.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WarmingNow:
    """How it does, since the process began."""

    uses: int
    fetched: int
    calls: int
    failed: int


class Warmer:
    """`saw` comes from any thread and touches no file; everything else happens in `step`, on the thread of whoever
    keeps house. The lock guards what waits to be written."""

    def __init__(
        self,
        *,
        store: UseStore,
        fetch: Callable[[str, str], int],
        budgets: Callable[[], Sequence[tuple[Sequence[Window], float]]],
        clock: Clock,
        wanted: Callable[[], bool],
        rank: Callable[[Iterable[Use], datetime], Sequence[str]] = likeliest,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` brings a chart (instrument, detail) up to date and returns how many calls that took. `budgets`: the
        windows that such calls count against, each with the seconds for which it is closed. `wanted`: is there a market
        to warm for, and is it this process that does?"""
        self._store = store
        self._fetch = fetch
        self._budgets = budgets
        self._clock = clock
        self._wanted = wanted
        self._rank = rank
        self._monotonic = monotonic
        self._lock = Lock()
        self._looks: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._waiting: deque[Use] = deque(maxlen=_MOST_WAITING)  # the oldest are lost while the disk takes nothing
        self._warm: dict[str, float] = {}
        self._calls: deque[float] = deque()
        self._known: list[Use] = []
        self._read_at = float("-inf")
        self._uses = self._fetched = self._failed = self._calls_in_all = 0

    def saw(self, page: str, whats: Iterable[str], detail: str = "") -> None:
        """Somebody looks at these instruments on `page`; nobody asks who. To be told again by each run of the page."""
        now, local = self._monotonic(), self._clock.now().astimezone(IST)
        with self._lock:
            for what in whats:
                last = self._looks.pop((page, what), None)
                self._looks[page, what] = now
                if last is None or now - last > ONE_USE_SECONDS:
                    self._uses += 1
                    self._waiting.append(Use(page, what, local.hour, 1.0, local.toordinal(), epoch_ms(local), detail))
                if page == CHART_PAGE:
                    self._warm[what] = now  # whoever looks fetches it
            while len(self._looks) > _MOST_LOOKS:
                self._looks.popitem(last=False)

    def step(self, stopped: Callable[[], bool] = lambda: False) -> float:
        """Write down what was seen, and fetch what is likeliest to be opened and not warm, as far as a tenth of the
        free calls go, until `stopped`. Returns the seconds until the next one."""
        try:
            self._write()
            if self._wanted():
                self._prefetch(self._counted(), stopped)
        except (StorageError, sqlite3.Error) as error:
            log.info("nothing is warmed: %s", error)
        return STEP_SECONDS

    def now(self) -> WarmingNow:
        """How it does."""
        with self._lock:
            return WarmingNow(self._uses, self._fetched, self._calls_in_all, self._failed)

    def _counted(self) -> list[Use]:
        if self._monotonic() - self._read_at >= RELOAD_SECONDS:
            self._known, self._read_at = self._store.all(), self._monotonic()
        return self._known

    def _write(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        if not waiting:
            return
        try:
            self._store.add(waiting)
            self._read_at = float("-inf")
        except (StorageError, sqlite3.Error):
            with self._lock:
                self._waiting.extendleft(reversed(waiting))
            raise

    def _prefetch(self, uses: list[Use], stopped: Callable[[], bool]) -> None:
        began = self._monotonic()
        with self._lock:
            self._warm = {what: at for what, at in self._warm.items() if began - at < WARM_SECONDS}
            warm = set(self._warm)
        spare, details = self._spare(), last_details(uses)
        for what in self._rank(uses, self._clock.now())[:MOST_CHARTS]:
            if what in warm:
                continue
            if spare <= 0 or stopped():
                return
            try:
                calls = self._fetch(what, details[what])
            except UpstoxError as error:
                log.info("%s was not warmed: %s", what, error)
                self._calls.append(self._monotonic())
                with self._lock:
                    self._failed += 1
                    self._warm[what] = began
                if error.retryable:
                    return  # whatever is the matter, it is not the time for calls that nobody has asked for
                continue  # an expired contract must not stand in the way of the others
            now = self._monotonic()
            self._calls.extend([now] * calls)
            with self._lock:
                self._warm[what] = now
                self._fetched += 1
                self._calls_in_all += calls
            spare = min(spare - calls, self._spare())

    def _spare(self) -> int:
        now = self._monotonic()
        while self._calls and now - self._calls[0] > _LONGEST_WINDOW:
            self._calls.popleft()
        ages = [now - at for at in self._calls]
        return min((spare_calls(windows, ages, closed=closed) for windows, closed in self._budgets()), default=0)
