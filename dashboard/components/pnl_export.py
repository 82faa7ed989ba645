"""The results as files, made when somebody asks, with progress; and the way to the printed report."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

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

_MADE = "pnl-export-made"
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
            _chooser(view)


def where_words() -> str:
    """Which desk: the mode, and where its prices come from."""
    runtime = desk()
    return f"{mode_look(runtime.settings).name}, prices: {runtime.source.label}"


def _chooser(view: PnlView) -> None:
    st.caption(plain(" · ".join([period_words(view.only), *filter_words(view).values()])))
    kind = st.segmented_control("File", list(_WAYS), default="Workbook", required=True, key="pnl-export-kind")
    what, noun = _WAYS[kind or "Workbook"]
    st.caption(what)
    asked: _Asked = (kind or "Workbook", view.only, view.version)
    if st.button("Make the file", key="pnl-export-make", icon=":material/build:"):
        st.session_state[_MADE] = (asked, _make(view, asked[0]))
    kept: tuple[_Asked, File] | None = st.session_state.get(_MADE)
    if kept is None or kept[0] != asked:
        return
    made = kept[1]
    st.download_button(
        f"Download {quantity(made.rows)} {noun}{'' if made.rows == 1 else 's'} ({size_words(len(made.content))})",
        made.content,
        made.name,
        made.mime,
        key="pnl-export-download",
        type="primary",
        on_click="ignore",
        icon=":material/download:",
    )


def _make(view: PnlView, kind: str) -> File:
    bar = st.progress(0.0, "Writing the file")
    try:
        return _write(view, kind, lambda share: bar.progress(min(1.0, share), "Writing the file"))
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
