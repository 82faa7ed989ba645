"""A contract note order by order, with the fills of each, and what it comes to. Pure; cells as in `tables`."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.formatting import day, ist_time, quantity
from dashboard.pnl_words import (
    LINE_MEANINGS,
    LINE_NAMES,
    average,
    money,
    price,
    product_word,
    signed_money,
    tone,
    value,
)
from dashboard.tables import Cell, Head, Table, table_of
from services.domain.orders import Side
from services.portfolio.charges.kinds import LINES, Line
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.day_notes import DayNote, NoteOrder, NoteTrade

_COLUMNS = (
    ((Line.BROKERAGE,), "Brokerage"), ((Line.STT,), "STT / CTT"),
    ((Line.EXCHANGE, Line.IPFT, Line.SEBI, Line.CLEARING), "Exchange and fees"), ((Line.STAMP,), "Stamp"),
    ((Line.DP,), "DP"), ((Line.GST,), "GST"),
)  # fmt: skip


def note_table(note: DayNote, orders: Sequence[NoteOrder]) -> Table:
    """A page of the orders of a note, each with its fills below it; the foot is the note as it is printed."""
    heads = (
        Head("symbol", "Instrument", num=False), Head("side", "Side", num=False), Head("quantity", "Quantity"),
        Head("price", "Average", rank=2), Head("value", "Value", rank=2),
        *(Head(name, name, rank=3, help=". ".join(LINE_MEANINGS[one] for one in lines)) for lines, name in _COLUMNS),
        Head("all", "Charges"),
    )  # fmt: skip
    rows: list[Table] = [
        {"cells": _order_cells(order), "more": [{"cells": _fill_cells(trade)} for trade in order.trades]}
        for order in orders
    ]
    total: Cell = {"t": money(note.lines.total), "strong": True}
    foot = ["Note, as it is printed", "", "", "", "", *_line_cells(note.lines), total]
    return table_of(heads, rows, f"Orders of the note of {day(note.day)}", foot=[foot], tall=620)


def _order_cells(order: NoteOrder) -> list[Cell]:
    name: Cell = {"t": order.symbol, "s": " · ".join(filter(None, (_product_of(order), f"order {order.order_id}")))}
    bought = order.side is Side.BUY
    side: Cell = {"t": "Buy" if bought else "Sell", "tone": "up" if bought else "down"}
    if order.settled:
        side = "Settled"
    worth = [quantity(order.quantity), average(order.average), value(order.value)]
    return [name, side, *worth, *_line_cells(order.lines), money(order.lines.total)]


def _fill_cells(trade: NoteTrade) -> list[Cell]:
    name: Cell = {"t": f"Fill {trade.trade_id}", "s": "" if trade.at is None else f"{ist_time(trade.at)} IST"}
    worth = [quantity(trade.quantity), price(trade.price), value(trade.value)]
    return [name, "", *worth, *_line_cells(trade.lines), money(trade.lines.total)]


def note_facts(note: DayNote) -> list[Table]:
    """What a note comes to."""
    rows = [
        {"name": "Bought", "value": value(note.bought)}, {"name": "Sold", "value": value(note.sold)},
        {"name": "Sold less bought", "value": signed_money(note.obligation)},
    ]  # fmt: skip
    charged = [{"name": LINE_NAMES[line], "value": money(note.lines.of(line))} for line in LINES if note.lines.of(line)]
    paid = "You pay" if note.net < 0 else "You receive"
    end = [
        {"name": "All charges", "value": money(note.lines.total)},
        {"name": paid, "value": money(abs(note.net)), "tone": tone(note.net)},
    ]
    return [
        {"title": "Trades", "rows": rows},
        {"title": "Charges, as printed", "rows": charged or [{"name": "None", "value": money(0)}]},
        {"title": "Settlement", "rows": end},
    ]


_MEMBERS_OF_CONTRACT = 4
"""Colons in the identity of a contract; a share's is its ISIN, or exchange and symbol."""


def _product_of(order: NoteOrder) -> str:
    contract = order.instrument.count(":") >= _MEMBERS_OF_CONTRACT
    return product_word(order.product, "FO" if contract else "EQ")


def _line_cells(lines: PaiseLines) -> list[Cell]:
    amounts = [sum(lines.of(line) for line in group) for group, _ in _COLUMNS]
    return [{"t": money(amount), "tone": "" if amount else "muted"} for amount in amounts]
