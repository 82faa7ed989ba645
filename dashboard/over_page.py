"""The one dialog that lies over a page: an instrument's, or that of a price alert. Whatever is drawn may ask for it; it
opens with the next whole run, which alone can open a dialog, and with every one after, until it is dismissed."""

from __future__ import annotations

from enum import StrEnum

import streamlit as st

_WANTED, _OPEN = "desk-over-wanted", "desk-over-open"
_LEADS_ON = ("key", "side", "confirm", "trade")
"""Members of an address: where one of them changes, another dialog or ticket is looked at."""


class Over(StrEnum):
    """What it is about."""

    INSTRUMENT = "instrument"
    ALERT = "alert"


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


def dismiss() -> None:
    """It is open no more."""
    st.session_state.pop(_OPEN, None)
