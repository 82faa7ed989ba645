"""Closed trades as a table, and one of them with its lots and itemised charges. Pure; cells as in `tables`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.formatting import day, ist_time, quantity
from dashboard.pnl_tables import result, segment_name
from dashboard.pnl_words import (
    LINE_MEANINGS,
    LINE_NAMES,
    average,
    held_words,
    money,
    price,
    product_word,
    signed_money,
)
from dashboard.tables import NO_KEYS, Cell, Head, Table, symbol_cell, table_of
from services.domain.clock import from_epoch_ms
from services.portfolio.charges.kinds import LINES
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.closed_columns import LotRow, TradeColumns

TRADE_HEADS = (
    Head("symbol", "Instrument", num=False, sort=True), Head("closed", "Closed", num=False, sort=True),
    Head("opened", "Opened", num=False, rank=3, sort=True), Head("quantity", "Quantity", rank=2, sort=True),
    Head("buy", "Bought at", rank=2, sort=True), Head("sell", "Sold at", rank=2, sort=True),
    Head("days", "Held", rank=3, sort=True), Head("gross", "Gross", rank=2, sort=True),
    Head("charges", "Charges", rank=2, sort=True), Head("net", "Net", sort=True),
)  # fmt: skip


def trades_table(
    trades: TradeColumns,
    places: Sequence[int],
    *,
    sort: str,
    down: bool,
    noted: Mapping[str, Sequence[str]],
    picked: str,
    empty: str,
    accounts: bool = False,
    keys: Mapping[str, str] = NO_KEYS,
) -> Table:
    """One page of closed trades. `noted`: tags of trades somebody wrote about. `keys`: of the broker, by instrument."""
    way = "descending" if down else "ascending"
    rows = [_trade_row(trades, place, noted, picked, accounts, keys) for place in places]
    columns = [head.told(way if head.id == sort else "") for head in TRADE_HEADS]
    return {
        "columns": columns,
        "rows": rows,
        "label": "Closed trades",
        "empty": empty,
        "id": f"{sort} {down} {places[:1]}",
    }


def moment(ms: int, day_word: str) -> Cell:
    """A day, with the time of day below it where the source tells it."""
    return {"t": day_word, "s": ist_time(from_epoch_ms(ms))} if ms >= 0 else day_word


def _trade_row(
    trades: TradeColumns,
    place: int,
    noted: Mapping[str, Sequence[str]],
    picked: str,
    accounts: bool,
    keys: Mapping[str, str],
) -> Table:
    id, segment = str(trades.id[place]), str(trades.segment[place])
    product = product_word(str(trades.product[place]), segment)
    what = [
        str(trades.side[place]),
        segment_name(segment),
        product,
        *([str(trades.account[place])] if accounts else []),
    ]
    net = int(trades.net[place])
    key = keys.get(str(trades.instrument[place]), "")
    symbol = symbol_cell(str(trades.symbol[place]), " · ".join(filter(None, what)), key)
    tags: list[list[object]] = [[tag, False] for tag in noted[id][:3]] if id in noted else []
    if id in noted and not tags:
        tags = [["note", False]]
    if trades.doubtful[place]:
        tags.append(["in doubt", True])
    if tags:
        symbol["tags"] = tags
    return {
        "id": id,
        "picked": id == picked,
        "says": f"{trades.symbol[place]}, closed {day(trades.closed_day[place].item())}, net {signed_money(net)}",
        "cells": [
            symbol,
            moment(int(trades.closed_ms[place]), day(trades.closed_day[place].item())),
            moment(int(trades.opened_ms[place]), day(trades.opened_day[place].item())),
            quantity(int(trades.quantity[place])),
            average(int(trades.buy_average[place])),
            average(int(trades.sell_average[place])),
            held_words(int(trades.held_days[place]), int(trades.held_ms[place])),
            signed_money(int(trades.gross[place])),
            money(int(trades.charges[place])),
            result(net),
        ],
    }


def lots_table(lots: Sequence[LotRow]) -> Table:
    """What a trade closed, lot by lot."""
    heads = (
        Head("bought", "Bought", num=False), Head("sold", "Sold", num=False), Head("quantity", "Quantity"),
        Head("buy", "At", rank=2), Head("sell", "Sold at", rank=2), Head("held", "Held", rank=2),
        Head("gross", "Gross", rank=2), Head("charges", "Charges", rank=2), Head("net", "Net"),
    )  # fmt: skip
    rows: list[Table] = [
        {
            "cells": [
                _traded(lot.bought_at, day(lot.bought), lot.buy_trade),
                _traded(lot.sold_at, day(lot.sold), lot.sell_trade), quantity(lot.quantity), price(lot.buy_price),
                price(lot.sell_price), held_words(lot.held_days, _held_ms(lot)), signed_money(lot.gross),
                money(lot.charges.total), result(lot.net),
            ]
        }
        for lot in lots
    ]  # fmt: skip
    units, gross = sum(lot.quantity for lot in lots), sum(lot.gross for lot in lots)
    charges = sum(lot.charges.total for lot in lots)
    foot = [["All", "", quantity(units), "", "", "", signed_money(gross), money(charges), result(gross - charges)]]
    return table_of(heads, rows, "Lots", foot=foot if len(lots) > 1 else [], tall=360)


def lines_table(lots: Sequence[LotRow], lines: PaiseLines) -> Table:
    """Charges of a trade, kind by kind; of several lots also each lot's share of them."""
    several = 1 < len(lots) <= 4
    heads = [Head("line", "Charge", num=False)]
    if several:
        heads += [Head(f"lot{n}", f"Lot {n + 1}", rank=2) for n in range(len(lots))]
    heads.append(Head("all", "Amount"))
    rows: list[Table] = []
    for line in LINES:
        if lines.of(line):
            own = [money(lot.charges.of(line)) for lot in lots] if several else []
            name = {"t": LINE_NAMES[line], "title": LINE_MEANINGS[line]}
            rows.append({"cells": [name, *own, money(lines.of(line))]})
    foot = ["All charges", *([money(lot.charges.total) for lot in lots] if several else []), money(lines.total)]
    return table_of(heads, rows, "Charges", foot=[foot], empty="No charges.")


def _held_ms(lot: LotRow) -> int:
    if lot.bought_at is None or lot.sold_at is None:
        return -1
    return int(abs((lot.sold_at - lot.bought_at).total_seconds()) * 1000)


def _traded(at: datetime | None, day_word: str, trade_id: str) -> Cell:
    time = "" if at is None else f"{ist_time(at)} · "
    return {"t": day_word, "s": f"{time}{trade_id}"}


def tags_of(notes: Mapping[str, Any], ids: Collection[str]) -> dict[str, Sequence[str]]:  # Any: notes with `tags`
    """Tags by trade, of those that somebody wrote about."""
    return {id: tuple(notes[id].tags) for id in ids if id in notes}
