"""Decisions whose fate is not known: what was to be done, what is being done to find out, and what a person may do."""

from __future__ import annotations

import streamlit as st

from dashboard.components.notices import problems_said
from dashboard.formatting import duration, ist_time
from dashboard.markup import plain
from dashboard.order_drafts import place_draft
from dashboard.order_session import actor, ask_to_confirm
from dashboard.resources import desk, instruments_of
from services.orders.views import OpenIntent

_CONFIRM = "orders-anew"


def unknown_orders() -> None:
    """Draw them, the newest first; nothing while everything is known."""
    runtime = desk()
    not_ready = runtime.orders.ready()
    if not_ready:
        st.warning(plain(not_ready), title="Orders wait", icon="spinner")
    now = runtime.clock.now()
    for one in runtime.orders.open_intents():
        ago = duration((now - one.since).total_seconds())
        with st.container(border=True):
            st.warning(
                plain(told(one)),
                title=plain(f"Not known yet, for {ago}: {one.text}"),
                icon=":material/help:",
            )
            st.caption(plain(looking(one)))
            _choices(one)
    if st.session_state.pop(_CONFIRM, False):
        st.rerun()


def told(one: OpenIntent) -> str:
    """What is the matter, and what not to do."""
    words = "It was sent and no answer came, so the broker may have it. It is not sent again by itself."
    if one.evidence:
        words = f"{words} {one.evidence[:1].upper()}{one.evidence[1:].rstrip('.')}."
    return f"{words} Do not place it again before this is known."


def looking(one: OpenIntent) -> str:
    """What is being done: Looked for by its tag abc in the broker's books 2 times; next at 14:05:33 IST."""
    by = f" by its tag {one.tag}" if one.tag else ""
    times = "not yet" if not one.looks else f"{one.looks} time{'' if one.looks == 1 else 's'}"
    following = f"; next at {ist_time(one.next_look_at)} IST" if one.next_look_at is not None else ""
    return f"Looked for{by} in the broker's books: {times}{following}. The order stream would tell it as well."


def _choices(one: OpenIntent) -> None:
    """What is left to a person, once enough looks have found nothing."""
    if not one.may_send_anew:
        return
    st.markdown(
        ":material/info: The broker's books do not show it. You decide; the books at Upstox itself are the last word."
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            "It never arrived" if one.request is None else "It never arrived: send anew…",
            key=f"anew-{one.intent_id}",
            on_click=_anew,
            args=(one,),
            help="Closes this decision. A new order is a new decision with its own confirmation.",
        )
        st.button("It was carried out", key=f"happened-{one.intent_id}", on_click=_happened, args=(one,))


def _anew(one: OpenIntent) -> None:
    """It never arrived: a new order is a new decision, with a confirmation of its own."""
    with problems_said():
        desk().orders.resolve(one.intent_id, False, actor=actor())
        if one.request is not None:
            request = one.request
            instrument = instruments_of(desk(), (request.key,)).get(request.key)
            sentence = desk().orders.preview(request).sentence
            warning = "One like it was sent before and never answered. If that did arrive after all, there are two."
            ask_to_confirm(place_draft(request, instrument, sentence, warnings=(warning,)))
        st.session_state[_CONFIRM] = True


def _happened(one: OpenIntent) -> None:
    """A person has seen it at the broker."""
    with problems_said():
        desk().orders.resolve(one.intent_id, True, actor=actor())
        st.session_state[_CONFIRM] = True
