"""P&L: what was won and lost, what it cost, and how it stands beside the broker, down to the single lot."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import streamlit as st

from dashboard.components.notices import live_part, problems_in_words
from dashboard.components.pnl_bar import filter_bar, link_problems
from dashboard.components.pnl_export import export_menu
from dashboard.components.pnl_headline import headline
from dashboard.components.pnl_note import notes_tab
from dashboard.components.pnl_overview import overview
from dashboard.components.pnl_reconcile import reconcile_tab
from dashboard.components.pnl_records import records_tab
from dashboard.components.pnl_status import building_note, empty_note, show_missing, status_line
from dashboard.components.pnl_tax import tax_tab
from dashboard.components.pnl_trades import trade_dialog, trades_tab
from dashboard.pnl_choice import Choice
from dashboard.pnl_state import begin, chosen, usual_choice
from dashboard.resources import desk
from services.domain.clock import ist_date
from services.pnl.values import Filter
from services.pnl.views import PnlView

EVERY = 4.0  # seconds between two looks at prices, ages, and whether trades have come
VIEW = "pnl-view"  # what this run has read already, for the part that renews itself
DRAWN = "pnl-drawn"


def look(choice: Choice) -> PnlView:
    """The book through the filters that are set. Makes no request."""
    first, last = choice.days(ist_date(desk().clock.now()))
    only = Filter(first, last, choice.segment, choice.account, choice.symbol, choice.product, choice.bucket)
    return desk().pnl.read(only, capital=Decimal(choice.capital) if choice.capital else None)


def live() -> None:
    """What renews itself: ages, unrealised gains, what is missing. New trades have the whole page drawn anew."""
    desk().pnl.refresh_if_due()
    view: PnlView = st.session_state.pop(VIEW, None) or look(chosen())
    if st.session_state.get(DRAWN) != view.version:
        st.rerun()
    status_line(view)
    show_missing(view)
    if not building_note(view):
        headline(view)


with problems_in_words():
    today = ist_date(desk().clock.now())
    view = look(begin(lambda: usual_choice(desk().pnl, today)))
    st.session_state[VIEW], st.session_state[DRAWN] = view, view.version
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        filter_bar(view, today)
        st.space("stretch")
        export_menu(view, desk().pnl)
    link_problems()
    live_part(EVERY, "pnl-live")(live)()
    tabs: dict[str, Callable[[], None]] = {
        "Overview": lambda: empty_note(view, desk().pnl) if view.empty else overview(view),
        "Trades": lambda: empty_note(view, desk().pnl) if view.empty else trades_tab(view),
        "Contract notes": lambda: notes_tab(view, today),
        "Reconciliation": lambda: reconcile_tab(view, desk().pnl),
        "Tax": lambda: tax_tab(view, desk().pnl),
        "Records": lambda: records_tab(view, desk().pnl),
    }
    for tab, show in zip(st.tabs(list(tabs), key="part", bind="query-params"), tabs.values(), strict=True):
        if tab.open:
            with tab, problems_in_words():
                show()
    trade_dialog(view, desk().pnl)
