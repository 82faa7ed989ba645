"""Overview: the day's result and what is open, the market, movers of a watchlist, health, what went wrong lately."""

from __future__ import annotations

import streamlit as st

from dashboard.components.index_strip import index_strip
from dashboard.components.notices import live_part, problems_in_words, show_problem
from dashboard.components.overview_cards import health_card, movers_cards, phase_card, trouble_card
from dashboard.components.overview_today import today_cards
from dashboard.components.tour import tour
from dashboard.first_start import INDEX_KEYS
from dashboard.instrument_wanted import leave_if_wanted
from dashboard.reading import first_read, read
from dashboard.resources import desk
from dashboard.state import chosen_list, first_time

EVERY = 2.0


@live_part(EVERY, "overview")
def live() -> None:
    """Indices, movers, market phase: what changes by itself."""
    leave_if_wanted()
    rt = desk()
    lists = rt.watchlists.all()
    chosen = chosen_list([watchlist.id for watchlist in lists])
    watchlist = next((w for w in lists if w.id == chosen), None)
    keys = watchlist.keys if watchlist else ()
    look = first_read if first_time("overview") else read
    reading = look(rt, f"overview-{chosen}", (*INDEX_KEYS, *keys))  # sessions that look at other lists hold others
    index_strip(reading.of(INDEX_KEYS), rt.tracks.track, key="overview-indices")
    if reading.problem is not None:
        show_problem(reading.problem)
    movers_cards(reading.of(keys), rt.tracks.track, name=watchlist.name if watchlist else "no watchlist")


tour()
today_cards()
live()
for place, card in zip(st.columns(3, gap="small"), (phase_card, health_card, trouble_card), strict=True):
    with place, st.container(border=True, height="stretch"), problems_in_words():
        card()
