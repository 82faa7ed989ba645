"""The way from an instrument to its order ticket."""

from __future__ import annotations

import streamlit as st

from dashboard.navigation import ORDERS
from dashboard.ticket_form import SIDE_NAMES
from services.domain.orders import Side

_GO = "desk-trade"


def trade_link(instrument_key: str) -> None:
    """A small link to the ticket of that instrument."""
    st.page_link(
        ORDERS,
        label="Trade",
        icon=":material/swap_vert:",
        query_params={"key": instrument_key},
        width="content",
        help="The order ticket of this instrument; nothing is sent by going there",
    )


def side_links(instrument_key: str) -> None:
    """Two small links: to a ticket that buys, and to one that sells."""
    for side in Side:
        tone = "green" if side is Side.BUY else "red"
        st.page_link(
            ORDERS,
            label=f":{tone}[**{SIDE_NAMES[side]}**]",
            query_params={"key": instrument_key, "side": side.value},
            width="content",
            help=f"The ticket to {side.lower()} it; nothing is sent by going there",
        )


def go_to_ticket(instrument_key: str, side: str) -> None:
    """To the ticket with the next run of the part that asks `ticket_wanted`: for what comes back from a browser."""
    if side in Side.__members__:
        st.session_state[_GO] = {"key": instrument_key, "side": side}


def ticket_wanted() -> None:
    """Leave for the ticket, if something was pressed that leads there."""
    wanted: dict[str, str] | None = st.session_state.pop(_GO, None)
    if wanted is not None:
        st.switch_page(ORDERS, query_params=wanted)
