"""What a chart shows, to be chosen: instrument, interval, range, indicators, what it is compared with, the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from dashboard.chart_choice import INTERVALS, MOST_COMPARED, Choice, Span, short, suits
from dashboard.chart_state import charts, choose, chosen, show_two
from dashboard.components.search import find_instrument
from dashboard.indicators import MOST_STUDIES, NAMES, PARAMETERS, Kind, Study
from dashboard.markup import plain
from dashboard.state import say_later
from services.domain.candles import Interval
from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument


def instrument_search(place: int) -> None:
    """Another instrument for the chart."""
    find_instrument(
        f"candles-search-{place}",
        label="Instrument",
        placeholder="Symbol, name or ISIN",
        verb="Show",
        had=(chosen(place).key,),
        had_words="on the chart",
        on_pick=lambda key: choose(place, replace(chosen(place), key=key, view=None)),
    )


def interval_and_range(place: int) -> None:
    """How long a bar is, and how far back they reach."""
    choice = chosen(place)
    _set(f"candles-interval-{place}", short(choice.interval))
    st.selectbox(
        "Interval",
        list(dict.fromkeys([*map(short, INTERVALS), short(choice.interval)])),
        key=f"candles-interval-{place}",
        accept_new_options=True,
        label_visibility="collapsed",
        width=92,
        help="Any number of minutes to 300 or hours to 5 can be typed: 7m, 90m, 5h",
        on_change=_interval_changed,
        args=(place,),
    )
    _set(f"candles-range-{place}", choice.span)
    st.segmented_control(
        "Range",
        [span for span in Span if suits(span, choice.interval) or span is choice.span],
        key=f"candles-range-{place}",
        required=True,
        label_visibility="collapsed",
        on_change=_range_changed,
        args=(place,),
    )


def indicators(place: int) -> None:
    """Which indicators are drawn, with their numbers."""
    studies = chosen(place).studies
    with st.popover(f"Indicators{f' ({len(studies)})' if studies else ''}", icon=":material/show_chart:"):
        for study in studies:
            _removable(study.label, f"candles-off-{study.word}-{place}", _study_removed, (place, study))
        kind = st.selectbox("Add", list(Kind), format_func=NAMES.__getitem__, key=f"candles-kind-{place}") or Kind.SMA
        numbers = []
        if PARAMETERS[kind]:
            for column, parameter in zip(st.columns(len(PARAMETERS[kind])), PARAMETERS[kind], strict=True):
                whole = parameter.whole
                numbers.append(
                    column.number_input(
                        parameter.name,
                        int(parameter.least) if whole else float(parameter.least),
                        int(parameter.most) if whole else float(parameter.most),
                        int(parameter.usual) if whole else float(parameter.usual),
                        step=1 if whole else 0.5,
                        key=f"candles-{kind}-{parameter.name}-{place}",
                    )
                )
        st.button(
            f"Add {NAMES[kind]}",
            key=f"candles-add-{place}",
            type="primary",
            disabled=len(studies) >= MOST_STUDIES,
            on_click=_study_added,
            args=(place, kind, tuple(map(float, numbers))),
        )


def compare(place: int, instruments: Mapping[str, Instrument], offered: Mapping[str, str]) -> None:
    """Other instruments whose way in percent is drawn beside. `offered`: symbols of a watchlist by key."""
    choice = chosen(place)
    with st.popover(
        f"Compare{f' ({len(choice.compared)})' if choice.compared else ''}", icon=":material/compare_arrows:"
    ):
        names = {**offered, **{key: one.symbol for key, one in instruments.items()}}
        for one in choice.compared:
            _removable(names.get(one, one), f"candles-apart-{one}-{place}", _compared_removed, (place, one))
        if len(choice.compared) < MOST_COMPARED:
            st.selectbox(
                "From your watchlist",
                [one for one in offered if one != choice.key and one not in choice.compared],
                index=None,
                format_func=lambda one: names.get(one, one),
                key=f"candles-compared-{place}",
                placeholder="From your watchlist",
                label_visibility="collapsed",
                on_change=_compared_added,
                args=(place,),
            )
            find_instrument(
                f"candles-compare-search-{place}",
                label="Any other",
                placeholder="Or search any other",
                verb="Compare",
                had=(choice.key, *choice.compared),
                had_words="on the chart",
                on_pick=lambda one: add_compared(place, one),
            )
        st.caption(f"Up to {MOST_COMPARED}, each from 0 % at the left edge of what you look at.")


def two_charts(place: int) -> None:
    """A second chart beside the first, or none."""
    two = len(charts()) == 2
    label, icon = ("Close", ":material/close:") if place else ("Split", ":material/splitscreen_vertical_add:")
    if (place == 1) == two and st.button(
        label,
        key=f"candles-two-{place}",
        icon=icon,
        help="Two charts side by side, each with its own instrument and interval",
    ):
        show_two(not two)
        st.rerun()


def _set(key: str, value: object) -> None:
    """Have a widget show what the chart shows, whoever changed it."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _interval_changed(place: int) -> None:
    told = st.session_state[f"candles-interval-{place}"]
    if told is not None:  # None: one run followed another too closely; the next sets it again
        _change(place, lambda choice: choice.of(Interval.parse(str(told))))


def _range_changed(place: int) -> None:
    told = st.session_state[f"candles-range-{place}"]
    if told is not None:  # as above
        _change(place, lambda choice: replace(choice, span=Span(told), view=None))


def _removable(name: str, key: str, remove: Callable[..., None], arguments: tuple[object, ...]) -> None:
    """What is on the chart, with a button that takes it off. (A field of several values
    would undo, with its next run, what another part of the page has added to it.)"""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(plain(name), width="content")
        st.button(
            f"Take off {name}", key=key, icon=":material/close:", type="tertiary", on_click=remove, args=arguments
        )


def _study_removed(place: int, study: Study) -> None:
    _change(place, lambda choice: replace(choice, studies=tuple(one for one in choice.studies if one != study)))


def _study_added(place: int, kind: Kind, numbers: tuple[float, ...]) -> None:
    def added(choice: Choice) -> Choice:
        study = Study(kind, numbers)
        return choice if study in choice.studies else replace(choice, studies=(*choice.studies, study))

    _change(place, added)


def _compared_added(place: int) -> None:
    added = st.session_state[f"candles-compared-{place}"]
    st.session_state[f"candles-compared-{place}"] = None
    if added is not None:
        add_compared(place, added)


def add_compared(place: int, key: str) -> None:
    """Draw the way of `key` beside."""

    def added(choice: Choice) -> Choice:
        return replace(choice, compared=tuple(dict.fromkeys((*choice.compared, key)))[:MOST_COMPARED])

    _change(place, added)


def _compared_removed(place: int, key: str) -> None:
    _change(place, lambda choice: replace(choice, compared=tuple(one for one in choice.compared if one != key)))


def _change(place: int, change: Callable[[Choice], Choice]) -> None:
    """Change a chart; what does not work is said, and everything stays."""
    try:
        choose(place, change(chosen(place)))
    except InvalidRequest as error:
        say_later(f"{str(error)[:1].upper()}{str(error)[1:]}.", trouble=True)
