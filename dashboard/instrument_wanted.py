"""What a symbol, a key of the keyboard or the frame asked for: an instrument over the page, the search, or a page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard.navigation import ACCOUNT, ORDERS
from dashboard.over_page import Over, is_wanted, want
from services.domain.instruments import is_instrument_key

SEARCH = ""
"""No instrument yet: one is to be searched."""
_PAGES = {"ticket": ORDERS, "login": ACCOUNT}
_PAGE = "desk-page-wanted"
_LONGEST = 100


def want_instrument(key: str) -> None:
    """Have it opened by the next whole run; what is no key opens the search."""
    want(Over.INSTRUMENT, key if is_instrument_key(key) else SEARCH)


def want_from_browser(sent: object) -> None:
    """As the browser says it: `{"key": …}`, or `{"page": "ticket"}` (or `login`)."""
    if not isinstance(sent, Mapping):
        return
    page = sent.get("page")
    if isinstance(page, str) and page in _PAGES:
        st.session_state[_PAGE] = page
    elif isinstance(sent.get("key"), str) and len(sent["key"]) <= _LONGEST:
        want_instrument(sent["key"])


def leave_if_wanted() -> None:
    """In a part that renews itself: to that page, or into the whole run that opens the dialog."""
    if (page := st.session_state.pop(_PAGE, None)) is not None:
        st.switch_page(_PAGES[page])
    if is_wanted():
        st.rerun()
