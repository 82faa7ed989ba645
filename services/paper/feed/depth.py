"""Thirty levels of depth out of the simulator's five: the book goes on at the distance of its last two levels."""

from __future__ import annotations

from services.paper.model import Level, Snapshot

_THINNING = (0.9, 1.15, 0.75, 1.05, 0.85)
"""Quantities beyond the fifth level repeat those of the first five by these factors, so that no stretch looks alike."""


def deeper(snap: Snapshot, count: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """`count` bids and offers of `snap`, best first; fewer at a circuit limit."""
    return (
        _side(snap.bids, count, snap.lower_circuit, snap.upper_circuit),
        _side(snap.asks, count, snap.lower_circuit, snap.upper_circuit),
    )


def _side(levels: tuple[Level, ...], count: int, lowest: float | None, highest: float | None) -> tuple[Level, ...]:
    if len(levels) < 2:
        return levels
    step = levels[-1].price - levels[-2].price
    found = list(levels)
    for at in range(len(levels), count):
        like = levels[at % len(levels)]
        price = round(levels[-1].price + step * (at - len(levels) + 1), 4)
        if price <= 0 or (lowest is not None and price < lowest) or (highest is not None and price > highest):
            break
        unit = max(min(level.quantity for level in levels), 1)
        times = max(round(like.quantity * _THINNING[at // len(levels) % len(_THINNING)] / unit), 1)
        found.append(Level(price, unit * times, max(like.orders, 1)))
    return tuple(found[:count])
