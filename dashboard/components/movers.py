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


def breadth_words(reading: Reading, name: str) -> str:
    """Large caps: 9 up, 7 down, 0 unchanged. Those of which no change is known are counted apart, none is not zero."""
    up, down, level = breadth(reading)
    lacking = len(reading.keys) - (up + down + level)
    if lacking == len(reading.keys):
        return name
    return f"{name}: {up} up ▲, {down} down ▼, {level} unchanged" + (f", {lacking} not known" if lacking else "")
