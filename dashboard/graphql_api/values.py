"""Figures as texts and whole numbers: nothing is rounded on the way that was exact before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NewType, TypeVar, cast

import strawberry
from strawberry.types.scalar import ScalarDefinition

Rupees = NewType("Rupees", str)
Price = NewType("Price", str)
Count = NewType("Count", int)

SCALARS: dict[object, ScalarDefinition] = {
    Rupees: strawberry.scalar(name="Rupees", description='Money to the paisa, as text: "-1234.50".'),
    Price: strawberry.scalar(
        name="Price",
        description='Rupees for one unit as text, exactly as told, with two decimals or more: "1523.60", "83.4325".',
    ),
    Count: strawberry.scalar(name="Count", description="A whole number of any size."),
}

_PAISA = Decimal("0.01")


F = TypeVar("F", bound=Callable[..., Any])  # Any: resolvers of all kinds


def asked(description: str) -> Callable[[F], F]:
    """A field that is worked out when somebody asks for it. (`strawberry.field`, which tells no types of its own.)"""
    return cast(Callable[[F], F], strawberry.field(description=description))


def rupees(amount: Decimal) -> Rupees:
    """Money; what is finer than a paisa is rounded, halves away from zero."""
    return Rupees(f"{amount.quantize(_PAISA, ROUND_HALF_UP):f}")


def perhaps_rupees(amount: Decimal | None) -> Rupees | None:
    return None if amount is None else rupees(amount)


def price(told: float | Decimal) -> Price:
    """A price with all decimals that were told."""
    exact = (told if isinstance(told, Decimal) else Decimal(repr(float(told)))).normalize()
    digits = exact.as_tuple().exponent
    return Price(f"{exact.quantize(_PAISA) if isinstance(digits, int) and digits > -2 else exact:f}")


def perhaps_price(told: float | Decimal | None) -> Price | None:
    return None if told is None else price(told)


def perhaps_count(number: int | None) -> Count | None:
    return None if number is None else Count(number)


def age(now: datetime, then: datetime) -> float:
    """Seconds between the two, to the millisecond; 0 where it came while the question was being answered."""
    return max(0.0, round((now - then).total_seconds(), 3))
