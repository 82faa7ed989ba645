"""Candles: charts of any instrument at any interval, one or two side by side, with their sources and gaps told."""

from __future__ import annotations

import streamlit as st

from dashboard.chart_state import begin
from dashboard.components.candle_pane import candle_pane
from dashboard.components.notices import live_part, problems_in_words
from dashboard.first_start import INDEX_KEYS
from dashboard.resources import desk, own_marks

EVERY = 5.0
# The bar that forms moves by the push channel; this renews closed bars, indicators, sources and troubles.


def first_key() -> str:
    """What a chart begins with: the first instrument of the first watchlist."""
    lists = desk().watchlists.all()
    return lists[0].keys[0] if lists and lists[0].keys else INDEX_KEYS[0]


with problems_in_words():
    count = begin(first_key())
    panes = st.columns(2, gap="medium") if count == 2 else [st.container()]
    for place, pane in enumerate(panes):
        with pane:
            live_part(EVERY, f"candles-{place}")(candle_pane)(place, own_marks())
