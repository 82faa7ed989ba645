from __future__ import annotations

import math

import numpy as np
import pytest

from services.paper.simulator.option_pricing import RATE, normal_cdf, price_and_delta, smile, valuation


def test_the_table_is_the_normal_distribution_and_never_falls() -> None:
    x = np.linspace(-7, 7, 20_001)
    exact = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])

    assert np.abs(normal_cdf(x) - exact).max() < 5e-8
    assert (np.diff(normal_cdf(x)) >= -1e-16).all()


@pytest.mark.parametrize(("strike", "right"), [(40.0, 1), (40.0, -1), (55.0, 1)])
def test_a_price_is_the_discounted_mean_of_what_the_option_pays(strike: float, right: int) -> None:
    z = np.linspace(-9, 9, 200_001)
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    ends = 42.0 * np.exp((RATE - 0.02) * 0.5 + 0.2 * math.sqrt(0.5) * z)
    pays = np.maximum(right * (ends - strike), 0.0)

    price, _ = price_and_delta(42.0, strike, 0.5, 0.2, RATE, right)

    assert float(price) == pytest.approx(math.exp(-RATE * 0.5) * float(np.trapezoid(pays * density, z)), abs=1e-5)


def test_puts_and_calls_keep_parity() -> None:
    strikes = np.arange(20_000.0, 30_000.0, 50.0)
    terms = (25_000.0, strikes, 9 / 365, smile(0.13, 25_000.0, strikes, 9 / 365, 0.053), 0.053)

    call, put = price_and_delta(*terms, 1)[0], price_and_delta(*terms, -1)[0]

    discount = math.exp(-RATE * 9 / 365)
    forward = 25_000 * math.exp(0.053 * 9 / 365)
    assert np.abs(call - put - discount * (forward - strikes)).max() < 0.01


def test_greeks_are_the_slopes_of_the_price() -> None:
    def price(spot: float = 25_000.0, years: float = 0.05, volatility: float = 0.13) -> float:
        return float(price_and_delta(spot, 25_100.0, years, volatility, 0.053, 1)[0])

    worth = valuation(25_000.0, 25_100.0, 0.05, 0.13, 0.053, 1)

    assert float(worth.delta) == pytest.approx((price(25_010) - price(24_990)) / 20, rel=1e-3)
    assert float(worth.gamma) == pytest.approx((price(25_020) - 2 * price() + price(24_980)) / 400, rel=1e-2)
    assert float(worth.vega) == pytest.approx((price(volatility=0.135) - price(volatility=0.125)), rel=1e-3)
    assert float(worth.theta) == pytest.approx(
        (price(years=0.05 - 1 / 365) - price(years=0.05 + 1 / 365)) / 2, rel=1e-2
    )
    assert 0 < float(worth.pop) < 50


def test_the_smile_is_lowest_near_the_money_and_higher_below() -> None:
    low, money, high = smile(0.13, 25_000.0, np.array([24_000.0, 25_150.0, 26_000.0]), 9 / 365, 0.053)

    assert low > high > money


@pytest.mark.parametrize("right", [1, -1])
def test_rho_is_what_a_percentage_point_of_interest_does(monkeypatch: pytest.MonkeyPatch, right: int) -> None:
    """The forward goes with the rate, so both are moved."""

    def price(shift: float) -> float:
        monkeypatch.setattr("services.paper.simulator.option_pricing.RATE", RATE + shift)
        return float(valuation(25_000.0, 25_200.0, 20 / 365, 0.12, 0.06 + shift, right).price)

    slope = (price(1e-3) - price(-1e-3)) / 2e-3 / 100
    monkeypatch.setattr("services.paper.simulator.option_pricing.RATE", RATE)

    assert float(valuation(25_000.0, 25_200.0, 20 / 365, 0.12, 0.06, right).rho) == pytest.approx(slope, rel=1e-3)
