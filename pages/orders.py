"""Orders: the ticket with the market beside it, the book, fills, GTTs, the basket, kill switch and limits."""

from __future__ import annotations

import streamlit as st

from dashboard.components import basket, gtt_table, kill_switch, order_book, trade_table
from dashboard.components.notices import live_part
from dashboard.components.order_banner import mode_banner
from dashboard.components.order_confirm import confirmation
from dashboard.components.order_details import details
from dashboard.components.order_unknown import unknown_orders
from dashboard.components.ticket import ticket
from dashboard.order_session import confirming
from dashboard.resources import desk
from dashboard.ticket_state import begin

TABS = {
    "Book": lambda: live_part(order_book.EVERY, "orders-book")(order_book.order_book)(),
    "Fills": lambda: live_part(trade_table.EVERY, "orders-fills")(trade_table.trade_table)(),
    "GTT": lambda: live_part(gtt_table.EVERY, "orders-gtt")(gtt_table.gtt_table)(),
    "Basket": lambda: live_part(basket.EVERY, "orders-basket-part")(basket.basket_part)(),
    "Safety": kill_switch.safety_tab,
}


def warnings() -> None:
    """What everybody who trades here must see first."""
    kill_switch.kill_switch_bar()
    unknown_orders()


begin()
mode_banner(desk(), key="orders-mode")
live_part(1.0, "orders-warnings")(warnings)()
ticket_place = st.container()
with st.container(border=True):
    for tab, show in zip(st.tabs(list(TABS), key="view", bind="query-params"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                show()
with ticket_place:  # drawn last: it may wait a moment for a first price
    live_part(2.0, "orders-ticket-part")(ticket)()
if confirming() is not None:
    confirmation()
else:
    details()
