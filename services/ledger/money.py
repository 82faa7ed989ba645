"""Exact amounts in the ledger: whole numbers of 1/10000 rupee in the table, `Decimal` outside, no float anywhere."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import sqlalchemy as sa

PLACES = 4
"""Of a rupee. The finest tick of any market is 0.0025."""
_LARGEST = 2**63 - 1
_UNIT = Decimal(1).scaleb(-PLACES)


class Exact(sa.types.TypeDecorator[Decimal]):
    """Rupees (or percent) to four places. What is finer or larger than the column holds is an error, never rounded."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else units(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else from_units(value)


def units(amount: Decimal) -> int:
    """`amount` in ten-thousandths; `ValueError` unless that is exact and fits 64 bits."""
    if not isinstance(amount, Decimal):
        raise ValueError(f"an amount in the ledger is a Decimal, not {type(amount).__name__}")
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount")
    with localcontext() as context:
        context.prec = 60  # no rounding by whatever precision the caller's thread has
        scaled = amount.scaleb(PLACES)
        whole = int(scaled)
        if whole != scaled or abs(whole) > _LARGEST:
            raise ValueError(f"{amount} cannot be kept exactly to {PLACES} places")
    return whole


def from_units(whole: int) -> Decimal:
    """Ten-thousandths as an amount."""
    return Decimal(whole).scaleb(-PLACES)


def settled(amount: Decimal) -> Decimal:
    """`amount` to the four places that are kept, half to even: for the broker's averages, which are quotients. Prices
    and fills have no finer places; there it changes nothing."""
    with localcontext() as context:
        context.prec = 60
        return amount.quantize(_UNIT, rounding=ROUND_HALF_EVEN)
