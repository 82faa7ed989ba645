"""A file that is made when somebody asks for it, and then offered. What it is made of cannot be changed while it is
offered: so the button below a choice is never that of the choice before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import streamlit as st

A = TypeVar("A")
F = TypeVar("F")


def file_offer(
    key: str, *, choose: Callable[[bool], A | None], make: Callable[[A], F], offer: Callable[[F], None]
) -> None:
    """`choose` draws the choice, which rests if it is told `True`, and returns it (`None`: not complete); `make` makes
    the file, with progress; `offer` draws its button. A file of something that has changed since is forgotten."""
    name = f"{key}-made"
    above, below = st.container(gap="small"), st.empty()  # the browser empties the lower part before the upper changes
    made: tuple[A, F] | None = st.session_state.get(name)
    with above:
        asked = choose(made is not None)
    if made is not None and made[0] != asked:
        _forget(name)
        st.rerun()
    with below.container(gap="small"):
        if made is not None:
            offer(made[1])
            st.button("Another file", key=f"{key}-another", icon=":material/undo:", on_click=partial(_forget, name))
        elif asked is not None and st.button("Make the file", key=f"{key}-make", icon=":material/build:"):
            st.session_state[name] = (asked, make(asked))
            st.rerun()


def _forget(name: str) -> None:
    st.session_state.pop(name, None)
