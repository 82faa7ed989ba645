"""Candles for pages, read beside them: a page shows what is stored at once, and how far the rest has come."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Protocol

from services.candles.audit import AuditReport
from services.candles.series import CandleSeries
from services.domain.candles import Interval
from services.domain.errors import NotSent, UpstoxError

MOST = 48
"""Series that are remembered."""
WORKERS = 3
AGAIN_SECONDS = 4.0
"""A series is asked for again after that; what is complete and closed costs no request."""
AFTER_FAILURE = 10.0

log = logging.getLogger(__name__)


class Book(Protocol):
    """Where candles come from (`services.candles.book.CandleBook`)."""

    def read(
        self,
        key: str,
        interval: Interval | str,
        start: datetime,
        end: datetime,
        *,
        progress: Callable[[float, str], None] | None = None,
    ) -> CandleSeries: ...

    def stored(self, key: str, interval: Interval | str, start: datetime, end: datetime) -> CandleSeries: ...

    def audit(self, key: str, interval: Interval | str, start: datetime, end: datetime) -> AuditReport: ...


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a series. `series`: the last that was read, or what is stored; `None`: nothing yet."""

    series: CandleSeries | None = None
    audit: AuditReport | None = None
    error: UpstoxError | None = None
    """Why the last reading brought nothing."""
    share: float = 0.0
    """How far the reading that goes on has come, 0 to 1."""
    words: str = ""
    running: bool = False
    first: bool = True
    """Has nothing been read to its end yet?"""


@dataclass(slots=True)
class _Entry:
    look: Look = field(default_factory=Look)
    future: Future[None] | None = None
    due: float = float("-inf")


class CandleLoader:
    """Reads series on threads of its own (`desk-candles`), each series once at a time. The lock guards the entries and
    is held across no reading."""

    def __init__(self, book: Callable[[], Book], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._book = book
        self._monotonic = monotonic
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="desk-candles")
        self._lock = Lock()
        self._entries: OrderedDict[tuple[str, str, datetime], _Entry] = OrderedDict()

    def look(
        self, key: str, interval: Interval, start: datetime, end: datetime, *, patience: float = 0.0, now: bool = False
    ) -> Look:
        """What is known of the bars from `start` to `end` (of which the start names the series). Reads them again if
        that is due, or `now`; waits `patience` seconds at most for a first reading."""
        name = (key, interval.word, start)
        with self._lock:
            entry = self._entries.setdefault(name, _Entry())
            self._entries.move_to_end(name)
            while len(self._entries) > MOST:
                self._entries.popitem(last=False)
            if entry.future is None and (now or self._monotonic() >= entry.due):
                entry.look = replace(entry.look, running=True, share=0.0, words="")
                entry.future = self._submit(entry, key, interval, start, end)
            waiting = entry.future if entry.look.first else None
        if waiting is not None and patience > 0:
            wait([waiting], patience)
        return entry.look

    def close(self) -> None:
        """Take no more readings; those under way end by themselves."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _submit(
        self, entry: _Entry, key: str, interval: Interval, start: datetime, end: datetime
    ) -> Future[None] | None:
        try:
            return self._workers.submit(self._run, entry, key, interval, start, end)
        except RuntimeError:  # closed: the desk is ending
            entry.look = replace(entry.look, running=False, error=NotSent("the desk is closing"))
            return None

    def _run(self, entry: _Entry, key: str, interval: Interval, start: datetime, end: datetime) -> None:
        def progress(share: float, words: str) -> None:
            entry.look = replace(entry.look, share=share, words=words)

        pause = AGAIN_SECONDS
        try:
            book = self._book()
            if entry.look.series is None:
                entry.look = replace(entry.look, series=book.stored(key, interval, start, end))
            series = book.read(key, interval, start, end, progress=progress)
            audit = book.audit(key, interval, start, end)
            look = Look(series, audit, first=False)
            pause = AGAIN_SECONDS if series.complete else AFTER_FAILURE
        except UpstoxError as error:
            look = replace(entry.look, error=error, running=False, first=False)
            pause = AFTER_FAILURE
        except Exception:  # outermost loop of a thread: the page must hear an end
            log.exception("reading candles of %s failed", key)
            look = replace(entry.look, error=UpstoxError("an unexpected error"), running=False, first=False)
        with self._lock:
            entry.look = look
            entry.future = None
            entry.due = self._monotonic() + pause
