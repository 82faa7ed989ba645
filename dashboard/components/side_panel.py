"""The instrument that was chosen beside a table: its depth and figures, and the ways on from it."""

from __future__ import annotations

from collections.abc import Callable, Collection

import streamlit as st

from dashboard.components.depth import instrument_panel
from dashboard.reading import Reading

_CHOSEN, _CLOSED = "side-panel", "side-panel-closed"


def chosen_in(place: str, keys: Collection[str]) -> str | None:
    """What was chosen in that place of this session, if it is still among `keys`."""
    chosen: str | None = st.session_state.get(f"{_CHOSEN}-{place}")
    return chosen if chosen in keys else None


def remember(place: str, key: str) -> None:
    """`key` was chosen there."""
    st.session_state[f"{_CHOSEN}-{place}"] = key


def forget(place: str) -> None:
    """Nothing is chosen there any more."""
    st.session_state.pop(f"{_CHOSEN}-{place}", None)
    st.session_state[f"{_CLOSED}-{place}"] = times_closed(place) + 1


def times_closed(place: str) -> int:
    """How often the panel was put away there. A table that remembers its choice is made anew by it, or a click on the
    same row would be no change and open nothing."""
    return int(st.session_state.get(f"{_CLOSED}-{place}", 0))


def side_panel(reading: Reading, instrument_key: str, *, key: str, on_close: Callable[[], None]) -> None:
    """Depth, figures of the day and the way to the chart; and a button that puts it all away."""
    instrument_panel(reading, instrument_key, key=key)
    st.button("Close", key=f"{key}-close", icon=":material/close:", on_click=on_close, type="tertiary")
