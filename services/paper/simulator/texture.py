"""What happens inside a minute: a stock of one-minute shapes that every instrument draws from, second by second.

Made once per seed. A minute names its shape; price, volume, book and trade sizes of any second can then be looked up
without having lived through the seconds before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.paper.seeds import stream

SECONDS = 60
SHAPES = 1024
HOLDS = (1, 2, 4, 8, 15, 30)
"""Seconds between trades, from the liveliest class of instruments to the quietest."""
UNTRADED = len(HOLDS)
"""The class of an index: it moves every second and knows no bid and ask."""
BOOK = 4096
"""Rows of the book table; a power of two."""


@dataclass(frozen=True, slots=True)
class Texture:
    """Tables, read-only. The first axis of the path tables is `hold class * SHAPES + shape`."""

    wave: NDArray[np.float32]
    """(classes * SHAPES, 60): a bridge from 0 to 0 with the spread of a random walk of length one minute."""
    bounce: NDArray[np.float32]
    """(classes * SHAPES, 60): trades at bid and ask around the middle, in ticks; 0 at both ends."""
    progress: NDArray[np.float32]
    """(classes, 60): how much of the minute's move is done at each second; 1 at the last."""
    traded_second: NDArray[np.int64]
    """(classes, 60): the second of the last trade at each second."""
    volume_share: NDArray[np.float64]
    """(SHAPES, 60): the part of the minute's volume that is done by the end of each second."""
    knots: NDArray[np.float32]
    """(SHAPES, 4, 60): weights of open, first turn, second turn and close in a path through all four."""
    size: NDArray[np.float64]
    """(BOOK,): log-normal factors around 1, for quantities."""
    chance: NDArray[np.float64]
    """(BOOK,): uniform in [0, 1)."""


def make_texture(seed: int) -> Texture:
    """The tables for `seed`."""
    draws = stream(seed, "texture")
    held = np.array([_held(hold) for hold in (*HOLDS, 1)])
    wave, bounce = _waves(draws), _bounces(draws)
    bounces = bounce[:, held].transpose(1, 0, 2)
    bounces[UNTRADED] = 0.0
    clock = np.arange(SECONDS) / (SECONDS - 1)
    return Texture(
        wave=wave[:, held].transpose(1, 0, 2).reshape(-1, SECONDS).astype(np.float32),
        bounce=bounces.reshape(-1, SECONDS).astype(np.float32),
        progress=clock[held].astype(np.float32),
        traded_second=held,
        volume_share=_volume_shares(draws),
        knots=_knots(draws).astype(np.float32),
        size=np.exp(0.75 * draws.standard_normal(BOOK) - 0.25),
        chance=draws.random(BOOK),
    )


def _held(hold: int) -> NDArray[np.int64]:
    """For each second, the second of the last trade; the last second of a minute always trades."""
    seconds = np.arange(SECONDS)
    last = seconds // hold * hold
    last[-1] = SECONDS - 1
    return last


def _waves(draws: np.random.Generator) -> NDArray[np.float64]:
    steps = draws.standard_normal((SHAPES, SECONDS)) / np.sqrt(SECONDS - 1)
    steps[:, 0] = 0.0
    walk = np.cumsum(steps, axis=1)
    return walk - walk[:, -1:] * (np.arange(SECONDS) / (SECONDS - 1))


def _bounces(draws: np.random.Generator) -> NDArray[np.float64]:
    bounce = draws.choice([-0.45, 0.0, 0.45], size=(SHAPES, SECONDS), p=[0.35, 0.3, 0.35])
    bounce[:, (0, -1)] = 0.0
    return bounce


def _volume_shares(draws: np.random.Generator) -> NDArray[np.float64]:
    trades = draws.standard_exponential((SHAPES, SECONDS)) ** 1.6
    done = np.cumsum(trades, axis=1)
    return done / done[:, -1:]


def _knots(draws: np.random.Generator) -> NDArray[np.float64]:
    """Straight legs between four points whose two turns come at varying seconds."""
    weights = np.zeros((SHAPES, 4, SECONDS))
    seconds = np.arange(SECONDS)
    first = draws.integers(5, 28, SHAPES)
    second = draws.integers(32, 55, SHAPES)
    for shape in range(SHAPES):
        points = [0, first[shape], second[shape], SECONDS - 1]
        for knot in range(4):
            weights[shape, knot] = np.interp(seconds, points, np.eye(4)[knot])
    return weights
