"""The tour of the first minute: a row of five places above the overview, until somebody puts it away."""

from __future__ import annotations

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.notices import problems_in_words, problems_said
from dashboard.components.tiles import Tile, tile_row
from dashboard.locks.person import person
from dashboard.navigation import OVERVIEW
from dashboard.resources import desk
from dashboard.tour_steps import is_put_away, put_away, tour_steps
from services.domain.errors import UpstoxError

_AWAY = "desk-tour-away"


def tour() -> None:
    """Draw it for who has not put it away. A ledger that cannot be asked shows none: it is never in the way."""
    if _is_away():
        return
    mode = desk().settings.mode
    with st.container(border=True, key="tour"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            card_title("New here?", "the desk in five steps")
            st.button(
                "Put away", key="tour-away", icon=":material/close:", type="tertiary", on_click=_put, args=(True,)
            )
        tiles = [
            Tile(str(number), f"Step {number}", step.title, step.text, step.page, step.link)
            for number, step in enumerate(tour_steps(mode), 1)
        ]
        tile_row(tiles, key="tour-steps", label="The desk in five steps")


def tour_again() -> None:
    """For a page of settings: the way to have it back."""
    with problems_in_words(briefly=True):
        if _is_away():
            st.button("Show the tour again", key="tour-again", icon=":material/explore:", on_click=_put, args=(False,))
        else:
            st.page_link(OVERVIEW, label="The tour is on the overview", icon=":material/explore:")


def _is_away() -> bool:
    if _AWAY not in st.session_state:
        try:
            st.session_state[_AWAY] = is_put_away(desk(), person().actor)
        except UpstoxError:
            return True
    return bool(st.session_state[_AWAY])


def _put(away: bool) -> None:
    with problems_said():
        st.session_state[_AWAY] = away
        put_away(desk(), person().actor, away=away)
