"""The day's path of each instrument that somebody looks at, for sparklines. Fetched slowly, in the background. While no
price of today has come, the path is that of the day of the last one.

A page never waits for it: what is not known yet is an empty path. The candle call takes one instrument at a time and
2,000 calls in half an hour, hence the pace.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any

from services.domain.clock import Clock, practice_day
from services.domain.errors import RequestRefused, UpstoxError
from services.domain.quotes import Bar
from services.storage.background import Recurring

BAR = timedelta(minutes=5)
PACE_SECONDS = 1.0
"""Between two requests."""
QUICK_PACE_SECONDS = 0.25
QUICK_REQUESTS = 60
"""The first requests of a process come faster, so that the first screen fills."""
REFETCH_SECONDS = 300.0
WANTED_SECONDS = 60.0
"""A path that nobody has asked for this long is not kept current any more."""
PAUSE_SECONDS = 15.0
"""After a failure that is not about one instrument."""
MOST_TRACKS = 5_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TracksState:
    """How the fetching goes. `waiting` counts what is wanted and not yet known."""

    known: int
    waiting: int
    requests: int
    errors: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class _Track:
    """What is known of one instrument's day: `day`, which was the newest one on `asked_on`."""

    day: date
    asked_on: date
    closes: tuple[float, ...]
    last_start: datetime | None


class DayTracks:
    """Paths by instrument key. Safe to share between threads.

    One thread, `day-tracks`, alive while somebody wants a path; it makes the requests and touches nothing else. The
    lock guards everything below it and is not held across a request.
    """

    def __init__(
        self,
        *,
        fetch_bars: Callable[[str], Iterable[Bar]],
        clock: Clock,
        latest: Callable[[list[str]], Mapping[str, Mapping[str, Any]]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        in_background: bool = True,
    ) -> None:
        """`fetch_bars(key)` gives today's five-minute bars, oldest first, or those of the last day that has some.
        `latest(keys)` gives rows of the quote book without asking the broker; their prices lengthen the paths. Days go
        by `clock`, the pace by `monotonic`."""
        self._fetch_bars = fetch_bars
        self._latest = latest
        self._clock = clock
        self._monotonic = monotonic
        self._lock = Lock()
        self._tracks: dict[str, _Track] = {}
        self._wanted: dict[str, float] = {}  # until when
        self._due: dict[str, float] = {}  # when to ask (again); absent = at once
        self._requests = 0
        self._errors = 0
        self._last_error: str | None = None
        self._thread = Recurring(self.fetch_next, name="day-tracks") if in_background else None

    def track(self, key: str) -> tuple[float, ...]:
        """The closes of the day's five-minute bars and the last known price, oldest first; `()` while nothing is known.
        Asking keeps the path current for the next minute."""
        today = practice_day(self._clock.now())
        with self._lock:
            self._wanted[key] = self._monotonic() + WANTED_SECONDS
            track = self._tracks.get(key)
        if self._thread is not None and not self._thread.running:
            self._thread.ensure()
        if track is None or track.asked_on != today:
            return ()
        quote = None if self._latest is None else self._latest([key]).get(key)
        if track.day != today:
            return track.closes if quote is not None and _traded_on(quote) == track.day else ()
        return track.closes if quote is None else _lengthened(track, quote["ltp"], quote["received_at"])

    def state(self) -> TracksState:
        """How the fetching goes."""
        today = practice_day(self._clock.now())
        with self._lock:
            known = {key for key, track in self._tracks.items() if track.asked_on == today}
            return TracksState(
                known=len(known),
                waiting=len(self._wanted.keys() - known),
                requests=self._requests,
                errors=self._errors,
                last_error=self._last_error,
            )

    def fetch_next(self) -> float | None:
        """Fetch the path that is wanted most. Returns the seconds until the next may be, `None` if none is wanted."""
        now, today = self._monotonic(), practice_day(self._clock.now())
        with self._lock:
            self._forget(now)
            if not self._wanted:
                return None
            due = {key: self._due_at(key, today) for key in self._wanted}
            key = min(due, key=lambda key: due[key])
            if due[key] > now:
                return min(1.0, due[key] - now)
            self._requests += 1
            quick = self._requests <= QUICK_REQUESTS
        try:
            bars = list(self._fetch_bars(key))
        except UpstoxError as error:
            return self._failed(key, error)
        with self._lock:
            start = bars[-1].start if bars else None
            day = today if start is None else practice_day(start)
            self._tracks[key] = _Track(day, today, tuple(bar.close for bar in bars), start)
            self._due[key] = self._monotonic() + REFETCH_SECONDS
        return QUICK_PACE_SECONDS if quick else PACE_SECONDS

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()

    def _due_at(self, key: str, today: date) -> float:
        """When `key` is to be asked for: at once where nothing is known or the day has changed."""
        due = self._due.get(key)
        track = self._tracks.get(key)
        if due is None or (track is not None and track.asked_on != today):
            return float("-inf")
        return due

    def _failed(self, key: str, error: UpstoxError) -> float:
        """Note the failure. One that is about this instrument only delays this one, any other delays all."""
        log.info("the day's path of %s was not fetched: %s", key, error)
        with self._lock:
            self._errors += 1
            self._last_error = f"{key}: {error}"
            self._tracks.pop(key, None)  # yesterday's would make it due at once, for ever, before all others
            self._due[key] = self._monotonic() + REFETCH_SECONDS
        return PACE_SECONDS if isinstance(error, RequestRefused) else PAUSE_SECONDS

    def _forget(self, now: float) -> None:
        self._wanted = {key: until for key, until in self._wanted.items() if until > now}
        if len(self._tracks) > MOST_TRACKS:
            self._tracks = {key: track for key, track in self._tracks.items() if key in self._wanted}
            self._due = {key: due for key, due in self._due.items() if key in self._wanted}


def _traded_on(quote: Mapping[str, Any]) -> date | None:
    at: datetime | None = quote["last_trade_time"]
    return None if at is None else practice_day(at)


def _lengthened(track: _Track, price: float, at: datetime) -> tuple[float, ...]:
    """The closes, the last one replaced by a later price of the same bar, or followed by a price after it."""
    if track.last_start is None or practice_day(at) != track.day or at < track.last_start:
        return track.closes
    finished = track.closes[:-1] if at < track.last_start + BAR else track.closes
    return (*finished, price)
