"""Gross, charges, net and unrealised, and what each of them is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.figure_table import figure_table
from dashboard.components.pnl_parts import headline_tiles
from dashboard.formatting import MISSING, number, quantity
from dashboard.markup import plain
from dashboard.pnl_choice import Behind
from dashboard.pnl_state import change, chosen
from dashboard.pnl_tables import charges_table, gross_table, marks_table, net_table
from dashboard.pnl_words import (
    NONE_AT_REST,
    AtRest,
    cost_words,
    money,
    not_current,
    prices_words,
    signed_money,
    tone,
    value,
)
from dashboard.reading import moving
from dashboard.resources import desk
from services.pnl.views import PnlView
from services.portfolio.closed import By

Tile = dict[str, Any]  # Any: texts and flags
_TITLES = {
    Behind.GROSS: "Gross: sold less bought", Behind.CHARGES: "Charges by kind",
    Behind.NET: "Net: gross less charges", Behind.UNREALISED: "Unrealised: what is open, at the prices of now",
}  # fmt: skip


def headline(view: PnlView) -> None:
    """The four figures, and below them what the open one is made of."""
    behind, at_rest = chosen().behind, prices_at_rest(view)
    headline_tiles(tiles(view, at_rest), behind or "", key="pnl-headline", on_open=_opened)
    if behind is not None:
        with st.container(border=True):
            card_title(_TITLES[behind])
            _made_of(view, behind, at_rest)


def prices_at_rest(view: PnlView) -> AtRest:
    """What is open and out of session, with when its prices were made."""
    return made_at_rest(row.key for row in view.unrealised if row.key)


def made_at_rest(keys: Iterable[str]) -> AtRest:
    """Those of `keys` that are out of session, with when their prices were made."""
    rt, wanted = desk(), frozenset(keys)
    resting = wanted - moving(rt, wanted)
    told = rt.quotes.last_known(resting)
    return {key: told[key]["last_trade_time"] if key in told else None for key in resting}


def tiles(view: PnlView, at_rest: AtRest = NONE_AT_REST) -> list[Tile]:
    """The figures in words. Those of trades that could not be renewed are old and say as of when they are."""
    age = f"; {not_current(view.as_of, view.now)}" if view.old else ""
    return [
        {**tile, "note": f"{tile['note']}{age}", "warn": tile["warn"] or view.old, "old": view.old}
        for tile in _current_tiles(view, at_rest)
    ]


def _current_tiles(view: PnlView, at_rest: AtRest) -> list[Tile]:
    total = view.total
    closed = f"{quantity(len(view.trades))} closed trade{'' if len(view.trades) == 1 else 's'}"
    turnover = total.bought + total.sold
    share = f"nothing was closed{'; what is open is not in it' if view.unrealised else ''}"
    if turnover:
        share = f"of closed trades, {number(total.charges.total * 10_000 / turnover, 3)}% of turnover"
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
        unrealised_tile(view, at_rest),
    ]  # fmt: skip


def unrealised_tile(view: PnlView, at_rest: AtRest = NONE_AT_REST) -> Tile:
    """What is open; never a sum of which a part is not known."""
    rows, total = view.unrealised, view.unrealised_total
    if not rows:
        return _tile(Behind.UNREALISED, "Unrealised", money(0), "nothing held or short")
    count = f"{quantity(len(rows))} held or short"  # in shares as well, which no page calls an open position
    if total.paise is None:
        return _tile(Behind.UNREALISED, "Unrealised", MISSING, f"{count}; {total.why_not}", warn=True)
    doubts = sum(bool(row.doubt) for row in rows)
    told = (count, prices_words(rows, view.now, at_rest), f"{quantity(doubts)} in doubt" if doubts else "")
    note = "; ".join(filter(None, (", ".join(filter(None, told)), cost_words(rows))))
    return _tile(Behind.UNREALISED, "Unrealised", signed_money(total.paise), note, tone(total.paise), warn=doubts > 0)


def _made_of(view: PnlView, behind: Behind, at_rest: AtRest) -> None:
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
        table = marks_table(view.unrealised, known, view.now, accounts=accounts, keys=view.keys, at_rest=at_rest)
        figure_table(table, key="pnl-behind")
        words = (
            "Before charges. The period does not matter here: it is what is open now. Lots are sold first in, first "
        )
        words += "out, so a cost may differ from the broker's average, and this sum from that of the portfolio."
    st.caption(plain(words))


def _per_trade(view: PnlView) -> str:
    expectancy = view.statistics.expectancy.value
    return "" if expectancy is None or len(view.trades) == 1 else f", {signed_money(round(expectancy * 100))} a trade"


def _opened(sent: str) -> None:
    if sent in list(Behind):
        change(behind=None if chosen().behind == sent else Behind(sent))


def _tile(id: Behind, name: str, figure: str, note: str, tone: str = "", *, warn: bool = False) -> Tile:
    return {"id": id.value, "name": name, "figure": figure, "note": note, "tone": tone, "warn": warn}
