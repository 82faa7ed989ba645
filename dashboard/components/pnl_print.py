"""The printed report as a page of its own: the sheet, and the button that opens the browser's print dialog."""

from __future__ import annotations

from datetime import date

import streamlit as st

from dashboard.components.pnl_export import where_words
from dashboard.components.pnl_headline import prices_at_rest
from dashboard.components.web import browser_component
from dashboard.markup import plain
from dashboard.navigation import PNL
from dashboard.pnl_choice import Choice
from dashboard.pnl_report import report
from services.pnl.values import Filter
from services.pnl.views import PnlView

_mount = browser_component("pnl_print")


def filter_of(choice: Choice, today: date) -> Filter:
    """Which trades a link names."""
    first, last = choice.days(today)
    return Filter(first, last, choice.segment, choice.account, choice.symbol, choice.product, choice.bucket)


def print_page(view: PnlView, choice: Choice, problems: tuple[str, ...]) -> None:
    """Draw the report of what `choice` names."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            _mount(key="pnl-print", data={"label": "Print or save as PDF"})
        st.page_link(PNL, label="Back to the results", icon=":material/arrow_back:", query_params=choice.words())
    for one in problems:
        st.warning(plain(one), icon=":material/link_off:")
    st.html(report(view, where=where_words(), made=view.now, at_rest=prices_at_rest(view)))
