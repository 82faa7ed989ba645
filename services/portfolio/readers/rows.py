"""The common ground of all readers: text in, rows out, and every row that was refused named with its reason."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Generic, TypeVar

from services.domain.clock import IST, epoch_ms
from services.domain.errors import InvalidRequest
from services.domain.orders import Side

Row = Mapping[str, str]
_Read = TypeVar("_Read")
_DAYS = ("%d-%m-%Y", "%d/%m/%Y", "%d-%b-%Y")
_EMPTY = frozenset({"", "-", "NA", "N/A", "null", "None"})
_FORMULA = re.compile(r"[=@+]|-(?![\d.])")
_GROUPED = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3})(?:\.\d*)?")
LONGEST = 10_000
"""Characters of a line."""
LONGEST_CELL = 120
LARGEST_POWER = 15
"""Of ten: no amount and no quantity is larger; `1e999999` would take a minute to write out."""
SHOWN = 120
"""Characters of a refused row that are told."""
TOLD_EVERY = 4096
Told = Callable[[int], None]


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


def read_rows(
    text: str, needed: frozenset[str], what: str, *, told: Told | None = None
) -> Iterator[tuple[int, Row | Refused]]:
    """The rows of a comma-separated table, by line number and lower-case column name. Lines above the heading (names
    and dates of a report) are skipped. `told` hears of the line that is reached, now and then. `InvalidRequest` where
    no heading has the `needed` columns."""
    heading: list[str] | None = None
    for number, line in _lines(text):
        if told is not None and number % TOLD_EVERY == 0:
            told(number)
        cells = _cells(line)
        if heading is None:
            names = [] if isinstance(cells, str) else [_name(cell) for cell in cells]
            if needed <= set(names):
                heading = names
        elif isinstance(cells, str):
            yield number, Refused(number, cells, line[:SHOWN].strip())
        elif any(map(str.strip, cells)):
            width = len(heading)
            if len(cells) == width or (len(cells) > width and not any(map(str.strip, cells[width:]))):
                yield number, dict(zip(heading, map(str.strip, cells), strict=False))
            else:
                yield number, Refused(number, _misfit(len(cells), width), line[:SHOWN].strip())
    if heading is None:
        raise InvalidRequest(f"this is no {what}: no line names the columns {', '.join(sorted(needed))}")


def heading_of(text: str, at_most: int = 40) -> Iterator[frozenset[str]]:
    """The columns that each of the first lines would name."""
    for number, line in _lines(text[:65_536]):
        if number > at_most:
            return
        cells = _cells(line)
        if not isinstance(cells, str):
            yield frozenset(map(_name, cells))


def other_separator(text: str) -> str:
    """The separator of a table that is not separated by commas, in words; else nothing."""
    for number, line in _lines(text[:65_536]):
        if number > 40:
            break
        for mark, words in ((";", "semicolons"), ("\t", "tabs")):
            if line.count(mark) >= 5 > line.count(","):
                return words
    return ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line, whichever way lines end."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(io.StringIO(text.removeprefix("\ufeff"), newline="\n"), 1):
        yield number, line[:-1] if line.endswith("\n") else line


def _cells(line: str) -> list[str] | str:
    """The cells of one line, or why it has none. A cell goes on over no line: a mark that nobody closes would swallow
    all lines up to the next one."""
    if len(line) > LONGEST:
        return f"the line has {len(line):,} characters"
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return "a quotation mark is not closed on this line, or stands within a cell"


def _misfit(cells: int, width: int) -> str:
    if cells < width:
        return f"the line ends early: {cells} of {width} columns"
    return f"the line has {cells} columns, the heading {width}: perhaps a comma within a number or a name"


def read_each(source: str, rows: Iterator[tuple[int, Row | Refused]], parse: Callable[[Row], _Read]) -> Reading[_Read]:
    """Each row through `parse`, which raises `Refusal` for one that cannot be used."""
    taken: list[_Read] = []
    refused: list[Refused] = []
    for line, row in rows:
        if isinstance(row, Refused):
            refused.append(row)
            continue
        try:
            taken.append(parse(row))
        except (Refusal, InvalidRequest) as error:
            refused.append(Refused(line, str(error), ", ".join(row.values())[:SHOWN]))
    return Reading(source, tuple(taken), tuple(refused))


def text_of(row: Row, name: str) -> str:
    """The cell, or `Refusal` where it is empty."""
    found = optional(row, name)
    if not found:
        raise Refusal(f"{name} is missing")
    return found


def optional(row: Row, name: str) -> str:
    """The cell as it is; empty where it says that there is nothing. `Refusal` for what a spreadsheet would run."""
    found = row.get(name, "").strip()
    if found in _EMPTY:
        return ""
    if (found[0] in "=+@-" and _FORMULA.match(found)) or not found.isprintable():
        raise Refusal(f"{name} {found[:30]!r} looks like a formula, or holds signs of no text")
    if len(found) > LONGEST_CELL:
        raise Refusal(f"{name} has {len(found)} letters")
    return found


def decimal_of(row: Row, name: str) -> Decimal:
    """A number, with or without thousands separators."""
    found = text_of(row, name)
    if "," in found:
        if not _GROUPED.fullmatch(found):
            raise Refusal(f"{name} {found[:30]!r} is no number: commas may part thousands or lakhs only")
        found = found.replace(",", "")
    try:
        number = Decimal(found)
    except InvalidOperation:
        raise Refusal(f"{name} {found[:30]!r} is no number") from None
    if not number.is_finite() or number.adjusted() > LARGEST_POWER:
        raise Refusal(f"{name} {found[:30]!r} is no number of rupees or units")
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
    day = _day(text)
    if day is None:
        raise Refusal(f"{name} {text[:30]!r} is no date")
    return day


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        pass
    for spelling in _DAYS:
        try:
            return datetime.strptime(text[:11].strip(), spelling).replace(tzinfo=IST).date()
        except ValueError:
            continue
    return None


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
