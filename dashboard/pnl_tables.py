"""Tables of results as the browser draws them: what a figure of the headline is made of, and groups. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.formatting import MISSING, number, quantity
from dashboard.pnl_choice import SEGMENTS
from dashboard.pnl_words import (
    LINE_MEANINGS,
    LINE_NAMES,
    NONE_AT_REST,
    AtRest,
    average,
    bucket_word,
    money,
    month_word,
    price,
    price_source,
    product_label,
    signed_money,
    tone,
    value,
)
from dashboard.tables import NO_KEYS, Cell, Head, Table, symbol_cell, table_of
from services.pnl.values import MarkRow
from services.portfolio.charges.kinds import LINES
from services.portfolio.closed import By, Sums

NOT_TOLD = "?"
"""The label of a group of which the source tells no product."""
MOST_GROUPS = 40
"""Groups that are shown; the others are put together, so that the parts add up."""


def result(paise: int | None) -> Cell:
    """An amount that is won or lost."""
    return {"t": signed_money(paise), "tone": tone(paise)}


# -- behind the headline -----------------------------------------------------------------------------------------------


def segment_name(segment: str) -> str:
    return SEGMENTS.get(segment, segment)


def gross_table(parts: Sequence[Sums], total: Sums) -> Table:
    """Sold less bought, by segment."""
    heads = (
        Head("segment", "Segment", num=False), Head("lots", "Lots closed", rank=2), Head("bought", "Bought", rank=2),
        Head("sold", "Sold", rank=2), Head("gross", "Gross", help="Sold less bought, before charges"),
    )  # fmt: skip

    def cells(name: str, one: Sums) -> list[Cell]:
        return [name, quantity(one.matches), value(one.bought), value(one.sold), result(one.gross)]

    rows = [{"cells": cells(segment_name(one.label), one)} for one in parts]
    return table_of(heads, rows, "Gross by segment", foot=[cells("All", total)])


def charges_table(parts: Sequence[Sums], total: Sums) -> Table:
    """Each kind of charges, by segment."""
    heads = [Head("line", "Charge", num=False)]
    if len(parts) > 1:
        heads += [Head(one.label, segment_name(one.label), rank=2) for one in parts]
    heads += [Head("all", "All"), Head("share", "Share", rank=2)]
    whole = total.charges.total

    def cells(name: Cell, amounts: Sequence[int]) -> list[Cell]:
        by_segment: list[Cell] = [money(amount) for amount in amounts[:-1]] if len(parts) > 1 else []
        share = MISSING if not whole else f"{number(100 * amounts[-1] / whole, 1)}%"
        return [name, *by_segment, money(amounts[-1]), share]

    rows: list[Table] = []
    for line in LINES:
        amounts = [one.charges.of(line) for one in (*parts, total)]
        if any(amounts):
            rows.append({"cells": cells({"t": LINE_NAMES[line], "title": LINE_MEANINGS[line]}, amounts)})
    foot = [cells("All charges", [one.charges.total for one in (*parts, total)])]
    return table_of(heads, rows, "Charges by kind", foot=foot, empty="No charges: nothing was closed.")


def net_table(parts: Sequence[Sums], total: Sums) -> Table:
    """Gross less charges, by segment."""
    heads = (
        Head("segment", "Segment", num=False), Head("gross", "Gross", rank=2), Head("charges", "Charges", rank=2),
        Head("net", "Net"), Head("share", "Charges of turnover", rank=2, help="Of all that was bought and sold"),
    )  # fmt: skip

    def cells(name: str, one: Sums) -> list[Cell]:
        turnover = one.bought + one.sold
        share = MISSING if not turnover else f"{number(one.charges.total * 10_000 / turnover, 3)}%"
        return [name, signed_money(one.gross), money(one.charges.total), result(one.net), share]

    rows = [{"cells": cells(segment_name(one.label), one)} for one in parts]
    return table_of(heads, rows, "Net by segment", foot=[cells("All", total)])


def marks_table(
    rows: Sequence[MarkRow],
    total: int | None,
    now: datetime,
    *,
    accounts: bool,
    keys: Mapping[str, str] = NO_KEYS,
    at_rest: AtRest = NONE_AT_REST,
) -> Table:
    """What is open, at the price of now. `keys`: of the broker, by instrument."""
    heads = (
        Head("symbol", "Instrument", num=False), Head("quantity", "Quantity", rank=2),
        Head("average", "Average", rank=2), Head("price", "Price"), Head("cost", "Cost", rank=3),
        Head("today", "Since yesterday's close", rank=3), Head("open", "Unrealised"),
    )  # fmt: skip
    told: list[Table] = []
    for row in rows:
        where = f"{segment_name(row.segment)}, {row.account}" if accounts else segment_name(row.segment)
        symbol = symbol_cell(row.symbol, ". ".join(filter(None, (where, row.doubt))), keys.get(row.instrument, ""))
        if row.from_broker or row.doubt:
            symbol["tags"] = [["broker's average" if row.from_broker else "in doubt", True]]
        told.append({
            "cells": [
                symbol, quantity(row.quantity), average(row.average),
                {"t": price(row.price), "s": price_source(row, now, at_rest)}, value(row.cost), result(row.day_change),
                {**_made(result(row.unrealised)), "s": row.why_not},
            ]
        })  # fmt: skip
    foot: list[list[Cell]] = [["All", "", "", "", "", "", result(total)]] if rows else []
    return table_of(heads, told, "Open positions at the prices of now", foot=foot, empty="Nothing is open.", tall=420)


# -- groups ------------------------------------------------------------------------------------------------------------


def group_name(by: By, label: str) -> str:
    if by is By.SEGMENT:
        return segment_name(label)
    if by is By.PRODUCT:
        return product_label(label)
    if by is By.BUCKET:
        return bucket_word(label)
    return month_word(label) if by is By.MONTH else label


def _picks(by: By, one: Sums) -> Table:
    return {"id": one.label, "says": f"Only {group_name(by, one.label)}, net {signed_money(one.net)}"}


def groups_table(by: By, parts: Sequence[Sums], total: Sums) -> Table:
    """The groups with the largest results, up or down, and the rest in one; the parts add up to the whole."""
    ordered = sorted(parts, key=lambda one: (-one.net, one.label))
    if by in {By.MONTH, By.YEAR}:
        ordered = sorted(parts, key=lambda one: one.label, reverse=True)
    shown, others = ordered, []
    if len(ordered) > MOST_GROUPS:
        largest = {one.label for one in sorted(parts, key=lambda one: -abs(one.net))[:MOST_GROUPS]}
        shown = [one for one in ordered if one.label in largest]
        others = [one for one in ordered if one.label not in largest]
    low, high = min((one.net for one in shown), default=0), max((one.net for one in shown), default=0)
    low, high = min(low, 0), max(high, 0)
    width = (high - low) or 1

    def bar(net: int) -> Cell:
        zero = -low / width
        end = (net - low) / width
        return {"bar": [zero, min(zero, end), max(zero, end), tone(net) or "flat"]}

    heads = (
        Head("name", by.value.capitalize(), num=False), Head("bar", "Net", num=False, rank=2),
        Head("lots", "Lots closed", rank=3), Head("gross", "Gross", rank=2), Head("charges", "Charges", rank=2),
        Head("net", "Net"),
    )  # fmt: skip
    rows = [
        {
            "cells": [
                group_name(by, one.label), bar(one.net), quantity(one.matches), signed_money(one.gross),
                money(one.charges.total), result(one.net),
            ],
            **({} if by is By.UNDERLYING or one.label == NOT_TOLD else _picks(by, one)),
        }
        for one in shown
    ]  # fmt: skip
    if others:
        count, gross = sum(one.matches for one in others), sum(one.gross for one in others)
        cost = sum(one.charges.total for one in others)
        name = f"{quantity(len(others))} others, smaller"
        cells = [name, "", quantity(count), signed_money(gross), money(cost), result(gross - cost)]
        rows.append({"cells": cells})
    whole = [
        "All",
        "",
        quantity(total.matches),
        signed_money(total.gross),
        money(total.charges.total),
        result(total.net),
    ]
    return table_of(
        heads, rows, f"Results by {by.value}", foot=[whole], tall=430, id=by.value, empty="Nothing was closed."
    )


def _made(cell: Cell) -> dict[str, Any]:  # Any: as `Cell`
    return cell if isinstance(cell, dict) else {"t": cell}
