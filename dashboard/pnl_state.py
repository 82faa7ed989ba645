"""What the results page shows: remembered in the session, written into the link, read from the link again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from typing import Any, Protocol

import streamlit as st

from dashboard.late_links import is_late, leave
from dashboard.pnl_choice import NAMES, Choice, Period, read_choice
from services.pnl.values import Filter
from services.pnl.views import PnlView

_PAGE, _CHOICE, _PROBLEMS = "pnl", "pnl-choice", "pnl-problems"
_PLACE = frozenset({"behind", "page", "trade", "sort", "down", "outcome", "find"})
"""What may change while the trades that count stay the same."""


class Readable(Protocol):
    """What knows the trades."""

    def read(self, only: Filter) -> PnlView: ...


def begin(usual: Callable[[], Choice]) -> Choice:
    """Take over what the link says, or what the session last showed, else `usual()`. Once in a full run, before
    anything is drawn."""
    words = _link()
    before: Choice | None = st.session_state.get(_CHOICE)
    if words and (before is None or (words != before.words() and not is_late(_PAGE, words))):
        choice, wrong = read_choice(words, Choice() if "period" in words or "from" in words else usual())
        st.session_state[_CHOICE], st.session_state[_PROBLEMS] = choice, wrong
    elif before is None:
        st.session_state[_CHOICE] = usual()
    write_link()
    return chosen()


def usual_choice(book: Readable, today: date) -> Choice:
    """This financial year; all years where the book is known and nothing was closed in it."""
    this_year = Choice(Period.YEAR)
    view = book.read(Filter(*this_year.days(today)))
    return Choice() if view.version and view.empty else this_year


def chosen() -> Choice:
    choice: Choice = st.session_state[_CHOICE]
    return choice


def choose(choice: Choice) -> None:
    """Show that instead, from the next run on; other trades are looked at from their first page."""
    before = chosen()
    st.session_state[_CHOICE] = choice if choice.page != before.page else _from_the_start(choice, before)
    st.session_state.pop(_PROBLEMS, None)
    write_link()


def change(**members: Any) -> None:  # Any: values of members of `Choice`
    """The same but for these members."""
    choose(replace(chosen(), **members))


def take(key: str, told: Callable[[Any], object]) -> Callable[[], None]:  # Any: the value of a widget
    """For `on_change` of a widget that must have a value: hand its value to `told`. It says None where one run followed
    another so closely that the browser never heard what it was set to; the next run sets it again."""

    def run() -> None:
        value = st.session_state.get(key)
        if value is not None:
            told(value)

    return run


def problems() -> tuple[str, ...]:
    """What the link asked for and could not be understood."""
    told: tuple[str, ...] = st.session_state.get(_PROBLEMS, ())
    return told


def write_link() -> None:
    """Have the address line say what is shown. Members of other parts of the page are left alone."""
    words, there = chosen().words(), _link()
    if words == there:
        return
    leave(_PAGE, there)
    for name in there.keys() - words.keys():
        del st.query_params[name]
    st.query_params.update({name: word for name, word in words.items() if there.get(name) != word})


def _link() -> dict[str, str]:
    """What the address line says of this page's choice."""
    return {name: word for name, word in st.query_params.to_dict().items() if name in NAMES}


def _from_the_start(choice: Choice, before: Choice) -> Choice:
    names = [one.name for one in fields(Choice) if one.name not in _PLACE | {"period"}] + ["period"]
    same_trades = all(getattr(choice, name) == getattr(before, name) for name in names)
    same_table = all(getattr(choice, name) == getattr(before, name) for name in ("sort", "down", "outcome", "find"))
    if same_trades and same_table:
        return choice
    return replace(choice, page=1, trade=choice.trade if same_trades else "")
