"""What a browser session remembers: the chosen watchlist and instrument. Everything else is in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.locks.person import owner
from dashboard.markup import plain
from dashboard.push.route import PATH

LIST_KEY = "quotes-list"
_WANTED = "quotes-list-wanted"
_PICKED = "quotes-picked"
_TOAST = "desk-toast"
_SEEN = "desk-seen"
_PUSH = "desk-push"


def chosen_list(ids: Sequence[int]) -> int | None:
    """The id of the chosen watchlist if it still exists, else the first. Call it before the picker is drawn."""
    wanted = st.session_state.pop(_WANTED, None)
    if wanted in ids:
        st.session_state[LIST_KEY] = wanted
    chosen: int | None = st.session_state.get(LIST_KEY)
    if chosen in ids:
        return chosen
    return ids[0] if ids else None


def choose_list(id: int) -> None:
    """Choose that watchlist with the next full run (a widget that is drawn already cannot be changed)."""
    st.session_state[_WANTED] = id


def picked(keys: Sequence[str]) -> str | None:
    """The instrument whose depth is shown: the chosen one if the list has it, else the first."""
    chosen = st.session_state.get(_PICKED)
    if chosen in keys:
        return str(chosen)
    return keys[0] if keys else None


def pick(key: str) -> None:
    """Remember the chosen instrument."""
    st.session_state[_PICKED] = key


def first_time(what: str) -> bool:
    """Is this the first time in this session that somebody asks for `what`?"""
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    if what in seen:
        return False
    seen.add(what)
    return True


def push_door(renew: Callable[[str | None, str], str]) -> dict[str, str]:
    """Where this session's pages listen for prices, and the secret that opens it: the same for as long as it is good,
    and renewed by every run, so that a page that is left open overnight keeps its way in."""
    st.session_state[_PUSH] = renew(st.session_state.get(_PUSH), owner())
    return {"path": PATH, "token": st.session_state[_PUSH]}


def say_later(text: str, *, trouble: bool = False) -> None:
    """A short message that appears with the next run."""
    st.session_state[_TOAST] = (text, trouble)


def say() -> None:
    """Show the message that the run before left, once."""
    left: tuple[str, bool] | None = st.session_state.pop(_TOAST, None)
    if left is not None:
        text, trouble = left
        st.toast(plain(text), icon=":material/error:" if trouble else ":material/check:")
