"""Figures of one expiry of options: put/call ratios, max pain, the strike at the money, what stands around it.

All of them are about the strikes they are given, so whoever shows one says which these are. `None` in a figure of the
market is "not known" and counts as nothing; a result is `None` where there is nothing to tell it from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Strike:
    """What is open at one strike, in units."""

    strike: float
    call_oi: float | None
    put_oi: float | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over one side, in units; `None` where no contract told any."""

    oi: float | None
    oi_change: float | None
    volume: float | None


def put_call_ratio(puts: float | None, calls: float | None) -> float | None:
    """Units of puts for each unit of calls: above 1 more puts."""
    return None if puts is None or not calls else puts / calls


def total(figures: Iterable[float | None]) -> float | None:
    """Their sum; `None` if not one of them is known."""
    known = [figure for figure in figures if figure is not None and isfinite(figure)]
    return sum(known) if known else None


def max_pain(strikes: Iterable[Strike]) -> float | None:
    """The strike at which an expiry would pay the holders of all open contracts the least.

    At a price K a call of strike S pays K - S above its strike, a put S - K below it. Of several equal ones the
    lowest. `None` where nothing is open. One walk up and one down, each strike once.
    """
    ladder = sorted(strikes, key=lambda one: one.strike)
    if not any((one.call_oi or 0) > 0 or (one.put_oi or 0) > 0 for one in ladder):
        return None
    calls = _paid([(one.strike, one.call_oi or 0.0) for one in ladder])
    puts = _paid([(-one.strike, one.put_oi or 0.0) for one in reversed(ladder)])[::-1]
    pains = [call + put for call, put in zip(calls, puts, strict=True)]
    return ladder[pains.index(min(pains))].strike


def _paid(ladder: Sequence[tuple[float, float]]) -> list[float]:
    """What those below each rung (place, units) get when the price stands on it."""
    paid, open_below, last, sums = 0.0, 0.0, ladder[0][0], []
    for place, units in ladder:
        paid += open_below * (place - last)
        open_below, last = open_below + units, place
        sums.append(paid)
    return sums


def at_the_money(strikes: Iterable[float], spot: float | None) -> float | None:
    """The strike nearest to the price of the underlying; of two equally near ones the lower."""
    if spot is None or not isfinite(spot):
        return None
    return min(strikes, key=lambda strike: (abs(strike - spot), strike), default=None)


def at_parity(prices: Iterable[tuple[float, float | None, float | None]]) -> float | None:
    """The strike at the money as the options themselves tell it: where call and put cost most nearly the same.

    For when the price of the underlying is not known. `prices`: strike, call, put in rupees.
    """
    differences = [(abs(call - put), strike) for strike, call, put in prices if call is not None and put is not None]
    return min(differences)[1] if differences else None


def around(strikes: Sequence[float], centre: float | None, count: int | None) -> Sequence[float]:
    """Of the ascending `strikes` the `count` nearest places around `centre`, it among them; all for `None`.

    Near an end of the ladder there are as many all the same, the rest of them on the other side.
    """
    if count is None or count >= len(strikes):
        return strikes
    middle = len(strikes) // 2 if centre is None else min(range(len(strikes)), key=lambda i: abs(strikes[i] - centre))
    first = min(max(middle - count // 2, 0), len(strikes) - count)
    return strikes[first : first + count]
