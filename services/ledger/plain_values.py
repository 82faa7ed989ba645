"""Values as they are kept in JSON columns: amounts as exact decimal texts, instants in UTC, nothing rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from services.domain.errors import InvalidRequest


def plain(values: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    """`values` as JSON has them, the same for equal values. `InvalidRequest` for a float: amounts are exact here."""
    return {str(name): _value(name, value) for name, value in values.items()}


def decimal_text(amount: Decimal) -> str:
    """The shortest text of exactly this number: `1234.5`, `100`."""
    if not amount.is_finite():
        raise InvalidRequest(f"{amount} is not an amount")
    text = format(amount, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _value(name: str, value: Any) -> Any:  # Any: JSON values
    match value:
        case Enum():
            return _value(name, value.value)
        case None | bool() | int() | str():
            return value
        case Decimal():
            return decimal_text(value)
        case datetime():
            if value.tzinfo is None:
                raise InvalidRequest(f"{name}: an instant in the ledger must carry a time zone")
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Mapping():
            return plain(value)
        case list() | tuple() | set() | frozenset():
            items = sorted(value) if isinstance(value, set | frozenset) else value
            return [_value(name, item) for item in items]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _value(field.name, getattr(value, field.name)) for field in fields(value)}
    raise InvalidRequest(f"{name}: the ledger keeps exact values, not {type(value).__name__} {str(value)[:40]!r}")
