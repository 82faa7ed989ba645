"""Black-Scholes prices and greeks on whole arrays, and the smile of the practice market.

By hand because the formula is ten lines of numpy, while the packages that hold it bring SciPy or QuantLib along; and
because the cumulative normal must be monotone for prices to be (a table, read by linear interpolation, is).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RATE = 0.065
"""Yearly, continuous."""
YEAR_DAYS = 365.0

_REACH = 8.0
_STEPS = 1 << 14
"""Table of the cumulative normal: linear interpolation between its steps is right to 3e-8."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """Prices and greeks, element by element. `delta` and `gamma` per rupee of spot, `theta` per calendar day, `vega`
    per percentage point of volatility, `pop` (probability of profit of a buyer at this price) in percent, `rho` per
    percentage point of the interest rate."""

    price: Floats
    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    pop: Floats
    rho: Floats


def normal_cdf(x: ArrayLike) -> Floats:
    """The cumulative standard normal."""
    values = _table()
    place = np.clip((np.asarray(x, dtype=np.float64) + _REACH) * (_STEPS / (2 * _REACH)), 0.0, _STEPS - 1e-6)
    at = place.astype(np.int64)
    below = values[at]
    found: Floats = below + (values[at + 1] - below) * (place - at)
    return found


def price_and_delta(
    spot: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, carry: ArrayLike, right: ArrayLike
) -> tuple[Floats, Floats]:
    """Price and delta. `years` above 0; `carry`: yearly growth of the forward over `spot`; `right`: +1 call, -1 put."""
    spot, strike, years, right = map(np.asarray, (spot, strike, years, right))
    growth, discount, d1, d2 = _terms(spot, strike, years, volatility, carry)
    n1, n2 = normal_cdf(right * d1), normal_cdf(right * d2)
    price = discount * right * (spot * growth * n1 - strike * n2)
    return np.maximum(price, 0.0), discount * growth * right * n1


def valuation(
    spot: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, carry: ArrayLike, right: ArrayLike
) -> Valuation:
    """Price and greeks; arguments as for `price_and_delta`."""
    spot, strike, years, right = map(np.asarray, (spot, strike, years, right))
    volatility, carry = np.asarray(volatility), np.asarray(carry)
    growth, discount, d1, d2 = _terms(spot, strike, years, volatility, carry)
    n1, n2 = normal_cdf(right * d1), normal_cdf(right * d2)
    density = np.exp(-0.5 * d1**2) / math.sqrt(2 * math.pi)
    spread = volatility * np.sqrt(years)
    forward = discount * growth
    price = np.maximum(discount * right * (spot * growth * n1 - strike * n2), 0.0)
    theta = (
        -forward * spot * density * volatility / (2 * np.sqrt(years))
        + right * (RATE - carry) * forward * spot * n1
        - right * RATE * discount * strike * n2
    )
    break_even = np.maximum(strike + right * price, 1e-9)
    beyond = (np.log(spot * growth / break_even) - 0.5 * spread**2) / spread
    return Valuation(
        price=price,
        delta=forward * right * n1,
        gamma=forward * density / (spot * spread),
        theta=theta / YEAR_DAYS,
        vega=forward * spot * density * np.sqrt(years) / 100,
        pop=100 * normal_cdf(right * beyond),
        rho=right * strike * years * discount * n2 / 100,
    )


def smile(at_the_money: ArrayLike, spot: ArrayLike, strike: ArrayLike, years: ArrayLike, carry: ArrayLike) -> Floats:
    """Implied volatility at `strike`: a skew towards low strikes and wings, by distance in standard deviations."""
    at_the_money, years = np.asarray(at_the_money, dtype=float), np.asarray(years, dtype=float)
    forward = np.asarray(spot) * np.exp(np.asarray(carry) * years)
    away = np.log(np.asarray(strike) / forward) / (at_the_money * np.sqrt(years))
    away = np.clip(away, -6.0, 6.0)
    implied: Floats = at_the_money * (1.0 - 0.045 * away + 0.022 * away**2)
    return implied


def _terms(
    spot: Floats, strike: Floats, years: Floats, volatility: ArrayLike, carry: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    spread = np.asarray(volatility) * np.sqrt(years)
    growth = np.exp(np.asarray(carry) * years)
    d1 = np.log(spot * growth / strike) / spread + 0.5 * spread
    return growth, np.exp(-RATE * years), d1, d1 - spread


@cache
def _table() -> Floats:
    grid = np.linspace(-_REACH, _REACH, _STEPS + 1)
    return np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in grid.tolist()])
