"""The heat map: a tile for each instrument, coloured by its change, with the change written on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.components.web import browser_component
from dashboard.formatting import price_decimals
from dashboard.push.fields import Row, member
from dashboard.reading import Reading
from dashboard.resources import push_tokens
from dashboard.state import push_door
from services.domain.clock import epoch_ms

_mount = browser_component("heat_map", live=True)


def heat_map(
    reading: Reading, *, key: str, label: str, by_value: bool, picked: str | None, on_pick: Callable[[str], None]
) -> None:
    """Draw it. `by_value`: tiles as large as what was traded in rupees today, where that is known of any."""

    def sent() -> None:
        key_sent = getattr(st.session_state.get(key), "picked", None)
        if isinstance(key_sent, str):
            on_pick(key_sent)

    data = {**heat_data(reading, by_value=by_value), "label": label, "picked": picked}
    _mount(key=key, data={**data, "push": push_door(push_tokens().renew)}, on_picked_change=sent)


def heat_data(reading: Reading, *, by_value: bool) -> dict[str, Any]:
    """What the browser draws: a tile for each instrument that has a price, those without are counted."""
    tiles = [_tile(reading, key, row) for key in reading.keys if (row := reading.rows.get(key)) is not None]
    sized = by_value and any(tile["w"] for tile in tiles)
    return {
        **reading.clockwork(),
        "tiles": tiles,
        "sized": sized,
        "unsized": by_value and not sized,
        "missing": len(reading.keys) - len(tiles),
    }


def _tile(reading: Reading, key: str, row: Row) -> dict[str, Any]:
    instrument = reading.instruments.get(key)
    age = reading.age(key)
    return {
        "k": key,
        "s": instrument.symbol if instrument else row["symbol"],
        "n": instrument.name if instrument else "",
        "d": price_decimals(instrument.tick_size if instrument else None),
        "ltp": row["ltp"],
        "pc": row["change_percent"],
        "w": _traded(row),
        "a": None if age is None else round(max(age, 0.0), 1),
        "t": epoch_ms(row["received_at"]),
        "m": key in reading.moving,
        "feed": bool(member(row, "from_feed")),
        "o": reading.problem is not None or key in reading.problems,
        **({} if key in reading.moving else {"p": member(row, "last_trade_ms")}),
    }


def _traded(row: Row) -> float | None:
    """Rupees traded today, rounded so that tiles stay where they are while little happens."""
    price, volume = row["average_price"] or row["ltp"], row["volume"]
    return float(f"{price * volume:.2g}") if price and volume else None
