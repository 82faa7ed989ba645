"""One row per claim, and the table that is printed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("measurement", "ours", "peer", "floor", "unit", "ratio", "goal", "met", "note")


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured (`ours`), what it is held against (`peer`: the usual way, or a claim), and the bar."""

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    goal: str
    met: bool | None
    """None: told for information, there is no bar. A goal is met or missed, whatever the reason; `note` tells it."""
    unit: str
    note: str = ""
    floor: float | None = None
    """What cannot be done without: the same work with nothing of ours around it."""

    def __post_init__(self) -> None:
        if (self.met is None) == bool(self.goal):
            raise ValueError(f"{self.name}: a goal is met or missed, and nothing else is")


def cells(row: Row) -> tuple[str, ...]:
    """The row in words, one text for each name of `HEAD`."""
    return (
        row.name,
        _figure(row.ours),
        _figure(row.peer),
        _figure(row.floor),
        row.unit,
        "" if row.ratio is None else f"{row.ratio:.2f}x",
        row.goal,
        "" if row.met is None else ("yes" if row.met else "NO"),
        row.note,
    )


def format_table(rows: Sequence[Row]) -> str:
    """The rows as aligned text, one line each."""
    lines = [cells(row) for row in rows]
    widths = [max(len(line[column]) for line in [HEAD, *lines]) for column in range(len(HEAD))]
    rule = tuple("-" * width for width in widths)
    numbers = {1, 2, 3, 5}

    def laid_out(line: tuple[str, ...]) -> str:
        aligned = (
            text.rjust(width) if column in numbers else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(aligned).rstrip()

    return "\n".join(laid_out(line) for line in [HEAD, rule, *lines])


def print_table(rows: Sequence[Row]) -> None:
    """Print the rows."""
    print(format_table(rows))


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
