"""The figures of `statistics` over columns: the same to the last digit, for a hundred thousand trades at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np

from services.portfolio.closed_columns import UNKNOWN_TIME, Days, TradeColumns
from services.portfolio.lots.fills import Ints
from services.portfolio.statistics import Statistics, Streaks, Totals, figures_of


def statistics_of_columns(
    trades: TradeColumns, *, capital: Decimal | None = None, trading_days: Sequence[date] | None = None
) -> Statistics:
    """As `statistics.statistics_of`, of trades as columns."""
    net = trades.net
    won, lost = net[net > 0], net[net < 0]
    held = trades.held_ms[trades.held_ms != UNKNOWN_TIME]
    days, _, running, below, _ = curve_of(trades)
    curve = list(zip(days.tolist(), running.tolist(), below.tolist(), strict=True))
    return figures_of(
        Totals(
            trades=len(net),
            wins=len(won),
            losses=len(lost),
            won=int(won.sum()),
            lost=-int(lost.sum()),
            largest_win=int(won.max()) if len(won) else 0,
            largest_loss=int(lost.min()) if len(lost) else 0,
            days_held=int(trades.held_days.sum()),
            timed=len(held),
            held_ms=int(held.sum()),
        ),
        _streaks(net[::-1]),
        curve,
        capital=capital,
        trading_days=trading_days,
    )


def curve_of(trades: TradeColumns) -> tuple[Days, Ints, Ints, Ints, Ints]:
    """By closing day, the oldest first: day, net, running sum, how far that is below the highest point so far, and how
    many trades were closed. Paise."""
    days, codes = np.unique(trades.closed_day, return_inverse=True)
    net, count = np.zeros(len(days), np.int64), np.zeros(len(days), np.int64)
    np.add.at(net, codes.reshape(-1), trades.net)
    np.add.at(count, codes.reshape(-1), 1)
    running = np.cumsum(net)
    highest = np.maximum.accumulate(np.maximum(running, 0))
    return days, net, running, running - highest, count


def _streaks(net: Ints) -> Streaks:
    """`net`, the oldest first."""
    signs = np.sign(net[net != 0])
    if len(signs) == 0:
        return Streaks(0, 0, 0)
    starts = np.flatnonzero(np.r_[True, signs[1:] != signs[:-1]])
    lengths, kinds = np.diff(np.r_[starts, len(signs)]), signs[starts]
    longest = {kind: int(lengths[kinds == kind].max()) if (kinds == kind).any() else 0 for kind in (1, -1)}
    return Streaks(longest[1], longest[-1], int(lengths[-1] * kinds[-1]))
