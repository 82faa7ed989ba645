"""A link that has not heard of the last choices. A browser sends its link along with whatever it asks for; where it
asked before it was told of a choice, its link says what was shown before, and following it would undo the choice."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

LATE_SECONDS = 3.0
_LEFT = "late-links-{}"

_Left = tuple[dict[str, str], float]


def leave(page: str, words: Mapping[str, str]) -> None:
    """The link to `page`, which said `words` until now, is being changed by the desk."""
    st.session_state[_LEFT.format(page)] = (*_left(page), (dict(words), monotonic()))


def is_late(page: str, words: Mapping[str, str]) -> bool:
    """Has a link that says so not heard yet that it was changed? No, where somebody went back to it."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is not None and run.is_history_navigation:
        return False
    return any(words == said for said, _ in _left(page))


def _left(page: str) -> tuple[_Left, ...]:
    """What it said within the last seconds."""
    since = monotonic() - LATE_SECONDS
    told: tuple[_Left, ...] = st.session_state.get(_LEFT.format(page), ())
    return tuple(one for one in told if one[1] > since)
