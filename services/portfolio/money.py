"""Rupees as whole numbers. Prices and values count ten-thousandths of a rupee, results paise, rates parts of 10⁹.

A rate times a value is a whole number of 10⁻¹³ rupee, and 18% of that a whole number of 10⁻¹⁵: in this unit (`fine`)
every charge is exact, so nothing is rounded before somebody asks for it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from services.domain.errors import InvalidRequest

PRICE_UNITS = 10**4
"""Of a rupee: the finest tick is 0.0025."""
RATE_UNITS = 10**9
"""Of the whole: the finest rate is 0.0000001 percent."""
FINE = 10**15
FINE_OF_PAISA = FINE // 100
FINE_OF_PRODUCT = FINE // (PRICE_UNITS * RATE_UNITS)
"""What a value (in price units) times a rate (in rate units) counts, in fine units."""
FINE_OF_VALUE = FINE // PRICE_UNITS
GST_STEP = 100
"""Charges below GST are whole multiples of this many fine units, so a percentage of them is exact."""
_PAISE_PLACES = Decimal("0.01")


def price_units(price: Decimal | int | str) -> int:
    """`price` rupees in ten-thousandths, exactly. `InvalidRequest` where it is no number or finer than that."""
    try:
        scaled = Decimal(price) * PRICE_UNITS
        whole = int(scaled)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise InvalidRequest(f"{str(price)[:30]!r} is no price") from error
    if whole != scaled:
        raise InvalidRequest(f"{str(price)[:30]} is finer than a ten-thousandth of a rupee")
    return whole


def rate_units(percent: Decimal | str) -> int:
    """`percent` in parts of 10⁹, exactly. `InvalidRequest` where it is no rate or finer than 0.0000001 percent."""
    try:
        scaled = Decimal(percent) * (RATE_UNITS // 100)
        whole = int(scaled)
    except (ArithmeticError, ValueError) as error:
        raise InvalidRequest(f"{str(percent)[:30]!r} is no percentage") from error
    if whole != scaled or whole < 0:
        raise InvalidRequest(f"{percent}% is negative or finer than 0.0000001 percent")
    return whole


def half_up(amount: int, unit: int) -> int:
    """`amount` in whole `unit`s, halves away from zero."""
    return (amount + unit // 2) // unit if amount >= 0 else -((-amount + unit // 2) // unit)


def paise_of_fine(fine: int) -> int:
    return half_up(fine, FINE_OF_PAISA)


def rupees_of_fine(fine: int) -> Decimal:
    """Exactly, with as many decimals as it takes."""
    return Decimal(fine).scaleb(-15)


def rupees_of_paise(paise: int) -> Decimal:
    return Decimal(paise).scaleb(-2)


def rupees_of_units(units: int | Fraction) -> Decimal:
    """Price units as rupees, exactly; a fraction to ten decimals."""
    if isinstance(units, int):
        return Decimal(units).scaleb(-4)
    return (Decimal(units.numerator) / Decimal(units.denominator * PRICE_UNITS)).quantize(Decimal("1e-10"))


def paise_of_units(units: int) -> int:
    """Price units to paise, halves away from zero."""
    return half_up(units, PRICE_UNITS // 100)


def to_paise(rupees: Decimal) -> int:
    """Rupees to whole paise, halves away from zero."""
    return int(rupees.quantize(_PAISE_PLACES, rounding=ROUND_HALF_UP).scaleb(2))
