"""Statistics as names and figures. What has no meaning is a dash with its reason, never a zero. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from dashboard.formatting import MISSING, day, number, quantity, rupees
from dashboard.pnl_words import figure_words, minutes_words
from services.portfolio.statistics import Drawdown, Figure, Statistics

Fact = dict[str, str]


def statistic_groups(told: Statistics) -> list[dict[str, Any]]:  # Any: texts and rows
    """As `fact_groups` draws them."""
    streaks = told.streaks
    now = streaks.current
    return [
        _group("Wins and losses",
            _fact("Closed trades", quantity(told.trades)),
            _fact("Won", quantity(told.wins)),
            _fact("Lost", quantity(told.losses)),
            _fact("Broke even", quantity(told.break_even)),
            _of("Win rate", told.win_rate, lambda one: f"{number(one, 1)}%", "of won and lost"),
        ),
        _group("A trade",
            _money("Expectancy", told.expectancy, "mean result"),
            _money("Average win", told.average_win),
            _money("Average loss", told.average_loss),
            _money("Largest win", told.largest_win),
            _money("Largest loss", told.largest_loss),
        ),
        _group("Ratios",
            _of("Profit factor", told.profit_factor, lambda one: number(one, 2), "all won over all lost"),
            _of("Payoff", told.payoff, lambda one: number(one, 2), "average win over average loss"),
            _of("Sharpe ratio", told.sharpe, lambda one: number(one, 2), "a year's, of daily results"),
        ),
        _group("In a row",
            _fact("Longest winning streak", quantity(streaks.longest_winning)),
            _fact("Longest losing streak", quantity(streaks.longest_losing)),
            _fact("Now", f"{quantity(abs(now))} {'won' if now > 0 else 'lost'}" if now else MISSING,
                "" if now else "no trade was won or lost"),
        ),
        _group("Held",
            _of("In the mean", told.average_days, lambda one: f"{number(one, 1)} days", "by date"),
            _of("By the clock", told.average_minutes, minutes_words, "where the time is known"),
        ),
        _group("Drawdown", *_drawdown(told.drawdown)),
    ]  # fmt: skip


def _drawdown(told: Drawdown) -> list[Fact]:
    deepest = _fact("Deepest", rupees(told.rupees), "", "down" if told.rupees < 0 else "")
    facts = [deepest, _of("Of capital", told.of_capital, lambda one: f"{number(one, 2)}%")]
    if told.trough is None:
        return [*facts, _fact("Since", MISSING, "the running sum never fell")]
    facts += [_fact("From", _when(told.peak, "the start")), _fact("To", _when(told.trough, ""))]
    return [*facts, _fact("Made good", _when(told.recovered, "not yet"))]


def _when(at: date | None, otherwise: str) -> str:
    return day(at) if at is not None else otherwise


def _group(title: str, *facts: Fact) -> dict[str, Any]:  # Any: as above
    return {"title": title, "rows": list(facts)}


def _fact(name: str, value: str, note: str = "", tone: str = "") -> Fact:
    return {"name": name, "value": value, "note": note, "tone": tone}


def _of(name: str, figure: Figure, words: Callable[[Decimal], str], note: str = "") -> Fact:
    if figure.value is None:
        return _fact(name, MISSING, figure.why_not)
    return _fact(name, words(figure.value), note)


def _money(name: str, figure: Figure, note: str = "") -> Fact:
    direction = 0 if figure.value is None else (figure.value > 0) - (figure.value < 0)
    text = figure_words(figure, money=True, sign=True)
    return _fact(name, text, note if figure.known else figure.why_not, {1: "up", -1: "down"}.get(direction, ""))
