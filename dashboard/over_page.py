"""The one dialog that lies over a page: an instrument's, that of a price alert, or one of the page's own. Whatever is
drawn may ask for it; it opens with the next whole run, which alone can open a dialog, and with every one after, until
it is dismissed."""

from __future__ import annotations

from enum import StrEnum

import streamlit as st

_WANTED, _OPEN = "desk-over-wanted", "desk-over-open"
_LEADS_ON = ("key", "side", "confirm", "trade")
"""Members of an address: where one of them changes, another dialog or ticket is looked at."""


class Over(StrEnum):
    """What it is about. The first two lie over any page and are drawn by its frame, the others by the page that has
    them."""

    INSTRUMENT = "instrument"
    ALERT = "alert"
    WATCHLIST = "watchlist"
    CHANNEL = "channel"
    RULE = "rule"
    LIMITS = "limits"
    PART = "part"


def want(kind: Over, what: str) -> None:
    """Have it opened, in place of another, by the next whole run."""
    st.session_state[_WANTED] = (kind, what)


def is_wanted() -> bool:
    """Was one asked for that no run has opened yet?"""
    return _WANTED in st.session_state


def opened(page: str) -> tuple[Over, str] | None:
    """What is to be open over `page` (its title) in this run. It ends on another page, or with another address."""
    here = (page, *(st.query_params.get(name) for name in _LEADS_ON))
    if is_wanted():
        st.session_state[_OPEN] = (st.session_state.pop(_WANTED), here)
    one, there = st.session_state.get(_OPEN, (None, here))
    if one is None or there != here:
        dismiss()
        return None
    kind, what = one
    return Over(kind), str(what)


def standing(kind: Over) -> str | None:
    """What a dialog of that kind is about, if one is open in this run; `None`: none is. For the part of the page that
    draws it: the frame, drawn before, has decided."""
    one, _ = st.session_state.get(_OPEN, (None, None))
    return str(one[1]) if one is not None and one[0] == kind else None


def dismiss() -> None:
    """It is open no more."""
    st.session_state.pop(_OPEN, None)
