"""The instrument that an alert is about, as the way to its depth, chart and ticket."""

from __future__ import annotations

import streamlit as st

from dashboard.alert_words import instrument_told
from dashboard.instrument_wanted import want_instrument
from dashboard.markup import plain
from services.alerts import Alert


def alert_symbol(alert: Alert, *, key: str) -> None:
    """A button, in a part that leaves when something is wanted; nothing if the alert is about no instrument."""
    found = instrument_told(alert)
    if found is not None:
        instrument_key, symbol = found
        symbol_button(symbol, instrument_key, key=key)


def symbol_button(symbol: str, instrument_key: str, *, key: str) -> None:
    """A symbol in bold that opens its instrument."""
    st.button(
        f"**{plain(symbol)}**",
        key=key,
        type="tertiary",
        help="Depth, chart and ticket",
        on_click=want_instrument,
        args=(instrument_key,),
    )
