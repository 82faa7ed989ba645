"""Search the instrument master and add to a watchlist while typing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from dashboard.components.notices import problems_in_words, problems_said
from dashboard.components.web import browser_component
from dashboard.formatting import day, number
from dashboard.resources import desk, opening
from services.domain.instruments import Instrument

_mount = browser_component("pick_list")

MOST = 12
TEXT_KEY = "quotes-search"
LOOK_AGAIN = 1.0
"""Seconds, while the instrument list is not there yet."""


@st.fragment
def search_and_add(have: Collection[str], on_add: Callable[[str], object]) -> None:
    """A search field; what it finds can be added by a click. `on_add` gets the instrument key."""
    _search(
        TEXT_KEY,
        "Add an instrument",
        "Add: symbol, name, ISIN, or nifty 25000 ce",
        lambda found, text: results_data(text, found, have),
        on_add,
    )


@st.fragment
def find_instrument(
    key: str,
    *,
    label: str,
    placeholder: str,
    verb: str,
    had: Collection[str],
    had_words: str,
    on_pick: Callable[[str], object],
) -> None:
    """A search field out of which one instrument is picked: `on_pick` gets its key, the field is emptied, and the page
    is drawn anew. `verb` is what a click does; those of `had` are marked with `had_words` and cannot be picked."""
    done = f"{key}-done"

    def pick(picked: str) -> None:
        on_pick(picked)
        st.session_state[key] = ""
        st.session_state[done] = True

    def data(found: list[Instrument], text: str) -> dict[str, Any]:
        return {**results_data(text, found, had), "verb": verb, "had": had_words}

    _search(key, label, placeholder, data, pick)
    if st.session_state.pop(done, False):
        st.rerun()


def _search(
    key: str,
    label: str,
    placeholder: str,
    data: Callable[[list[Instrument], str], dict[str, Any]],
    on_pick: Callable[[str], object],
) -> None:
    results = f"{key}-results"

    def picked() -> None:
        sent = getattr(st.session_state.get(results), "added", None)
        if isinstance(sent, str):
            with problems_said():
                on_pick(sent)
                st.session_state[key] = ""  # done: the results go away, and the field is free for the next

    with st.container(gap=None):  # results lie over what is below: their own place must take no room
        text = st.text_input(
            label, key=key, type="search", live=True, label_visibility="collapsed", placeholder=placeholder
        )
        wanted = (text or "").strip()
        if len(wanted) < 2:
            return
        if not opening().master_ready.is_set():
            _until_loaded()
            return
        with problems_in_words():
            found = desk().instruments.search(wanted, limit=MOST)
            told = {**data(found, wanted), "text": wanted, "field": label}
            _mount(key=results, data=told, on_added_change=picked)


@st.fragment(run_every=LOOK_AGAIN)
def _until_loaded() -> None:
    """In the place of results: says what is waited for, and draws the page anew when it is there."""
    if opening().master_ready.is_set():
        st.rerun()
    st.caption("The instrument list is being loaded; search works in a moment.")


def results_data(text: str, found: list[Instrument], have: Collection[str]) -> dict[str, Any]:
    """What the browser draws: one line per instrument, those that the list has already marked."""
    items = [
        {
            "k": instrument.key,
            "s": instrument.symbol,
            "n": describe(instrument),
            "g": segment_tag(instrument),
            "had": instrument.key in have,
        }
        for instrument in found
    ]
    note = f"Nothing is called “{text}”." if not items else ""
    if len(items) == MOST:
        note = f"The {MOST} likeliest; type more to narrow it down."
    return {"items": items, "note": note, "label": "Search results"}


def segment_tag(instrument: Instrument) -> str:
    """Segment and expiry in a few letters: NSE, NSE index, NSE 26 Nov 2026, MCX 18 Dec 2026."""
    if instrument.is_index:
        return f"{instrument.exchange} index"
    return f"{instrument.exchange} {day(instrument.expiry)}" if instrument.expiry else instrument.exchange


def describe(instrument: Instrument) -> str:
    """Name and kind: Reliance Industries · share; NIFTY · call 25,000 · lot 75."""
    kinds = {"INDEX": "index", "FUT": "future", "CE": "call", "PE": "put"}
    kind = kinds.get(
        instrument.type, f"share, series {instrument.type}" if instrument.segment.endswith("_EQ") else instrument.type
    )
    if instrument.is_option and instrument.strike is not None:
        kind = f"{kind} {number(instrument.strike, 0 if instrument.strike == int(instrument.strike) else 2)}"
    parts = [instrument.name, kind]
    if instrument.expiry and instrument.lot_size:
        parts.append(f"lot {instrument.lot_size}")
    return " · ".join(part for part in parts if part)
