"""What the broker tells unasked: the live feed, the order stream, and what is kept of both."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from services.domain.calendar.calendar import market_of
from services.domain.phases import Listing, PhaseNow
from services.feed.latency import Step
from services.feed.slots import Slots
from services.feed.subscriptions import ORDINARY, PLUS
from services.feed.watchdog import prices_expected
from services.live_feed.feed import LiveFeed
from services.live_feed.keeping import OneKeeper
from services.live_feed.others import FeedSharing, Others, OthersOfMarket
from services.live_feed.portfolio import PortfolioStream
from services.live_feed.records import ConnectionLog
from services.parts import busy_part, part
from services.runtime.core import MARKET_FILE
from services.runtime.hours import HoursRuntime
from services.settings import Settings
from services.shared.processes import Processes
from services.storage.feed_metrics import MARKET, PORTFOLIO, FeedMetrics
from services.storage.pool import Pool
from services.storage.recorder import Recorder
from services.storage.tick_store import TickStore
from services.storage.tick_writer import TickWriter, TickWriterStats
from services.transport.feed_connection import FeedConnection

T = TypeVar("T")

RECORDINGS = "recordings"


class FeedsRuntime(HoursRuntime):
    """The streams of this process, and how late their prices are."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._tick_files: dict[Path, TickWriter] = {}

    def feed_in(self, db_path: str | Path = MARKET_FILE) -> LiveFeed:
        """The live feed of this process, its ticks kept in that market file. Nothing is connected before its
        `connect`."""
        self._keep_ticks(self.pool(db_path))
        return self.feed

    @part
    def feed(self) -> LiveFeed:
        """The live feed. Prices go to its board; ticks are kept only after `feed_in`."""
        records, outside, sharing = self.feed_records, self._is_outside, self.feed_sharing

        def connect() -> FeedConnection:
            return FeedConnection(local=not outside, trust_env=outside and self.settings.use_system_proxy)

        way = None if sharing is None else sharing.way(MARKET, name="market feed", connect=connect)
        feed = LiveFeed(
            authorise=self._feed_address if way is None else lambda: way.address_by(self._feed_address),
            connect=connect if way is None else way.connect,
            token=self.login.token,
            clock=self.clock,
            phase=self._phase_of,
            folder=self.folder,
            slots=way,
            practice=lambda: self.source.practice,
            speed=lambda: self._broker_time.clock.speed,
            limits=PLUS if self.settings.plus else ORDINARY,
            book=records,
            error_sink=self._broker_failed,
        )
        if self.settings.record_feed:
            feed.add_frame_sink(self._kept_once("recordings", self.recorder.put))
        if sharing is not None and way is not None:
            feed.add_info_sink(way.publisher.remember)
            sharing.attach(way, OthersOfMarket(feed))
        return feed

    @busy_part
    def portfolio_feed(self) -> PortfolioStream:
        """Updates of orders, positions and holdings as they happen. Nothing is connected before its `connect`."""
        outside, sharing, authorise = self._is_outside, self.feed_sharing, self.api.portfolio_feed_authorize

        def connect() -> FeedConnection:
            return FeedConnection(
                local=not outside, name="portfolio stream", trust_env=outside and self.settings.use_system_proxy
            )

        way = None if sharing is None else sharing.way(PORTFOLIO, name="portfolio stream", connect=connect)
        stream = PortfolioStream(
            authorise=authorise if way is None else lambda types: way.address_by(lambda: authorise(types)),
            connect=connect if way is None else way.connect,
            token=self.login.token,
            clock=self.clock,
            folder=self.folder,
            slots=way,
            book=self.feed_records,
            error_sink=self._broker_failed,
        )
        if sharing is not None and way is not None:
            sharing.attach(way, Others(stream))
        return stream

    @part
    def feed_sharing(self) -> FeedSharing | None:
        """How the streams are shared with the other processes; `None` without a Redis."""
        shared = self.shared
        if shared is None:
            return None
        made = FeedSharing(link=shared.link, lease=shared.lease, listen=shared.lease.listen, process=shared.process)
        shared.each_second(lambda: _report(made, shared.processes))
        return made

    @part
    def feed_records(self) -> ConnectionLog:
        return ConnectionLog(self.feed_metrics, dropped=self.ticks_dropped)

    @part
    def feed_metrics(self) -> FeedMetrics:
        """A row for each connection of a feed."""
        return FeedMetrics(self.market_pool)

    @part
    def recorder(self) -> Recorder:
        """Keeps the feed's frames as they came, to be replayed."""
        return Recorder(
            self.folder / RECORDINGS, source=lambda: self.source.label, keep_days=self.settings.recording_days
        )

    @part
    def ticks(self) -> TickStore:
        """Every tick that was kept."""
        return TickStore(self.market_pool)

    def tick_writer_stats(self) -> TickWriterStats | None:
        """How the writer of ticks does; `None`: no ticks are kept. Of several files the one that is furthest behind."""
        stats = [writer.stats() for writer in list(self._tick_files.values())]
        return max(stats, key=lambda one: (one.failing_seconds or 0.0, one.waiting), default=None)

    def ticks_dropped(self) -> int:
        """How many ticks were lost on their way to the disk since this process began."""
        return sum(writer.stats().dropped_in_all for writer in list(self._tick_files.values()))

    def prices_expected(self) -> bool:
        """Should prices of what the feed is subscribed to move now? In auctions and in the gaps around them nobody can
        tell, so no."""
        if self.source.practice:
            return True
        keys = self.feed.board.keys()
        return prices_expected({key.partition("|")[0] for key in keys}, self._phase_of)

    def prices_expected_in(self, segments: Collection[str]) -> bool:
        """Should prices of at least one of `segments` move now?"""
        return bool(segments) and (self.source.practice or prices_expected(segments, self._phase_of))

    def sent(self, seconds: float) -> float:
        """A price of the feed was handed to the browsers' connections so long after it came, by the desk's clock; in
        real seconds."""
        waited = max(0.0, seconds / self._broker_time.clock.speed)
        self.feed.latency[Step.BOARD_TO_SENT].record(waited * 1000)
        return waited

    def on_screen(self, seconds: float) -> None:
        """A price of the feed was on a screen so long after it came."""
        self.feed.latency[Step.RECEIVED_TO_PAINTED].record(seconds * 1000)

    def painted(self, seconds: float) -> None:
        """A price took so long from here to a screen."""
        self.feed.latency[Step.SENT_TO_PAINTED].record(seconds * 1000)

    def _kept_once(self, what: str, keep: Callable[[int, T], None]) -> Callable[[int, T], None]:
        """`keep`, but only in one of the processes on this data folder that share a feed."""
        if self.shared is None:
            return keep
        keeper = self.keep(OneKeeper(Slots(self.folder, name=what, count=1)), f"the keeper of {what}")

        def keep_if_ours(received_ms: int, told: T) -> None:
            if keeper.ours():
                keep(received_ms, told)

        return keep_if_ours

    def _keep_ticks(self, pool: Pool) -> None:
        """Write ticks into that market file, from now on. The writer is older than the feed, so it ends after it."""
        with self._registry:
            if pool.path in self._tick_files:
                return
            if self._closed:
                raise RuntimeError("the runtime is closed; ticks were to be kept")
            writer = self._tick_files[pool.path] = self.keep(TickWriter(pool), "ticks")
        self.feed.add_tick_sink(self._kept_once(f"ticks-{pool.path.stem}", writer.put))

    def _phase_of(self, segment: str, listing: Listing) -> PhaseNow:
        return self.calendar.phase(market_of(segment), listing=listing)

    def _feed_address(self) -> str:
        """A fresh address, at `DESK_FEED_BASE` where that is given. A connection that was lost may have been lost with
        its broker, and the next one have come before any request failed: so which one it is, is asked."""
        self._doubt_time()
        address, base = self.api.feed_authorize(), self.settings.feed_base
        if base is None:
            return address
        told, wanted = urlsplit(address), urlsplit(base)
        scheme = {"http": "ws", "https": "wss"}.get(wanted.scheme, wanted.scheme)
        return told._replace(scheme=scheme, netloc=wanted.netloc).geturl()


def _report(sharing: FeedSharing, processes: Processes) -> None:
    """Tell the other processes how late this one has the prices."""
    for told in sharing.now():
        if told.stream == MARKET:
            processes.report("lag_p50_ms", None if told.lag is None else round(told.lag.p50_ms, 3))
            processes.report("lag_p99_ms", None if told.lag is None else round(told.lag.p99_ms, 3))
