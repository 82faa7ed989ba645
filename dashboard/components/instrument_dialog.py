"""One instrument over any page: its depth, its day, and the ways to chart, ticket and alert. A symbol opens it, and so
does the search of the whole desk (`/`)."""

from __future__ import annotations

import streamlit as st

from dashboard.components.alert_dialog import alert_is_wanted
from dashboard.components.depth import instrument_panel
from dashboard.components.notices import live_part, problems_in_words, show_problem
from dashboard.components.search import find_instrument
from dashboard.instrument_wanted import SEARCH, dismiss, opened, want_instrument
from dashboard.reading import first_read, read
from dashboard.resources import desk
from dashboard.state import first_time

EVERY = 2.0
ROOM = 330
"""Pixels below the search: what it finds lies over them."""


def instrument_dialog_wanted(page: str) -> None:
    """Draw it over `page` (its title) while it is open. To be called by every page's frame, before the parts that leave
    for it. There is one dialog at a time: that of an alert, which may be asked for here, closes it."""
    wanted = opened(page)
    if alert_is_wanted():
        dismiss()
    elif wanted == SEARCH:
        _search()
    elif wanted is not None:
        _instrument(wanted)


@st.dialog("Find an instrument", icon=":material/search:", width="medium", on_dismiss=dismiss)
def _search() -> None:
    with problems_in_words():
        find_instrument(
            "desk-search",
            label="Find an instrument",
            placeholder="Symbol, name, ISIN, or nifty 25000 ce",
            verb="Open",
            had=(),
            had_words="",
            on_pick=want_instrument,
        )
        st.caption("Opens its depth, with the ways to its chart and its ticket.")
        st.space(ROOM)


@st.dialog("Instrument", icon=":material/monitoring:", width="medium", on_dismiss=dismiss)
def _instrument(key: str) -> None:
    live_part(EVERY, "desk-instrument")(_panel)(key)


def _panel(key: str) -> None:
    look = first_read if first_time(f"instrument-{key}") else read
    reading = look(desk(), f"instrument-{key}", (key,))
    if reading.problem is not None:
        show_problem(reading.problem)
    instrument_panel(reading, key, key="desk-instrument-panel")
