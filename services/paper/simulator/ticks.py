"""Prices in whole ticks, and the ticks between which a day's trading stays."""

from __future__ import annotations

import math

import numpy as np

from services.paper.simulator.rows import FAR


def in_ticks(price: float, tick: float) -> int:
    """`price` in whole ticks, rounded as the board rounds its minute edges: a close is the same from both sides."""
    return int(np.rint(np.float32(price / tick)))


def limits_of(previous: float, tick: float, band: float | None) -> tuple[tuple[int, int], tuple[float, float] | None]:
    """Limits in ticks, and in rupees where the exchange has any: `band`, a fraction, around the last close."""
    if band is None:
        return (1, FAR), None
    return around(previous, band * previous, tick)


def around(previous: float, reach: float, tick: float) -> tuple[tuple[int, int], tuple[float, float]]:
    """Limits in ticks and in rupees: inwards to whole ticks, never below one tick."""
    low = max(math.ceil((previous - reach) / tick - 1e-9), 1)
    high = max(math.floor((previous + reach) / tick + 1e-9), low + 1)
    return (low, high), (low * tick, high * tick)
