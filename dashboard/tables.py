"""Tables of words and figures as the browser draws them: heads and rows of cells. Pure.

A cell is a text, or `{"t": text, "s": a line below it, "n": one more on a phone alone, in place of columns that have no
room there, "k": key of the instrument that it names, "tone": of its colour, "tags": [[text, warns]], "bar": [...]}`. A
table may be "old" (grey: say its age beside it) and "tall" (so many pixels, then it scrolls).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Cell = str | dict[str, Any]  # Any: texts, lists of texts and numbers
Table = dict[str, Any]  # Any: as the browser draws it

NO_KEYS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Head:
    """A column. `rank`: 1 always there, 2 not on a phone, 3 only where there is room for all."""

    id: str
    label: str
    num: bool = True
    rank: int = 1
    help: str = ""
    sort: bool = False
    wide: bool = False

    def told(self, sorted: str = "") -> Table:
        column = {"id": self.id, "label": self.label, "num": self.num, "rank": self.rank, "help": self.help}
        return column | {"sort": self.sort, "wide": self.wide} | ({"sorted": sorted} if sorted else {})


def word(label: str, *, rank: int = 1, wide: bool = False) -> Head:
    """A column of words. `wide`: they may take more than one line."""
    return Head(label.lower(), label, num=False, rank=rank, wide=wide)


def table_of(heads: Sequence[Head], rows: list[Table], label: str, **more: Any) -> Table:  # Any: as `Table`
    return {"columns": [head.told() for head in heads], "rows": rows, "label": label, **more}


def words_table(
    heads: Sequence[Head], rows: Iterable[Sequence[Cell]], label: str, **more: Any
) -> Table:  # Any: as above
    """Rows that are nothing but their cells."""
    return table_of(heads, [{"cells": list(cells)} for cells in rows], label, **more)


def symbol_cell(symbol: str, below: str, key: str = "") -> dict[str, Any]:
    """A symbol; with the key of its instrument it leads there."""
    return {"t": symbol, "s": below} | ({"k": key} if key else {})
