"""The market as the desk knows it: instruments, calendar, quotes, live feed, ticks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from services.calendar import ALERT_KIND, Calendar
from services.candles.book import CandleBook
from services.candles.forming import FormingMinutes
from services.candles.market_days import PRACTICE_ROLL_MS
from services.day_tracks import DayTracks
from services.domain.calendar.calendar import market_of
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.phases import Listing, PhaseNow
from services.feed.latency import Step
from services.feed.slots import Slots
from services.feed.subscriptions import ORDINARY, PLUS
from services.feed.watchdog import prices_expected
from services.instrument_master import InstrumentMaster
from services.live_feed.feed import LiveFeed
from services.live_feed.keeping import OneKeeper
from services.live_feed.others import FeedSharing, Others, OthersOfMarket
from services.live_feed.portfolio import PortfolioStream
from services.live_feed.records import ConnectionLog
from services.live_rows import LiveRows
from services.parts import busy_part, part
from services.quote_book import TTL_SECONDS, QuoteBook
from services.runtime.core import MARKET_FILE, CoreRuntime
from services.runtime.housekeeping import Housekeeping
from services.runtime.warming import warmer_of
from services.settings import Mode, Settings
from services.shared.processes import Processes
from services.shared.quotes import TTL_SECONDS as SHARED_SECONDS
from services.shared.quotes import QuoteTier
from services.storage.candle_store import CandleStore
from services.storage.feed_metrics import MARKET, PORTFOLIO, FeedMetrics
from services.storage.pool import Pool
from services.storage.quote_store import QuoteStore
from services.storage.recorder import Recorder
from services.storage.tick_packing import TickPacker
from services.storage.tick_store import TickStore
from services.storage.tick_writer import TickWriter, TickWriterStats
from services.transport.feed_connection import FeedConnection
from services.warming.warmer import Warmer

T = TypeVar("T")

RECORDINGS = "recordings"
_CONTRACTS = ("NSE_FO", "BSE_FO", "NCD_FO", "BCD_FO", "MCX_FO", "NSE_COM")

log = logging.getLogger(__name__)


class MarketRuntime(CoreRuntime):
    """What the market is: what can be traded, when, and at which prices."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._books: dict[str | Path, QuoteBook] = {}
        self._calendars: dict[str | Path, Calendar] = {}
        self._tick_files: dict[Path, TickWriter] = {}
        self._candles: dict[str | Path, CandleBook] = {}

    def phase(self, segment: str = "NSE_EQ") -> PhaseNow:
        """The phase of the real market in `segment`, by this process's clock. Makes no request."""
        return self.calendar.phase(market_of(segment))

    @part
    def instruments(self) -> InstrumentMaster:
        return InstrumentMaster(pool=self.market_pool, download=self.api.instrument_file, clock=self.clock)

    def calendar_in(self, db_path: str | Path = MARKET_FILE) -> Calendar:
        """The market calendar with the broker's answers kept in that market file, one per file. It asks nobody before
        its `start`."""
        known = self._calendars.get(db_path)  # the common way, without a lock: entries are only ever added
        if known is not None:
            return known
        pool, api, clock, alerts = self.pool(db_path), self.api, self.clock, self.alerts
        with self._registry:
            if pool.path not in self._calendars:
                if self._closed:
                    raise RuntimeError("the runtime is closed; the calendar was asked for")
                made = Calendar(
                    ask=api,
                    pool=pool,
                    clock=clock,
                    raise_alert=lambda message, **told: alerts.raise_alert(ALERT_KIND, message, **told),
                    resolve_alerts=lambda but: alerts.resolve_all(ALERT_KIND, but=but),
                    judges=self._judges,
                    practice=lambda: self.source.practice,
                    broker=self._broker_name(),
                )
                self._calendars[pool.path] = self.keep(made, "calendar", busy=True)
            return self._calendars.setdefault(db_path, self._calendars[pool.path])

    @property
    def calendar(self) -> Calendar:
        """Is it open, until when, and why not: the desk's own table with the broker's word over it."""
        return self.calendar_in()

    def _judges(self) -> bool:
        """Of several processes that raise and end the same alerts, the one that leads does; without Redis each does."""
        shared = self.shared
        if shared is None or self.settings.ledger_url is None:
            return True
        return shared.lease.leads() or not shared.link.state().up

    def _broker_name(self) -> str:
        """Who speaks, in the middle of a sentence."""
        if self.settings.mode is Mode.PAPER:
            return "the paper broker"
        return "the rehearsal broker" if self.settings.live_rehearsal else "Upstox"

    def quotes_in(self, db_path: str | Path = MARKET_FILE) -> QuoteBook:
        """The quote book over that market file, one per file."""
        known = self._books.get(db_path)  # the common way, without a lock: entries are only ever added
        if known is not None:
            return known
        pool, api, clock = self.pool(db_path), self.api, self._broker_time.clock
        tier = self.quote_tier if pool is self.market_pool else None
        with self._registry:
            if pool.path not in self._books:
                if self._closed:
                    raise RuntimeError("the runtime is closed; quotes were asked for")
                made = QuoteBook(
                    fetch=api.full_quotes,
                    store=QuoteStore(pool),
                    clock=clock,
                    source=self._broker_time.current_source,
                    live=self.live_rows,
                    shared=tier,
                    back_in_reach=self.feed.retry,
                    ttl=max(TTL_SECONDS, clock.speed),  # at least a real second, however fast the clock runs
                )
                self._books[pool.path] = self.keep(made, "quotes", busy=True)
                if tier is not None:
                    tier.on_watch(made.look_for_others)
            return self._books.setdefault(db_path, self._books[pool.path])

    @property
    def quotes(self) -> QuoteBook:
        return self.quotes_in()

    @part
    def quote_tier(self) -> QuoteTier | None:
        """Quotes in common with the other processes; `None` where this one is alone."""
        shared = self.shared
        if shared is None:
            return None
        tier = QuoteTier(
            shared.link,
            lease=shared.lease,
            processes=shared.processes,
            ttl=SHARED_SECONDS / min(SHARED_SECONDS, max(1.0, self.speed)),
        )
        shared.each_second(tier.exchange)
        return tier

    def candles_in(self, db_path: str | Path = MARKET_FILE) -> CandleBook:
        """The candle book over that market file, one per file."""
        known = self._candles.get(db_path)  # the common way, without a lock: entries are only ever added
        if known is not None:
            return known
        pool, api, clock = self.pool(db_path), self.api, self._broker_time.clock
        live, calendar = self.forming_minutes, self.calendar
        with self._registry:
            if pool.path not in self._candles:
                if self._closed:
                    raise RuntimeError("the runtime is closed; candles were asked for")
                self._candles[pool.path] = CandleBook(
                    source=api,
                    store=CandleStore(pool, roll_ms=lambda: PRACTICE_ROLL_MS if self.source.practice else 0),
                    clock=clock,
                    calendar=lambda: calendar.current,
                    practice=lambda: self.source.practice,
                    origin=self._whose_prices,
                    live=live,
                )
            return self._candles.setdefault(db_path, self._candles[pool.path])

    @property
    def candles(self) -> CandleBook:
        """Candles, complete or saying what is missing."""
        return self.candles_in()

    @part
    def forming_minutes(self) -> FormingMinutes:
        """Minutes made of the feed's ticks, of what somebody looks at."""
        feed = self.feed
        made = FormingMinutes(
            serves=feed.serves, connection=lambda: feed.health().reconnect_count, board=feed.board, clock=self.clock
        )
        feed.add_tick_sink(made.put)
        return made

    def _whose_prices(self, key: str) -> str:
        """Stored candles are of one market: the real one, or a simulated or replayed one of certain options. A contract
        is told from an earlier one of the same number by its expiry."""
        given = self.settings
        whose = given.mode.value
        if given.mode is Mode.PAPER:
            day = " all day" if self.source.practice else ""
            candles = "" if given.paper_candles is None else f" {given.paper_candles}"
            whose = f"{whose} {given.paper_prices} {given.paper_seed}{candles}{day}"
        return whose + self._expiry(key)

    def _expiry(self, key: str) -> str:
        """Of a contract, as far as the instrument master is there to tell."""
        if key.partition("|")[0] not in _CONTRACTS:
            return ""
        try:
            contract = self.instruments.find(key)
        except UpstoxError as error:
            log.info("the expiry of %s is not known: %s", key, error)
            return ""
        return "" if contract is None or contract.expiry is None else f", expiry {contract.expiry}"

    @busy_part
    def tracks(self) -> DayTracks:
        """The day's path of each watched instrument, for sparklines."""
        return DayTracks(fetch_bars=self.api.intraday_bars, clock=self.clock, latest=self.quotes.last_known)

    # -- the live feed -----------------------------------------------------------------------------------------

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

    def _kept_once(self, what: str, keep: Callable[[int, T], None]) -> Callable[[int, T], None]:
        """`keep`, but only in one of the processes on this data folder that share a feed."""
        if self.shared is None:
            return keep
        keeper = self.keep(OneKeeper(Slots(self.folder, name=what, count=1)), f"the keeper of {what}")

        def keep_if_ours(received_ms: int, told: T) -> None:
            if keeper.ours():
                keep(received_ms, told)

        return keep_if_ours

    @part
    def live_rows(self) -> LiveRows:
        """Quotes of the feed, in the form of all others."""
        return LiveRows(
            board=self.feed.board,
            serves=self.feed.serves,
            want=self._want_live,
            clock=self.clock,
            source=lambda: self.source.label,
            speed=lambda: self._broker_time.clock.speed,
        )

    @part
    def ticks(self) -> TickStore:
        """Every tick that was kept."""
        return TickStore(self.market_pool)

    @part
    def feed_metrics(self) -> FeedMetrics:
        """A row for each connection of a feed."""
        return FeedMetrics(self.market_pool)

    @part
    def feed_records(self) -> ConnectionLog:
        return ConnectionLog(self.feed_metrics, dropped=self.ticks_dropped)

    @part
    def recorder(self) -> Recorder:
        """Keeps the feed's frames as they came, to be replayed."""
        return Recorder(
            self.folder / RECORDINGS, source=lambda: self.source.label, keep_days=self.settings.recording_days
        )

    @busy_part
    def housekeeping(self) -> Housekeeping:
        """Packs ticks after the close and lets go of what is too old. Runs after its `start`."""
        warming = self.warming
        return Housekeeping(
            packer=TickPacker(self.market_pool),
            metrics=self.feed_metrics,
            clock=self.clock,
            calendar=lambda: self.calendar.current,
            log_days=1,
            packed_days=self.settings.tick_days,
            speed=lambda: self._broker_time.clock.speed,
            warm=None if warming is None else warming.step,
        )

    @part
    def warming(self) -> Warmer | None:
        """Counts what is looked at and keeps likely charts warm; `None`: it is off."""
        return warmer_of(self)

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

    @property
    def speed(self) -> float:
        """Seconds of the desk's clock in a real one."""
        return self._broker_time.clock.speed

    def books(self) -> tuple[QuoteBook, ...]:
        """The quote books that were made."""
        with self._registry:
            return tuple({id(book): book for book in self._books.values()}.values())

    def tick_writer_stats(self) -> TickWriterStats | None:
        """How the writer of ticks does; `None`: no ticks are kept. Of several files the one that is furthest behind."""
        stats = [writer.stats() for writer in list(self._tick_files.values())]
        return max(stats, key=lambda one: (one.failing_seconds or 0.0, one.waiting), default=None)

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

    def ticks_dropped(self) -> int:
        """How many ticks were lost on their way to the disk since this process began."""
        return sum(writer.stats().dropped_in_all for writer in list(self._tick_files.values()))

    def _keep_ticks(self, pool: Pool) -> None:
        """Write ticks into that market file, from now on. The writer is older than the feed, so it ends after it."""
        with self._registry:
            if pool.path in self._tick_files:
                return
            if self._closed:
                raise RuntimeError("the runtime is closed; ticks were to be kept")
            writer = self._tick_files[pool.path] = self.keep(TickWriter(pool), "ticks")
        self.feed.add_tick_sink(self._kept_once(f"ticks-{pool.path.stem}", writer.put))

    def _want_live(self, keys: Collection[str], seconds: float) -> None:
        """A lease on `keys` for as long as somebody looks at them."""
        try:
            self.feed.wanted(keys, time.monotonic() + seconds)
        except InvalidRequest as error:  # more than one connection takes: requests tell the rest
            log.debug("the feed does not take them all: %s", error)

    def _phase_of(self, segment: str, listing: Listing) -> PhaseNow:
        return self.calendar.phase(market_of(segment), listing=listing)

    def _feed_address(self) -> str:
        """A fresh address, at `DESK_FEED_BASE` where that is given."""
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
