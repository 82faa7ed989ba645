"""The book: open, done and all orders of the day, kept current, with what can be done to each."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard.components.notices import problems_said, told_at
from dashboard.components.order_bulk import bulk_menu
from dashboard.components.order_table import order_table
from dashboard.formatting import duration, ist_when, quantity
from dashboard.order_drafts import cancel_draft
from dashboard.order_rows import Group, Shown, shown
from dashboard.order_session import ask_to_confirm, look_at
from dashboard.reading import Reading, read
from dashboard.resources import desk, instruments_of
from dashboard.state import say
from dashboard.ticket_form import like
from dashboard.ticket_state import load
from services.domain.clock import ist_date
from services.orders.views import BookView

EVERY = 1.0
_GROUP, _PAGE, _TEXT = "orders-group", "orders-page", "orders-filter"
_AGAIN = "orders-draw-again"
_EMPTY = {
    Group.OPEN: "No open orders. What you place above appears here.",
    Group.DONE: "Nothing is complete, rejected or cancelled today.",
    Group.ALL: "No orders today.",
}


def order_book() -> None:
    """Draw the book. Everything is read out of what the desk knows; nothing is asked."""
    say()
    view = desk().orders.book()
    group, text = _bar(view)
    page = shown(view.orders, group, text=text, page=int(st.session_state.get(_PAGE, 1)))
    order_table(
        page.rows,
        _prices(page),
        key="orders-table",
        label=f"{group} orders",
        empty=f"Nothing fits “{text}”." if text and page.counts[group] else _EMPTY[group],
        on_deed=_deed,
        current=view.error is None,
    )
    _pages(page)
    told_at(as_of(view, desk().clock.now()), current=view.error is None)
    if st.session_state.pop(_AGAIN, False):
        st.rerun()


def _bar(view: BookView) -> tuple[Group, str]:
    counts = shown(view.orders, Group.ALL).counts
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        group = st.segmented_control(
            "Which orders",
            list(Group),
            default=Group.OPEN,
            required=True,
            format_func=lambda one: f"{one.value} {quantity(counts[one])}",
            key=_GROUP,
            label_visibility="collapsed",
            on_change=_first_page,
            persist_state="session",
        )
        text = st.text_input(
            "Find",
            key=_TEXT,
            type="search",
            live=True,
            placeholder="Find: symbol, state, id, tag",
            label_visibility="collapsed",
            width=230,
            on_change=_first_page,
        )
        st.space("stretch")
        bulk_menu(view)
        st.button("Refresh", key="orders-refresh", icon=":material/refresh:", on_click=_ask_now, type="tertiary")
    return Group(group or Group.OPEN), (text or "").strip()


def _first_page() -> None:
    st.session_state[_PAGE] = 1


def _ask_now() -> None:
    with problems_said():
        desk().orders.refresh()


def _prices(page: Shown) -> Reading:
    """Last prices of what is open, and the instruments of all that is shown."""
    runtime = desk()
    alive = dict.fromkeys(order.key for order in page.rows if not order.terminal)
    reading = read(runtime, "orders-book", alive)
    names = instruments_of(runtime, tuple(dict.fromkeys(order.key for order in page.rows)))
    return reading.with_instruments(names)


def _pages(page: Shown) -> None:
    if page.pages < 2:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.pagination(page.pages, key=_PAGE, default=1)
        st.caption(page.range_words)


def _deed(what: str, order_id: str) -> None:
    """Something was pressed in the table. Nothing is done to an order before it was confirmed."""
    order = desk().orders.order(order_id)
    if order is None:
        return
    instrument = instruments_of(desk(), (order.key,)).get(order.key)
    if what == "cancel":
        ask_to_confirm(cancel_draft(order, instrument))
    elif what == "repeat":
        load(like(order))
    else:
        look_at(order_id, change=what == "modify")
    st.session_state[_AGAIN] = True


def as_of(view: BookView, now: datetime) -> str:
    """How current the book is: Kept current by the order stream. Whole book read 14:05:33 IST."""
    read_at = "not read yet" if view.as_of is None else f"read {ist_when(view.as_of, now, seconds=True)}"
    if view.error is not None:
        age = "" if view.as_of is None else f", {duration((now - view.as_of).total_seconds())} old"
        before = view.as_of is not None and ist_date(view.as_of) < ist_date(now)  # then only what was open is kept
        what = "What was open when the book was" if before else "The book as it was"
        return f"Not current: {view.error}. {what} {read_at}{age}; changes since may be missing."
    if view.live:
        return f"Kept current by the order stream; whole book {read_at}."
    return f"The order stream is not connected; the book is asked for every few seconds, {read_at}."
