"""The entry script: page set-up, navigation, frame. Runs before every page, so it stays cheap.

It stands apart from `pages/` on purpose: a folder of that name beside the entry would let a page's URL go around it.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # started as a bare `streamlit run dashboard/app.py`
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from dashboard.components.frame import frame  # noqa: E402
from dashboard.components.instrument_dialog import dialog_over  # noqa: E402
from dashboard.components.notices import problems_in_words, wait_until_open  # noqa: E402
from dashboard.components.who import who_is_here  # noqa: E402
from dashboard.locks.person import at_the_door  # noqa: E402
from dashboard.navigation import (  # noqa: E402
    ACCOUNT,
    CALENDAR,
    CANDLES,
    HEALTH,
    ORDERS,
    OVERVIEW,
    PNL,
    PNL_PRINT,
    PORTFOLIO,
    QUOTES,
)
from dashboard.state import say  # noqa: E402
from dashboard.theme import page_style  # noqa: E402

ICON = str(ROOT / "dashboard" / "icon.svg")

st.set_page_config(page_title="Upstox Desk", page_icon=ICON, layout="wide", initial_sidebar_state=225)
st.logo(str(ROOT / "dashboard" / "logo.svg"), icon_image=ICON)
at_the_door()
page = st.navigation(
    {
        "Market": [
            st.Page(OVERVIEW, title="Overview", icon=":material/dashboard:", default=True),
            st.Page(QUOTES, title="Quotes", icon=":material/monitoring:"),
            st.Page(CANDLES, title="Candles", icon=":material/candlestick_chart:"),
            st.Page(CALENDAR, title="Calendar", icon=":material/calendar_month:"),
        ],
        "Trading": [
            st.Page(ORDERS, title="Orders", icon=":material/receipt_long:"),
            st.Page(PORTFOLIO, title="Portfolio", icon=":material/account_balance_wallet:"),
            st.Page(PNL, title="P&L", icon=":material/finance_mode:"),
            st.Page(PNL_PRINT, title="P&L report", icon=":material/print:", visibility="hidden"),
        ],
        "Desk": [
            st.Page(HEALTH, title="Health", icon=":material/vital_signs:"),
            st.Page(ACCOUNT, title="Account", icon=":material/account_circle:"),
        ],
    }
)
st.html(page_style(st.get_option("theme.light.primaryColor") or "#1F5FE0"))
with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    st.title(page.title, width="content", anchor=False)
    slot = st.container(width="stretch")
who_is_here()
wait_until_open()
dialog_over(page.title)
with slot:
    frame()
say()
with problems_in_words():
    page.run()
