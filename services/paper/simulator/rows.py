"""What the board holds of one instrument: what stays the same through a session, and what changes by the minute."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.paper.specs import Spec

Floats = NDArray[np.float64]

OI_MINUTES = 5
"""Open interest moves in steps of this many minutes."""
FAR = 2_000_000_000
"""Beyond every price in ticks and every second of a session."""


@dataclass(frozen=True, slots=True)
class Row:
    """What stays the same of one instrument through one session."""

    spec: Spec
    tick: float
    """Rupees; finer than the instrument's own where a real day needs it."""
    previous_interest: float
    hold: int
    """Index into `texture.HOLDS`, or `texture.UNTRADED`."""
    previous_close: float
    """Rupees."""
    limits: tuple[int, int]
    """No trade below or above these ticks."""
    walls: tuple[int, int]
    """Circuit limits in ticks: at one of them, one side of the book is empty."""
    circuits: tuple[float, float] | None
    """Rupees."""
    year: tuple[float, float]
    """Low and high, rupees, before today."""
    end_minute: int
    """The instrument trades in the session's minutes before this one."""
    rest: tuple[int, int]
    """From this second on it does not trade, until that one: a pause, or the closing auction; `(FAR, FAR)` for none."""
    last_second: int
    """The second of its last trade: of the closing auction's result, else `FAR` (none is known beforehand)."""
    mark: int
    """A number of its own, from its key."""
    ends_ms: float
    """When the contract ends, epoch ms; 0 for what has no end."""
    carry: float
    """Yearly growth of its root's forwards."""


@dataclass(frozen=True, slots=True)
class Track:
    """What changes of one instrument in a session. Prices in ticks; arrays over the session's minutes."""

    grid: Floats
    """(minutes + 1,): price at each minute's edge."""
    noise: Floats
    """(minutes,): spread of the minute's own move; negative where the price moves against its root."""
    shape: NDArray[np.uint16]
    """(minutes,): index into the texture's shapes."""
    knots: Floats | None
    """(minutes, 4): the turns of a recorded day."""
    volume: NDArray[np.int64]
    """(minutes,), 0 for an index."""
    interest: Floats
    """((minutes - 1) // OI_MINUTES + 1,): open interest, 0 where there is none."""


def mark_of(key: str) -> int:
    """A number that belongs to an instrument key in every process."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big")
