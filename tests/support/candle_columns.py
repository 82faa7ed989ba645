"""Columns of candles, held against each other."""

from __future__ import annotations

import numpy as np

from services.wire.candle_columns import CandleColumns


def same(one: CandleColumns, other: CandleColumns) -> bool:
    """Are all bars equal?"""
    pairs = zip(one.as_tuple(), other.as_tuple(), strict=True)
    return len(one) == len(other) and all(np.array_equal(mine, its) for mine, its in pairs)
