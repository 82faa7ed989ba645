"""The fills of the day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import streamlit as st

from dashboard.components.figure_table import figure_table
from dashboard.components.notices import caution, told_at
from dashboard.formatting import duration, ist_when, quantity, rupees
from dashboard.markup import plain
from dashboard.order_rows import FILL_HEADS, fill_row
from dashboard.resources import desk, instruments_of
from dashboard.tables import table_of
from services.domain.orders import Side, Trade
from services.orders.views import TradesView

EVERY = 2.0
PAGE = 50
_PAGE = "orders-fills-page"


def trade_table() -> None:
    """Draw them, the newest first, with what was bought and sold in all."""
    runtime = desk()
    view = runtime.orders.trades()
    now, current = runtime.clock.now(), view.error is None
    if not view.trades:
        if view.error is not None:
            caution(f"The fills of today are not known: {view.error}. Those of days before are under P&L.")
        else:
            st.caption(as_of(view, now) if view.as_of is None else f"No fills today. {as_of(view, now)}")
        return
    sums = plain(sums_in_words(view.trades))
    st.markdown(sums if current else f":gray[{sums}]")
    pages = max(1, -(-len(view.trades) // PAGE))
    page = min(pages, int(st.session_state.get(_PAGE, 1)))
    looked_at = view.trades[(page - 1) * PAGE : page * PAGE]
    names = instruments_of(runtime, tuple(dict.fromkeys(trade.key for trade in looked_at)))
    rows = [fill_row(trade, names.get(trade.key), now) for trade in looked_at]
    label = "Fills of the day, the newest first"
    figure_table(table_of(FILL_HEADS, rows, label, id=page, old=not current), key="orders-trades")
    if pages > 1:
        first, last = (page - 1) * PAGE + 1, (page - 1) * PAGE + len(rows)
        st.pagination(pages, key=_PAGE)
        st.caption(f"{quantity(first)} to {quantity(last)} of {quantity(len(view.trades))}, the newest first")
    told_at(as_of(view, now), current=current)


def sums_in_words(trades: Iterable[Trade]) -> str:
    """3 fills: bought 10 for ₹12,345.00, sold 5 for ₹6,170.00."""
    all_of_them = list(trades)
    parts = []
    for side, word in ((Side.BUY, "bought"), (Side.SELL, "sold")):
        mine = [trade for trade in all_of_them if trade.side is side]
        if mine:
            value = sum((trade.price * trade.quantity for trade in mine), Decimal(0))
            parts.append(f"{word} {quantity(sum(trade.quantity for trade in mine))} for {rupees(value)}")
    count = len(all_of_them)
    return f"{quantity(count)} fill{'' if count == 1 else 's'}: {', '.join(parts)}."


def as_of(view: TradesView, now: datetime) -> str:
    """How current they are: Fills read 14:05:33 IST."""
    read = "not read yet" if view.as_of is None else f"read {ist_when(view.as_of, now, seconds=True)}"
    if view.error is None:
        return f"Fills {read}."
    age = "" if view.as_of is None else f", {duration((now - view.as_of).total_seconds())} old"
    return f"Not current: {view.error}. The fills as they were {read}{age}; fills since may be missing."
