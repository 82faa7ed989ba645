"""Funds and person as cards draw them: with their time, and marked as old while they cannot be renewed."""

from __future__ import annotations

import streamlit as st

from dashboard.formatting import ist_time, rupees
from dashboard.markup import plain
from dashboard.money import Look, Money
from dashboard.resources import desk, money_keeper
from dashboard.words import in_words


def show_money() -> Money | None:
    """Draw the funds that are known, or say why none are. Returns what is known."""
    look = money_keeper().look(desk().login.state().user)
    if look.money is None:
        if look.problem is not None:
            st.caption(f":material/info: {plain(in_words(look.problem).title)}: not known yet.")
        return None
    with st.grid(2, gap="small", min_column_width=110):
        for label, amount in (("Available", look.money.funds.available), ("Used", look.money.funds.used)):
            if look.problem is None:
                st.metric(label, rupees(amount))
            else:
                st.markdown(f":gray[{label}]  \n:gray[**{plain(rupees(amount))}**]")
    st.caption(_as_of(look))
    return look.money


def _as_of(look: Look) -> str:
    assert look.money is not None  # the caller has looked
    words = f"as of {ist_time(look.money.at)} IST"
    if look.problem is None:
        return words
    return f":material/history: {words}, not current. {plain(in_words(look.problem).title)}."
