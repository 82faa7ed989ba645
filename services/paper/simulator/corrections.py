"""What an exchange sets right overnight: the minutes of a finished day are not quite those that were told while it ran.

A late trade moves volume to the minute in which it was done, and with it the last price of a minute may change. Open,
high, low and close of the day and its volume stay, so the day's bar and the quote at the close remain true.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.paper.model import Bars
from services.paper.simulator.texture import BOOK, Texture

_PRICES = 0.15
_VOLUMES = 0.12
"""Parts of all minutes whose last price, or volume, is set right: about one five-minute bar in four then differs."""
_LATE = 0.1
"""How much of a minute's volume belongs to the minute before."""


def settled(day: Bars, tick: float, lot: int, mark: int, ordinal: int, texture: Texture) -> Bars:
    """The minutes of one finished day as they stand from the next day on. `mark`: the instrument's own number."""
    count = len(day)
    luck = texture.chance[(mark + 613 * ordinal + 17 * np.arange(count)) % BOOK]
    prices, volume = day.prices.copy(), day.volume.copy()
    moved = luck < _PRICES
    moved[-1:] = False
    step = np.where(luck < _PRICES / 2, tick, -tick)
    close = np.clip(prices[:, 3] + step, prices[:, 2], prices[:, 1])
    prices[:, 3] = np.where(moved, np.rint(close * 1e4) / 1e4, prices[:, 3])
    late = np.where((luck > 1.0 - _VOLUMES) & (np.append(0, volume[:-1]) > 0), volume * _LATE, 0.0)
    lots = _whole_lots(late, lot)
    volume += np.append(lots[1:], 0) - lots
    return Bars(day.start_ms, prices, volume, day.interest, day.opening_ms)


def _whole_lots(quantity: NDArray[np.float64], lot: int) -> NDArray[np.int64]:
    return np.floor(quantity / lot).astype(np.int64) * lot
