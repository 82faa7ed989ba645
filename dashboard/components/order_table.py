"""The table of orders: one page of records for the browser, and what was pressed in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.components.notices import problems_said
from dashboard.components.web import browser_component
from dashboard.formatting import price_decimals
from dashboard.order_rows import order_record
from dashboard.reading import Reading
from dashboard.resources import push_tokens
from dashboard.state import push_door
from services.domain.clock import epoch_ms
from services.domain.orders import BookOrder

_mount = browser_component("order_table", live=True)

DEEDS = ("look", "modify", "cancel", "repeat")


def order_table(
    orders: Sequence[BookOrder],
    reading: Reading,
    *,
    key: str,
    label: str,
    empty: str,
    on_deed: Callable[[str, str], object],
    current: bool = True,
) -> None:
    """Draw `orders`. `on_deed` gets one of `DEEDS` and the id of an order that is among them. `current`: are their
    states of now?"""
    ids = {order.order_id for order in orders}

    def pressed() -> None:
        sent = getattr(st.session_state.get(key), "pressed", None)
        if isinstance(sent, Mapping) and sent.get("do") in DEEDS and sent.get("id") in ids:
            with problems_said():
                on_deed(str(sent["do"]), str(sent["id"]))

    _mount(
        key=key,
        data={
            **table_data(orders, reading),
            "label": label,
            "empty": empty,
            "old": not current,
            "push": push_door(push_tokens().renew),
        },
        on_pressed_change=pressed,
    )


def table_data(orders: Sequence[BookOrder], reading: Reading) -> dict[str, Any]:
    """What the browser draws. `ltp` is the last price that is known now; the push channel tells later ones.
    `old`: when that came, where it is not of now."""
    return {"rows": [_record(order, reading) for order in orders]}


def _record(order: BookOrder, reading: Reading) -> dict[str, Any]:
    instrument = reading.instruments.get(order.key)
    row = reading.rows.get(order.key)
    decimals = price_decimals(instrument.tick_size if instrument is not None else None)
    record = order_record(order, decimals=decimals, now=reading.now)
    if instrument is not None:
        record["s"] = instrument.symbol  # the broker's own symbols carry a series
    if order.terminal or row is None:
        return {**record, "ltp": None, "old": None}
    return {**record, "ltp": row["ltp"], "old": epoch_ms(row["received_at"]) if reading.is_old(order.key) else None}
