"""Market quotes, as the v3 guide promises them: cached for five seconds, in batches of 500, hit rate counted.

from services.market_quote_v3 import MarketQuoteV3

quotes = MarketQuoteV3()
print(quotes.get_quote("NSE_EQ|INE009A01021")["ltp"])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import TypedDict

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.domain.errors import InvalidRequest, NoData, UpstoxError
from services.domain.quote_row import QuoteRow
from services.runtime import get_runtime
from services.self_check import INFOSYS, assure, main


class CacheStats(TypedDict):
    """How the cache does. Figures of the last hour, over everybody who uses this market file."""

    avg_cache_hit_rate_pct: float
    """Keys found in a cache, of all keys asked for, in percent; 0.0 if none was asked for."""
    avg_fetch_time_ms: float
    """Of the reads that had to ask the broker; 0.0 if none had to."""
    memory_cache_entries: int
    db_cache_entries: int
    total_api_calls_1h: int


class MarketQuoteV3:
    """Quotes of the process's runtime. Cheap to make; all of them over one file share one cache.

    A quote is a read-only dict: `instrument_key symbol ltp open high low prev_close change change_percent volume
    average_price oi oi_day_high oi_day_low previous_oi lower_circuit upper_circuit year_high year_low
    total_buy_quantity total_sell_quantity depth last_trade_time exchange_time received_at source api_version`. Prices
    in rupees, quantities in units, instants aware (UTC), `None` = not available.
    """

    BATCH_SIZE = 500
    QUOTE_CACHE_TTL_SECONDS = 5

    def __init__(self, db_path: str = "market_data.db", use_v3: bool = True) -> None:
        """`db_path`: the market file, relative to the data folder. `use_v3=False` asks the v2 call only."""
        self._quotes = get_runtime().quotes_in(db_path)
        self._use_v3 = None if use_v3 else False

    def get_quote(self, instrument_key: str) -> QuoteRow:
        """The quote of `instrument_key`, not older than five seconds.

        Raises what kept it from coming: `InvalidRequest` (no key), `BadInstrumentKey` (the broker does not know it),
        `NoData` (it knows it and has nothing to tell), or the error of the request.
        """
        result = self._quotes.get([instrument_key], use_v3=self._use_v3)
        for problem in result.problems.values():
            raise problem.with_traceback(None)  # one error may be told for hours: each telling would add its frames
        return result.quotes[instrument_key]

    def get_batch_quotes(
        self,
        instrument_keys: Iterable[str],
        use_cache: bool = True,
        *,
        problems: MutableMapping[str, UpstoxError] | None = None,
    ) -> dict[str, QuoteRow]:
        """Quotes by the keys as asked, any number of them; `use_cache=False` asks the broker even for fresh ones.

        A key without a quote is missing from the result. Pass a dict as `problems` to learn why: it is filled with an
        error for each. Without one, an error is raised if no quote came at all: a failure never looks like an empty
        answer.
        """
        result = self._quotes.get(instrument_keys, use_cache=use_cache, use_v3=self._use_v3)
        if problems is not None:
            problems.update(result.problems)
        elif result.problems and not result.quotes:
            raise _worst(result.problems.values()).with_traceback(None)
        return result.quotes

    def get_cache_stats(self) -> CacheStats:
        """How the cache does: see `CacheStats`."""
        stats = self._quotes.stats()
        return {
            "avg_cache_hit_rate_pct": round((stats.hit_rate or 0.0) * 100, 2),
            "avg_fetch_time_ms": round(stats.avg_fetch_ms or 0.0, 2),
            "memory_cache_entries": stats.memory_entries,
            "db_cache_entries": stats.db_entries,
            "total_api_calls_1h": stats.api_calls_1h,
        }

    def clear_cache(self) -> None:
        """Forget every cached quote, in memory and on disk. The figures of the last hour stay."""
        self._quotes.clear()


def _worst(problems: Iterable[UpstoxError]) -> UpstoxError:
    """The error that says most: one of the request, before one of a single key, before mere silence."""
    return min(problems, key=lambda problem: 2 * isinstance(problem, NoData) + isinstance(problem, InvalidRequest))


def check_itself() -> Iterator[str]:
    """A quote, a batch, and that the second reading came from the cache."""
    quotes = MarketQuoteV3()
    quote = quotes.get_quote(INFOSYS)
    last = quote["ltp"]
    assure(isinstance(last, float) and last > 0, f"a price was expected, not {last}")
    yield f"{quote['symbol']}: ₹{last:,.2f}, {quote['source']}, received {quote['received_at']:%H:%M:%S} UTC"
    batch = quotes.get_batch_quotes([INFOSYS, "NSE_INDEX|Nifty 50"])
    assure(len(batch) == 2, f"2 quotes were asked for, {len(batch)} came")
    again = quotes.get_batch_quotes(list(batch))
    assure(list(again) == list(batch), "the same keys gave other quotes")
    stats = quotes.get_cache_stats()
    assure(stats["avg_cache_hit_rate_pct"] > 0, "nothing came from the cache")
    yield f"{stats['avg_cache_hit_rate_pct']} % from the cache, {stats['total_api_calls_1h']} calls"


if __name__ == "__main__":
    main(check_itself)
