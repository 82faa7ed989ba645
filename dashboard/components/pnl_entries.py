"""What the cards of entered things share: one entry in a row with its button, the question before it is removed, and
which form is open. A form is drawn with every run until it is answered or put away, so that trades which come meanwhile
do not close it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from dashboard.markup import plain
from dashboard.pnl_state import chosen
from dashboard.state import say_later
from dashboard.words import in_words
from services.domain.errors import UpstoxError

FEW = 8
"""Entries that are shown before somebody asks for all."""

_FORM = "pnl-form"

T = TypeVar("T")


def open_form(name: str, about: str = "") -> None:
    """Have the form of that name drawn with the next run. For callbacks of buttons."""
    st.session_state[_FORM] = (name, about)


def opened_form(name: str) -> str | None:
    """What the form is about, if it is the one that is open."""
    opened: tuple[str, str] | None = st.session_state.get(_FORM)
    return opened[1] if opened is not None and opened[0] == name and not chosen().trade else None


def put_away() -> None:
    """No form is open."""
    st.session_state.pop(_FORM, None)


def back_button(key: str) -> None:
    """The way out of a form."""
    if st.button("Back", key=key):
        put_away()
        st.rerun()


def entry(
    title: str,
    small: str,
    *,
    key: str,
    label: str = "Remove",
    icon: str = ":material/delete:",
    form: tuple[str, str],
) -> None:
    """One entry with a small button at its end. `form`: which form it opens, and what about."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None):
            st.markdown(plain(title))
            if small:
                st.caption(plain(small))
        st.button(label, key=key, icon=icon, type="tertiary", on_click=open_form, args=form)


def shown_entries(entries: Sequence[T], *, key: str) -> Sequence[T]:
    """The first few, or all where somebody wants them."""
    if len(entries) <= FEW:
        return entries
    every = st.toggle(f"Show all {len(entries)}", key=f"{key}-all")
    return entries if every else entries[:FEW]


def ask_to_remove(what: str, consequence: str, remove: Callable[[], object], *, key: str, done: str) -> None:
    """Ask once more, then do it and draw everything anew."""

    @st.dialog(plain(f"Remove {what}?"), icon=":material/delete:", on_dismiss=put_away)
    def ask() -> None:
        st.markdown(plain(consequence))
        with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            if st.button("Keep it", key=f"{key}-no"):
                put_away()
                st.rerun()
            pressed = st.button("Remove", key=f"{key}-yes", type="primary", icon=":material/delete:")
        if pressed:
            finish(remove, done)

    ask()


def finish(act: Callable[[], object], done: str) -> None:
    """Do what was decided in a dialog and close it; what goes wrong is told in its place and it stays open."""
    try:
        act()
    except UpstoxError as error:
        words = in_words(error)
        st.error(plain(words.text), title=words.title)
        return
    put_away()
    say_later(done)
    st.rerun()
