"""What moved most of a set of instruments: gainers, losers, most traded."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.reading import Reading

MOST = 5


def movers(reading: Reading, *, most: int = MOST) -> tuple[Sequence[str], Sequence[str]]:
    """The keys that rose most and those that fell most, by percent since the previous close."""
    moves = {
        key: row["change_percent"]
        for key in reading.keys
        if (row := reading.rows.get(key)) is not None and row["change_percent"] is not None
    }
    ranked = sorted(moves, key=lambda key: (-moves[key], key))
    return (
        [key for key in ranked if moves[key] > 0][:most],
        [key for key in reversed(ranked) if moves[key] < 0][:most],
    )


def busiest(reading: Reading, *, most: int = MOST) -> Sequence[str]:
    """The keys of which most units were traded today."""
    volumes = {
        key: row["volume"] for key in reading.keys if (row := reading.rows.get(key)) is not None and row["volume"]
    }
    return sorted(volumes, key=lambda key: (-volumes[key], key))[:most]


def breadth(reading: Reading) -> tuple[int, int, int]:
    """How many rose, fell, stood still."""
    changes = [
        row["change"]
        for key in reading.keys
        if (row := reading.rows.get(key)) is not None and row["change"] is not None
    ]
    up = sum(change > 0 for change in changes)
    down = sum(change < 0 for change in changes)
    return up, down, len(changes) - up - down
