"""Typed reading of one member of a payload: the value, or a `MalformedPayload` that names the member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from services.domain.clock import IST, from_epoch_ms
from services.domain.errors import MalformedPayload

Row = Mapping[str, object]


def malformed(field: str, wanted: str, got: object) -> NoReturn:
    """Say which member is wrong and of which type it is; the value itself stays out of the message."""
    kind = "nothing" if got is None else type(got).__name__
    raise MalformedPayload(f"the broker's answer has {kind} where {field} should be {wanted}", field=field)


def as_map(value: object, field: str) -> dict[str, object]:
    if not isinstance(value, dict):
        malformed(field, "an object", value)
    return value


def as_list(value: object, field: str) -> list[object]:
    if not isinstance(value, list):
        malformed(field, "a list", value)
    return value


def rows_of(data: object) -> Iterator[tuple[dict[str, object], str]]:
    """Each object of the list `data`, with the name of its place for messages."""
    for place, row in enumerate(as_list(data, "data")):
        yield as_map(row, f"data[{place}]"), f"data[{place}]"


def is_number(value: object) -> bool:
    """A JSON number. (`bool` is an `int` in Python, not in JSON.)"""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text(row: Row, name: str, where: str) -> str:
    """A text that must be there and say something."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        malformed(f"{where}.{name}", "a text", value)
    return value


def text_or_none(row: Row, name: str, where: str) -> str | None:
    """A text, or `None` where it is absent, null or empty."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        malformed(f"{where}.{name}", "a text", value)
    return value


def texts(row: Row, name: str, where: str) -> tuple[str, ...]:
    """A list of texts; absent or null is an empty one."""
    value = row.get(name)
    if value is None:
        return ()
    items = as_list(value, f"{where}.{name}")
    for item in items:
        if not isinstance(item, str):
            malformed(f"{where}.{name}[]", "a text", item)
    return tuple(str(item) for item in items)


def flag_or_none(row: Row, name: str, where: str) -> bool | None:
    value = row.get(name)
    if value is None or isinstance(value, bool):
        return value
    malformed(f"{where}.{name}", "true or false", value)


def number_or_none(row: Row, name: str, where: str) -> float | None:
    """A number, or `None` where it is absent or null."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        malformed(f"{where}.{name}", "a number", value)
    return float(value)


def number(row: Row, name: str, where: str) -> float:
    value = number_or_none(row, name, where)
    if value is None:
        malformed(f"{where}.{name}", "a number", None)
    return value


def price_or_none(row: Row, name: str, where: str) -> float | None:
    """A price, where 0 means the same as null: not available."""
    return number_or_none(row, name, where) or None


def whole_or_none(row: Row, name: str, where: str) -> int | None:
    """A whole number (the API prints many as `512340.0`), or `None` where it is absent or null."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        malformed(f"{where}.{name}", "a whole number", value)
    return int(value)


def decimal_or_none(row: Row, name: str, where: str) -> Decimal | None:
    """A number exactly as it was printed."""
    value = row.get(name)
    if value is None:
        return None
    if not is_number(value):
        malformed(f"{where}.{name}", "a number", value)
    return Decimal(str(value))


def decimal(row: Row, name: str, where: str) -> Decimal:
    value = decimal_or_none(row, name, where)
    if value is None:
        malformed(f"{where}.{name}", "a number", None)
    return value


def decimal_from_text(value: str, field: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        malformed(field, "a number", value)


def instant_ms(row: Row, name: str, where: str) -> datetime:
    """An instant given as epoch milliseconds, as a number or as a string of digits (both occur). Aware, UTC."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        malformed(f"{where}.{name}", "epoch milliseconds", value)
    try:
        return from_epoch_ms(int(value))
    except OverflowError:
        malformed(f"{where}.{name}", "epoch milliseconds", value)


def iso_instant(value: object, field: str) -> datetime:
    """An ISO 8601 instant with its offset, in UTC. A naive one would shift the chart by 5.5 hours: refused."""
    if isinstance(value, str):
        try:
            stamp = datetime.fromisoformat(value)
        except ValueError:
            malformed(field, "an ISO instant", value)
        if stamp.tzinfo is not None:
            return stamp.astimezone(UTC)
    malformed(field, "an ISO instant with its offset", value)


def iso_day(value: object, field: str) -> date:
    """`YYYY-MM-DD`."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            malformed(field, "a date YYYY-MM-DD", value)
    malformed(field, "a date YYYY-MM-DD", value)


def decimal_or_blank(row: Row, name: str, where: str) -> Decimal | None:
    """A number, also one that came as text; `None` where it is absent, null or an empty text."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        found = decimal_from_text(value.strip(), f"{where}.{name}")
        return found if found.is_finite() else malformed(f"{where}.{name}", "a number", value)
    return decimal_or_none(row, name, where)


def id_text(row: Row, name: str, where: str) -> str:
    """An identifier, which some answers print as a number. Must be there."""
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(row, name, where)


def id_or_none(row: Row, name: str, where: str) -> str | None:
    """The same, `None` where it is absent, null, empty or `NA`."""
    value = row.get(name)
    if value is None or value == "" or value == "NA":
        return None
    return id_text(row, name, where)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def ist_stamp_or_none(row: Row, name: str, where: str) -> datetime | None:
    """A wall-clock time of India without a zone, `2026-11-20 09:31:12` or `20-Nov-2026 09:31:12`, as aware UTC; `None`
    where it is absent, null or empty."""
    value = text_or_none(row, name, where)
    if value is None:
        return None
    stamp = value.strip()
    day, _, clock = stamp.partition(" ")
    parts = day.split("-")
    if len(parts) == 3 and parts[1].lower() in _MONTHS:  # month names by hand: the C library's are the locale's
        stamp = f"{parts[2]}-{_MONTHS.index(parts[1].lower()) + 1:02d}-{parts[0]:>02} {clock}"
    try:
        told = datetime.fromisoformat(stamp)
    except ValueError:
        malformed(f"{where}.{name}", "a time YYYY-MM-DD HH:MM:SS", value)
    return (told if told.tzinfo is not None else told.replace(tzinfo=IST)).astimezone(UTC)


def any_epoch_or_none(row: Row, name: str, where: str) -> datetime | None:
    """An instant since the epoch in seconds, milliseconds or microseconds, as a number or as digits, told apart by its
    size: waiting orders come in microseconds, everything else in milliseconds. Aware, UTC."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        malformed(f"{where}.{name}", "an instant since the epoch", value)
    try:
        whole = int(value)
        return from_epoch_ms(whole // 1000 if whole > 10**14 else whole if whole > 10**11 else whole * 1000)
    except (OverflowError, ValueError):
        malformed(f"{where}.{name}", "an instant since the epoch", value)
