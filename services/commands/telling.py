"""How verbs tell: plain tables, or JSON that keeps every digit."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path

from services.domain.clock import IST
from services.domain.time_words import span

NOTHING = "-"
"""In a table: not known, or not told."""


def say(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """A line on stderr: what a person should know beside the answer."""
    sys.stderr.write(f"{text}\n")


def say_json(value: object) -> None:
    """`value` as JSON: instants in Indian time with their offset, money as texts with all their digits, `null` for
    what is not known."""
    say(json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False, indent=1))


def say_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """`rows` under `heads`, columns of numbers to the right. No rows: the heads alone."""
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    right = [any(_is_number(row[place]) for row in rows) for place in range(len(heads))]
    for line in (heads, *cells):
        parts = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ]
        say("  ".join(parts).rstrip())


def cell(value: object) -> str:
    """As it stands in a table. A float is a price, with two decimals or as many as it has."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = repr(round(value, 4))
        return f"{value:.2f}" if len(text.partition(".")[2]) < 3 else text
    if isinstance(value, Decimal):
        exponent = value.normalize().as_tuple().exponent
        return f"{value:.2f}" if isinstance(exponent, int) and exponent >= -2 else f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")
    return one_line(str(value))


def one_line(text: str) -> str:
    """Without line ends, and without anything that a terminal would obey: the broker's words stand in tables too."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def moment(at: datetime | None) -> str:
    """An instant in Indian time, with its zone."""
    return "never" if at is None else f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S} IST"


def age(at: datetime | None, now: datetime) -> str:
    """How long ago that was, in words."""
    return NOTHING if at is None else span((now - at) / timedelta(seconds=1))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(IST).isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
