"""The common ground of all readers: text in, rows out, and every row that was refused named with its reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar

from services.domain.clock import IST, epoch_ms
from services.domain.errors import InvalidRequest
from services.domain.orders import Side

Row = Mapping[str, str]
_Read = TypeVar("_Read")
_DAYS = ("%d-%m-%Y", "%d/%m/%Y", "%d-%b-%Y")
_EMPTY = frozenset({"", "-", "NA", "N/A", "null", "None"})


class Refusal(Exception):
    """Why one row cannot be used, in words for the user."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken."""

    line: int
    """Of the file, counted from 1, the heading included."""
    reason: str
    text: str
    """The beginning of the row."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[_Read]):
    """What a file held."""

    source: str
    """Whose file it is, in words."""
    taken: tuple[_Read, ...]
    refused: tuple[Refused, ...]


def read_rows(text: str, needed: frozenset[str], what: str) -> Iterator[tuple[int, Row]]:
    """The rows of a comma-separated table, by line number and lower-case column name. Lines above the heading (names
    and dates of a report) are skipped. `InvalidRequest` where no heading has the `needed` columns."""
    heading: list[str] | None = None
    for number, cells in _cells(text):
        if heading is None:
            names = [_name(cell) for cell in cells]
            if needed <= set(names):
                heading = names
        elif any(cell.strip() for cell in cells):
            yield number, {name: cell.strip() for name, cell in zip(heading, cells, strict=False) if name}
    if heading is None:
        raise InvalidRequest(f"this is no {what}: no line names the columns {', '.join(sorted(needed))}")


def heading_of(text: str, at_most: int = 40) -> Iterator[frozenset[str]]:
    """The columns that each of the first lines would name."""
    for number, cells in _cells(text[:65_536]):
        if number > at_most:
            return
        yield frozenset(_name(cell) for cell in cells)


def _cells(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row, whichever way lines end."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    table = csv.reader(io.StringIO(plain))
    try:
        for cells in table:
            yield table.line_num, cells
    except csv.Error as error:
        raise InvalidRequest(f"line {table.line_num} is no line of a table: {error}") from None


def read_each(source: str, rows: Iterator[tuple[int, Row]], parse: Callable[[Row], _Read]) -> Reading[_Read]:
    """Each row through `parse`, which raises `Refusal` for one that cannot be used."""
    taken: list[_Read] = []
    refused: list[Refused] = []
    for line, row in rows:
        try:
            taken.append(parse(row))
        except (Refusal, InvalidRequest) as error:
            refused.append(Refused(line, str(error), ", ".join(row.values())[:120]))
    return Reading(source, tuple(taken), tuple(refused))


def text_of(row: Row, name: str) -> str:
    """The cell, or `Refusal` where it is empty."""
    found = optional(row, name)
    if not found:
        raise Refusal(f"{name} is missing")
    return found


def optional(row: Row, name: str) -> str:
    found = row.get(name, "").strip()
    return "" if found in _EMPTY else found


def decimal_of(row: Row, name: str) -> Decimal:
    """A number, with or without thousands separators."""
    found = text_of(row, name).replace(",", "")
    try:
        number = Decimal(found)
    except InvalidOperation:
        raise Refusal(f"{name} {found[:30]!r} is no number") from None
    if not number.is_finite():
        raise Refusal(f"{name} {found[:30]!r} is no number")
    return number


def whole_of(row: Row, name: str) -> int:
    """A whole number of at least 1."""
    number = decimal_of(row, name)
    if number != int(number) or number < 1:
        raise Refusal(f"{name} {number.normalize():f} is no whole number of at least 1")
    return int(number)


def price_of(row: Row, name: str) -> Decimal:
    price = decimal_of(row, name)
    if price < 0:
        raise Refusal(f"{name} {price} is below 0")
    return price


def day_of_text(text: str, name: str) -> date:
    """A day in one of the usual spellings."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        pass
    for spelling in _DAYS:
        try:
            return datetime.strptime(text[:11].strip(), spelling).replace(tzinfo=IST).date()
        except ValueError:
            continue
    raise Refusal(f"{name} {text[:30]!r} is no date")


def instant_of_text(text: str, name: str) -> int | None:
    """Milliseconds since the epoch of a stamp in Indian time (or with a zone of its own); `None` where it is empty."""
    if not text:
        return None
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{name} {text[:40]!r} is no time") from None
    return epoch_ms(stamp if stamp.tzinfo else stamp.replace(tzinfo=IST))


def side_of_text(text: str, name: str) -> Side:
    word = text.strip().upper()
    if word in {"BUY", "B"}:
        return Side.BUY
    if word in {"SELL", "S"}:
        return Side.SELL
    raise Refusal(f"{name} {text[:20]!r} is neither buy nor sell")


def _name(cell: str) -> str:
    return "_".join(cell.strip().lower().replace(".", "").replace("/", " ").split())
