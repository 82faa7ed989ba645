"""The report of realised gains: what was bought and sold of each scrip, by the days of both.

It knows finished days only. One row stands for all that was bought on one day and sold on another (or the same) one,
and belongs to the day on which it was closed. What is still open is in no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from services.paper.trading.lots import OpenLots
from services.paper.trading.notes import SEGMENTS, leg_of
from services.paper.trading.order_values import Fill
from services.paper.trading.values import PRICE_UNITS


@dataclass(frozen=True, slots=True)
class Gain:
    """One row. Quantity in units (of currencies and commodities: lots times what is in one), amounts in 1/10000
    rupee; days as ISO dates."""

    segment: str
    """EQ, FO, CD, COM."""
    isin: str
    """Empty for contracts."""
    name: str
    trade_type: str
    """EQ, FUT, OPT."""
    quantity: int
    bought: str
    buy_amount: int
    sold: str
    sell_amount: int

    @property
    def closed(self) -> str:
        """The later day: a sale before the purchase was a short one."""
        return max(self.bought, self.sold)

    @property
    def realised(self) -> int:
        """Charges apart."""
        return self.sell_amount - self.buy_amount


@dataclass(frozen=True, slots=True)
class Gains:
    """All rows of an account, by the day on which they were closed, and what its open lots were bought (below 0: sold)
    for."""

    rows: tuple[Gain, ...]
    open_cost: int


def gains_of(fills: Sequence[Fill]) -> Gains:
    """The report over `fills`, in the order of time."""
    lots = OpenLots()
    sums: dict[tuple[str, str, str], list[int]] = {}
    named: dict[str, Fill] = {}
    legs = [leg_of(number, fill) for number, fill in enumerate(fills)]
    for _, day in groupby(legs, lambda leg: fills[leg.number].day):
        for pair in lots.add(list(day)):
            buy, sell = fills[pair.buy], fills[pair.sell]
            scrip = legs[pair.buy].scrip
            named.setdefault(scrip, buy)
            row = sums.setdefault((scrip, buy.day, sell.day), [0, 0, 0])
            units = pair.quantity * buy.multiplier
            row[0] += units
            row[1] += units * buy.price
            row[2] += units * sell.price
    rows = [
        Gain(
            SEGMENTS[(fill := named[scrip]).segment], fill.isin if _share(fill) else "", name_of(fill),
            type_of(fill), units, bought, buy_amount, sold, sell_amount,
        )
        for (scrip, bought, sold), (units, buy_amount, sell_amount) in sums.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: row.closed)
    cost = 0
    for number, left in lots.open():
        fill = fills[number]
        cost += left * fill.price * fill.multiplier * (1 if fill.buys else -1)
    return Gains(tuple(rows), cost)


def _share(fill: Fill) -> bool:
    return fill.segment.endswith("_EQ")


def type_of(fill: Fill) -> str:
    """As the report names what was traded."""
    if _share(fill):
        return "EQ"
    return "OPT" if fill.option_type else "FUT"


def name_of(fill: Fill) -> str:
    """A company's name; a contract as the instrument file spells it (`NIFTY 26000 CE 24 NOV 26`)."""
    if _share(fill):
        return fill.name or fill.symbol
    expiry = f"{date.fromisoformat(fill.expiry):%d %b %y}".upper() if fill.expiry else ""
    if not fill.option_type:
        return " ".join((fill.name, "FUT", expiry)).strip()
    strike = f"{fill.strike / PRICE_UNITS:.4f}".rstrip("0").rstrip(".")
    return " ".join((fill.name, strike, fill.option_type, expiry)).strip()
