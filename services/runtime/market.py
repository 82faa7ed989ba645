"""The market at this moment and before: quotes, candles, the day's paths, and what keeps their file in order."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from pathlib import Path

from services.candles.book import CandleBook
from services.candles.forming import FormingMinutes
from services.candles.market_days import PRACTICE_ROLL_MS
from services.day_tracks import DayTracks
from services.domain.clock import practice_day
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.quotes import Bar
from services.live_rows import LiveRows
from services.parts import busy_part, part
from services.quote_book import TTL_SECONDS, QuoteBook
from services.runtime.core import MARKET_FILE
from services.runtime.feeds import FeedsRuntime
from services.runtime.housekeeping import Housekeeping
from services.runtime.warming import warmer_of
from services.settings import Mode, Settings
from services.shared.quotes import TTL_SECONDS as SHARED_SECONDS
from services.shared.quotes import QuoteTier
from services.storage.candle_store import CandleStore
from services.storage.quote_store import QuoteStore
from services.storage.tick_packing import TickPacker
from services.warming.warmer import Warmer

BARS_OF_LONGEST_DAY = 288
"""Of five minutes: a practice market never closes."""
_CONTRACTS = ("NSE_FO", "BSE_FO", "NCD_FO", "BCD_FO", "MCX_FO", "NSE_COM")

log = logging.getLogger(__name__)


class MarketRuntime(FeedsRuntime):
    """Quotes and candles, of the feed where it tells them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._books: dict[str | Path, QuoteBook] = {}
        self._candles: dict[str | Path, CandleBook] = {}

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

    def books(self) -> tuple[QuoteBook, ...]:
        """The quote books that were made."""
        with self._registry:
            return tuple({id(book): book for book in self._books.values()}.values())

    def _want_live(self, keys: Collection[str], seconds: float) -> None:
        """A lease on `keys` for as long as somebody looks at them."""
        try:
            self.feed.wanted(keys, time.monotonic() + seconds)
        except InvalidRequest as error:  # more than one connection takes: requests tell the rest
            log.debug("the feed does not take them all: %s", error)

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
        return DayTracks(fetch_bars=self._day_bars, clock=self.clock, latest=self.quotes.last_known)

    def _day_bars(self, key: str) -> list[Bar]:
        """Five-minute bars of the running day; where it has none, those of the last day that has."""
        if today := self.api.intraday_bars(key):
            return today
        bars = self.candles.latest(key, "5minute", BARS_OF_LONGEST_DAY).bars()
        return [bar for bar in bars if practice_day(bar.start) == practice_day(bars[-1].start)]

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
