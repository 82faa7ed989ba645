"""All about alerts on one tab: what is open, price alerts, channels, rules."""

from __future__ import annotations

import streamlit as st

from dashboard.components.alert_channels import alert_channels
from dashboard.components.alert_dialog import alert_button, price_alert_list
from dashboard.components.alert_list import alert_list
from dashboard.components.alert_rules import alert_rules
from dashboard.components.cards import card_title
from dashboard.components.notices import live_part
from dashboard.state import say

EVERY = 3.0


def alert_tab() -> None:
    """Draw it; in a whole run, because parts of it open dialogs."""
    left, right = st.columns([1.6, 1], gap="small")
    with left:
        with st.container(border=True):
            card_title("Alerts", "opened and closed by the rules below")
            alert_list(key="alerts-list")
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                card_title("Price alerts", "told once the price gets there")
                alert_button(key="alerts-new")
            live_part(EVERY, "alerts-prices")(_prices)()
    with right, st.container(border=True):
        card_title("Where alerts are sent")
        alert_channels(key="alerts-channels")
    with st.expander("Rules", icon=":material/rule:", key="alerts-rules-open", on_change="rerun") as rules:
        if rules.open:
            alert_rules(key="alerts-rules")


def _prices() -> None:
    say()
    price_alert_list(key="alerts-price")
