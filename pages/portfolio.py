"""Portfolio: money, positions and holdings at live prices; exits, sales and conversions, each confirmed in words."""

from __future__ import annotations

import streamlit as st

from dashboard.components.holding_cards import holdings_part
from dashboard.components.money_cards import margin_strip
from dashboard.components.notices import live_part, problems_in_words, show_problem
from dashboard.components.order_banner import mode_banner
from dashboard.components.order_confirm import confirmation
from dashboard.components.position_asking import Desk, answer, ticket_link
from dashboard.components.position_cards import positions_part, what_was_asked
from dashboard.navigation import ORDERS
from dashboard.order_session import ask_to_confirm
from dashboard.reading import first_read, read
from dashboard.resources import desk
from dashboard.state import first_time, say, say_later
from dashboard.words import in_words
from services.domain.errors import UpstoxError

EVERY, EVERY_FOR_MANY, MANY = 2.0, 10.0, 400
# Prices come by the push channel; this renews what does not: quantities, money, troubles.
PATIENCE = 1.5
ROWS = "portfolio-rows"


def live() -> None:
    """Everything that renews itself, and what was asked for in it."""
    say()
    rt = desk()
    first = first_time("portfolio")
    if first:
        rt.portfolio.first_answers(wait=PATIENCE)
    positions, holdings = rt.portfolio.positions(), rt.portfolio.holdings()
    keys = [one.position.key for one in positions.rows] + [one.holding.key for one in holdings.rows]
    reading = (first_read if first else read)(rt, "portfolio", keys)
    if first and keys:  # at the prices that have come meanwhile
        positions, holdings = rt.portfolio.positions(), rt.portfolio.holdings()
    st.session_state[ROWS] = len(keys)
    margin_strip()
    if reading.problem is not None and positions.error is None:
        show_problem(reading.problem)
    positions_part(positions, reading)
    boxed = reading.problem if positions.error is None else positions.error if positions.as_of is None else None
    holdings_part(holdings, reading, told=boxed)  # one trouble, one box
    if not keys and positions.as_of is not None:
        st.page_link(ORDERS, label="Place an order", icon=":material/receipt_long:")
    asked = what_was_asked()
    if asked is None:
        return
    orders = [order for order in rt.orders.book().orders if not order.terminal]
    known = Desk(positions, holdings, reading, orders)
    try:
        link = ticket_link(asked, known)
        draft = answer(asked, known)
    except UpstoxError as error:
        say_later(in_words(error).text, trouble=True)
        say()
        return
    if link is not None:
        st.switch_page(ORDERS, query_params=link)
    if draft is not None:
        ask_to_confirm(draft)
        st.rerun()


mode_banner(desk(), key="portfolio-mode")
live_part(EVERY if st.session_state.get(ROWS, 0) <= MANY else EVERY_FOR_MANY, "portfolio")(live)()
with problems_in_words():
    confirmation()
