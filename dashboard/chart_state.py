"""What the charts of a session show: remembered in the session, written into the link, read from the link again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import streamlit as st

from dashboard.chart_choice import NAMES, Choice, Span, read_choice, usual_span
from dashboard.late_links import is_late, leave
from services.domain.candles import DAY, Interval, Unit
from services.domain.instruments import is_instrument_key

PLACES = (0, 1)
SUFFIXES = ("", "2")
"""Of the members of a link, by the place of the chart."""
FIVE_MINUTES = Interval(Unit.MINUTES, 5)
_MEMBERS = frozenset(f"{name}{suffix}" for name in NAMES for suffix in SUFFIXES)
_PAGE = "candles"
_CHOICE, _SIGHT, _PROBLEMS = "candles-choice-{}", "candles-sight-{}", "candles-problems-{}"


def begin(key: str) -> int:
    """Take over what the link says, or what the session last showed, else days of `key`. How many charts there are.
    Call it once in a full run, before anything is drawn."""
    words = _link()
    if words and not is_late(_PAGE, words):
        for place, suffix in enumerate(SUFFIXES):
            if place == 0 or f"key{suffix}" in words:
                _take(place, suffix, words, key)
            else:
                st.session_state.pop(_CHOICE.format(place), None)
    elif _CHOICE.format(0) not in st.session_state:
        st.session_state[_CHOICE.format(0)] = _usual(key)
    write_link()
    return len(charts())


def charts() -> tuple[int, ...]:
    """The places that have a chart."""
    return tuple(place for place in PLACES if _CHOICE.format(place) in st.session_state)


def chosen(place: int) -> Choice:
    """What the chart at that place shows."""
    choice: Choice = st.session_state[_CHOICE.format(place)]
    return choice


def choose(place: int, choice: Choice) -> None:
    """Show that instead, from this run on."""
    if choice.key in choice.compared:
        choice = replace(choice, compared=tuple(one for one in choice.compared if one != choice.key))
    st.session_state[_CHOICE.format(place)] = choice
    st.session_state.pop(_PROBLEMS.format(place), None)
    write_link()


def show_two(wanted: bool) -> None:
    """One chart or two. The second begins with what the first shows, by the day or by five minutes."""
    if not wanted:
        st.session_state.pop(_CHOICE.format(1), None)
    else:
        first = chosen(0)
        other = first.of(DAY) if first.interval != DAY else first.of(FIVE_MINUTES)
        st.session_state[_CHOICE.format(1)] = replace(other, span=usual_span(other.interval), compared=())
    write_link()


def problems(place: int) -> tuple[str, ...]:
    """What the link asked for and could not be understood."""
    told: tuple[str, ...] = st.session_state.get(_PROBLEMS.format(place), ())
    return told


def sight(place: int, id: str) -> tuple[int, int] | None:
    """The bars of the chart `id` that are in sight, as the browser told."""
    told: tuple[str, int, int] | None = st.session_state.get(_SIGHT.format(place))
    return (told[1], told[2]) if told is not None and told[0] == id else None


def see(place: int, sent: object) -> None:
    """The browser tells what is in sight: `{"id", "from", "to", "whole"}`. What makes no sense is not heard."""
    if not isinstance(sent, Mapping):
        return
    id, start, end = sent.get("id"), sent.get("from"), sent.get("to")
    if isinstance(id, str) and isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
        if sent.get("whole") is True:
            st.session_state.pop(_SIGHT.format(place), None)
        else:
            st.session_state[_SIGHT.format(place)] = (id, start, end)


def keep_view(place: int, view: tuple[datetime, datetime] | None) -> None:
    """Write into the link which stretch of time is in sight."""
    choice = chosen(place)
    if choice.view != view:
        st.session_state[_CHOICE.format(place)] = replace(choice, view=view)
        write_link()


def write_link() -> None:
    """Have the address line say what is shown."""
    there = _link()
    words: dict[str, str] = {}
    for place in charts():
        words |= chosen(place).words(SUFFIXES[place])
    if words != there:
        leave(_PAGE, there)
        others = {name: word for name, word in st.query_params.to_dict().items() if name not in _MEMBERS}
        st.query_params.from_dict(others | words)


def _link() -> dict[str, str]:
    """What the address line says of the charts."""
    return {name: word for name, word in st.query_params.to_dict().items() if name in _MEMBERS}


def _take(place: int, suffix: str, words: Mapping[str, str], key: str) -> None:
    before: Choice | None = st.session_state.get(_CHOICE.format(place))
    if before is not None and _members(words, suffix) == _members(before.words(suffix), suffix):
        return  # as it is already; what of the link was not understood is told by now
    given = _members(words, suffix)
    if before is not None and given.keys() == {"key"} and is_instrument_key(given["key"]):
        if given["key"] != before.key:  # a link to an instrument, from another page: seen as the last one was seen
            before = replace(before, key=given["key"], compared=(), view=None)
        st.session_state[_CHOICE.format(place)] = before
        return
    choice, wrong = read_choice(words, suffix, otherwise=_usual(key if before is None else before.key))
    st.session_state[_CHOICE.format(place)] = choice
    st.session_state[_PROBLEMS.format(place)] = wrong


def _members(words: Mapping[str, str], suffix: str) -> dict[str, str]:
    return {name: words[f"{name}{suffix}"] for name in NAMES if f"{name}{suffix}" in words}


def _usual(key: str) -> Choice:
    return Choice(key, DAY, Span.YEAR)
