"""What a page reads of the market in one go: rows, names, ages, problems. Renews the page's lease; never waits for the
network beyond a short first look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dashboard.asking import of_one_instrument
from dashboard.push.fields import Row, member
from dashboard.push.prices import feed_word
from dashboard.resources import asker, instruments_of
from services.calendar import Calendar
from services.domain.calendar.calendar import market_of
from services.domain.errors import UnknownInstrument, UpstoxError
from services.domain.instruments import Instrument
from services.domain.phases import TRADING, Listing
from services.runtime import Runtime

STALE_AFTER = 15.0
"""Seconds of the desk's clock after which a price is no longer called current while its market is in session."""
RENEWED_WITHIN = 7.0
"""Seconds within which the refresher renews what is watched; what is older gets asked about."""
SILENT_AFTER = 10.0
"""Real seconds without word from the desk after which the browser itself calls everything old."""
FIRST_LOOK = 1.5
"""Real seconds that a first paint may wait for first prices."""

NO_FEED: Mapping[str, Any] = {"live": False, "state": "off", "why": ""}  # Any: a flag and texts


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the market. `rows` has last known quotes of any age; a key without one is simply absent."""

    now: datetime
    keys: tuple[str, ...]
    rows: Mapping[str, Row]
    instruments: Mapping[str, Instrument]
    problems: Mapping[str, UpstoxError]
    """What is wrong with single instruments."""
    problem: UpstoxError | None
    """What keeps all prices from being renewed, `None` while all is well."""
    moving: frozenset[str]
    """The instruments whose market is in session: their prices should be current."""
    speed: float
    """Seconds of the desk's clock per real second."""
    feed: Mapping[str, Any] = field(default_factory=lambda: NO_FEED)
    """How the live feed does: `live`, `state`, `why` (see `dashboard.push.prices.feed_word`)."""

    def age(self, key: str) -> float | None:
        """Seconds since the quote of `key` came in."""
        row = self.rows.get(key)
        return None if row is None else (self.now - row["received_at"]).total_seconds()

    @property
    def in_session(self) -> bool:
        """Should any of these prices be moving now?"""
        return not self.moving.isdisjoint(self.keys)

    @property
    def youngest(self) -> float | None:
        """Age of the newest quote, in seconds."""
        key = self.newest
        return None if key is None else self.age(key)

    @property
    def newest(self) -> str | None:
        """The instrument whose quote came in last."""
        return max((key for key in self.keys if key in self.rows), key=self._received_at, default=None)

    def of_feed(self, key: str) -> bool:
        """Does the quote of `key` come from the live feed, or does the feed answer for it?"""
        row = self.rows.get(key)
        return row is not None and bool(member(row, "from_feed"))

    @property
    def is_whole(self) -> bool:
        """Is there a current price of every instrument that has no problem of its own?"""
        return all(self._is_current(key) for key in self.keys if key not in self.problems)

    def is_old(self, key: str) -> bool:
        """Is there a quote of `key` that is not of now? Decided as the browser's live components decide it."""
        age, of_feed = self.age(key), self.of_feed(key)
        if age is None or (of_feed and self.feed["live"]):
            return False
        troubled = self.problem is not None or key in self.problems
        return troubled or (key in self.moving and (of_feed or age > STALE_AFTER * max(1.0, self.speed)))

    def _is_current(self, key: str) -> bool:
        """Is it young, or what the feed told last? For while that lives its last word is the truth."""
        age = self.age(key)
        young = age is not None and age <= STALE_AFTER * max(1.0, self.speed)
        return young or (bool(self.feed["live"]) and self.of_feed(key))

    def _received_at(self, key: str) -> datetime:
        at: datetime = self.rows[key]["received_at"]
        return at

    def clockwork(self) -> dict[str, object]:
        """What every live component needs to go on counting ages by itself. `in_session` is of all its instruments
        together; where they may differ each one says of itself whether it moves."""
        return {
            "speed": self.speed,
            "in_session": self.in_session,
            "stale_after": STALE_AFTER * max(1.0, self.speed),
            "silent_after": SILENT_AFTER,
            "word": dict(self.feed),
        }

    def of(self, keys: Iterable[str]) -> Reading:
        """The same look, at some of its instruments."""
        return replace(self, keys=tuple(keys))

    def with_instruments(self, instruments: Mapping[str, Instrument]) -> Reading:
        """The same look, with the names of others, too."""
        return replace(self, instruments={**self.instruments, **instruments})


def read(desk: Runtime, holder: str, keys: Iterable[str]) -> Reading:
    """Take the lease of `holder` on `keys` and look at what is known of them. No request, no waiting."""
    wanted = tuple(dict.fromkeys(keys))
    if wanted:
        desk.quotes.watch(holder, wanted)
    now, speed = desk.clock.now(), float(getattr(desk.clock, "speed", 1.0))
    rows, feed = desk.quotes.last_known(wanted), feed_word(desk)
    due = RENEWED_WITHIN * max(1.0, speed)
    old = [key for key in wanted if key not in rows or _is_due(rows[key], now, due, feed)]
    reasons = asker().why(old)
    problems = {key: error for key, error in reasons.items() if of_one_instrument(error)}
    return Reading(
        now=now,
        keys=wanted,
        rows=rows,
        instruments=instruments_of(desk, wanted),
        problems=problems,
        problem=next((error for error in reasons.values() if not of_one_instrument(error)), None),
        moving=moving(desk, wanted),
        speed=speed,
        feed=feed,
    )


def _is_due(row: Row, now: datetime, due: float, feed: Mapping[str, Any]) -> bool:
    """Should it have been renewed by now? What a living feed answers for need not be."""
    if feed["live"] and member(row, "from_feed"):
        return False
    return bool((now - row["received_at"]).total_seconds() > due)


def first_read(
    desk: Runtime,
    holder: str,
    keys: Iterable[str],
    *,
    seconds: float = FIRST_LOOK,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Reading:
    """As `read`, but waits a moment for current prices of all: a page should not begin with dashes or yesterday."""
    wanted = tuple(keys)
    end = monotonic() + seconds
    reading = read(desk, holder, wanted)
    while wanted and not reading.is_whole and reading.problem is None and monotonic() < end:
        sleep(0.05)
        reading = read(desk, holder, wanted)
    return reading


def moving(desk: Runtime, keys: Iterable[str]) -> frozenset[str]:
    """Those of `keys` whose market is in session, for at least some of its listings; in a practice session all."""
    wanted = frozenset(keys)
    if desk.source.practice or not wanted:
        return wanted
    calendar = desk.calendar
    open_segments = {segment for segment in set(map(_segment, wanted)) if _in_session(calendar, segment)}
    return frozenset(key for key in wanted if _segment(key) in open_segments)


def _segment(key: str) -> str:
    return key.partition("|")[0]


def _in_session(calendar: Calendar, segment: str) -> bool:
    try:
        market = market_of(segment)
    except UnknownInstrument:  # indices of the world: their hours are not known, so their age is no fault
        return False
    return any(calendar.phase(market, listing=listing).phase in TRADING for listing in Listing)
