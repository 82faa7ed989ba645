"""What the market feed says and hears: subscriptions out, prices in.

On the feed's thread, and nothing else there: stamp, decode, board, hand over to sinks that never wait.
"""

from __future__ import annotations

import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from threading import Lock
from typing import Protocol, TypeAlias

from services.domain.clock import Clock, epoch_ms
from services.domain.errors import MalformedPayload
from services.feed.arrivals import Arrivals
from services.feed.clock_offset import ClockOffset
from services.feed.health import HealthBook
from services.feed.latency import Latency, Step
from services.feed.subscriptions import Subscriptions
from services.feed.watchdog import DataWatchdog, PhaseOf, prices_expected
from services.running_time import running_ns
from services.wire.feed.requests import FeedMethod, FeedMode, requests
from services.wire.feed.rows import KEY, LTP, LTQ, LTT_MS, VOLUME, FeedRow, Frame, MarketInfo
from services.wire.feed.unknown import unknown_members

Tick: TypeAlias = tuple[str, float, int, int, int | None]
"""Instrument key, last price (rupees), time of the last trade (ms), its quantity, the day's volume (None: not told)."""
TickSink: TypeAlias = Callable[[int, Sequence[Tick]], None]
"""Takes the time of receipt (ms, by the desk's clock) and the new ticks. Must neither wait nor raise."""
FrameSink: TypeAlias = Callable[[int, bytes], None]
"""Takes the time of receipt (ms) and the frame as it came. Must neither wait nor raise."""
_NEVER = float("inf")
SAMPLE_SECONDS = 60.0
"""One frame in so long is searched for members that the desk does not know; to search all costs more than to read."""

log = logging.getLogger(__name__)


class LiveBoard(Protocol):
    """Where the latest of every instrument stands."""

    def hold(self, keys: Iterable[str]) -> None: ...
    def release(self, keys: Iterable[str]) -> None: ...
    def apply(self, frame: Frame, received_ns: int) -> None: ...


class MarketTalk:
    """The market feed's side of a stream. `subscriptions` are shared with other threads, behind `lock`."""

    def __init__(
        self,
        *,
        authorise: Callable[[], str],
        decode: Callable[[bytes], Frame],
        board: LiveBoard,
        subscriptions: Subscriptions,
        lock: Lock,
        health: HealthBook,
        latency: Latency,
        clock: Clock,
        phase: PhaseOf,
        practice: Callable[[], bool],
        speed: Callable[[], float],
        settled: Callable[[], None],
        watchdog: DataWatchdog | None = None,
        arrivals: Arrivals | None = None,
        monotonic_ns: Callable[[], int] = running_ns,
        new_guid: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`practice()`: is the broker's market open whatever the calendar says? `speed()`: seconds of `clock` in a real
        one. `settled()` is called when everything wanted has been said."""
        self.authorise = authorise
        self.arrivals = arrivals or Arrivals()
        self.clock_offset = ClockOffset()
        self.market_info: MarketInfo | None = None
        self._decode = decode
        self._board = board
        self._subscriptions = subscriptions
        self._lock = lock
        self._health = health
        # Bound once: these are called for every frame.
        self._count_board = latency[Step.RECEIVED_TO_BOARD].record
        self._count_received = latency[Step.EXCHANGE_TO_RECEIVED].record
        self._count_offset = self.clock_offset.record
        self._clock = clock
        self._phase = phase
        self._practice = practice
        self._speed = speed
        self._settled = settled
        self._watchdog = watchdog or DataWatchdog()
        self._monotonic_ns = monotonic_ns
        self._new_guid = new_guid
        self._tick_sinks: tuple[TickSink, ...] = ()
        self._frame_sinks: tuple[FrameSink, ...] = ()
        self._outgoing: deque[bytes] = deque()
        self._due = 0.0
        self._sample_at = 0.0
        self._abandoned: deque[str] = deque()
        self._again: deque[str] = deque()
        self._info_sinks: tuple[Callable[[bytes], None], ...] = ()
        self._segments: frozenset[str] = frozenset()
        self._latest: dict[str, Tick] = {}
        self.open = False

    def add_tick_sink(self, sink: TickSink) -> None:
        if sink not in self._tick_sinks:
            self._tick_sinks = (*self._tick_sinks, sink)

    def add_frame_sink(self, sink: FrameSink) -> None:
        if sink not in self._frame_sinks:
            self._frame_sinks = (*self._frame_sinks, sink)

    def add_info_sink(self, sink: Callable[[bytes], None]) -> None:
        self._info_sinks = (*self._info_sinks, sink)

    def ask_again(self, keys: Iterable[str]) -> None:
        """Have the broker send a snapshot of those of `keys` that it was told of. From any thread."""
        self._again.extend(keys)
        self._due = 0.0

    def look_again(self) -> None:
        """Subscriptions changed. From any thread."""
        self._due = 0.0

    def abandon(self, holder: str) -> None:
        """`holder` is gone. Takes no lock: the collector calls this, in any thread, whatever that thread holds."""
        self._abandoned.append(holder)
        self._due = 0.0

    def drop_abandoned(self, now: float) -> None:
        """With the lock in hand."""
        while self._abandoned:
            self._subscriptions.release(self._abandoned.popleft(), now)

    @property
    def all_said(self) -> bool:
        """Does the broker know everything that is wanted? Any thread may ask, with the lock in hand."""
        return self.open and not self._outgoing and not self._subscriptions.pending

    # -- the stream's thread ---------------------------------------------------------------------------------------

    def opened(self, now: float) -> None:
        self._due = self._sample_at = 0.0
        self._watchdog.begin(now)
        self.open = True

    def next_request(self, now: float) -> bytes | None:
        """One request at a time, between two messages, so that both sides always read."""
        if now >= self._due:
            self._plan(now)
        if not self._outgoing:
            return None
        request = self._outgoing.popleft()
        if not self._outgoing:
            self._settled()
        return request

    def received(self, payload: bytes, now: float) -> None:
        began, at_ms = self._monotonic_ns(), epoch_ms(self._clock.now())
        for keep in self._frame_sinks:
            keep(at_ms, payload)
        try:
            frame = self._decode(payload)
        except MalformedPayload:
            self._health.bad_frames += 1
            self._health.message(now, 0)
            return
        feeds = frame.feeds
        if feeds:
            self._board.apply(frame, began)
        count = len(feeds)
        self._health.message(now, count)
        if frame.skipped:
            self._health.unknown += frame.skipped
        if frame.market is not None:
            self.market_info = frame.market
            for remember in self._info_sinks:
                remember(payload)
        delay_ms = (at_ms - frame.at_ms) / self._speed() if frame.at_ms else None
        if delay_ms is not None:
            self._count_offset(delay_ms, now)
        if not count:
            return
        self._watchdog.data(now)
        if now >= self._sample_at:
            self._sample_at = now + SAMPLE_SECONDS
            self._look_for_news(payload)
        self._count_board((self._monotonic_ns() - began) / 1e6, count)
        if delay_ms is not None:
            self._count_received(delay_ms, count)
        if not self.arrivals.complete and self.arrivals.came(row[KEY] for row in feeds):
            self._count_segments()
        if self._tick_sinks and (ticks := self._new_ticks(feeds)):
            for put in self._tick_sinks:
                put(at_ms, ticks)

    def why_replace(self, now: float) -> str | None:
        silent = self.arrivals.silent
        if late := self.arrivals.overdue(now):
            self._ask_again(late)
        if self.arrivals.silent != silent:
            self._count_segments()
        expected = bool(self._segments) and (self._practice() or prices_expected(self._segments, self._phase))
        silence = self._watchdog.patience
        if self._watchdog.is_mute(now, expected=expected):
            return f"connected, but no price for {silence:.0f} s in the session"
        return None

    def lost(self) -> None:
        self.open = False
        self._outgoing.clear()
        self._again.clear()
        self.arrivals.forget()
        with self._lock:
            gone = self._subscriptions.forget()
        self._drop(gone)
        self._segments = frozenset()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _plan(self, now: float) -> None:
        """Turn what changed into requests."""
        with self._lock:
            self.drop_abandoned(now)
            changes = self._subscriptions.changes(now)
            self._due = self._subscriptions.next_due() or _NEVER
        for change in changes:
            if change.method is FeedMethod.UNSUBSCRIBE:
                self._drop(change.keys)
                self.arrivals.dropped(change.keys)
            else:
                self._board.hold(change.keys)
                if change.method is FeedMethod.SUBSCRIBE:  # only this is promised to be followed by a snapshot
                    self.arrivals.asked(change.keys, now)
            self._outgoing.extend(requests(change.method, change.keys, change.mode, new_guid=self._new_guid))
        if self._again:
            told = {key for change in changes for key in change.keys if change.method is FeedMethod.SUBSCRIBE}
            again = dict.fromkeys(self._again.popleft() for _ in range(len(self._again)))
            self._ask_again([key for key in again if key not in told])
        if changes:
            self._count_segments()
        else:
            self._settled()

    def _ask_again(self, keys: list[str]) -> None:
        with self._lock:
            modes = {key: mode for key in keys if (mode := self._subscriptions.sent().get(key)) is not None}
        for mode in FeedMode:
            same = [key for key, its in modes.items() if its is mode]
            self._outgoing.extend(requests(FeedMethod.SUBSCRIBE, same, mode, new_guid=self._new_guid))

    def _count_segments(self) -> None:
        """Segments of which prices can be expected: of keys that are subscribed and not silent."""
        silent = set(self.arrivals.silent)
        with self._lock:
            self._segments = frozenset(key.partition("|")[0] for key in self._subscriptions.sent() if key not in silent)

    def _look_for_news(self, payload: bytes) -> None:
        """Has the broker added members to the feed? Counted and told once; nothing else changes."""
        try:
            new = unknown_members(payload) - self._health.unknown_members
        except MalformedPayload:  # depth, greeks or bars of it; its prices were sound
            self._health.bad_frames += 1
            return
        if new:
            self._health.unknown_members |= new
            log.warning("market-feed: members that this desk does not know: %s", ", ".join(sorted(new)))

    def _drop(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        self._board.release(keys)
        for key in keys:
            self._latest.pop(key, None)

    def _new_ticks(self, feeds: list[FeedRow]) -> list[Tick]:
        """A tick is news about the last trade. In the fuller modes most rows are not: only the depth has moved."""
        latest = self._latest
        ticks: list[Tick] = list(map(_tick_of, feeds))
        before = map(latest.get, map(_key_of, ticks))
        new = [tick for tick, known in zip(ticks, before, strict=True) if tick != known]
        latest.update(zip(map(_key_of, new), new, strict=True))
        return new


_tick_of = itemgetter(KEY, LTP, LTT_MS, LTQ, VOLUME)
_key_of = itemgetter(0)
"""Loops in C: this is done for every price of the day."""
