"""What a reader of candles gets: columns, where each stretch came from, what is missing, what may still change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from services.domain.candles import Interval
from services.domain.clock import IST, from_epoch_ms
from services.domain.errors import UpstoxError
from services.domain.quotes import Bar
from services.wire.candle_columns import CandleColumns, Counts, Prices

if TYPE_CHECKING:
    from pandas import DataFrame

STORED = "stored"
INTRADAY = "intraday"
FORMING = "forming (feed)"
FROM_MINUTES = "derived from minutes"
FROM_DAYS = "derived from days"

IST_MS = 19_800_000
"""India's distance from UTC."""


@dataclass(frozen=True, slots=True)
class SourcePart:
    """A stretch of bars that came the same way. `start <= instant < end`, aware, UTC."""

    source: str
    """`stored`, `v3`, `v2`, `intraday`, `forming (feed)`, `derived from minutes` or `derived from days`."""
    start: datetime
    end: datetime
    bars: int
    fetched_at: datetime | None
    """When the broker told the oldest of them; `None`: not known, or not asked for (the feed told)."""
    newest_fetched_at: datetime | None = None
    """When he told the newest of them; `None`: all at once."""

    @property
    def told(self) -> tuple[datetime, ...]:
        """When the broker told the oldest and the newest of them; empty if that is not known."""
        found = (self.fetched_at, self.newest_fetched_at or self.fetched_at)
        return tuple(at for at in found if at is not None)


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch that was asked for and could not be had."""

    start: datetime
    end: datetime
    why: str
    error: UpstoxError | None = None
    """`None`: nothing went wrong, the broker does not keep it."""


@dataclass(frozen=True, slots=True, eq=False)
class CandleSeries:
    """Bars of one instrument, ascending, each start once: numpy columns of equal length, not to be written into.

    `start_ms` in ms since the epoch (UTC), prices in rupees, `volume` and `oi` in units.
    """

    key: str
    interval: Interval
    start_ms: Counts
    open: Prices
    high: Prices
    low: Prices
    close: Prices
    volume: Counts
    oi: Counts
    sources: tuple[SourcePart, ...] = ()
    missing: tuple[Missing, ...] = ()
    provisional_from: datetime | None = None
    """Bars from here on may still change; `None`: all are final."""

    @classmethod
    def of(
        cls,
        key: str,
        interval: Interval,
        columns: CandleColumns,
        *,
        sources: tuple[SourcePart, ...] = (),
        missing: tuple[Missing, ...] = (),
        provisional_from: datetime | None = None,
    ) -> CandleSeries:
        return cls(key, interval, *columns.as_tuple(), sources, missing, provisional_from)

    def __len__(self) -> int:
        return len(self.start_ms)

    @property
    def complete(self) -> bool:
        """Did nothing fail?"""
        return all(one.error is None for one in self.missing)

    @property
    def columns(self) -> CandleColumns:
        return CandleColumns(self.start_ms, self.open, self.high, self.low, self.close, self.volume, self.oi)

    @property
    def first(self) -> datetime | None:
        """The start of the first bar."""
        return from_epoch_ms(int(self.start_ms[0])) if len(self) else None

    @property
    def last(self) -> datetime | None:
        """The start of the last bar."""
        return from_epoch_ms(int(self.start_ms[-1])) if len(self) else None

    def tail(self, count: int) -> CandleSeries:
        """The last `count` bars; what is told of sources, gaps and provisional bars stays."""
        kept = self.columns.take(slice(max(0, len(self) - count), None))
        return CandleSeries.of(
            self.key,
            self.interval,
            kept,
            sources=self.sources,
            missing=self.missing,
            provisional_from=self.provisional_from,
        )

    def bars(self) -> list[Bar]:
        """One object a bar, oldest first: for a few of them, not for a chart."""
        return self.columns.bars()

    def rows(self) -> list[dict[str, object]]:
        """One dict a bar, oldest first: `timestamp` (ISO, +05:30), `open high low close volume oi`."""
        names = ("timestamp", "open", "high", "low", "close", "volume", "oi")
        columns = (ist_stamps(self.start_ms), *(column.tolist() for column in self.columns.as_tuple()[1:]))
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def frame(self) -> DataFrame:
        """A DataFrame with columns `open high low close volume oi`, indexed by the start of the bar in Indian time."""
        import pandas as pd  # takes longer to load than everything else here; scripts without frames do without it

        index = pd.DatetimeIndex(self.start_ms, dtype=pd.DatetimeTZDtype("ms", IST), name="timestamp")
        return pd.DataFrame(
            {name: getattr(self, name) for name in ("open", "high", "low", "close", "volume", "oi")},
            index=index,
            copy=False,
        )


def ist_stamps(start_ms: Counts) -> list[str]:
    """ISO texts in Indian time, `2026-11-20T09:15:00+05:30`."""
    local = (start_ms + IST_MS).view("M8[ms]")
    return [f"{text}+05:30" for text in np.datetime_as_string(local, unit="s").tolist()]
