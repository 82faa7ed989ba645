"""What a symbol or a key of the keyboard asked for: an instrument over the page, the search, or the ticket. Kept in the
session until the next whole run, which alone can open a dialog."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard.navigation import ORDERS
from services.domain.instruments import is_instrument_key

SEARCH = ""
"""No instrument yet: one is to be searched."""
_WANTED, _OPEN, _TICKET = "desk-instrument-wanted", "desk-instrument-open", "desk-ticket-wanted"
_LEADS_ON = ("key", "side", "confirm", "trade")
"""Members of an address: where one of them changes, another dialog or ticket is looked at."""
_LONGEST = 100


def want_instrument(key: str) -> None:
    """Have it opened by the next whole run; what is no key opens the search."""
    st.session_state[_WANTED] = key if is_instrument_key(key) else SEARCH


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
    if _WANTED in st.session_state:
        st.rerun()


def opened(page: str) -> str | None:
    """The key that is to be open over `page` in this run, `SEARCH`, or `None`. It stays open, whatever draws the page
    anew, until it is dismissed or leads on: to another page, or to this one with something else."""
    here = (page, *(st.query_params.get(name) for name in _LEADS_ON))
    wanted: str | None = st.session_state.pop(_WANTED, None)
    if wanted is not None:
        st.session_state[_OPEN] = (wanted, here)
    key, there = st.session_state.get(_OPEN, (None, here))
    if there != here:
        dismiss()
        return None
    return None if key is None else str(key)


def dismiss() -> None:
    """It is open no more."""
    st.session_state.pop(_OPEN, None)
