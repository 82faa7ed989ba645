"""The fills of the day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import pandas as pd
import streamlit as st

from dashboard.components.notices import caution, told_at
from dashboard.formatting import duration, ist_time, price_decimals, quantity, rupees
from dashboard.instrument_wanted import leave_if_wanted, want_instrument
from dashboard.markup import plain
from dashboard.order_rows import trade_record
from dashboard.resources import desk, instruments_of
from services.domain.orders import Side, Trade
from services.orders.views import TradesView

EVERY = 2.0
PAGE = 200
_PAGE = "orders-fills-page"
_ROWS_IN_SIGHT, _TALLEST = 15, 560
_COLUMNS = ("Instrument", "Side", "Quantity", "Price", "Value", "Time", "Product", "Order", "Trade")
"""What was traded and for how much comes first: so much of it fits a phone."""


def trade_table() -> None:
    """Draw them, the newest first, with what was bought and sold in all."""
    leave_if_wanted()
    runtime = desk()
    view = runtime.orders.trades()
    if not view.trades:
        if view.error is None:
            st.caption("No fills today.")
        else:
            caution(f"Not known: {view.error}.")
        return
    st.markdown(plain(sums_in_words(view.trades)))
    now = runtime.clock.now()
    pages = max(1, -(-len(view.trades) // PAGE))
    page = min(pages, int(st.session_state.get(_PAGE, 1)))
    looked_at = view.trades[(page - 1) * PAGE : page * PAGE]
    names = instruments_of(runtime, tuple(dict.fromkeys(trade.key for trade in looked_at)))
    records = []
    for trade in looked_at:
        instrument = names.get(trade.key)
        decimals = price_decimals(instrument.tick_size if instrument is not None else None)
        record = trade_record(trade, decimals=decimals, now=now)
        if instrument is not None:
            record["Instrument"] = instrument.symbol  # the broker's own symbols carry a series
        records.append(record)
    frame = pd.DataFrame(records, columns=list(_COLUMNS))
    st.dataframe(
        frame,
        hide_index=True,
        key="orders-trades",
        height="content" if len(frame) <= _ROWS_IN_SIGHT else _TALLEST,
        column_config={
            "Time": st.column_config.TextColumn("Time, IST"),
            "Instrument": st.column_config.ButtonColumn(
                pinned=True,
                alignment="left",
                type="tertiary",
                help="Depth, chart and ticket",
                key="orders-trades-instrument",
                on_click=_opened,
                args=(tuple(trade.key for trade in looked_at),),
            ),
            "Quantity": st.column_config.TextColumn(alignment="right"),
            "Price": st.column_config.TextColumn("Price, ₹", alignment="right"),
            "Value": st.column_config.TextColumn("Value, ₹", alignment="right"),
        },
        alt="Fills of today, the newest first",
    )
    if pages > 1:
        st.pagination(pages, key=_PAGE)
    told_at(as_of(view, now), current=view.error is None)


def _opened(keys: Sequence[str]) -> None:
    """The symbol of a fill was pressed, in the table as it was drawn."""
    pressed = st.session_state.get("orders-trades-instrument")
    if pressed is not None and 0 <= pressed.row < len(keys):
        want_instrument(keys[pressed.row])


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
    read = "not read yet" if view.as_of is None else f"read {ist_time(view.as_of)} IST"
    if view.error is None:
        return f"Fills {read}."
    age = "" if view.as_of is None else f", {duration((now - view.as_of).total_seconds())} old"
    return f"Not current: {view.error}. The fills as they were {read}{age}; fills since may be missing."
