"""The path of a day, made small: at most so many points on a scale of 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence

POINTS = 48


def spark(track: Sequence[float], base: float | None) -> dict[str, object] | None:
    """`p` the points, `b` the previous close on their scale (`None` if unknown), `dir` the sign of the day.

    `None` with fewer than two points: one price is no path.
    """
    if len(track) < 2:
        return None
    points = thinned(track, POINTS)
    known = points if base is None else [*points, base]
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    start = base if base is not None else points[0]
    return {
        "p": [round((value - low) / span * 100) for value in points],
        "b": None if base is None else round((base - low) / span * 100),
        "dir": (points[-1] > start) - (points[-1] < start),
    }


def thinned(track: Sequence[float], most: int) -> list[float]:
    """At most `most` points, evenly taken, first and last always among them."""
    if len(track) <= most:
        return list(track)
    step = (len(track) - 1) / (most - 1)
    return [track[round(i * step)] for i in range(most)]
