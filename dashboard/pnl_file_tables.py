"""Tables that become files: typed columns, written as CSV here and as sheets of a workbook in `pnl_workbook`.

Amounts come as whole paise, prices as ten-thousandths of a rupee; `None` is a value that is not known and becomes an
empty cell, never a zero.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.domain.clock import IST
from services.domain.spreadsheets import harmless
from services.portfolio.money import PRICE_UNITS

PIECE = 2_000
"""Rows that are written between two words of progress."""

Progress = Callable[[float], object]


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DAY = "day"
    MOMENT = "moment"
    """An instant, told in Indian time."""
    COUNT = "count"
    MONEY = "money"
    """Paise."""
    PRICE = "price"
    """Ten-thousandths of a rupee."""
    FLAG = "flag"
    """Yes, or nothing."""
    PERCENT = "percent"
    """0.42 is 42%."""
    RATIO = "ratio"

    @property
    def of_numbers(self) -> bool:
        return self in {Kind.COUNT, Kind.MONEY, Kind.PRICE, Kind.PERCENT, Kind.RATIO}


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One column. `total`: its sum means something."""

    name: str
    kind: Kind
    values: Sequence[Any]
    total: bool = False


@dataclass(frozen=True, slots=True)
class FileTable:
    """Columns of one length under one name."""

    name: str
    columns: tuple[FileColumn, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def column(self, name: str) -> FileColumn:
        return next(column for column in self.columns if column.name == name)

    def pieces(self) -> Iterator[tuple[int, list[Sequence[Any]]]]:
        """The first row of each piece, and its columns."""
        for start in range(0, len(self), PIECE):
            yield start, [column.values[start : start + PIECE] for column in self.columns]


def as_csv(table: FileTable, *, progress: Progress = lambda share: None) -> bytes:
    """One line a row, with a byte order mark, for Excel. Rupees with a point and two decimals (prices: as many as it
    takes, at least two), days as 2026-11-20, instants in Indian time with their offset."""
    out = io.StringIO()
    out.write(",".join(_text(_heading(column)) for column in table.columns) + "\r\n")
    writers = [_WRITERS[column.kind] for column in table.columns]
    total = len(table)
    for start, columns in table.pieces():
        cells = [
            ["" if value is None else write(value) for value in values]
            for write, values in zip(writers, columns, strict=True)
        ]
        out.writelines(",".join(row) + "\r\n" for row in zip(*cells, strict=True))
        progress(min(1.0, (start + PIECE) / total))
    return out.getvalue().encode("utf-8-sig")


def file_name(*parts: str, ending: str) -> str:
    """A name that any file system takes: `pnl_EQ_2026-04-01_2026-11-20.xlsx`."""
    kept = (re.sub(r"[^A-Za-z0-9&.-]+", "-", part).strip("-.") for part in parts)
    return "_".join(part for part in kept if part)[:120] + f".{ending}"


def rupees_text(paise: int) -> str:
    """`-1234.50`, exactly."""
    return f"{'-' if paise < 0 else ''}{abs(paise) // 100}.{abs(paise) % 100:02d}"


def price_text(units: int) -> str:
    """`1234.50`, `85.0025`, exactly."""
    digits = f"{abs(units) % PRICE_UNITS:04d}"
    digits = digits[:2] if digits.endswith("00") else digits
    return f"{'-' if units < 0 else ''}{abs(units) // PRICE_UNITS}.{digits}"


def _heading(column: FileColumn) -> str:
    return f"{column.name} (₹)" if column.kind in {Kind.MONEY, Kind.PRICE} else column.name


def _text(value: Any) -> str:
    """A text as a cell that no spreadsheet runs."""
    text = str(harmless(str(value).strip("\r\n\t ")))
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def _moment(value: datetime) -> str:
    return value.astimezone(IST).isoformat(timespec="seconds")


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _text,
    Kind.DAY: date.isoformat,
    Kind.MOMENT: _moment,
    Kind.COUNT: lambda value: str(int(value)),
    Kind.MONEY: lambda value: rupees_text(int(value)),
    Kind.PRICE: lambda value: price_text(int(value)),
    Kind.FLAG: lambda value: "yes" if value else "",
    Kind.PERCENT: lambda value: f"{float(value) * 100:.2f}%",
    Kind.RATIO: lambda value: f"{float(value):.4f}",
}
