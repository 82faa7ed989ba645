"""One instrument over any page: its depth, its day, and the ways to chart, ticket and alert. A symbol opens it, and so
does the search of the whole desk (`/`). The dialog of a price alert takes its place."""

from __future__ import annotations

import streamlit as st

from dashboard.components.alert_dialog import alert_dialog
from dashboard.components.depth import instrument_panel
from dashboard.components.notices import live_part, problems_in_words, show_problem
from dashboard.components.search import find_instrument
from dashboard.instrument_wanted import SEARCH, want_instrument
from dashboard.over_page import Over, dismiss, opened
from dashboard.reading import first_read, read
from dashboard.resources import desk
from dashboard.state import first_time

EVERY = 2.0
ROOM = 330
"""Pixels below the search: what it finds lies over them."""


def dialog_over(page: str) -> None:
    """Draw what is open over `page` (its title). To be called by every page's frame, before the parts that leave for
    it."""
    match opened(page):
        case (Over.ALERT, key):
            alert_dialog(key)
        case (Over.INSTRUMENT, key) if key == SEARCH:
            _search()
        case (Over.INSTRUMENT, key):
            _instrument(key)


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
