"""Practice markets for tests: made in one line, at a fixed instant."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from services.domain.clock import IST
from services.paper.clock import PaperClock
from services.paper.market import PracticeMarket, build_market

NIFTY = "NSE_INDEX|Nifty 50"
VIX = "NSE_INDEX|India VIX"
RELIANCE = "NSE_EQ|INE002A01018"
TCS = "NSE_EQ|INE467B01029"
MAHINDRA = "NSE_EQ|INE101A01026"


def ist(text: str) -> datetime:
    """An instant of Indian time: `2026-11-20 11:15:04`."""
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def practice_market(
    clock: str = "2026-11-20T11:15:04+05:30",
    *,
    seed: int = 7,
    instruments: Path | None = None,
    prices: str = "simulated",
    candles: Path | None = None,
) -> PracticeMarket:
    """A market whose clock stands at `clock` (or reads a stopped host clock for `always` and `exchange`)."""
    stopped = PaperClock.parse(clock, wall=lambda: ist("2026-11-20 11:15:04").timestamp(), monotonic=lambda: 0.0)
    return build_market(seed=seed, clock=stopped, instruments=instruments, prices=prices, candles=candles)


def key_of(market: PracticeMarket, at: datetime, quote_symbol: str) -> str:
    """The key of the instrument that quotes call `quote_symbol`."""
    return next(key for key, listing in market.listings(at).items() if listing.quote_symbol == quote_symbol)
