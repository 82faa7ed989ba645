"""The orders that wait at the broker for their prices, with what can be done to each."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard.components.gtt_ticket import gtt_change_fields
from dashboard.components.notices import problems_in_words
from dashboard.formatting import ist_moment, ist_when, quantity, rupees
from dashboard.markup import plain
from dashboard.order_drafts import gtt_cancel_draft
from dashboard.order_session import ask_to_confirm
from dashboard.resources import desk, instruments_of
from dashboard.ticket_form import SIDE_NAMES
from services.domain.gtt import GttOrder, Strategy
from services.orders.views import GttView

EVERY = 3.0
_OPEN = "gtt-open"
_STRATEGIES = {Strategy.ENTRY: "Entry", Strategy.TARGET: "Target", Strategy.STOPLOSS: "Stop-loss"}
_STATES = {"INACTIVE": "begins once the entry is filled"}
_WHEN = {"ABOVE": "at or above", "BELOW": "at or below", "IMMEDIATE": "at"}


def gtt_table() -> None:
    """Draw those that can still do something, then the others."""
    view, now = desk().orders.gtts(), desk().clock.now()
    alive = [gtt for gtt in view.gtts if gtt.alive]
    over = [gtt for gtt in view.gtts if not gtt.alive]
    if view.error is not None:
        st.markdown(f":orange[:material/cloud_off:] Not current: {plain(view.error)}")
    if not alive:
        st.caption(_nothing_words(view, now))
    for gtt in alive:
        _card(gtt)
    if over:
        with st.expander(f"Over ({len(over)})"):
            for gtt in over:
                st.markdown(f"**{plain(title_of(gtt))}**  \n{plain('; '.join(leg_words(gtt)))}")
    if view.as_of is not None:
        st.caption(f"Read {ist_when(view.as_of, now, seconds=True)}.")


def _nothing_words(view: GttView, now: datetime) -> str:
    """Why no order is listed: none waits, none did when the broker told last, or nobody knows."""
    if view.as_of is None:
        return "Not read yet." if view.error is None else "Whether any order waits is not known."
    if view.error is not None:
        return f"Nothing waited at {ist_when(view.as_of, now, seconds=True)}; whether anything does now is not known."
    return "Nothing waits. Choose GTT in the ticket above to leave one."


def title_of(gtt: GttOrder) -> str:
    """Buy 10 RELIANCE."""
    side = SIDE_NAMES[gtt.side] if gtt.side is not None else "GTT for"
    return f"{side} {quantity(gtt.quantity)} {gtt.symbol or gtt.key}"


def leg_words(gtt: GttOrder) -> list[str]:
    """Each leg in a few words: entry at or below ₹1,200.00, scheduled."""
    words = []
    for leg in gtt.legs:
        name = _STRATEGIES.get(leg.strategy, leg.strategy.capitalize())  # type: ignore[call-overload]
        gap = f", trailing by {rupees(leg.trailing_gap)}" if leg.trailing_gap else ""
        child = f", order {leg.order_id}" if leg.order_id else ""
        reason = f" ({leg.message})" if leg.message else ""
        when = _WHEN.get(leg.trigger_type, leg.trigger_type.lower())
        state = _STATES.get(leg.status, leg.status.lower())
        words.append(f"{name} {when} {rupees(leg.trigger_price)}{gap}: {state}{child}{reason}")
    return words


def _card(gtt: GttOrder) -> None:
    instrument = instruments_of(desk(), (gtt.key,)).get(gtt.key)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(title_of(gtt))}**", width="content")
            st.caption(f"until {ist_moment(gtt.expires_at)}" if gtt.expires_at else plain(gtt.gtt_id), width="content")
            st.space("stretch")
            open_one = st.session_state.get(_OPEN) == gtt.gtt_id
            if st.button("Close" if open_one else "Modify", key=f"gtt-modify-{gtt.gtt_id}", type="tertiary"):
                st.session_state[_OPEN] = None if open_one else gtt.gtt_id
                st.rerun()
            if st.button("Cancel", key=f"gtt-cancel-{gtt.gtt_id}", type="tertiary", icon=":material/close:"):
                ask_to_confirm(gtt_cancel_draft(gtt, (f"{title_of(gtt)}: {'; '.join(leg_words(gtt))}.",)))
                st.rerun()
        st.markdown("\n".join(f"- {plain(words)}" for words in leg_words(gtt)))
        if open_one:
            with problems_in_words():
                gtt_change_fields(gtt, instrument)
