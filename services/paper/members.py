"""Members of JSON bodies, read strictly; each fault is answered with the code that the API documents for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

import orjson
from starlette.requests import Request

from services.paper.envelope import read_body, refusal
from services.paper.trading.values import PRICE_UNITS

_MOST_UNITS = 10**13
_MOST_QUANTITY = 10**9
INVALID = "UDAPI100036"


async def read_json(request: Request) -> object:
    """The body as JSON, of whatever kind."""
    try:
        return orjson.loads(await read_body(request))
    except orjson.JSONDecodeError:
        raise refusal("UDAPI100038", message="The request body is not JSON") from None


def as_object(payload: object) -> Mapping[str, object]:
    if not isinstance(payload, dict):
        raise refusal("UDAPI100038", message="The request body is not a JSON object")
    return payload


def as_list(payload: object) -> list[object]:
    if not isinstance(payload, list):
        raise refusal("UDAPI100038", message="The request body is not a JSON array")
    return payload


def word(
    body: Mapping[str, object], name: str, allowed: Collection[str], *, missing: str, invalid: str | None = None
) -> str:
    """One of the `allowed` words."""
    value = body.get(name)
    if value is None or value == "":
        raise refusal(missing, property_path=name)
    if not isinstance(value, str) or value not in allowed:
        raise refusal(invalid or missing, property_path=name, invalid_value=shown(value))
    return value


def whole(body: Mapping[str, object], name: str, *, code: str = INVALID, default: int | None = None) -> int:
    """A whole number from 0; `default` stands for an absent or empty one, without it that is a fault."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_QUANTITY:
        raise refusal(code, property_path=name, invalid_value=shown(value))
    return value


def price(body: Mapping[str, object], name: str, *, code: str = INVALID, default: int | None = None) -> int:
    """A price from 0, in 1/10000 rupee."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise refusal(code, property_path=name, invalid_value=shown(value))
    return price_units(value, name, code=code)


def price_units(value: int | float, name: str, *, code: str = INVALID) -> int:
    """Rupees as they came over the wire, in 1/10000 rupee. `str` of a float is the decimal that was sent."""
    units = Decimal(str(value)) * PRICE_UNITS
    if not units.is_finite() or units != units.to_integral_value() or not 0 <= units <= _MOST_UNITS:
        raise refusal(code, property_path=name, invalid_value=shown(value))
    return int(units)


def flag(body: Mapping[str, object], name: str, *, default: bool | None = None) -> bool:
    """`true` or `false`; `default` stands for an absent one, without it that is a fault."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, bool):
        raise refusal(INVALID, property_path=name, invalid_value=shown(value))
    return value


def text(body: Mapping[str, object], name: str, *, longest: int, code: str) -> str:
    """A text, empty if it is absent."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise refusal(code, property_path=name, invalid_value=shown(value))
    return value


def shown(value: object) -> str | None:
    """A value as an error entry repeats it."""
    return None if value is None else str(value)[:80]
