"""Exact charges in pairs of 64-bit integers, for columns of trades.

An amount is `high` hundred-millionths of a rupee and `low` (0 to 99,999) hundred-thousandths of one of those, so in all
10⁻¹³ rupee, in which a value times a rate is a whole number. GST would go two digits deeper; so not GST is kept but
what it is taken of, and the percentage is worked out where it is rounded. Rounding to the paisa looks at `high` alone:
what lies below it never decides about a half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

LIMB = 10**5
HIGH_OF_PAISA = 10**6
HIGH_OF_VALUE = 10**4
"""High units of a ten-thousandth of a rupee."""
_LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Limbs:
    """A column of exact amounts, none below 0."""

    high: Ints
    low: Ints

    def __add__(self, other: Limbs) -> Limbs:
        return carried(self.high + other.high, self.low + other.low)

    def __len__(self) -> int:
        return len(self.high)

    def summed(self, codes: Ints, groups: int) -> Limbs:
        """Sums by `codes`, exactly: one amount for each of `groups`."""
        return carried(summed(self.high, codes, groups), summed(self.low, codes, groups))

    def paise(self, unit: int = 1) -> Ints:
        """To whole `unit`s of paise, halves up, in paise."""
        step = HIGH_OF_PAISA * unit
        return (self.high + step // 2) // step * unit

    def fine(self) -> list[int]:
        """In fine units, as Python's integers."""
        return [high * 10**7 + low * 100 for high, low in zip(self.high.tolist(), self.low.tolist(), strict=True)]


def carried(high: Ints, low: Ints) -> Limbs:
    """With what is too much for `low` moved up."""
    return Limbs(high + low // LIMB, low % LIMB)


def product(value: Ints, rate: Ints) -> Limbs:
    """`value` ten-thousandths of a rupee times `rate` parts of 10⁹, exactly, up to some 10¹² rupees."""
    whole, rest = np.divmod(value, LIMB)
    below = rest * rate
    return Limbs(whole * rate + below // LIMB, below % LIMB)


def nothing(length: int) -> Limbs:
    return Limbs(np.zeros(length, np.int64), np.zeros(length, np.int64))


def at_most(amount: Limbs, high: Ints) -> Limbs:
    """`amount`, or `high` where that is less."""
    less = amount.high < high
    return Limbs(np.where(less, amount.high, high), np.where(less, amount.low, 0))


def summed(values: Ints, codes: Ints, groups: int) -> Ints:
    """Integer sums by code (`numpy.bincount` would go through floats)."""
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, codes, values)
    return sums


def portions(whole: Ints, upto: Ints, of: Ints) -> Ints:
    """`whole * upto // of`, also where the product is longer than 64 bits."""
    if len(whole) == 0 or int(whole.max()) * int(upto.max()) < _LARGEST:
        return np.asarray(whole * upto // of)
    return np.asarray(whole.astype(object) * upto.astype(object) // of.astype(object)).astype(np.int64)


def percent_paise(taxed: Limbs, percent: int) -> Ints:
    """`percent` of exact amounts, to the paisa, halves up."""
    return paise_with_percent(nothing(len(taxed)), taxed, percent)


def paise_with_percent(plain: Limbs, taxed: Limbs, percent: int) -> Ints:
    """`plain` and `percent` of `taxed` together, to the paisa, halves up; no step leaves 64 bits."""
    paise, over = np.divmod(plain.high, HIGH_OF_PAISA)
    hundreds, rest = np.divmod(taxed.high, HIGH_OF_PAISA * 100)
    below = (plain.low * 100 + taxed.low * percent) // LIMB
    step = HIGH_OF_PAISA * 100
    return np.asarray(paise + hundreds * percent + (over * 100 + rest * percent + below + step // 2) // step)
