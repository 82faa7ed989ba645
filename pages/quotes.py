"""Quotes: watchlists with live prices, option chains, movers. Only the tab that is open runs."""

from __future__ import annotations

import streamlit as st

from dashboard.components.movers_tab import movers_tab
from dashboard.components.option_chain import option_chain_tab
from dashboard.components.watchlists import watchlists_tab

TABS = {"Watchlists": watchlists_tab, "Option chain": option_chain_tab, "Movers": movers_tab}

for tab, show in zip(st.tabs(list(TABS), key="tab", bind="query-params"), TABS.values(), strict=True):
    if tab.open:
        with tab:
            show()
