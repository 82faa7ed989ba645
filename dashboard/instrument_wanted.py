"""What a symbol or a key of the keyboard asked for: an instrument over the page, the search, or the ticket."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard.navigation import ORDERS
from dashboard.over_page import Over, is_wanted, want
from services.domain.instruments import is_instrument_key

SEARCH = ""
"""No instrument yet: one is to be searched."""
_TICKET = "desk-ticket-wanted"
_LONGEST = 100


def want_instrument(key: str) -> None:
    """Have it opened by the next whole run; what is no key opens the search."""
    want(Over.INSTRUMENT, key if is_instrument_key(key) else SEARCH)


def want_from_browser(sent: object) -> None:
    """As the browser says it: `{"key": …}`, or `{"page": "ticket"}`."""
    if not isinstance(sent, Mapping):
        return
    if sent.get("page") == "ticket":
        st.session_state[_TICKET] = True
    elif isinstance(sent.get("key"), str) and len(sent["key"]) <= _LONGEST:
        want_instrument(sent["key"])


def leave_if_wanted() -> None:
    """In a part that renews itself: to the ticket, or into the whole run that opens the dialog."""
    if st.session_state.pop(_TICKET, False):
        st.switch_page(ORDERS)
    if is_wanted():
        st.rerun()
