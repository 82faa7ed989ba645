"""Gross, charges, net and unrealised, and what each of them is made of."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.pnl_parts import figure_table, headline_tiles
from dashboard.formatting import MISSING, age, number, quantity
from dashboard.markup import plain
from dashboard.pnl_choice import Behind
from dashboard.pnl_state import change, chosen
from dashboard.pnl_tables import charges_table, gross_table, marks_table, net_table
from dashboard.pnl_words import money, signed_money, tone, value
from services.pnl.views import PnlView
from services.portfolio.closed import By

Tile = dict[str, Any]  # Any: texts and flags
_TITLES = {
    Behind.GROSS: "Gross: sold less bought", Behind.CHARGES: "Charges by kind",
    Behind.NET: "Net: gross less charges", Behind.UNREALISED: "Unrealised: what is open, at the prices of now",
}  # fmt: skip


def headline(view: PnlView) -> None:
    """The four figures, and below them what the open one is made of."""
    behind = chosen().behind
    headline_tiles(tiles(view), behind or "", key="pnl-headline", on_open=_opened)
    if behind is not None:
        with st.container(border=True):
            card_title(_TITLES[behind])
            _made_of(view, behind)


def tiles(view: PnlView) -> list[Tile]:
    """The figures in words."""
    total = view.total
    closed = f"{quantity(len(view.trades))} closed trade{'' if len(view.trades) == 1 else 's'}"
    turnover = total.bought + total.sold
    share = "nothing was closed"
    if turnover:
        share = f"{number(total.charges.total * 10_000 / turnover, 3)}% of turnover"
    if total.unpriced:
        share = f"without {quantity(total.unpriced)} lots of days whose rates are not known"
    doubtful = int(view.trades.doubtful.sum())
    net_note = f"gross less charges{_per_trade(view)}"
    if doubtful:
        net_note = f"{quantity(doubtful)} trades in doubt: a part of their history is missing"
    return [
        _tile(Behind.GROSS, "Gross", signed_money(total.gross), closed, tone(total.gross)),
        _tile(Behind.CHARGES, "Charges", money(total.charges.total), share, warn=total.unpriced > 0),
        _tile(Behind.NET, "Net", signed_money(total.net), net_note, tone(total.net), warn=doubtful > 0),
        unrealised_tile(view),
    ]  # fmt: skip


def unrealised_tile(view: PnlView) -> Tile:
    """What is open; never a sum of which a part is not known."""
    rows, total = view.unrealised, view.unrealised_total
    if not rows:
        return _tile(Behind.UNREALISED, "Unrealised", money(0), "nothing is open")
    count = f"{quantity(len(rows))} open"
    if total.paise is None:
        return _tile(Behind.UNREALISED, "Unrealised", MISSING, f"{count}; {total.why_not}", warn=True)
    told = [row.at for row in rows if row.at is not None]
    oldest = f", prices up to {age(max(0.0, (view.now - min(told)).total_seconds()))} old" if told else ""
    doubts = sum(bool(row.doubt) for row in rows)
    note = f"{count}{oldest}" + (f", {quantity(doubts)} in doubt" if doubts else "")
    return _tile(Behind.UNREALISED, "Unrealised", signed_money(total.paise), note, tone(total.paise), warn=doubts > 0)


def _made_of(view: PnlView, behind: Behind) -> None:
    total, parts = view.total, view.by(By.SEGMENT)
    accounts = view.wanted_account is None
    if behind is Behind.GROSS:
        figure_table(gross_table(parts, total), key="pnl-behind")
        words = f"Sold for {value(total.sold)} less bought for {value(total.bought)} is {signed_money(total.gross)}."
    elif behind is Behind.CHARGES:
        figure_table(charges_table(parts, total), key="pnl-behind")
        words = "Our own, by the rates of each trade's day; what is still open has paid its share of the purchase too, "
        words += "and that is not among these."
    elif behind is Behind.NET:
        figure_table(net_table(parts, total), key="pnl-behind")
        words = f"{signed_money(total.gross)} less {money(total.charges.total)} is {signed_money(total.net)}."
    else:
        known = view.unrealised_total.paise
        figure_table(marks_table(view.unrealised, known, view.now, accounts=accounts, keys=view.keys), key="pnl-behind")
        words = "Before charges. The period does not matter here: it is what is open now."
    st.caption(plain(words))


def _per_trade(view: PnlView) -> str:
    expectancy = view.statistics.expectancy.value
    return "" if expectancy is None else f", {signed_money(round(expectancy * 100))} a trade"


def _opened(sent: str) -> None:
    if sent in list(Behind):
        change(behind=None if chosen().behind == sent else Behind(sent))


def _tile(id: Behind, name: str, figure: str, note: str, tone: str = "", *, warn: bool = False) -> Tile:
    return {"id": id.value, "name": name, "figure": figure, "note": note, "tone": tone, "warn": warn}
