"""A recorded session as a market: at each instant the last frame of each instrument, to be streamed as it was recorded.

Instruments that the recording does not hold come from the market behind it, at the same instant.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from google.protobuf.message import DecodeError

from services.domain.clock import epoch_ms
from services.domain.errors import MalformedPayload
from services.paper.feed.encoding import LEVELS
from services.paper.feed.recording_file import Recording
from services.paper.feed.requests import Mode
from services.paper.feed.unpacking import MinuteTally, listing_of, ltpc_of, mode_of, snapshot_of
from services.paper.model import NO_BARS, Bars, Listing, Market, MarketBar, Snapshot
from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.recording import Record

LOOK_AHEAD_MS = 60_000
"""An instrument whose first frame comes within the first minute stands at that frame until then: a recorder begins with
snapshots, and an instrument must not have a simulated price first and a recorded one a second later."""
_SIMULATED = "simulated"

log = logging.getLogger(__name__)


class RecordedMarket:
    """`Market` of a recording that is played once, forwards: asked for an instant, it takes in every frame up to it. At
    the end the last frames stand. Safe for several threads."""

    def __init__(self, recording: Recording, behind: Market) -> None:
        self._recording = recording
        self._behind = behind
        self._lock = threading.RLock()
        self._held: dict[str, _Held] = {}
        self._listed: tuple[Mapping[str, Listing], int, Mapping[str, Listing]] | None = None
        for record in recording.records():
            if record.received_ms >= recording.first_ms + LOOK_AHEAD_MS:
                break
            for key, feed in _feeds(record):
                if key not in self._held:
                    self._take(key, feed, recording.first_ms)
        self._records = recording.records()
        self._next = next(self._records, None)

    @property
    def source(self) -> str:
        """See `Market.source`. What was recorded from the simulator stays simulated."""
        kind, _, day = self._recording.source.partition(":")
        return _SIMULATED if kind == _SIMULATED else f"mixed:{day or self._recording.day}"

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        """Everything that the market behind lists, and what else the recording holds."""
        listed = self._behind.listings(at)
        with self._lock:
            self._play(at)
            known = self._listed
            if known is None or known[0] is not listed or known[1] != len(self._held):
                own = {key: listing_of(key) for key in self._held if key not in listed}
                known = self._listed = listed, len(self._held), {**listed, **own}
            return known[2]

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        """One snapshot for each of `keys`, in their order; its `at_ms` is when its frame came. The same object until
        the next frame."""
        wanted = list(keys)
        listings = self.listings(at)
        with self._lock:
            own = {key: self._snapshot(key, listings[key]) for key in wanted if key in self._held}
        others = [key for key in wanted if key not in own]
        own.update(zip(others, self._behind.snapshots(others, at) if others else [], strict=True))
        return [own[key] for key in wanted]

    def minute_bars(self, key: str, at: datetime) -> list[MarketBar]:
        """The minutes since the recording began."""
        with self._lock:
            self._play(at)
            if key in self._held:
                return self._held[key].tally.bars()
        return self._behind.minute_bars(key, at)

    def today(self, key: str, at: datetime) -> Bars:
        """As `minute_bars`; of what the recording does not hold, what the market behind tells."""
        with self._lock:
            self._play(at)
            if key in self._held:
                return Bars.of(self._held[key].tally.bars())
        return self._behind.today(key, at)

    def minutes(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """Finished days are those of the market behind."""
        return self._behind.minutes(key, first, last, at) if key in self._behind.listings(at) else NO_BARS

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """Finished days are those of the market behind."""
        return self._behind.days(key, first, last, at) if key in self._behind.listings(at) else NO_BARS

    def feed(self, key: str, mode: Mode) -> bytes | None:
        """The row of `key` as it was recorded, cut down to `mode`; `None` where it holds less than that."""
        with self._lock:
            held = self._held.get(key)
        if held is None or held.mode is mode:
            return None if held is None else held.row
        feed = pb.Feed.FromString(held.row)
        if mode is Mode.LTPC:
            return pb.Feed(ltpc=ltpc_of(feed)).SerializeToString()
        if (held.mode, mode) == (Mode.FULL_D30, Mode.FULL):
            feed.requestMode = pb.full_d5
            del feed.fullFeed.marketFF.marketLevel.bidAskQuote[LEVELS:]
            return feed.SerializeToString()
        return None

    def next_change_ms(self) -> int | None:
        """When the next frame comes; `None`: the recording is over."""
        with self._lock:
            return None if self._next is None else self._next.received_ms

    def _play(self, at: datetime) -> None:
        """Take in every frame up to `at`."""
        at_ms = epoch_ms(at)
        while self._next is not None and self._next.received_ms <= at_ms:
            for key, feed in _feeds(self._next):
                self._take(key, feed, self._next.received_ms)
            try:
                self._next = next(self._records, None)
            except (OSError, MalformedPayload):
                log.exception("the recording %s cannot be read on; its last prices stand", self._recording.path)
                self._next = None

    def _take(self, key: str, feed: pb.Feed, received_ms: int) -> None:
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held()
        # Serialized: a message would keep its whole frame alive.
        held.row, held.mode, held.received_ms, held.snap = feed.SerializeToString(), mode_of(feed), received_ms, None
        held.tally.add(feed)

    def _snapshot(self, key: str, listing: Listing) -> Snapshot:
        held = self._held[key]
        if held.snap is None:
            held.snap = snapshot_of(listing, pb.Feed.FromString(held.row), held.received_ms, held.tally.bars())
        return held.snap


class _Held:
    """What is known of one recorded instrument."""

    __slots__ = ("mode", "received_ms", "row", "snap", "tally")

    def __init__(self) -> None:
        self.row = b""
        self.mode = Mode.LTPC
        self.received_ms = 0
        self.snap: Snapshot | None = None
        self.tally = MinuteTally()


def _feeds(record: Record) -> list[tuple[str, pb.Feed]]:
    """The rows of a frame; none of one that was recorded as it came and makes no sense, or that tells statuses."""
    try:
        return list(pb.FeedResponse.FromString(record.frame).feeds.items())
    except DecodeError:
        return []
