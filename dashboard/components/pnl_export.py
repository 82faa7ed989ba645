"""The results as files, made when somebody asks, with progress; and the way to the printed report."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from urllib.parse import urlencode

import streamlit as st

from dashboard.components.file_offer import file_offer
from dashboard.components.notices import problems_in_words
from dashboard.formatting import quantity
from dashboard.markup import plain
from dashboard.pnl_export import File, filter_words, period_words, tradebook_csv, trades_csv, workbook
from dashboard.pnl_file_tables import Progress
from dashboard.pnl_record_words import size_words
from dashboard.pnl_state import chosen
from dashboard.resources import desk
from dashboard.theme import mode_look
from services.pnl.book import PnlBook
from services.pnl.values import Filter
from services.pnl.views import PnlView

_WAYS: dict[str, tuple[str, str]] = {
    "Workbook": ("Excel, several sheets, totals as formulas", "trade"),
    "Trades": ("CSV of the closed trades with itemised charges", "trade"),
    "Tradebook": ("CSV of every fill; this desk can import it again", "fill"),
}

_Asked = tuple[str, Filter, int]


def export_menu(view: PnlView, book: PnlBook) -> None:
    """Two small buttons: files, and the report to print."""
    with st.container(horizontal=True, gap="small", width="content"):
        part = st.popover("Export", icon=":material/download:", key="pnl-export", on_change="rerun")
        st.link_button("Print", f"pnl_print?{urlencode(chosen().words())}", icon=":material/print:")
    if part.open:
        with part, problems_in_words():
            file_offer("pnl-export-file", choose=partial(_choose, view), make=partial(_make, view), offer=_offer)


def where_words() -> str:
    """Which desk: the mode, and where its prices come from."""
    runtime = desk()
    return f"{mode_look(runtime.settings).name}, prices: {runtime.source.label}"


def _choose(view: PnlView, rests: bool) -> _Asked:
    st.caption(plain(" · ".join([period_words(view.only), *filter_words(view).values()])))
    kind = st.segmented_control(
        "File", list(_WAYS), default="Workbook", required=True, key="pnl-export-kind", disabled=rests
    )
    st.caption(_WAYS[kind][0])
    return kind, view.only, view.version


def _offer(file: tuple[str, File]) -> None:
    noun, made = file
    rows = f"{quantity(made.rows)} {noun}{'' if made.rows == 1 else 's'}"
    st.download_button(
        f"Download {rows} ({PurePath(made.name).suffix}, {size_words(len(made.content))})",
        made.content,
        made.name,
        made.mime,
        key="pnl-export-download",
        type="primary",
        on_click="ignore",
        icon=":material/download:",
    )


def _make(view: PnlView, asked: _Asked) -> tuple[str, File]:
    """With the word for its rows."""
    kind = asked[0]
    bar = st.progress(0.0, "Writing the file")
    try:
        file = _write(view, kind, lambda share: bar.progress(min(1.0, share), "Writing the file"))
        return _WAYS[kind][1], file
    finally:
        bar.empty()


def _write(view: PnlView, kind: str, progress: Progress) -> File:
    match kind:
        case "Trades":
            return trades_csv(view, progress=progress)
        case "Tradebook":
            return tradebook_csv(view, progress=progress)
        case _:
            return workbook(view, where=where_words(), made=desk().clock.now(), progress=progress)
