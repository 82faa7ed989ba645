"""What the push channel tells, out of the desk's quote book and its live feed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from dashboard.push.fields import Row
from services.domain.clock import epoch_ms
from services.domain.errors import InvalidRequest
from services.domain.quotes import FROM_FEED
from services.runtime import Runtime

RENEW_SECONDS = 5.0
"""The lease on what is watched lasts fifteen."""
LOOK_AT_ALL_SECONDS = 0.25
WORD_SECONDS = 0.1
MUTE_SECONDS = 3.0
"""A feed that told nothing for so long in session is not called live."""
HOLDER = "push"
MOST_UNWANTED = 1000
"""Rows of which it is remembered that they were told, though nobody listens any more."""
STEP = 50
STAND_FOR_ALL = 20

log = logging.getLogger(__name__)


class DeskPrices:
    """The quotes of all who listen. `changed` compares with what was told last: a quote that did not change is the same
    object. Everything runs on one thread and waits for nothing but a look into memory."""

    def __init__(self, runtime: Callable[[], Runtime], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._monotonic = monotonic
        self._told: dict[str, tuple[int, Row]] = {}
        self._version = 0
        self._renewed = (float("-inf"), frozenset[str]())
        self._looked = (float("-inf"), frozenset[str]())
        self._board_version = 0
        self._found: set[str] = set()  # changed when somebody asked for a whole state: others have yet to hear of it
        self._word: tuple[float, Mapping[str, Any]] = (float("-inf"), {})  # Any: as in `feed_word`

    def hold(self, holder: str, keys: Collection[str]) -> None:
        """Have the feed tell `keys` for as long as `holder` is there. What is more than the broker allows on one
        connection is told by requests."""
        runtime = self._runtime()
        try:
            runtime.feed.replace(holder, keys)
        except InvalidRequest as error:
            runtime.feed.release(holder)
            held = _hold_what_fits(runtime, holder, sorted(keys))
            log.warning("the feed takes %d of %d instruments: %s", held, len(keys), error)

    def release(self, holder: str) -> None:
        self._runtime().feed.release(holder)

    def changed(self, cursor: int, keys: Collection[str]) -> tuple[int, Mapping[str, Row]]:
        runtime = self._runtime()
        quotes = runtime.quotes
        now, wanted = self._monotonic(), frozenset(keys)
        if wanted - self._renewed[1] or now - self._renewed[0] >= RENEW_SECONDS:
            everything = wanted if cursor else wanted | self._renewed[1]
            quotes.watch(HOLDER, everything, on_feed=False)  # each listener holds its own there
            self._renewed = (now, everything)
        self._version += 1
        news = {}
        for key, row in quotes.last_known(self._to_look_at(cursor, wanted, now, runtime), disk=False).items():
            told = self._told.get(key)
            if told is None or told[1] is not row:
                told = self._told[key] = (self._version, row)
                if not cursor:
                    self._found.add(key)
            if told[0] > cursor:
                news[key] = row
        if cursor and len(self._told) > 2 * len(wanted) + MOST_UNWANTED:
            self._told = {key: told for key, told in self._told.items() if key in wanted}
        return self._version, news

    def _to_look_at(self, cursor: int, wanted: frozenset[str], now: float, runtime: Runtime) -> Collection[str]:
        """What may have changed since the last pass. The feed says which rows it wrote; what came by requests, or fell
        silent, is found by looking at everything now and then."""
        if not cursor:
            return wanted
        last, then = self._looked
        self._board_version, moved = runtime.feed.board.changed_since(self._board_version)
        found, self._found = self._found, set()
        if wanted != then or now - last >= LOOK_AT_ALL_SECONDS:
            self._looked = (now, wanted)
            return wanted
        return [key for key in found.union(moved) if key in wanted]

    def word(self) -> Mapping[str, Any]:
        now, (at, word) = self._monotonic(), self._word
        if now - at >= WORD_SECONDS:
            self._word = (now, word := feed_word(self._runtime()))
        return word

    def painted(self, seconds: float) -> None:
        """A change took so long from its sending to a screen."""
        self._runtime().painted(seconds)

    def whole_way(self, seconds: float) -> None:
        """A price of the feed was on a screen so long after it came."""
        self._runtime().on_screen(seconds)

    def sent(self, rows: Mapping[str, Row]) -> float | None:
        """`rows` were handed to the browsers' connections just now. The newest of some stands for all of them: a row
        that the feed only vouches for is older than anything that it told. The real seconds that it waited."""
        told = [row["received_at"] for row in islice(rows.values(), STAND_FOR_ALL) if row["api_version"] == FROM_FEED]
        if not told:
            return None
        runtime = self._runtime()
        waited: float = runtime.sent((runtime.clock.now() - max(told)).total_seconds())
        return waited

    def now_ms(self) -> int:
        return epoch_ms(self._runtime().clock.now())


def feed_word(runtime: Runtime) -> Mapping[str, Any]:  # Any: a flag and texts
    """How the live feed does, for the browser. `live`: it tells all that changes. `why`: what is the matter with it."""
    health = runtime.feed.health()
    ago = health.last_update_ago_seconds
    late = health.connected and health.sent_count > 0 and (ago is None or ago > MUTE_SECONDS)
    if not (late and runtime.prices_expected()):
        return {"live": health.connected, "state": str(health.state), "why": health.reason}
    first = ago is None or ago > health.uptime_seconds
    why = "no price has come yet" if first else f"no price for more than {MUTE_SECONDS:.0f} s"
    return {"live": False, "state": str(health.state), "why": why}


def _hold_what_fits(runtime: Runtime, holder: str, keys: Sequence[str]) -> int:
    """Hold as many of `keys` as the broker allows, in steps; how many these are."""
    for start in range(0, len(keys), STEP):
        try:
            runtime.feed.hold(holder, keys[start : start + STEP])
        except InvalidRequest:
            return start
    return len(keys)
