"""Five levels of depth of one instrument, with totals, and its figures of the day beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.components.alert_dialog import alert_button
from dashboard.components.cards import card_title, fact_groups
from dashboard.components.chart_link import chart_link
from dashboard.components.trade_link import side_links
from dashboard.components.web import browser_component
from dashboard.formatting import MISSING, ist_moment, number, price_decimals, quantity, short, tick
from dashboard.push.fields import Row, depth_values, member
from dashboard.reading import Reading
from dashboard.resources import push_tokens
from dashboard.state import push_door
from services.domain.clock import epoch_ms
from services.domain.instruments import Instrument

_mount = browser_component("depth", live=True)

_OF_THE_INSTRUMENT = ("Tick / lot", "Freeze quantity", "ISIN", "Instrument key")
"""Facts that no quote tells, so that none of them grows old."""


def depth_ladder(
    reading: Reading, instrument_key: str, *, key: str, on_price: Callable[[Any], object] | None = None
) -> None:
    """Bids and asks of `instrument_key` as far as they are known. `on_price` gets a price that was clicked, as the
    browser sent it (Any: not trusted yet)."""

    def taken() -> None:
        sent = getattr(st.session_state.get(key), "taken", None)
        if on_price is not None and sent is not None:
            on_price(sent)

    data = {
        **depth_data(reading, instrument_key),
        "push": push_door(push_tokens().renew),
        "taking": on_price is not None,
    }
    _mount(key=key, data=data, on_taken_change=taken)


def depth_data(reading: Reading, instrument_key: str) -> dict[str, Any]:
    """What the browser draws: levels as `[price, quantity, orders]`, best first, and the totals of the whole book."""
    row = reading.rows.get(instrument_key)
    instrument = reading.instruments.get(instrument_key)
    age = reading.age(instrument_key)
    bids, asks, buy, sell, trouble = depth_values(row) if row else ([], [], None, None, None)
    return {
        **reading.of([instrument_key]).clockwork(),
        "now": epoch_ms(reading.now),
        "key": instrument_key,
        "t": None if row is None else epoch_ms(row["received_at"]),
        "feed": row is not None and member(row, "from_feed"),
        "made": None if row is None or instrument_key in reading.moving else member(row, "last_trade_ms"),
        "label": f"Market depth of {instrument.symbol if instrument else instrument_key}",
        "ltp": row["ltp"] if row else None,
        "change": row["change"] if row else None,
        "percent": row["change_percent"] if row else None,
        "bids": bids,
        "asks": asks,
        "buy": buy,
        "sell": sell,
        "decimals": price_decimals(instrument.tick_size if instrument else None),
        "age": age,
        "old": reading.problem is not None,
        "trouble": trouble,
        "note": None if bids or asks else _why_empty(row, instrument),
    }


def day_facts(reading: Reading, instrument_key: str) -> dict[str, str]:
    """The figures of the day in words, for a list beside the ladder. What an instrument does not have is left out."""
    row = reading.rows.get(instrument_key)
    instrument = reading.instruments.get(instrument_key)
    places = price_decimals(instrument.tick_size if instrument else None)
    facts: dict[str, str] = {}
    if row is not None:
        facts |= {
            "Open / prev close": f"{number(row['open'], places)} / {number(row['prev_close'], places)}",
            "Day range": f"{number(row['low'], places)} to {number(row['high'], places)}",
            "52 weeks": f"{number(row['year_low'], places)} to {number(row['year_high'], places)}",
            "Circuits": f"{number(row['lower_circuit'], places)} to {number(row['upper_circuit'], places)}",
            "Volume / average": f"{short(row['volume'])} / {number(row['average_price'], places)}",
            "Open interest": f"{short(row['oi'])} (day {short(row['oi_day_low'])} to {short(row['oi_day_high'])})",
            "Last trade": ist_moment(row["last_trade_time"]),
        }
    if instrument is not None:
        facts |= {
            "Tick / lot": f"{tick(instrument.tick_size)} / {quantity(instrument.lot_size)}",
            "Freeze quantity": quantity(instrument.freeze_quantity),
            "ISIN": instrument.isin or MISSING,
        }
    facts["Instrument key"] = instrument_key
    return {name: text for name, text in facts.items() if text.replace(MISSING, "").strip(" /()to,day")}


def fact_rows(reading: Reading, instrument_key: str) -> list[dict[str, str]]:
    """`day_facts` as rows of a list: those of a quote that is old are grey, as its price above them is."""
    old = reading.is_old(instrument_key)
    return [
        {"name": name, "value": text, "tone": "muted" if old and name not in _OF_THE_INSTRUMENT else ""}
        for name, text in day_facts(reading, instrument_key).items()
    ]


def instrument_panel(reading: Reading, instrument_key: str, *, key: str) -> None:
    """Name, depth and figures of the day of one instrument, as a card."""
    instrument = reading.instruments.get(instrument_key)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            card_title(instrument.symbol if instrument else instrument_key, instrument.name if instrument else "")
            with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center"):
                if instrument is None or not instrument.is_index:
                    side_links(instrument_key)
                chart_link(instrument_key)
                alert_button(key=f"{key}-alert", instrument_key=instrument_key)
        depth_ladder(reading, instrument_key, key=key)
        fact_groups([{"rows": fact_rows(reading, instrument_key)}], key=f"{key}-facts", across=1)


def _why_empty(row: Row | None, instrument: Instrument | None) -> str:
    if row is None:
        return "No quote has come in yet."
    if instrument is not None and instrument.is_index:
        return "An index is not traded, so it has no depth."
    return "Nobody is bidding or offering now."
