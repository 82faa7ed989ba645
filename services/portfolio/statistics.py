"""How somebody trades, in figures. What has no meaning is told as such, with the reason; never as a zero.

A trade here is what one order closed (see `closed.py`); amounts are paise, net of charges where the caller made them
so. Break-even trades are neither wins nor losses, and do not count in the win rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from math import sqrt

TRADING_DAYS = 252
"""Of a year, by convention, for yearly figures."""
FEWEST_DAYS = 20
"""Below it the spread of daily results is noise, and so is a Sharpe ratio."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or why there is none."""

    value: Decimal | None
    why_not: str = ""

    @property
    def known(self) -> bool:
        return self.value is not None


def undefined(reason: str) -> Figure:
    return Figure(None, reason)


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """What one order closed. `net` in paise. `held_ms`: from the opening to the closing, weighted by quantity; `None`
    where a source tells days only."""

    net: int
    closed: date
    days_held: int
    held_ms: int | None = None
    sequence: int = 0
    """Orders trades of one day."""


@dataclass(frozen=True, slots=True)
class Streaks:
    """Trades in a row, break-even ones aside. `current` is below 0 for losses."""

    longest_winning: int
    longest_losing: int
    current: int


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of the running sum below its highest point so far (which is at least 0, the start)."""

    rupees: Decimal
    """At most 0."""
    of_capital: Figure
    """In percent of the starting capital and what had been gained up to the highest point."""
    peak: date | None
    """`None`: the start."""
    trough: date | None
    recovered: date | None
    """`None`: not yet, or there was none."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Amounts in rupees."""

    trades: int
    wins: int
    losses: int
    break_even: int
    win_rate: Figure
    """Percent of wins and losses."""
    profit_factor: Figure
    expectancy: Figure
    """Mean result of a trade, break-even ones counted."""
    average_win: Figure
    average_loss: Figure
    """Below 0."""
    payoff: Figure
    """Average win over average loss."""
    largest_win: Figure
    largest_loss: Figure
    streaks: Streaks
    average_days: Figure
    average_minutes: Figure
    """Of trades whose sources tell the time."""
    drawdown: Drawdown
    sharpe: Figure
    """A year's, of daily results over the starting capital, without interest on it."""


def statistics_of(
    trades: Sequence[ClosedTrade], *, capital: Decimal | None = None, trading_days: Sequence[date] | None = None
) -> Statistics:
    """The figures of `trades`. `capital`: rupees at the start, which percentages need. `trading_days`: all days of the
    period on which markets were open; days without a trade are results of 0 and belong in the Sharpe ratio."""
    ordered = sorted(trades, key=lambda trade: (trade.closed, trade.sequence))
    results = [trade.net for trade in ordered]
    wins = [net for net in results if net > 0]
    losses = [net for net in results if net < 0]
    timed = [trade.held_ms for trade in ordered if trade.held_ms is not None]
    return figures_of(
        Totals(
            trades=len(results),
            wins=len(wins),
            losses=len(losses),
            won=sum(wins),
            lost=-sum(losses),
            largest_win=max(wins, default=0),
            largest_loss=min(losses, default=0),
            days_held=sum(trade.days_held for trade in ordered),
            timed=len(timed),
            held_ms=sum(timed),
        ),
        _streaks(results),
        equity_curve(ordered),
        capital=capital,
        trading_days=trading_days,
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """What the figures are made of. Paise."""

    trades: int
    wins: int
    losses: int
    won: int
    lost: int
    """Above 0."""
    largest_win: int
    largest_loss: int
    days_held: int
    timed: int
    """Trades whose sources tell the time, and how long they were held together."""
    held_ms: int


def figures_of(
    sums: Totals,
    streaks: Streaks,
    curve: Sequence[tuple[date, int, int]],
    *,
    capital: Decimal | None,
    trading_days: Sequence[date] | None,
) -> Statistics:
    """The statistics of trades that are summed up already. `curve`: as `equity_curve` tells it."""
    none = "no trade was closed"
    no_win, no_loss = (none, none) if not sums.trades else ("no trade was won", "no trade was lost")
    return Statistics(
        trades=sums.trades,
        wins=sums.wins,
        losses=sums.losses,
        break_even=sums.trades - sums.wins - sums.losses,
        win_rate=_ratio(sums.wins * 100, sums.wins + sums.losses, none if not sums.trades else "all trades broke even"),
        profit_factor=_ratio(sums.won, sums.lost, no_loss),
        expectancy=_ratio(sums.won - sums.lost, sums.trades * 100, none),
        average_win=_ratio(sums.won, sums.wins * 100, no_win),
        average_loss=_ratio(-sums.lost, sums.losses * 100, no_loss),
        payoff=_ratio(sums.won * sums.losses, sums.lost * sums.wins, no_win if sums.losses else no_loss),
        largest_win=_rupees(sums.largest_win) if sums.wins else undefined(no_win),
        largest_loss=_rupees(sums.largest_loss) if sums.losses else undefined(no_loss),
        streaks=streaks,
        average_days=_ratio(sums.days_held, sums.trades, none),
        average_minutes=_ratio(
            sums.held_ms, sums.timed * 60_000, none if not sums.trades else "no source tells the time"
        ),
        drawdown=drawdown_of_curve(curve, capital),
        sharpe=_sharpe(curve, capital, trading_days),
    )


def equity_curve(trades: Sequence[ClosedTrade]) -> list[tuple[date, int, int]]:
    """Day, running sum at its end, and how far that is below the highest point so far (at most 0), in paise."""
    days: dict[date, int] = {}
    for trade in sorted(trades, key=lambda trade: trade.closed):
        days[trade.closed] = days.get(trade.closed, 0) + trade.net
    curve: list[tuple[date, int, int]] = []
    running = highest = 0
    for day, net in days.items():
        running += net
        highest = max(highest, running)
        curve.append((day, running, running - highest))
    return curve


def drawdown_of_curve(curve: Sequence[tuple[date, int, int]], capital: Decimal | None) -> Drawdown:
    """The deepest fall, day by day, of what `equity_curve` gives."""
    deepest, highest, at_deepest = 0, 0, 0
    peak: date | None = None
    found: tuple[date | None, date | None] = (None, None)
    recovered: date | None = None
    for day, running, below in curve:
        if running > highest:
            highest, peak = running, day
        if below < deepest:
            deepest, at_deepest, found, recovered = below, highest, (peak, day), None
        elif recovered is None and found[1] is not None and running >= at_deepest:
            recovered = day
    percent = undefined("no starting capital is set: a share of a sum that began at 0 means nothing")
    if capital is not None and capital > 0:
        percent = _ratio(deepest * 100, int(capital * 100) + at_deepest, "no capital was left")
    elif capital is not None:
        percent = undefined("the starting capital is not above 0")
    return Drawdown(Decimal(deepest).scaleb(-2), percent, *found, recovered)


def _streaks(results: Sequence[int]) -> Streaks:
    longest = {True: 0, False: 0}
    current = 0
    for net in results:
        if net == 0:
            continue
        won = net > 0
        current = current + 1 if won and current > 0 else current - 1 if not won and current < 0 else 1 if won else -1
        longest[won] = max(longest[won], abs(current))
    return Streaks(longest[True], longest[False], current)


def _sharpe(
    curve: Sequence[tuple[date, int, int]], capital: Decimal | None, trading_days: Sequence[date] | None
) -> Figure:
    if capital is None or capital <= 0:
        return undefined("no starting capital is set")
    days: dict[date, int] = dict.fromkeys(trading_days or (), 0)
    before = 0
    for day, running, _ in curve:
        days[day] = running - before
        before = running
    if trading_days is None:
        return undefined("the trading days of the period are not known, and days without a trade count")
    if len(days) < FEWEST_DAYS:
        return undefined(f"fewer than {FEWEST_DAYS} trading days")
    daily = [float(net) / float(capital * 100) for net in days.values()]
    mean = sum(daily) / len(daily)
    spread = sqrt(sum((one - mean) ** 2 for one in daily) / (len(daily) - 1))
    if len(set(days.values())) == 1:
        return undefined("every day had the same result")
    return Figure(Decimal(repr(round(mean / spread * sqrt(TRADING_DAYS), 6))))


def _rupees(paise: int) -> Figure:
    return Figure(Decimal(paise).scaleb(-2))


def _ratio(over: int, under: int, why_not: str) -> Figure:
    if under == 0:
        return undefined(why_not)
    with localcontext() as context:
        context.prec = 28
        return Figure(Decimal(over) / Decimal(under))
