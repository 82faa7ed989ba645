"""Money as cards draw it: with its time, and marked as old while it cannot be renewed."""

from __future__ import annotations

import streamlit as st

from dashboard.components.notices import told_at
from dashboard.formatting import number, rupees
from dashboard.markup import plain
from dashboard.portfolio_words import as_of_words, share_used
from dashboard.resources import desk
from dashboard.words import in_words
from services.portfolio_book.views import FundsView

FIRST_WAIT = 1.5
"""Real seconds that a first look at the money may take."""


def show_money() -> None:
    """Draw the money that is known, or say why none is."""
    view = desk().portfolio.funds(wait=FIRST_WAIT)
    if view.funds is None:
        _unknown(view)
    else:
        with st.grid(2, gap="small", min_column_width=110):
            for label, amount in (("Available", view.funds.available), ("Used", view.funds.used)):
                _figure(label, rupees(amount), current=view.error is None)
        _age(view)


def margin_strip() -> None:
    """Margin available and used, side by side, for a page about what is held."""
    view = desk().portfolio.funds()
    if view.funds is None:
        _unknown(view)
        return
    share = share_used(view.funds.available, view.funds.used)
    figures = {
        "Margin available": rupees(view.funds.available),
        "Margin used" if share is None else f"Margin used ({number(share, 1)}%)": rupees(view.funds.used),
    }
    with st.grid(2, gap="small", min_column_width=150):
        for label, text in figures.items():
            _figure(label, text, current=view.error is None, border=True)
    _age(view)


def _figure(label: str, text: str, *, current: bool, border: bool = False) -> None:
    st.metric(label, text if current else f":gray[{plain(text)}]", border=border)


def _unknown(view: FundsView) -> None:
    if view.error is not None:
        st.caption(f":material/info: The money is not known. {plain(in_words(view.error).title)}.")
    else:
        st.caption("The broker is being asked for the money.")


def _age(view: FundsView) -> None:
    assert view.as_of is not None  # there are funds
    told_at(as_of_words(view.as_of, desk().clock.now(), view.error), current=view.error is None)
