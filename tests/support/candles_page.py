"""Series of candles for tests of charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from services.candles.series import CandleSeries, Missing, SourcePart
from services.domain.candles import DAY, MINUTE, Interval
from services.domain.clock import IST, epoch_ms

RELIANCE = "NSE_EQ|INE002A01018"
OPENS = datetime(2026, 11, 20, 9, 15, tzinfo=IST).astimezone(UTC)
"""A Friday."""


def series(
    closes: Sequence[float],
    *,
    interval: Interval = DAY,
    start: datetime = OPENS,
    step: timedelta | None = None,
    highs: Sequence[float] | None = None,
    lows: Sequence[float] | None = None,
    volume: Sequence[int] | int = 100,
    key: str = RELIANCE,
    sources: tuple[SourcePart, ...] = (),
    missing: tuple[Missing, ...] = (),
    provisional_from: datetime | None = None,
) -> CandleSeries:
    """Bars that open where the one before closed. Without `highs` and `lows` the extremes are open and close."""
    close = np.array(closes, dtype=np.float64)
    opens = np.concatenate((close[:1], close[:-1]))
    length = step or timedelta(minutes=interval.minutes or 24 * 60)
    starts = [epoch_ms(start + length * number) for number in range(len(close))]
    return CandleSeries(
        key,
        interval,
        np.array(starts, dtype=np.int64),
        opens,
        np.maximum(opens, close) if highs is None else np.array(highs, dtype=np.float64),
        np.minimum(opens, close) if lows is None else np.array(lows, dtype=np.float64),
        close,
        np.full(len(close), volume, dtype=np.int64) if isinstance(volume, int) else np.array(volume, dtype=np.int64),
        np.zeros(len(close), dtype=np.int64),
        sources,
        missing,
        provisional_from,
    )


def minutes(count: int, *, start: datetime = OPENS) -> CandleSeries:
    """Minutes with prices that go up and down a little."""
    return series([1500 + (number * 7 % 23) / 10 for number in range(count)], interval=MINUTE, start=start)
