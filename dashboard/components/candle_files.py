"""The bars as a file: of the range shown or of any other, read and written with progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import streamlit as st

from dashboard.candle_files import as_parquet, file_name
from dashboard.chart_choice import first_day, start_of
from dashboard.chart_state import chosen
from dashboard.chart_words import missing_told
from dashboard.components.file_offer import file_offer
from dashboard.components.notices import caution, problems_in_words
from dashboard.formatting import quantity
from dashboard.markup import plain
from dashboard.resources import desk, instruments_of
from services.candles.csv_text import as_csv
from services.domain.clock import ist_date

WAYS = {"CSV": (as_csv, "csv", "text/csv"), "Parquet": (as_parquet, "parquet", "application/vnd.apache.parquet")}
READING = 0.7
"""Of the whole work; the rest is writing."""


_Asked = tuple[str, str, date, date, str]
"""Key, interval, first and last day, kind of file."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is ready."""

    name: str
    ending: str
    mime: str
    content: bytes
    bars: int
    missing: tuple[str, ...]


def files_popover(place: int) -> None:
    """Choose days and kind, make the file, take it."""
    part = st.popover("File", icon=":material/download:", key=f"candles-files-{place}", on_change="rerun")
    if part.open:
        with part, problems_in_words():
            choose, make = partial(_choose, place), partial(_make, place)
            file_offer(f"candles-file-{place}", choose=choose, make=make, offer=partial(_offer, place))


def _choose(place: int, rests: bool) -> _Asked | None:
    runtime, choice = desk(), chosen(place)
    today = ist_date(runtime.clock.now())
    first = first_day(
        choice.span,
        choice.interval,
        runtime.clock.now(),
        calendar=runtime.calendar.current,
        segment=choice.key.partition("|")[0],
        practice=runtime.source.practice,
    )
    days = st.date_input(
        "Days",
        (first, today),
        min_value=choice.interval.caps.since,
        max_value=today,
        key=f"candles-days-{place}-{choice.key}-{choice.interval.word}-{choice.span}",
        disabled=rests,
    )
    kind = st.segmented_control(
        "Kind", list(WAYS), default="CSV", required=True, key=f"candles-file-kind-{place}", disabled=rests
    )
    if not isinstance(days, tuple) or len(days) != 2:
        st.caption("Choose the last day too.")
        return None
    return choice.key, choice.interval.word, days[0], days[1], kind


def _offer(place: int, made: _File) -> None:
    for told in made.missing:
        caution(told, icon="warning")
    if not made.bars:
        st.caption("There are no bars in these days.")
        return
    st.download_button(
        f"Download {quantity(made.bars)} bars ({made.ending})",
        made.content,
        made.name,
        made.mime,
        key=f"candles-download-{place}",
        type="primary",
        on_click="ignore",
        icon=":material/download:",
    )


def _make(place: int, asked: _Asked) -> _File:
    """Read the bars and write the file, with a bar that tells how far it is."""
    runtime, choice = desk(), chosen(place)
    _, _, first, last, kind = asked
    write, ending, mime = WAYS[kind]
    bar = st.progress(0.0, "Reading candles")

    def reading(share: float, words: str) -> None:
        bar.progress(min(1.0, share) * READING, plain(words) or "Reading candles")

    series = runtime.candles.read(
        choice.key,
        choice.interval,
        start_of(first),
        start_of(last + timedelta(days=1)),
        progress=reading,
    )
    known = instruments_of(runtime, (choice.key,)).get(choice.key)
    symbol = known.symbol if known else choice.key.partition("|")[2]
    content = write(series, symbol, progress=lambda share: bar.progress(READING + (1 - READING) * share, "Writing"))
    bar.empty()
    missing = tuple(missing_told(series))
    return _File(file_name(symbol, series, ending), f".{ending}", mime, content, len(series), missing)
