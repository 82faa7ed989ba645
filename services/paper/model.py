"""The seam inside the paper broker: what its HTTP side asks of the market behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

_QUARTER_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Level:
    price: float
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class Greeks:
    """`iv` as a fraction (0.1124)."""

    iv: float
    delta: float
    gamma: float
    theta: float
    vega: float
    pop: float
    """Probability of profit, in percent."""
    rho: float = 0.0
    """Per percentage point of the interest rate; told by the feed only."""


@dataclass(frozen=True, slots=True)
class MarketBar:
    """One bar, stamped at its start."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    oi: int


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars as columns, in ascending order. Rupees, units, epoch ms."""

    start_ms: NDArray[np.int64]
    prices: NDArray[np.float64]
    """(n, 4): open, high, low, close."""
    volume: NDArray[np.int64]
    interest: NDArray[np.int64]
    opening_ms: NDArray[np.int64]
    """When the session of each bar opened; the start itself for days and longer ones."""

    def __len__(self) -> int:
        return len(self.start_ms)

    @classmethod
    def of(cls, bars: Sequence[MarketBar], opening_ms: int | None = None) -> Self:
        """Minutes of one session. Without `opening_ms` the opening is taken from the first minute: every session opens
        at a full quarter of an hour."""
        start = np.array([bar.start_ms for bar in bars], dtype=np.int64)
        if opening_ms is None and bars:
            opening_ms = bars[0].start_ms - bars[0].start_ms % _QUARTER_MS
        return cls(
            start,
            np.array([(bar.open, bar.high, bar.low, bar.close) for bar in bars]).reshape(-1, 4),
            np.array([bar.volume for bar in bars], dtype=np.int64),
            np.array([bar.oi for bar in bars], dtype=np.int64),
            np.full(len(bars), opening_ms or 0, dtype=np.int64),
        )

    def bar(self, at: int) -> MarketBar:
        """One of them."""
        opened, high, low, close = self.prices[at].tolist()
        return MarketBar(int(self.start_ms[at]), opened, high, low, close, int(self.volume[at]), int(self.interest[at]))

    def take(self, which: NDArray[np.bool_]) -> Bars:
        """Those that the mask leaves."""
        return Bars(
            self.start_ms[which], self.prices[which], self.volume[which], self.interest[which], self.opening_ms[which]
        )


NO_BARS = Bars.of(())


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument of the universe.

    `row` holds the instrument file's own fields and units (`tick_size` in paise, `expiry` in epoch ms);
    `quote_symbol` is the spelling that quotes use (`NIFTY26NOV26000CE`, `RELIANCE`, `Nifty 50`).
    """

    key: str
    segment: str
    exchange: str
    quote_symbol: str
    row: Mapping[str, object]

    @property
    def quote_name(self) -> str:
        """The key of this instrument in the map of a quote answer."""
        return f"{self.segment}:{self.quote_symbol}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is known of one instrument at one instant. Rupees, units, epoch ms; `None` for an index where
    the market has no such figure (volume, depth, circuits)."""

    listing: Listing
    at_ms: int
    ltp: float
    open: float
    high: float
    low: float
    prev_close: float
    day_start_ms: int
    volume: int | None
    average_price: float | None
    last_quantity: int
    last_trade_ms: int
    oi: float | None
    oi_day_high: float | None
    oi_day_low: float | None
    previous_oi: float | None
    lower_circuit: float | None
    upper_circuit: float | None
    year_high: float
    year_low: float
    total_buy_quantity: int | None
    total_sell_quantity: int | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    greeks: Greeks | None
    minute: MarketBar
    """The running minute."""
    last_minute: MarketBar | None
    """The last finished minute."""


class Market(Protocol):
    """Prices as a pure function of the instant: asking twice for the same instant gives the same answer."""

    @property
    def source(self) -> str:
        """`simulated`; `replay:YYYY-MM-DD` where every price follows that recorded day minute by minute;
        `mixed:YYYY-MM-DD` where some do and the others are simulated."""

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        """Every instrument listed on the day of `at`, by instrument key (contracts come and go with their expiry)."""

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        """One snapshot for each of `keys`, in their order. KeyError for a key that is not listed."""

    def minute_bars(self, key: str, at: datetime) -> list[MarketBar]:
        """The minutes of the running session (else of the last one) up to `at`, oldest first, the last one still
        forming. One for every minute."""

    def today(self, key: str, at: datetime) -> Bars:
        """The minutes of the day of `at` as the broker tells them while it runs; none before its session, and none on
        a day without one. KeyError for a key that is not listed."""

    def minutes(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """The minutes of the days `first` to `last`, both included, as far as they are over on the day of `at`.
        KeyError for a key that is not listed."""

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """One bar for each of those days, stamped at midnight in India."""
