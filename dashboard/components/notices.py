"""Notices: problems in plain words, and what a page says while the desk opens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Literal, ParamSpec

import streamlit as st

from dashboard.markup import plain
from dashboard.navigation import ACCOUNT
from dashboard.resources import Opening, opening
from dashboard.state import say_later
from dashboard.words import in_words
from services.domain.errors import ConfigurationError, Forbidden, LoginRequired, TokenRejected, UpstoxError

P = ParamSpec("P")

log = logging.getLogger(__name__)

FIRST_WAIT = 1.0
"""Seconds that a page waits in silence for the desk to open."""


def show_problem(error: UpstoxError) -> None:
    """`error` in words, as a box. A login that is missing comes with the way to it."""
    words = in_words(error)
    login = isinstance(error, LoginRequired | TokenRejected)
    st.warning(plain(words.text), title=words.title, icon=":material/key:" if login else ":material/cloud_off:")
    if login:
        st.page_link(ACCOUNT, label="Log in", icon=":material/login:")


def caution(text: str, *, icon: str = "history", width: Literal["stretch", "content"] = "stretch") -> None:
    """A small line about something that is not as it should be. No caption: those are faint, and colours in them more
    so."""
    st.markdown(f":small[:orange[:material/{icon}: {plain(text)}]]", width=width)


def told_at(words: str, *, current: bool, width: Literal["stretch", "content"] = "stretch") -> None:
    """From when something is: a caption, and what can be seen if it is not current."""
    if current:
        st.caption(plain(words), width=width)
    else:
        caution(words, width=width)


@contextmanager
def problems_in_words(*, briefly: bool = False) -> Iterator[None]:
    """Around a piece of a page: what goes wrong in it is told in its place, and the rest of the page lives on.

    `briefly`: as one quiet line, for a card on a page that tells the trouble elsewhere.
    """
    try:
        yield
    except UpstoxError as error:
        log.log(logging.WARNING if isinstance(error, Forbidden) else logging.DEBUG, "shown on a page: %s", error)
        if briefly:
            st.caption(f":material/info: Not known now. {plain(in_words(error).title)}.")
        else:
            show_problem(error)


def live_part(every: float, key: str | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Makes a function a part of the page that renews itself every so many seconds and tells its own problems."""

    def wrap(draw: Callable[P, None]) -> Callable[P, None]:
        @wraps(draw)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            with problems_in_words():
                draw(*args, **kwargs)

        return st.fragment(guarded, run_every=every, key=key)

    return wrap


@contextmanager
def problems_said() -> Iterator[None]:
    """Around a callback, which draws nothing: what goes wrong in it is said by the run that follows."""
    try:
        yield
    except UpstoxError as error:
        log.info("said on a page: %s", error)
        say_later(in_words(error).text, trouble=True)


def wait_until_open() -> None:
    """Stop the page here, with a note, until the desk is open; then it is drawn by itself."""
    opened = opening()
    if opened.wait(FIRST_WAIT) and opened.ready.is_set():
        return
    _waiting()
    st.stop()


@st.fragment(run_every=1.0)
def _waiting() -> None:
    opened: Opening = opening()
    if opened.ready.is_set():
        st.rerun()
    if opened.problem is None:
        st.info(
            "The data files are being opened and the broker is being asked for its time.",
            title="The desk is starting",
            icon="spinner",
        )
        return
    words = in_words(opened.problem)
    if isinstance(opened.problem, ConfigurationError):
        st.error(f"{words.text} Start the desk again after that.", title=words.title, icon=":material/build:")
    else:
        st.warning(
            "The desk tries again every two seconds; this page appears by itself.", title=words.title, icon="spinner"
        )
