"""Candles, as the v3 guide promises them: history and the running day, cached in memory and on disk.

from services.candle_fetcher_v3 import CandleFetcherV3

candles = CandleFetcherV3()
print(candles.fetch_latest_candles("NSE_EQ|INE009A01021", interval="day", count=100)[-1]["close"])
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TypedDict, cast

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.candles.book import Progress
from services.candles.series import CandleSeries, Missing
from services.domain.clock import IST
from services.domain.errors import InvalidRequest
from services.runtime import get_runtime
from services.self_check import INFOSYS, assure, main

_FIRST, _LAST = date(1990, 1, 1), date(2199, 1, 1)
"""Nobody has candles beyond these days."""


class Candle(TypedDict):
    """One bar. Prices in rupees, volume and open interest in units."""

    timestamp: str
    """When it begins, ISO 8601 in Indian time: `2026-11-20T09:15:00+05:30`."""
    open: float
    high: float
    low: float
    close: float
    volume: int
    oi: int


class CandleCacheStats(TypedDict):
    """How the cache does. Reads and calls are counted since the process began."""

    memory_cache_entries: int
    """Series in memory."""
    memory_cache_candles: int
    db_cache_entries: int
    """Blocks on disk: a day of minutes, a month of days."""
    db_cache_candles: int
    db_cache_bytes: int
    bytes_per_candle: float
    """Of the stored columns; 0.0 if there are none."""
    avg_cache_hit_rate_pct: float
    """Reads that needed no call, of all, in percent; 0.0 if there was none."""
    avg_fetch_time_ms: float
    """Of a call; 0.0 if there was none."""
    total_reads: int
    total_api_calls: int
    total_candles_fetched: int


class CandleFetcherV3:
    """Candles of the process's runtime. Cheap to make; all of them over one file share one cache.

    Every v3 interval, by the guide's names (`1minute 30minute day week month`), the broker's (`minutes/5`, `hours/1`)
    and the usual short ones (`5m`, `1h`, `1d`). Closed days are fetched once and kept for ever; the running day is at
    most five minutes old, or as new as the live feed, where that tells the instrument.
    """

    def __init__(self, db_path: str = "market_data.db", use_v3: bool = True) -> None:
        """`db_path`: the market file, relative to the data folder. `use_v3=False` asks the v2 calls only, where they
        have what is wanted."""
        self._candles = get_runtime().candles_in(db_path)
        self._use_v3 = use_v3

    def fetch_candles(
        self,
        instrument_key: str,
        interval: str,
        from_date: date | str,
        to_date: date | str,
        *,
        progress: Progress | None = None,
        missing: list[Missing] | None = None,
    ) -> list[Candle]:
        """The bars of the days `from_date` to `to_date` (dates in India or their ISO texts, both included), oldest
        first; weeks and months that hold `from_date` included.

        No bars are an answer: a holiday, a day to come, an instrument not yet listed. What could not be had raises its
        error, and what came is kept for the next time; pass a list as `missing` to get what there is instead, and the
        list filled with the stretches that are missing and why. Raises `InvalidRequest` for nonsense.
        """
        first, last = _day(from_date, "from_date"), _day(to_date, "to_date")
        if first > last or last < _FIRST or first > _LAST:
            raise InvalidRequest(f"there are no days from {first} to {last}")
        start, end = _midnight(max(first, _FIRST)), _midnight(min(last, _LAST)) + timedelta(days=1)
        series = self._candles.read(instrument_key, interval, start, end, progress=progress, use_v3=self._use_v3)
        return _rows(series, missing)

    def fetch_latest_candles(
        self,
        instrument_key: str,
        interval: str = "day",
        count: int = 100,
        *,
        progress: Progress | None = None,
        missing: list[Missing] | None = None,
    ) -> list[Candle]:
        """The last `count` bars, the one that forms included, oldest first; fewer only where there are no more.
        `missing` and errors as with `fetch_candles`."""
        series = self._candles.latest(instrument_key, interval, count, progress=progress, use_v3=self._use_v3)
        return _rows(series, missing)

    def get_cache_stats(self) -> CandleCacheStats:
        """How the cache does: see `CandleCacheStats`."""
        stats = self._candles.stats()
        stored = stats.stored
        return {
            "memory_cache_entries": stats.series_in_memory,
            "memory_cache_candles": stats.bars_in_memory,
            "db_cache_entries": stored.blocks,
            "db_cache_candles": stored.candles,
            "db_cache_bytes": stored.bytes,
            "bytes_per_candle": round(stored.bytes / stored.candles, 2) if stored.candles else 0.0,
            "avg_cache_hit_rate_pct": round(100 * stats.reads_without_call / stats.reads, 2) if stats.reads else 0.0,
            "avg_fetch_time_ms": round(1000 * stats.call_seconds / stats.calls, 2) if stats.calls else 0.0,
            "total_reads": stats.reads,
            "total_api_calls": stats.calls,
            "total_candles_fetched": stats.candles_fetched,
        }

    def clear_cache(self) -> None:
        """Forget every candle, in memory and on disk. The counts since the process began stay."""
        self._candles.clear()


def _rows(series: CandleSeries, missing: list[Missing] | None) -> list[Candle]:
    if missing is not None:
        missing.extend(series.missing)
    else:
        for one in series.missing:
            if one.error is not None:
                raise one.error
    return cast("list[Candle]", series.rows())


def _day(given: date | str, name: str) -> date:
    if isinstance(given, datetime):
        raise InvalidRequest(f"{name} is a date, not an instant")
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name} {str(given)[:40]!r} is not a date YYYY-MM-DD") from None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=IST)


def check_itself() -> Iterator[str]:
    """A hundred days and a day of minutes; the second reading makes no call."""
    candles = CandleFetcherV3()
    days = candles.fetch_latest_candles(INFOSYS, interval="day", count=100)
    assure(len(days) == 100, f"100 days were asked for, {len(days)} came")
    assure(all(bar["low"] <= min(bar["open"], bar["close"]) for bar in days), "a bar closes below its low")
    yield f"100 days up to {days[-1]['timestamp'][:10]}, the last close ₹{days[-1]['close']:,.2f}"
    day = days[-2]["timestamp"][:10]
    minutes = candles.fetch_candles(INFOSYS, "1minute", day, day)
    calls = candles.get_cache_stats()["total_api_calls"]
    assure(candles.fetch_candles(INFOSYS, "1minute", day, day) == minutes, "the same minutes came out differently")
    assure(candles.get_cache_stats()["total_api_calls"] == calls, "stored minutes were fetched again")
    yield f"{len(minutes)} minutes of {day}, read again from the store without a call"


if __name__ == "__main__":
    main(check_itself)
