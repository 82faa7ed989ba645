"""The columns of the portfolio's tables: what each shows, where it comes from, how it is drawn. Pure.

A figure in money travels as `[at a price of nothing, per rupee of price]`: the browser goes on computing it as prices
come. Rupees leave as floats here, for pictures only; what is decided on is computed from the exact values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar

from services.portfolio_book.marks import Line, MarkedHolding, MarkedPosition

M = TypeVar("M", MarkedPosition, MarkedHolding)

Wire = list[float] | float | int | None


@dataclass(frozen=True, slots=True)
class MoneyColumn(Generic[M]):
    """One column. `kind` says how its values are drawn (see position_table.js); `rank` 1 is always there, 2 not on a
    phone, 3 only where there is room for all."""

    id: str
    label: str
    help: str
    kind: str
    value: Callable[[M], Wire] = lambda marked: None
    rank: int = 1
    sum: str = ""
    """The name of its sum over the table; empty: it has none."""
    sum_rank: int = 1
    lead: bool = False
    """Is its sum the one that is looked for first?"""
    tone: str = ""
    """Of money: coloured by its sign, or `plain` (an amount), or `quiet` (signed, without colour)."""
    of: str = ""
    """The column whose sum this one's sum is a share of."""

    def head(self) -> dict[str, Any]:  # Any: texts, numbers and a flag
        """What the browser needs of it."""
        return {
            "id": self.id, "label": self.label, "help": self.help, "kind": self.kind, "rank": self.rank,
            "sum": self.sum, "sum_rank": self.sum_rank, "lead": self.lead, "tone": self.tone, "of": self.of,
        }  # fmt: skip


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _line(line: Line | None) -> list[float] | None:
    return None if line is None else [float(line.at_zero), float(line.slope)]


def _constant(amount: Decimal | None) -> list[float] | None:
    return None if amount is None else [float(amount), 0]


def _share(line: Line | None, whole: Decimal | None) -> list[float] | None:
    return None if line is None or not whole else [float(line.at_zero), float(line.slope), float(whole)]


def _gap(marked: MarkedPosition | MarkedHolding, told: Decimal | None) -> Wire:
    """The difference from the broker's figure, and what of it remains at the broker's own price, where that is known:
    the rest is a price that has moved since."""
    if marked.total is None or told is None:
        return None
    line = [float(marked.total.at_zero - told), float(marked.total.slope)]
    unexplained = marked.unexplained
    return line if unexplained is None else [*line, float(unexplained)]


POSITION_COLUMNS: tuple[MoneyColumn[MarkedPosition], ...] = (
    MoneyColumn("symbol", "Instrument", "Instrument, product, and what of it was carried", "symbol"),
    MoneyColumn("net", "Net", "Units held now; below nothing: sold short", "signed", lambda one: one.position.quantity),
    MoneyColumn("average", "Average", "What it was entered at, in the mean", "price",
              lambda one: _number(one.average), rank=2),
    MoneyColumn("ltp", "LTP", "Last traded price", "ltp"),
    MoneyColumn("age", "Age", "How long ago the price came; with its market closed, when it was made", "age", rank=2),
    MoneyColumn("today", "Today", "What today brought; carried units count from yesterday's close", "money",
              lambda one: _line(one.today), rank=2, sum="P&L today", lead=True),
    MoneyColumn("pnl", "P&L", "Realised and unrealised profit since entry, before charges", "money",
              lambda one: _line(one.total), sum="P&L since entry"),
    MoneyColumn("open", "Unrealised", "Profit of what is still held, before charges", "money",
              lambda one: _line(one.open), rank=3, sum="Unrealised", tone="quiet"),
    MoneyColumn("realised", "Realised", "Profit of what was closed, before charges", "money",
              lambda one: _constant(one.realised), rank=3, sum="Realised", tone="quiet"),
    MoneyColumn("broker", "Broker", "Profit as the broker told it last, at a price of its own", "money",
              lambda one: _constant(one.position.pnl), rank=2, sum="Broker says", sum_rank=2, tone="quiet"),
    MoneyColumn("gap", "Difference", "Ours less the broker's: the price has moved since, or both count differently",
              "gap", lambda one: _gap(one, one.position.pnl), rank=2, sum="Difference", sum_rank=2),
    MoneyColumn("carried", "Carried", "Units carried over from the day before", "signed",
              lambda one: one.position.overnight_quantity, rank=3),
    MoneyColumn("bought", "Bought", "Units bought today", "quantity",
              lambda one: one.position.day_buy_quantity, rank=3),
    MoneyColumn("sold", "Sold", "Units sold today", "quantity", lambda one: one.position.day_sell_quantity, rank=3),
)  # fmt: skip

_OF_DAY = {"today": ("{day}", "P&L on {day}"), "bought": ("Bought", ""), "sold": ("Sold", "")}
"""What is of the day of the positions: its name and that of its sum, where that day is over."""


def columns_of(day: str) -> tuple[MoneyColumn[MarkedPosition], ...]:
    """The columns of positions that were told last on `day`, as "Thu 19 Nov", which is not today."""
    return tuple(
        replace(
            one,
            label=_OF_DAY[one.id][0].format(day=day),
            sum=_OF_DAY[one.id][1].format(day=day),
            help=one.help.replace("today", f"on {day}").replace("yesterday's close", "the close before"),
        )
        if one.id in _OF_DAY
        else one
        for one in POSITION_COLUMNS
    )


HOLDING_COLUMNS: tuple[MoneyColumn[MarkedHolding], ...] = (
    MoneyColumn("symbol", "Instrument", "Instrument and company", "symbol"),
    MoneyColumn("quantity", "Quantity", "Units held", "quantity", lambda one: one.holding.quantity),
    MoneyColumn("sellable", "Sellable", "Units that can be sold now without a doubt", "quantity",
             lambda one: one.sellable, rank=2),
    MoneyColumn("t1", "T1", "Bought the day before and not yet in the demat account", "quantity",
             lambda one: one.holding.t1_quantity, rank=2),
    MoneyColumn("pledged", "Pledged", "Units given as collateral", "quantity",
             lambda one: one.holding.collateral_quantity, rank=2),
    MoneyColumn("average", "Average", "What they were bought at, in the mean", "price",
             lambda one: _number(one.holding.average_price), rank=2),
    MoneyColumn("ltp", "LTP", "Last traded price", "ltp"),
    MoneyColumn("age", "Age", "How long ago the price came; with its market closed, when it was made", "age", rank=2),
    MoneyColumn("value", "Value", "What they are worth at that price", "money", lambda one: _line(one.worth), rank=2,
             sum="Value", lead=True, tone="plain"),
    MoneyColumn("invested", "Invested", "What they were bought for", "money", lambda one: _constant(one.invested),
             rank=3, sum="Invested", tone="plain"),
    MoneyColumn("pnl", "P&L", "Value less what was invested, before charges", "money", lambda one: _line(one.total),
             sum="P&L", of="invested"),
    MoneyColumn("percent", "P&L %", "The same, of what was invested", "percent",
             lambda one: _share(one.total, one.invested), rank=2),
    MoneyColumn("today", "Day", "Change of value since the close before this price's day", "money",
             lambda one: _line(one.today), rank=2, sum="Day's change"),
    MoneyColumn("broker", "Broker", "Profit as the broker told it last, at a price of its own", "money",
             lambda one: _constant(one.holding.pnl), rank=3, sum="Broker says", sum_rank=2, tone="quiet"),
    MoneyColumn("gap", "Difference", "Ours less the broker's: the price has moved since, or both count differently",
             "gap", lambda one: _gap(one, one.holding.pnl), rank=3),
)  # fmt: skip
