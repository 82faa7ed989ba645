"""How much of an instrument is traded in a day, and when: the total first, so that years are a table look-up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.paper.simulator.texture import BOOK, Texture

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def day_volumes(usual: float, lot: int, mark: int, ordinals: Ints, parts: Floats, texture: Texture) -> Ints:
    """What is traded on each of the days `ordinals`, whole lots. `usual`: a typical day's volume; `parts`: how much of
    a usual day's hours each day has; `mark`: the instrument's own number."""
    busy = 0.6 + 0.9 * texture.chance[(mark + 7919 * ordinals) % BOOK]
    whole: Ints = np.floor(usual * busy * parts / lot).astype(np.int64) * lot
    return whole


def minute_volumes(total: int, lot: int, mark: int, ordinal: int, profile: Floats, texture: Texture) -> Ints:
    """`total` spread over the minutes of a day by `profile` with chance on top; whole lots where `total` is."""
    luck = texture.size[(mark + 31 * ordinal + np.arange(profile.size)) % BOOK]
    done = np.cumsum(profile * luck)
    lots = np.floor(total / lot * (done / done[-1]))  # fractions add up, so that quiet contracts trade now and then
    shares: Ints = np.diff(lots, prepend=0.0).astype(np.int64) * lot
    return shares
