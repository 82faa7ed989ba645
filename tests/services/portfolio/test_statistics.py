"""Figures of closed trades, and figures that have no meaning."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.portfolio.statistics import ClosedTrade, Drawdown, drawdown_of_curve, equity_curve, statistics_of

FIRST = date(2026, 4, 1)


def trades(*nets: int) -> list[ClosedTrade]:
    """One a day, in paise."""
    return [ClosedTrade(net, FIRST + timedelta(days=place), 1, 60_000, place) for place, net in enumerate(nets)]


def test_the_usual_figures() -> None:
    found = statistics_of(trades(10_000, -5_000, 0, 20_000, 30_000, -5_000))

    assert (found.trades, found.wins, found.losses, found.break_even) == (6, 3, 2, 1)
    assert found.win_rate.value == 60
    assert found.profit_factor.value == 6
    assert found.expectancy.value is not None
    assert found.expectancy.value.quantize(Decimal("0.01")) == Decimal("83.33")
    assert found.average_win.value == 200
    assert found.average_loss.value == -50
    assert found.payoff.value == 4
    assert found.largest_win.value == 300
    assert found.largest_loss.value == -50
    assert (found.streaks.longest_winning, found.streaks.longest_losing, found.streaks.current) == (2, 1, -1)
    assert found.average_days.value == 1
    assert found.average_minutes.value == 1


def test_without_trades_everything_is_undefined_with_a_reason() -> None:
    found = statistics_of([])

    for figure in (found.win_rate, found.profit_factor, found.expectancy, found.average_win, found.average_loss,
                   found.payoff, found.largest_win, found.largest_loss, found.average_days, found.average_minutes,
                   found.sharpe):  # fmt: skip
        assert figure.value is None
        assert figure.why_not
    assert found.drawdown == Drawdown(Decimal(0), found.drawdown.of_capital, None, None, None)


def test_without_a_loss_the_profit_factor_is_undefined_and_not_zero() -> None:
    found = statistics_of(trades(100, 200))

    assert found.profit_factor.value is None
    assert found.profit_factor.why_not == "no trade was lost"
    assert found.average_loss.value is None
    assert found.win_rate.value == 100


def test_without_a_win_the_profit_factor_is_zero_and_the_average_win_undefined() -> None:
    found = statistics_of(trades(-100, -200))

    assert found.profit_factor.value == 0
    assert found.average_win.value is None
    assert found.payoff.value is None
    assert found.win_rate.value == 0


def test_break_even_trades_alone_have_no_win_rate() -> None:
    assert statistics_of(trades(0, 0)).win_rate.why_not == "all trades broke even"


def test_a_drawdown_has_its_days_and_needs_capital_for_a_percentage() -> None:
    fallen = drawdown_of_curve(equity_curve(trades(10_000, -30_000, 5_000, 20_000)), Decimal(1000))

    assert fallen.rupees == -300
    assert fallen.of_capital.value is not None
    assert fallen.of_capital.value.quantize(Decimal("0.01")) == Decimal("-27.27")  # of 1,100
    assert (fallen.peak, fallen.trough) == (FIRST, FIRST + timedelta(days=1))
    assert fallen.recovered is None
    assert drawdown_of_curve(equity_curve(trades(100, -50, 50)), None).recovered == FIRST + timedelta(days=2)
    assert drawdown_of_curve(equity_curve(trades(100, -50)), None).of_capital.value is None


def test_a_curve_that_only_falls_draws_down_from_the_start() -> None:
    fallen = drawdown_of_curve(equity_curve(trades(-100, -100)), None)

    assert fallen.rupees == -2
    assert fallen.peak is None


def test_a_sharpe_ratio_needs_capital_days_and_spread() -> None:
    days = [FIRST + timedelta(days=place) for place in range(30)]
    some = trades(100, -50, 70)

    assert statistics_of(some).sharpe.why_not == "no starting capital is set"
    assert "trading days" in statistics_of(some, capital=Decimal(1000)).sharpe.why_not
    assert "fewer" in statistics_of(some, capital=Decimal(1000), trading_days=days[:5]).sharpe.why_not
    assert "same" in statistics_of([], capital=Decimal(1000), trading_days=days).sharpe.why_not
    sharpe = statistics_of(some, capital=Decimal(1000), trading_days=days).sharpe.value
    assert sharpe is not None
    assert sharpe > 0


@given(st.lists(st.integers(-(10**9), 10**9), max_size=40))
def test_figures_hold_together(nets: list[int]) -> None:
    found = statistics_of(trades(*nets), capital=Decimal(10**8))

    assert found.wins + found.losses + found.break_even == len(nets)
    assert found.drawdown.rupees <= 0
    curve = equity_curve(trades(*nets))
    if curve:
        assert curve[-1][1] == sum(nets)
        assert min(below for _, _, below in curve) == int(found.drawdown.rupees * 100)
        assert found.expectancy.value is not None
        assert abs(found.expectancy.value * len(nets) * 100 - sum(nets)) < Decimal("0.000001")
