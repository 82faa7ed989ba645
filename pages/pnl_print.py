"""The printed report: what the results page shows, as a sheet for paper or PDF. Its link names period and filters."""

from __future__ import annotations

import streamlit as st

from dashboard.components.notices import problems_in_words
from dashboard.components.pnl_print import filter_of, print_page
from dashboard.pnl_choice import Choice, read_choice
from dashboard.resources import desk
from services.domain.clock import ist_date

EVERY = 1.0

choice, problems = read_choice(st.query_params.to_dict(), Choice())


@st.fragment(run_every=EVERY)
def until_built() -> None:
    """Looks again until the trades are read."""
    if desk().pnl.state.version:
        st.rerun()
    st.info("Trades are read, matched and charged.", title="The results are being worked out", icon="spinner")


with problems_in_words():
    book = desk().pnl
    if book.state.as_of is None:  # nobody has asked yet: what is printed should not be old
        with problems_in_words(), st.spinner("The broker is asked for its trades"):
            book.refresh()
    view = book.read(filter_of(choice, ist_date(desk().clock.now())))
    if view.version == 0 and view.building:
        until_built()
    else:
        print_page(view, choice, problems)
