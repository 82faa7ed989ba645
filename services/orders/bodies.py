"""What an intent holds as plain JSON, and back: enough to tell it in words and to find out what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from services.domain.errors import InvalidRequest
from services.domain.intents import Intent, IntentKind
from services.domain.orders import BookOrder, OrderChange, OrderRequest, OrderType, Product, Side, Validity

_AMOUNTS = frozenset({"price", "trigger_price", "market_protection"})
_WORDS = {"side": Side, "order_type": OrderType, "product": Product, "validity": Validity}
_OF_AN_ORDER = (
    "order_id", "status", "request_id", "quantity", "filled_quantity", "price", "trigger_price", "order_type",
    "validity", "disclosed_quantity", "market_protection",
)  # fmt: skip
"""What of an order can be changed, or tells that it was."""

T = TypeVar("T", OrderRequest, OrderChange)
Body = Mapping[str, Any]  # Any: JSON values of several kinds


def body_of(asked: OrderRequest | OrderChange) -> dict[str, Any]:
    """The fields that say something, by name."""
    told = {field.name: getattr(asked, field.name) for field in fields(asked)}
    return {name: _plain(value) for name, value in told.items() if value is not None}


def read_request(body: Body) -> OrderRequest:
    """The order that `body_of` was given."""
    return _read(OrderRequest, body)


def request_of(intent: Intent) -> OrderRequest | None:
    """The order that `intent` was to place; `None`: it was to do something else, or cannot be read any more."""
    if intent.kind is not IntentKind.PLACE:
        return None
    try:
        return read_request(intent.body)
    except InvalidRequest:
        return None


def read_change(body: Body) -> OrderChange:
    """The change that `body_of` was given."""
    return _read(OrderChange, body)


def before_of(order: BookOrder) -> dict[str, Any]:
    """How `order` stands before it is changed."""
    told = {name: getattr(order, name) for name in _OF_AN_ORDER}
    return {name: value for name, value in told.items() if value is not None}


def amount(value: object) -> Decimal | None:
    """An amount of a body, which comes back from the ledger as text."""
    return None if value is None else Decimal(str(value))


def texts(values: object) -> tuple[str, ...]:
    """A list of texts of a body."""
    return tuple(str(one) for one in values) if isinstance(values, Iterable) and not isinstance(values, str) else ()


def _read(kind: type[T], body: Body) -> T:
    """Raises `InvalidRequest` for a body that was not written by `body_of`."""
    try:
        return kind(
            **{
                field.name: _value(field.name, body[field.name])
                for field in fields(kind)
                if body.get(field.name) is not None
            }
        )
    except (TypeError, ValueError, InvalidOperation) as error:
        raise InvalidRequest(f"what was to be done cannot be read: {error}") from error


def _value(name: str, value: Any) -> Any:
    if name in _AMOUNTS:
        return Decimal(str(value))
    return _WORDS[name](value) if name in _WORDS else value


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Side | OrderType | Product | Validity) else value
