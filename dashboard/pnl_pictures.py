"""What the pictures of results are drawn from: the curve, the days, the way from gross to net, how results are spread.

Rupees leave as floats here, for pictures only. Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.formatting import quantity
from dashboard.pnl_words import LINE_MEANINGS, LINE_NAMES, money, signed_money
from services.pnl.values import Curve
from services.portfolio.charges.kinds import LINES
from services.portfolio.closed import Sums, financial_year
from services.portfolio.closed_columns import TradeColumns
from services.portfolio.lots.fills import Ints

Scene = dict[str, Any]  # Any: texts, numbers, lists of them
MOST_BARS_OF_SPREAD = 30
_TAIL = 5.0
"""Percent of trades at either end that share the outermost bars."""
_STEP_HEIGHT, _CURVE_HEIGHT, _SPREAD_HEIGHT = 26, 440, 300


def curve_scene(curve: Curve) -> Scene:
    """The running sum, the drawdown below it, and the results of days."""
    days = np.datetime_as_string(curve.days, "D").tolist() if len(curve) else []
    last = int(curve.cumulative[-1]) if len(curve) else 0
    deepest = int(curve.below.min()) if len(curve) else 0
    return {
        "kind": "curve",
        "height": _CURVE_HEIGHT,
        "id": f"{days[0]} {days[-1]} {len(days)} {last}" if days else "",
        "label": f"Net result over {quantity(len(days))} days with closed trades: {signed_money(last)} in all, deepest "
        f"drawdown {money(deepest)}",
        "days": days,
        "net": _rupees(curve.net),
        "total": _rupees(curve.cumulative),
        "below": _rupees(curve.below),
        "trades": curve.trades.tolist(),
    }


def days_scene(trades: TradeColumns) -> Scene:
    """Each day on which something was closed: net, gross, charges, and how many trades; and each financial year: net,
    and how many of its days won."""
    days, codes = np.unique(trades.closed_day, return_inverse=True)
    codes = codes.reshape(-1)
    sums = []
    for column in (trades.net, trades.gross, trades.charges, np.ones(len(trades), np.int64)):
        added = np.zeros(len(days), np.int64)
        np.add.at(added, codes, column)
        sums.append(added)
    net, gross, charges, count = sums
    strongest = float(np.percentile(np.abs(net), 95)) / 100 if len(net) else 0.0
    columns = (np.datetime_as_string(days, "D").tolist() if len(days) else [], _rupees(net), _rupees(gross))
    rows = zip(*columns, _rupees(charges), count.tolist(), strict=True)
    years: dict[str, list[int]] = {}
    for day, of_day in zip(days.tolist(), net.tolist(), strict=True):
        year = years.setdefault(financial_year(day), [0, 0, 0])
        year[0] += of_day
        year[1] += of_day > 0
        year[2] += 1
    return {
        "days": [list(row) for row in rows],
        "years": {
            year: {"net": signed_money(total), "way": (total > 0) - (total < 0), "won": f"{won} of {count} days won"}
            for year, (total, won, count) in years.items()
        },
        "strongest": strongest or 1.0,
        "label": f"Calendar of {quantity(len(days))} days with closed trades, coloured by net result",
    }


def way_scene(total: Sums) -> Scene:
    """From gross to net, one step for each kind of charges that was paid."""
    steps: list[Scene] = [
        _step("Gross", total.gross, whole=True, told=[f"Sold less bought: {signed_money(total.gross)}"])
    ]
    for line in LINES:
        amount = total.charges.of(line)
        if amount:
            share = [] if total.gross <= 0 else [f"{amount / total.gross:.2%} of gross"]
            steps.append(_step(LINE_NAMES[line], -amount, told=[LINE_MEANINGS[line], money(amount), *share]))
    steps.append(_step("Net", total.net, whole=True, told=[f"What is left: {signed_money(total.net)}"]))
    return {
        "kind": "way",
        "height": len(steps) * _STEP_HEIGHT + 28,
        "id": "way",
        "label": f"From gross {signed_money(total.gross)} by charges of {money(total.charges.total)} to net "
        f"{signed_money(total.net)}",
        "steps": steps,
    }


def spread_scene(net: Ints) -> Scene:
    """How many trades ended how. No bar holds both wins and losses; those that broke even stand with the wins' first
    bar. The outermost bars hold all that lies beyond."""
    edges, counts, names = spread_of(net)
    return {
        "kind": "spread",
        "height": _SPREAD_HEIGHT,
        "id": "spread",
        "label": f"Distribution of {quantity(len(net))} trades by net result",
        "edges": [edge / 100 for edge in edges],
        "counts": counts,
        "names": names,
        "foot": _beyond(net, edges, names),
    }


def _beyond(net: Ints, edges: list[int], names: list[str]) -> str:
    """What the outermost bars hold that lies beyond the axis: they look like the others."""
    told = []
    if len(net) and net.min() < edges[0]:
        told.append(f"First bar: {names[0]}.")
    if len(net) and net.max() >= edges[-1]:
        told.append(f"Last bar: {names[-1]}.")
    return " ".join(told)


def spread_of(net: Ints) -> tuple[list[int], list[int], list[str]]:
    """Edges in paise (one more than bars), counts and names of the bars; each trade is in exactly one."""
    if len(net) == 0:
        return [], [], []
    low, high = (int(one) for one in np.percentile(net, [_TAIL, 100 - _TAIL]))
    low, high = min(low, -1 if net.min() < 0 else 0), max(high, 0)  # a loss, however small, has a bar below zero
    step = _round_step((high - low) / MOST_BARS_OF_SPREAD)
    first, last = low // step, max(high // step + 1, low // step + 1)
    edges = [number * step for number in range(first, last + 1)]
    places = np.clip(net // step - first, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1).tolist()
    least, most = int(net.min()), int(net.max())
    names = []
    for place, count in enumerate(counts):
        start, end = edges[place], edges[place + 1]
        if place == 0 and least < start:
            names.append(f"below {money(end)}, the worst {money(least)}")
        elif place == len(counts) - 1 and most >= end:
            names.append(f"{money(start)} and above, the best {money(most)}")
        else:
            names.append(f"{money(start)} to below {money(end)}" if count or start else f"below {money(end)}")
    return edges, counts, names


def _round_step(raw: float) -> int:
    """A round number of paise, at least a rupee."""
    size = 100
    while True:
        for factor in (1, 2, 5):
            if factor * size >= raw:
                return factor * size
        size *= 10


def _step(name: str, paise: int, *, whole: bool = False, told: list[str]) -> Scene:
    return {"name": name, "value": paise / 100, "whole": whole, "told": [name, *told]}


def _rupees(paise: Ints) -> list[float]:
    return [amount / 100 for amount in paise.tolist()]
