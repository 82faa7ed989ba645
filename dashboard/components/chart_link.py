"""The way from an instrument to its chart."""

from __future__ import annotations

import streamlit as st

from dashboard.navigation import CANDLES


def chart_link(instrument_key: str) -> None:
    """A small link to the chart of that instrument, seen as the last chart was seen."""
    st.page_link(
        CANDLES,
        label="Chart",
        icon=":material/candlestick_chart:",
        query_params={"key": instrument_key},
        width="content",
        help="Candles of this instrument",
    )
