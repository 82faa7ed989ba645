"""The published sample bodies, and whether an answer has their members and types."""

from __future__ import annotations

from typing import Any

import orjson

from tests.support.shared_data import shared

NULLABLE = frozenset(
    {
        "tag",
        "status_message",
        "status_message_raw",
        "exchange_order_id",
        "exchange_timestamp",
        "order_id",
        "trailing_gap",
        "average_price",
        "ipft",
        "property_path",
        "propertyPath",
        "invalid_value",
        "invalidValue",
    }
)
"""Members that the documents let be null."""


def sample(name: str) -> Any:
    """One of the published bodies."""
    return orjson.loads(shared(f"upstox/examples/{name}.json").read_bytes())


def same_shape(told: Any, written: Any, where: str = "") -> None:
    """`told` has exactly the members of `written`, each of its type; every element of a list is compared with the first
    one of the sample."""
    if isinstance(written, dict):
        assert isinstance(told, dict), where
        assert set(told) == set(written), where
        for name, part in written.items():
            if name in NULLABLE and (told[name] is None or part is None):
                continue
            same_shape(told[name], part, f"{where}.{name}")
    elif isinstance(written, list):
        assert isinstance(told, list), where
        for place, one in enumerate(told if written else ()):
            same_shape(one, written[0], f"{where}[{place}]")
    else:
        assert type(told) is type(written), f"{where}: {told!r}, documented {written!r}"


def kinds(value: object) -> object:
    """Members and types, recursively; a whole number where a fraction may stand counts as one."""
    if isinstance(value, dict):
        return {name: kinds(part) for name, part in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value else []
    return type(value).__name__
