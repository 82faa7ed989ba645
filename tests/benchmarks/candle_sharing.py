"""Would candles that the processes share save calls that matter? Traders at four processes look at charts for two days;
each process keeps a store of its own, and beside it all of them one store, which is the most that sharing could save.

`docs/decisions/candles-stay-on-each-machine.md` is built on this.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from services.candles.book import CandleBook
from services.domain.candles import Interval
from services.storage.candle_store import StoreCounts
from services.transport.caller import Served
from services.wire.candle_columns import CandleColumns
from services.wire.endpoints import HISTORY_BARS, INTRADAY_BARS, RATE_LIMITS
from tests.benchmarks.table import Row
from tests.support.candles import FakeCandles, ist, open_candle_book
from tests.support.clocks import FakeClock

PROCESSES = 4
TRADERS = 20
INSTRUMENTS = 300
SECONDS_A_VIEW = 120
"""Each trader opens a chart so often; which one follows Zipf's law, as use does."""
DAYS = (date(2026, 11, 19), date(2026, 11, 20))
VIEWS = (("1minute", 375, 4), ("5minute", 300, 3), ("15minute", 300, 1), ("day", 500, 2))
"""Interval, bars, how often of ten."""
SEED = 7


class Broker(FakeCandles):
    """Counts when calls were made, and makes each day's bars once."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.history_at: list[datetime] = []
        self.today_at: list[datetime] = []
        self._known: dict[tuple[Interval, tuple[date, ...]], CandleColumns] = {}
        self._minutes: dict[date, CandleColumns] = {}

    def bars(self, interval: Interval, days: list[date]) -> CandleColumns:
        self.history_at.append(self.clock.instant)
        asked = (interval, tuple(days))
        if asked not in self._known:
            self._known[asked] = super().bars(interval, days)
        return self._known[asked]

    def minutes(self, day: date) -> CandleColumns:
        if day not in self._minutes:
            self._minutes[day] = super().minutes(day)
        return self._minutes[day]

    def candles_today(self, key: str, interval: Interval, *, use_v3: bool = True) -> Served[CandleColumns]:
        self.today_at.append(self.clock.instant)
        return super().candles_today(key, interval, use_v3=use_v3)


@contextmanager
def desks(clock: FakeClock, stores: int) -> Iterator[tuple[Broker, list[CandleBook]]]:
    """One broker, and a book for each store."""
    broker = Broker(clock)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        books = []
        for number in range(stores):
            (folder / str(number)).mkdir()
            books.append(stack.enter_context(open_candle_book(folder / str(number), broker)))
        yield broker, books


def views(day: date) -> Iterator[tuple[datetime, int, str, str, int]]:
    """When, at which process, instrument, interval, bars."""
    rng = random.Random(f"{SEED} {day}")
    weights = [1 / (place + 1) for place in range(INSTRUMENTS)]
    start, steps = ist(f"{day} 09:16"), int(6.2 * 3600 / SECONDS_A_VIEW)
    for step in range(steps):
        for trader in range(TRADERS):
            at = start + timedelta(seconds=step * SECONDS_A_VIEW + trader * SECONDS_A_VIEW / TRADERS)
            (number,) = rng.choices(range(INSTRUMENTS), weights)
            interval, bars, _ = rng.choices(VIEWS, [view[2] for view in VIEWS])[0]
            yield at, trader % PROCESSES, f"NSE_EQ|INE{number:06d}018", interval, bars


@dataclass(frozen=True, slots=True)
class Lived:
    """Of each day when history, and when the running day, was asked for; ms of a read that asked nobody; what lies in
    the first store at the end."""

    days: list[tuple[list[datetime], list[datetime]]]
    quick_ms: float
    stored: StoreCounts


def live(stores: int) -> Lived:
    """Two days of traders at so many stores."""
    clock = FakeClock(ist(f"{DAYS[0]} 09:00"))
    told = []
    quick: list[float] = []
    with desks(clock, stores) as (broker, books):
        for day in DAYS:
            broker.history_at, broker.today_at = [], []
            for at, process, key, interval, bars in views(day):
                clock.instant = at
                calls, began = len(broker.asked), time.perf_counter()
                books[process % stores].latest(key, interval, bars)
                if len(broker.asked) == calls:
                    quick.append(time.perf_counter() - began)
            told.append((broker.history_at, broker.today_at))
        return Lived(told, statistics.median(quick) * 1000, books[0].stats().stored)


def fullest(moments: list[datetime], seconds: float) -> int:
    """The most calls that any window of that length held."""
    best = first = 0
    for last, moment in enumerate(moments):
        while (moment - moments[first]).total_seconds() >= seconds:
            first += 1
        best = max(best, last - first + 1)
    return best


def run() -> list[Row]:
    """Both ways, each day."""
    apart, together = live(PROCESSES), live(1)
    count = sum(1 for _ in views(DAYS[0]))
    rows = []
    for number, name in enumerate(("first day, empty stores", "second day")):
        for place, operation in enumerate((HISTORY_BARS, INTRADAY_BARS)):
            ours, peer = apart.days[number][place], together.days[number][place]
            shares = [
                f"{fullest(ours, limit.seconds) / limit.calls:.1%} ({fullest(peer, limit.seconds) / limit.calls:.1%})"
                f" of {limit.calls} in {limit.seconds:.0f} s"
                for limit in RATE_LIMITS["standard"]
            ]
            rows.append(
                Row(
                    f"{operation.name}, {name}",
                    len(ours),
                    len(peer),
                    len(ours) / max(1, len(peer)),
                    "",
                    None,
                    "calls",
                    f"{count:,} views; peer: one store for all; fullest windows (peer's): {', '.join(shares)}",
                )
            )
    series, size = together.stored.series, together.stored.bytes
    note = f"{series:,} series, {size / 1e6:.1f} MB in one store; {size / series / 1e3:.0f} KB each would travel"
    return [*rows, Row("a read out of the own store", apart.quick_ms, None, None, "", None, "ms", note)]


if __name__ == "__main__":
    from tests.benchmarks.table import print_table

    print_table(run())
