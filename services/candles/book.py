"""Candles for everybody in this process: complete, or saying what is missing.

A read goes: which days are covered -> fetch the others, and only these -> the stored bars, longer ones made of minutes
where that is exact -> the running day -> one ascending series that tells where each stretch came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from services.candles.assembling import Assembler
from services.candles.audit import AuditReport, examine
from services.candles.deriving import from_days
from services.candles.fetching import CandleSource, Fetched, Fetcher, Progress
from services.candles.flights import Flights
from services.candles.forming import Live
from services.candles.market_days import MarketDays
from services.candles.reading import Reading
from services.candles.running_day import TTL, RunningDay
from services.candles.series import CandleSeries
from services.candles.shelf import Shelf
from services.domain.calendar.calendar import MarketCalendar
from services.domain.candles import DAY, Interval, Unit
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.domain.instruments import require_instrument_key
from services.domain.phases import Listing
from services.domain.quotes import Bar
from services.storage.candle_store import CandleStore, StoreCounts
from services.wire.candle_columns import joined

__all__ = ["BookCounts", "CandleBook", "Progress"]

MOST_BARS = 1_000_000
"""That `latest` may be asked for."""
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Beyond these nobody has candles, and instants soon have no date."""
_SILENT = 3
"""After so many longer and longer stretches without a bar an instrument is taken to be no older."""
_ORDINARY_MINUTES = 375
"""Of a session of shares; longer ones only make the first guess of `latest` a little generous."""


@dataclass(frozen=True, slots=True)
class BookCounts:
    """What the book holds, and how it has done since the process began."""

    stored: StoreCounts
    series_in_memory: int
    bars_in_memory: int
    memory_hits: int
    reads: int
    reads_without_call: int
    calls: int
    candles_fetched: int
    call_seconds: float
    failures: int
    begun_anew: int
    """How often all that was stored of an instrument was out of date: a split, a bonus."""


class CandleBook:
    """The candles of one market file. Safe to share between threads; make one per process and file.

    It has no threads of its own: who reads waits for the broker, readers of the same days wait for the same call. No
    lock is held meanwhile.
    """

    def __init__(
        self,
        *,
        source: CandleSource,
        store: CandleStore,
        clock: Clock,
        calendar: Callable[[], MarketCalendar],
        practice: Callable[[], bool] = lambda: False,
        origin: Callable[[str], str] = lambda key: "",
        live: Live | None = None,
        ttl: timedelta = TTL,
    ) -> None:
        """`origin(key)` names whose market the key's prices are of: what is stored of another one is not shown.
        `practice()`: does the broker trade around the clock? `ttl`: how long the running day's bars are good."""
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._practice = practice
        self._origin = origin
        self._shelf = Shelf(store)
        flights = Flights()
        self._fetcher = Fetcher(source=source, store=store, shelf=self._shelf, flights=flights, clock=clock)
        self._running = RunningDay(
            source=source,
            store=store,
            flights=flights,
            clock=clock,
            counts=self._fetcher.counts,
            live=live,
            ttl=ttl,
        )
        self._assembler = Assembler(store, self._shelf, self._running)
        self._guard = Lock()  # guards the two below
        self._reads = self._silent_reads = 0

    # -- reading -----------------------------------------------------------------------------------------------

    def read(
        self,
        key: str,
        interval: Interval | str,
        start: datetime,
        end: datetime,
        *,
        progress: Progress | None = None,
        use_v3: bool = True,
    ) -> CandleSeries:
        """The bars that begin in `start <= instant < end` (aware), weeks and months that hold `start` included.

        Waits for the broker where something is missing; `progress(done, words)` hears how far it is. Never raises for
        what could not be had: it stands in `missing`, with its error, beside what came. Raises `InvalidRequest` for
        what is no key, interval or stretch of time, and `StorageError` if the market file cannot be read.
        """
        calls = self._fetcher.counts.own_calls
        reading = self._reading(key, interval, start, end)
        fetched = self._fetch(reading, progress, use_v3=use_v3)
        if fetched.begun_anew:  # all that was stored turned out to be out of date, and is gone
            self._running.forget(*reading.of[:2])
            fetched = self._fetch(reading, progress, use_v3=use_v3)
        series = self._assembler.series(reading, fetched, ask=True, use_v3=use_v3)
        with self._guard:
            self._reads += 1
            self._silent_reads += self._fetcher.counts.own_calls == calls
        return series

    def latest(
        self,
        key: str,
        interval: Interval | str,
        count: int,
        *,
        progress: Progress | None = None,
        use_v3: bool = True,
    ) -> CandleSeries:
        """The last `count` bars, the one that forms included; fewer only if there are no more, or if some are
        `missing`. Raises as `read` does."""
        wanted = Interval.parse(interval)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_BARS:
            raise InvalidRequest(f"{str(count)[:20]!r} is not a number of bars: 1 to {MOST_BARS:,}")
        days = self._days(require_instrument_key(key))
        floor, end = wanted.caps.since.toordinal(), days.now + timedelta(seconds=1)
        first = max(floor, _days_back(days.today, count, wanted, days))
        found, silent = -1, 0
        while True:
            series = self.read(key, wanted, days.start(first), end, progress=progress, use_v3=use_v3)
            lacking = count - len(series)
            if lacking <= 0 or first <= floor or not series.complete:
                break
            silent = silent + 1 if len(series) == found else 0
            if silent == _SILENT:
                break
            found = len(series)
            first = max(floor, _days_back(first, max(lacking, count // 2) * 2**silent, wanted, days))
        return series.tail(count)

    def stored(self, key: str, interval: Interval | str, start: datetime, end: datetime) -> CandleSeries:
        """What is known of these bars without asking anybody; what was never asked for is in `missing`. Raises as
        `read` does."""
        return self._assembler.series(self._reading(key, interval, start, end), Fetched(), ask=False)

    def forming(self, key: str, interval: Interval | str) -> Bar | None:
        """The bar that forms now, out of what the live feed tells and the broker told last. `None`: the feed does not
        serve the key, or nobody has read the running day since it does. Makes no request; takes some 0.5 ms."""
        wanted, days = Interval.parse(interval), self._days(require_instrument_key(key))
        base = wanted if wanted.intraday else DAY
        running = self._running.bars((self._origin(key), key, base), days, ask=False)
        if running.live_from_ms is None or not len(running.candles):
            return None
        bars = running.candles
        if not wanted.intraday and wanted != DAY:
            low = wanted.period(date.fromordinal(days.today))[0].toordinal()
            before = self._shelf.days((self._origin(key), key, DAY), low, max(low + 1, days.today)).candles
            bars = from_days(joined([before.between(*days.span_ms(low, days.today, DAY)), bars]), wanted)
        return bars.take(slice(len(bars) - 1, None)).bars()[0]

    # -- checking, counting, clearing ----------------------------------------------------------------------------

    def audit(
        self,
        key: str,
        interval: Interval | str,
        start: datetime,
        end: datetime,
        *,
        listing: Listing = Listing.ORDINARY,
    ) -> AuditReport:
        """What is wrong with the stored bars of a stretch: missing, late, changed, suspicious. Makes no request.
        `listing`: the hours that the instrument keeps. Raises as `read` does."""
        reading = self._reading(key, interval, start, end)
        series = self._assembler.series(reading, Fetched(), ask=False)
        notes = self._store.changes(*reading.of, reading.start_ms, reading.end_ms)
        return examine(series, reading, self._calendar(), notes, listing)

    def stats(self) -> BookCounts:
        """How much there is, and how it was come by. Reads the market file."""
        held, bars, hits = self._shelf.counts()
        counts = self._fetcher.counts
        return BookCounts(
            stored=self._store.counts(),
            series_in_memory=held,
            bars_in_memory=bars,
            memory_hits=hits,
            reads=self._reads,
            reads_without_call=self._silent_reads,
            calls=counts.calls,
            candles_fetched=counts.candles,
            call_seconds=counts.seconds,
            failures=counts.failures,
            begun_anew=counts.begun_anew,
        )

    def calls(self) -> int:
        """Calls that were made since the process began. Reads no file."""
        return self._fetcher.counts.calls

    def clear(self) -> None:
        """Forget every candle, in memory and on disk."""
        self._store.clear()
        self._shelf.clear()
        self._running.clear()

    # -- a read, step by step ------------------------------------------------------------------------------------

    def _days(self, key: str) -> MarketDays:
        return MarketDays(key, self._calendar(), self._clock.now(), practice=self._practice())

    def _reading(self, key: str, interval: Interval | str, start: datetime, end: datetime) -> Reading:
        of = (self._origin(require_instrument_key(key)), key, Interval.parse(interval))
        if start.tzinfo is None or end.tzinfo is None:
            raise InvalidRequest("an instant without a time zone is no instant")
        if start >= end or end <= _EARLIEST or start >= _LATEST:
            raise InvalidRequest(f"a stretch of candles must end after it begins, not {start} to {end}")
        return Reading(of, self._days(key), max(start, _EARLIEST).astimezone(UTC), min(end, _LATEST).astimezone(UTC))

    def _fetch(self, reading: Reading, progress: Progress | None, *, use_v3: bool) -> Fetched:
        """Have the closed days covered, as far as they can be."""
        first, end = reading.closed()
        wanted = self._assembler.derivable(reading).missing(first, end) if first < end else []
        fetched = self._fetcher.fetch(reading.of, wanted, reading.days, use_v3=use_v3, progress=progress)
        running = reading.running_period() if reading.longer else (0, 0)
        if running[0] < running[1] and not fetched.begun_anew:  # the week or month that runs is made of days
            more = self._fetcher.fetch(reading.of_days, [running], reading.days, use_v3=use_v3, progress=progress)
            fetched.failed.update(more.failed)
            fetched.begun_anew = more.begun_anew
        return fetched


def _days_back(first: int, bars: int, interval: Interval, days: MarketDays) -> int:
    """The day before which `bars` bars, that end with the day `first`, cannot have begun if all of them traded."""
    length = interval.minutes
    if length is None:
        each = {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 31}[interval.unit]
        if interval != DAY:
            return first - bars * each
        length = _ORDINARY_MINUTES
    sessions = -(-bars * length // _ORDINARY_MINUTES)
    floor = interval.caps.since.toordinal()
    while sessions > 0 and first > floor:
        first -= 1
        sessions -= days.has_session(first)
    return first
