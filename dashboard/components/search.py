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
_RESULTS_KEY = "quotes-search-results"


@st.fragment
def search_and_add(have: Collection[str], on_add: Callable[[str], object]) -> None:
    """A search field; what it finds can be added by a click. `on_add` gets the instrument key."""

    def added() -> None:
        sent = getattr(st.session_state.get(_RESULTS_KEY), "added", None)
        if isinstance(sent, str):
            with problems_said():
                on_add(sent)

    text = st.text_input(
        "Add an instrument",
        key=TEXT_KEY,
        type="search",
        live=True,
        label_visibility="collapsed",
        placeholder="Add: symbol, name, ISIN, or nifty 25000 ce",
    )
    wanted = (text or "").strip()
    if len(wanted) < 2:
        return
    if not opening().master_ready.is_set():
        st.caption("The instrument list is being loaded; search works in a moment.")
        return
    with problems_in_words():
        found = desk().instruments.search(wanted, limit=MOST)
        _mount(key=_RESULTS_KEY, data=results_data(wanted, found, have), on_added_change=added)


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
