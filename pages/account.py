"""Account: login, funds, switches, the broker, going live, the paper account, who may come in, settings."""

from __future__ import annotations

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from dashboard.components.account_cards import broker_card, money_card, settings_card, sign_in_card, token_card
from dashboard.components.account_live import going_live_card
from dashboard.components.account_paper import paper_account_card
from dashboard.components.account_people import people_card
from dashboard.components.account_trading import static_ip_card, switches_card

left, right = st.columns(2, gap="small")
with left:
    token_card()
    money_card()
    switches_card()
with right:
    sign_in_card()
    broker_card()
    static_ip_card()
going_live_card()
paper_account_card()
people_card()
settings_card()
st_autorefresh(interval=60_000, key="account-refresh")
