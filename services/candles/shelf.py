"""The memory tier: what is covered and the bars read last of each series, over the market file.

A series lies here as one stretch of columns, so that a warm read is two searches and a slice, however long it is.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np

from services.candles.market_days import MarketDays
from services.domain.candles import Interval
from services.domain.day_spans import DaySpans
from services.storage.candle_store import CandleStore, StoredBars, block_of
from services.wire.candle_columns import CandleColumns, Counts

MOST_BYTES = 128 * 1024 * 1024
"""Of columns in memory: some 2.4 million bars. The series read longest ago go first."""

SeriesKey = tuple[str, str, Interval]
"""Origin, instrument key, interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """All stored bars of the days `first <= day < end`, and when each block of them was fetched."""

    first: int
    end: int
    candles: CandleColumns
    block_days: Counts
    fetched_ms: Counts

    def told_ms(self, first: int, end: int) -> tuple[int, int] | None:
        """When the blocks of these days were fetched: the one asked for first, and the one asked for last."""
        low = max(0, int(np.searchsorted(self.block_days, first, side="right")) - 1)  # the block that holds it
        high = int(np.searchsorted(self.block_days, end))
        found = self.fetched_ms[low:high]
        return (int(found.min()), int(found.max())) if len(found) else None


@dataclass(slots=True)
class _Series:
    version: int = 0
    coverage: DaySpans | None = None
    filled: tuple[DaySpans, object, DaySpans] | None = None
    """Of which coverage and by which rules it was made, and what is known then."""
    stretch: Stretch | None = None


class Shelf:
    """Coverage and bars by series. Thread-safe; one lock guards the memory and is not held across the disk."""

    def __init__(self, store: CandleStore, *, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._most_bytes = most_bytes
        self._guard = Lock()  # guards all below
        self._series: OrderedDict[SeriesKey, _Series] = OrderedDict()
        self._bytes = 0
        self._hits = 0

    def coverage(self, of: SeriesKey) -> DaySpans:
        """The days of which the broker was asked, by whichever call."""
        with self._guard:
            known = self._entry(of)
            if known.coverage is not None:
                return known.coverage
            version = known.version
        spans = DaySpans(span for told in self._store.coverage(*of).values() for span in told)
        with self._guard:
            known = self._entry(of)
            if known.version == version:
                known.coverage = spans
        return spans

    def known(self, of: SeriesKey, days: MarketDays) -> DaySpans:
        """`coverage`, and the days between its stretches on which nothing can have traded: weekends and holidays make
        no gaps, and are looked up once."""
        coverage = self.coverage(of)
        if len(coverage) < 2:
            return coverage
        with self._guard:
            filled = self._entry(of).filled
        if filled is not None and filled[0] is coverage and filled[1] == days.rules:
            return filled[2]
        known = days.with_days_off(coverage)
        with self._guard:
            self._entry(of).filled = (coverage, days.rules, known)
        return known

    def days(self, of: SeriesKey, first: int, end: int) -> Stretch:
        """The stored bars of (at least) the days `first <= day < end`."""
        with self._guard:
            known = self._entry(of)
            held, version = known.stretch, known.version
            if held is not None and held.first <= first and end <= held.end:
                self._hits += 1
                return held
        low, high = block_of(of[2], first)[0], block_of(of[2], max(first, end - 1))[1]
        if held is not None and held.first <= high and low <= held.end:  # they touch: keep one stretch of both
            low, high = min(low, held.first), max(high, held.end)
        made = _stretch(low, high, self._store.bars(*of, low, high))
        with self._guard:
            known = self._entry(of)
            if known.version == version:
                self._bytes += made.candles.nbytes - _size(known)
                known.stretch = made
                self._let_go(of)
        return made

    def changed(self, of: SeriesKey) -> None:
        """The file holds something else of that series now."""
        with self._guard:
            known = self._entry(of)
            self._bytes -= _size(known)
            self._series[of] = _Series(known.version + 1)

    def forget(self, origin: str, key: str) -> None:
        """The file holds nothing of that instrument any more."""
        with self._guard:
            gone = [of for of in self._series if of[:2] == (origin, key)]
        for of in gone:
            self.changed(of)

    def clear(self) -> None:
        """The file holds nothing any more."""
        with self._guard:
            gone = list(self._series)
        for of in gone:
            self.changed(of)

    def counts(self) -> tuple[int, int, int]:
        """Series and bars in memory; reads that memory answered."""
        with self._guard:
            held = [known.stretch for known in self._series.values() if known.stretch is not None]
            return len(held), sum(len(one.candles) for one in held), self._hits

    def _entry(self, of: SeriesKey) -> _Series:
        known = self._series.get(of)
        if known is None:
            known = self._series[of] = _Series()
        else:
            self._series.move_to_end(of)
        return known

    def _let_go(self, but: SeriesKey) -> None:
        for of, known in self._series.items():
            if self._bytes <= self._most_bytes:
                break
            if of != but and known.stretch is not None:
                self._bytes -= _size(known)
                known.stretch = None


def _size(known: _Series) -> int:
    return 0 if known.stretch is None else known.stretch.candles.nbytes


def _stretch(first: int, end: int, stored: StoredBars) -> Stretch:
    return Stretch(first, end, stored.candles.frozen(), stored.block_days, stored.fetched_ms)
