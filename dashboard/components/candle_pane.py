"""One chart with everything around it: what to show, the chart, where its bars come from, audit and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import streamlit as st

from dashboard.candle_loading import Look
from dashboard.chart_choice import Choice, first_day, start_of, warmed
from dashboard.chart_data import Scene, instants
from dashboard.chart_marks import MarkSource
from dashboard.chart_state import choose, chosen, keep_view, problems, see, sight
from dashboard.chart_words import audit_told, missing_told, provisional_told, sources_told
from dashboard.components.alert_dialog import alert_button
from dashboard.components.candle_audit import audit_part
from dashboard.components.candle_bar import compare, indicators, instrument_search, interval_and_range, two_charts
from dashboard.components.candle_files import files_popover
from dashboard.components.chart import chart
from dashboard.components.notices import show_problem
from dashboard.components.trade_link import trade_link
from dashboard.first_start import INDEX_KEYS
from dashboard.formatting import ist_when
from dashboard.indicators import Kind
from dashboard.markup import plain
from dashboard.reading import first_read, read
from dashboard.resources import candle_loader, desk, instruments_of
from dashboard.state import first_time, say
from dashboard.theme import mode_look
from dashboard.uses import chart_seen
from dashboard.words import in_words
from services.domain.clock import ist_date
from services.domain.errors import LoginRequired, TokenRejected
from services.domain.instruments import Instrument
from services.runtime import Runtime

SEARCH_PIXELS = 200
PATIENCE = 1.5
"""Seconds that the first drawing of a series waits for it: what is stored takes a few milliseconds."""


def candle_pane(place: int, marks: MarkSource | None = None) -> None:
    """Draw the chart at that place. Reads what is known; the loader beside it asks the broker. `marks` knows of own
    trades and orders."""
    say()
    runtime, choice = desk(), chosen(place)
    instruments = instruments_of(runtime, (choice.key, *choice.compared))
    _controls(place, instruments)
    for problem in problems(place):
        st.caption(f":material/info: {plain(_sentence(problem))}")
    refused = _login_wanted(runtime, place, choice)
    scene = _scene(runtime, place, choice, instruments, marks, refused=refused)
    in_sight = sight(place, scene.id)
    chart(
        scene,
        in_sight,
        key=f"candles-chart-{place}",
        on_view=lambda sent: see(place, sent),
        on_log=lambda sent: choose(place, replace(chosen(place), log=sent is True)),
        on_closed=lambda sent: _look(runtime, choice, choice.key, now=True),
    )
    keep_view(place, instants(scene, in_sight))
    _told(scene)
    if scene.look.series is not None and len(scene.look.series):
        audit_part(place, scene.look.audit)


def _login_wanted(runtime: Runtime, place: int, choice: Choice) -> bool:
    """The way to the login, where that is what keeps bars from coming. True: it is shown, and no price is renewed."""
    look = first_read if first_time(f"candles-login-{place}") else read
    trouble = look(
        runtime, f"candles-login-{place}", (*INDEX_KEYS, choice.key)
    ).problem  # the frame has asked for these
    if not isinstance(trouble, LoginRequired | TokenRejected):
        return False
    show_problem(trouble)
    return True


def _controls(place: int, instruments: Mapping[str, Instrument]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        with st.container(width=SEARCH_PIXELS):
            instrument_search(place)
        interval_and_range(place)
        indicators(place)
        compare(place, instruments, _offered(place))
        files_popover(place)
        two_charts(place)
        if "_INDEX|" not in chosen(place).key:
            trade_link(chosen(place).key)
        alert_button(key=f"candles-alert-{place}", instrument_key=chosen(place).key)


def _offered(place: int) -> dict[str, str]:
    """What the first watchlist holds, for comparing."""
    runtime = desk()
    lists = runtime.watchlists.all()
    keys = lists[0].keys if lists else ()
    return {key: one.symbol for key, one in instruments_of(runtime, keys).items()}


def _scene(
    runtime: Runtime,
    place: int,
    choice: Choice,
    instruments: Mapping[str, Instrument],
    marks: MarkSource | None,
    *,
    refused: bool,
) -> Scene:
    start = start_of(_first_day(runtime, choice))
    reading = read(runtime, f"candles-{place}-{choice.key}", (choice.key, *choice.compared))
    row = reading.rows.get(choice.key)
    return Scene(
        choice=choice,
        look=_look(runtime, choice, choice.key),
        start=start,
        now=reading.now,
        instruments=instruments,
        compared={key: _look(runtime, choice, key) for key in choice.compared},
        forming=runtime.candles.forming(choice.key, choice.interval),
        day_volume=None if row is None else row["volume"],
        calendar=runtime.calendar.current,
        practice=runtime.source.practice,
        clockwork=reading.clockwork(),
        origin=f"{mode_look(runtime.settings).name}, prices: {runtime.source.label}",
        troubled=refused or reading.problem is not None or choice.key in reading.problems,
        marks=marks(choice.key, start, reading.now) if marks is not None else (),
    )


def _look(runtime: Runtime, choice: Choice, key: str, *, now: bool = False) -> Look:
    """The bars of `key` for that chart, with those before it that the indicators want."""
    bars = max((study.warm_up for study in choice.studies), default=0) if key == choice.key else 0
    day = warmed(_first_day(runtime, choice), choice.interval, bars)
    if runtime.source.practice and any(study.kind is Kind.VWAP for study in choice.studies):
        day -= timedelta(days=1)  # a practice session goes on through midnight: it began the day before
    chart_seen(runtime, key, choice.interval, day)
    start = start_of(day)
    end = start_of(ist_date(runtime.clock.now()) + timedelta(days=1))
    return candle_loader().look(key, choice.interval, start, end, patience=PATIENCE, now=now)


def _first_day(runtime: Runtime, choice: Choice) -> date:
    return first_day(
        choice.span,
        choice.interval,
        runtime.clock.now(),
        calendar=runtime.calendar.current,
        segment=choice.key.partition("|")[0],
        practice=runtime.source.practice,
    )


def _told(scene: Scene) -> None:
    """Under the chart: what could not be had, what may change, where it all came from."""
    look, now, interval = scene.look, scene.now, scene.choice.interval
    series = look.series
    if look.error is not None:
        kept = "" if series is None or not len(series) else " What is stored is shown."
        st.caption(f":orange[:material/cloud_off:] {plain(in_words(look.error).title)}.{kept}")
    if series is None or not len(series):
        return
    on_its_way = look.running and look.first
    for told in () if on_its_way else missing_told(series):
        st.caption(f":orange[:material/warning:] {plain(told)}")
    for study in scene.choice.studies:
        if why := study.why_not(series):
            st.caption(f":material/info: {plain(why)}")
    newest = f"Newest bar {ist_when(series.last, now)}." if interval.intraday else ""
    parts = [newest, f"{_sentence(sources_told(series, now))}", provisional_told(series, now), audit_told(look.audit)]
    st.caption(plain(" ".join(part for part in parts if part)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
