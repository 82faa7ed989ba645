"""A broker's candle calls without a network, with every call on record, and a candle book over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from services.candles.book import CandleBook
from services.candles.deriving import from_days, from_minutes, one_bar
from services.candles.forming import FormingMinutes, Live
from services.domain.calendar.calendar import BUNDLED
from services.domain.calendar.days import midnight
from services.domain.candles import DAY, MINUTE, Interval
from services.domain.clock import IST, epoch_ms, ist_date
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.phases import Market
from services.feed.board import Board
from services.storage.candle_store import EPOCH, CandleStore
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from services.transport.caller import Served
from services.wire.candle_columns import CandleColumns, columns_of, joined, no_candles
from tests.support.clocks import FakeClock

KEY = "NSE_EQ|INE002A01018"
INDEX = "NSE_INDEX|Nifty 50"


def ist(text: str) -> datetime:
    """`2026-11-20 11:15` in India, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=IST).astimezone(UTC)


def day(text: str) -> datetime:
    """The beginning of that day in India."""
    return midnight(date.fromisoformat(text))


@dataclass(frozen=True)
class Asked:
    """One call as it was made; `first` is None for the running day."""

    interval: Interval
    first: date | None
    last: date | None
    use_v3: bool
    candles: int
    failed: bool = False


@dataclass
class FakeCandles:
    """Bars made of the date: the same minute always has the same bar. History ends yesterday; the running day is told
    up to the clock's minute. `factor` scales all prices, `hidden` days are not told, `fault` may raise for a call."""

    clock: FakeClock
    asked: list[Asked] = field(default_factory=list)
    factor: Callable[[date], float] = lambda day: 1.0
    hidden: set[date] = field(default_factory=set)
    silent_minutes: set[int] = field(default_factory=set)
    """Starts (ms) of minutes without a trade."""
    fault: Callable[[Asked], UpstoxError | None] = lambda asked: None
    meanwhile: Callable[[], None] = lambda: None
    """Called while a call is on its way."""
    noise: float = 0.0
    """What the running answer adds to the closes."""

    def candles(
        self, key: str, interval: Interval, first: date, last: date, *, use_v3: bool = True
    ) -> Served[CandleColumns]:
        if use_v3:
            most = interval.caps.days
            if most is not None and (last - first).days + 1 > (31 if most == 28 else 92 if most == 85 else 3653):
                raise AssertionError(f"{first} to {last} is over the cap of {interval}")
        elif interval.caps.v2_word is None or (last - first).days + 1 > interval.caps.v2_days:
            raise InvalidRequest(f"v2 has no {interval} of so many days")
        today = ist_date(self.clock.now())
        days = [first + timedelta(days=n) for n in range((min(last, today - timedelta(days=1)) - first).days + 1)]
        return self._serve(interval, first, last, use_v3, self.bars(interval, days))

    def candles_today(self, key: str, interval: Interval, *, use_v3: bool = True) -> Served[CandleColumns]:
        now = self.clock.now()
        minutes = self.minutes(ist_date(now))
        minutes = minutes.take(minutes.start_ms <= epoch_ms(now))
        if self.noise and len(minutes):
            minutes = CandleColumns(*minutes.as_tuple()[:4], minutes.close + self.noise, *minutes.as_tuple()[5:])
        if interval == DAY:
            told = one_bar(minutes, epoch_ms(midnight(ist_date(now))))
        else:
            told = self.longer(minutes, interval)
        return self._serve(interval, None, None, use_v3, told)

    def bars(self, interval: Interval, days: list[date]) -> CandleColumns:
        """The broker's history of `days`."""
        told = [(day, self.minutes(day)) for day in days if day not in self.hidden]
        if interval.intraday:
            return self.longer(joined([minutes for _, minutes in told]), interval)
        daily = joined([one_bar(minutes, epoch_ms(midnight(day))) for day, minutes in told])
        return daily if interval == DAY else from_days(daily, interval)

    def minutes(self, day: date) -> CandleColumns:
        """All minutes of a session."""
        span = _session(day)
        if span is None:
            return no_candles()
        start, end = span
        starts = np.arange(start, end, 60_000, dtype=np.int64)
        starts = starts[~np.isin(starts, list(self.silent_minutes))]
        n = (starts - start) // 60_000
        factor, base = self.factor(day), 1000 + day.toordinal() % 37 * 0.5 + n * 0.05  # no leap between two days
        prices = [np.round((base + more) * factor, 2) for more in (0, 1.5, -1.25, 0.5)]
        return columns_of([starts, *prices, n + 1, n * 0])

    def history(self) -> list[tuple[str, str, str]]:
        """The calls for closed days: interval, first and last day."""
        return [(one.interval.word, str(one.first), str(one.last)) for one in self.asked if one.first is not None]

    @property
    def fetched(self) -> int:
        """Candles that were sent."""
        return sum(one.candles for one in self.asked)

    def daily(self, minutes: CandleColumns, day: date) -> CandleColumns:
        """The day as one bar."""
        return one_bar(minutes, epoch_ms(midnight(day)))

    def longer(self, bars: CandleColumns, interval: Interval) -> CandleColumns:
        """Minutes, or days for weeks and months, as bars of `interval`."""
        if interval in (MINUTE, DAY):
            return bars
        if not interval.intraday:
            return from_days(bars, interval)
        days = (bars.start_ms + 19_800_000) // 86_400_000 + EPOCH
        return from_minutes(bars, days, interval, _opening)

    def _serve(
        self, interval: Interval, first: date | None, last: date | None, use_v3: bool, bars: CandleColumns
    ) -> Served[CandleColumns]:
        asked = Asked(interval, first, last, use_v3, len(bars))
        self.asked.append(asked)
        self.meanwhile()
        error = self.fault(asked)
        if error is not None:
            self.asked[self.asked.index(asked)] = replace(asked, failed=True)
            raise error
        return Served(bars, "v3" if use_v3 else "v2", 12.0)


class FeedOfMinutes:
    """Ticks of the fake broker's own minutes, four a minute: open, high, low, close."""

    def __init__(self, clock: FakeClock, broker: FakeCandles) -> None:
        self.clock, self.broker = clock, broker
        self.on, self.number = True, 1
        self.minutes = FormingMinutes(
            serves=lambda keys: set(keys) if self.on else set(),
            connection=lambda: self.number,
            board=Board(),
            clock=clock,
        )

    def run_to(self, instant: datetime) -> None:
        """Tell every trade up to `instant`, and move the clock there."""
        bars = self.broker.minutes(ist_date(self.clock.instant))
        volume = bars.volume.cumsum()
        while self.clock.instant < instant:
            self.clock.move(seconds=15)
            now = epoch_ms(self.clock.instant) - 1
            place = int(bars.start_ms.searchsorted(now, side="right")) - 1
            if place < 0 or now - int(bars.start_ms[place]) >= 60_000:
                continue
            step = (now - int(bars.start_ms[place])) // 15_000
            price = (bars.open, bars.high, bars.low, bars.close)[step][place]
            done = int(volume[place]) - (3 - step) * int(bars.volume[place]) // 4
            if self.on:
                self.minutes.put(now, [(KEY, float(price), now, 1, done)])


def _session(day: date) -> tuple[int, int] | None:
    """From when to when (ms) shares trade; at the customary hour where none has been announced."""
    plan = BUNDLED.day(Market.NSE, day)
    if not plan.trades:
        return None
    hours = plan.hours or ((ist(f"{day} 18:15"), ist(f"{day} 19:15")),)
    return epoch_ms(hours[0][0]), epoch_ms(hours[-1][1])


def _opening(day: int) -> int | None:
    span = _session(date.fromordinal(day))
    return None if span is None else span[0]


@contextmanager
def open_candle_book(folder: Path, source: FakeCandles, *, live: Live | None = None) -> Iterator[CandleBook]:
    """A book over a market file in `folder`; opened again, it finds what was stored."""
    file = folder / "market_data.db"
    migrate_market(file, backups=folder / "backups", now=datetime.now(UTC))
    pool = Pool(file)
    try:
        yield CandleBook(
            source=source, store=CandleStore(pool), clock=source.clock, calendar=lambda: BUNDLED, live=live
        )
    finally:
        pool.close_all()
