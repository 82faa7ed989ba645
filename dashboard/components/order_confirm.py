"""The confirmation: says once more in words what will be done, does it at the press of its one button, then shows what
came of it and how the order fares.

The decision's id was made before this was drawn and stands in the address. However often and wherever its button is
pressed, it is carried out once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from dashboard.components.notices import problems_in_words, problems_said
from dashboard.components.order_banner import mode_banner
from dashboard.components.ticket_figures import show_figures, show_findings
from dashboard.formatting import duration, quantity, rupees
from dashboard.markup import plain
from dashboard.order_drafts import OrderDraft, What, cancel_draft, told_of
from dashboard.order_drafts import terse as terse_order
from dashboard.order_rows import Tone, filled_value, may_change, state_of
from dashboard.order_sending import Sending, Stage
from dashboard.order_session import actor, ask_to_confirm, confirming, stop_asking
from dashboard.order_told import Mood, Told, failed, told
from dashboard.resources import desk, instruments_of, order_sender
from dashboard.state import say_later
from dashboard.ticket_state import set_basket
from services.domain.instruments import Instrument
from services.domain.orders import OrderRequest

PATIENCE = 1.0
"""Seconds that the press itself waits for the answer: mostly it is there by then."""
LOOK_EVERY = 0.7
FIGURES_EVERY = 1.0
_PRESSED = "orders-pressed"


def confirmation() -> None:
    """Draw the confirmation that this page asks for, if there is one. Call it last in a full run."""
    intent_id = confirming()
    if intent_id is None:
        return
    draft = order_sender().draft(intent_id)
    if isinstance(draft, OrderDraft):
        offered = order_sender().look(intent_id).stage is Stage.OFFERED
        title = draft.title if offered else draft.title.rstrip("?")
        st.dialog(plain(title), width="medium", on_dismiss=stop_asking)(_draw)(draft)
        return
    outcome = desk().orders.outcome(intent_id)
    if outcome is None:
        stop_asking()
        say_later("That confirmation is over. Nothing was sent.", trouble=True)
        st.rerun()
    st.dialog("This was confirmed before", width="medium", on_dismiss=stop_asking)(_draw_end)(
        told(outcome, _terse, _line_name)
    )


def _draw(draft: OrderDraft) -> None:
    if st.session_state.pop(_PRESSED, False):
        st.rerun()  # the whole page: parts of what was offered must not stay below what came of it
    mode_banner(desk(), key=f"confirm-mode-{draft.intent_id}", brief=True)
    if len(draft.sentences) == 1:
        st.title(plain(draft.sentences[0]), anchor=False)  # headings are smaller in a dialog
    else:
        st.markdown("\n".join(f"1. {plain(sentence)}" for sentence in draft.sentences))
    if draft.facts:
        st.markdown("  \n".join(f"{name}: **{plain(text)}**" for name, text in draft.facts))
    sending = order_sender().look(draft.intent_id)
    if sending.stage is not Stage.OFFERED:
        _progress(draft)
        return
    for warning in draft.warnings:
        st.markdown(f":orange[:material/warning:] {plain(warning)}")
    if draft.opens:
        _figures(draft)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button("Back", key="confirm-back", on_click=stop_asking)
        st.button(
            plain(draft.button),
            key="confirm-send",
            type="primary",
            on_click=_send,
            args=(draft.intent_id,),
        )
    if confirming() is None:  # "Back" was pressed
        st.rerun()


def _send(intent_id: str) -> None:
    """The one press. A second one finds the first."""
    with problems_said():
        sender = order_sender()
        sender.send(intent_id, actor())
        sender.look(intent_id, wait=PATIENCE)
        st.session_state[_PRESSED] = True


@st.fragment(run_every=FIGURES_EVERY)
def _figures(draft: OrderDraft) -> None:
    """What it would cost at the prices of now; the checks are made again when it is sent."""
    if order_sender().look(draft.intent_id).stage is not Stage.OFFERED:
        st.rerun()  # pressed in another tab
    with problems_in_words():
        orders = desk().orders
        if draft.many:
            basket = orders.preview_basket(draft.requests)
            show_figures(basket)
            for number, leg in enumerate(basket.legs, 1):
                if leg.findings:
                    st.markdown(f":small[Order {number}]")
                    show_findings(leg.findings)
        else:
            preview = orders.preview(draft.requests[0])
            show_figures(preview)
            show_findings(preview.findings)


@st.fragment(run_every=LOOK_EVERY)
def _progress(draft: OrderDraft) -> None:
    """From the press to the answer, and on: the state of the order as it changes."""
    with problems_in_words():
        sending = order_sender().look(draft.intent_id)
        if sending.stage is Stage.SENDING:
            st.markdown(f":material/hourglass_top: **On its way to the broker**, for {duration(sending.seconds)}")
            st.caption("This window may be closed or the page left: it is carried out once all the same, and told.")
            return
        ended = _told(draft, sending)
        _end(ended)
        if draft.what is What.BASKET and ended.mood is not Mood.BAD:
            set_basket(())
        _followed(ended.order_ids)
        _ways_on(draft, ended)


def _told(draft: OrderDraft, sending: Sending) -> Told:
    """What came of it, as the ledger knows it by now: an answer that never came may have been found since."""
    if sending.error is not None:
        return failed(sending.error)
    latest = desk().orders.outcome(draft.intent_id)
    if latest is None:
        return told(sending.outcome, _terse, _line_name)
    once = replace(latest, repeated=sending.outcome.repeated)  # looking again is no second press
    return told(once, _terse, _line_name)


def _draw_end(ended: Told) -> None:
    _end(ended)
    _followed(ended.order_ids)
    if st.button("Close", key="confirm-close", on_click=stop_asking):
        st.rerun()


def _end(ended: Told) -> None:
    box = {Mood.GOOD: st.success, Mood.PARTLY: st.warning, Mood.BAD: st.error, Mood.OPEN: st.warning}[ended.mood]
    icon = {
        Mood.GOOD: ":material/check:",
        Mood.PARTLY: ":material/rule:",
        Mood.BAD: ":material/block:",
        Mood.OPEN: ":material/help:",
    }[ended.mood]
    box(plain(ended.text), title=plain(ended.title), icon=icon)
    if ended.lines:
        st.markdown("  \n".join(f"{plain(name)}: {plain(text)}" for name, text in ended.lines))


def _followed(order_ids: Iterable[str]) -> None:
    """How the orders that came of it fare now."""
    orders = desk().orders
    for order_id in order_ids:
        order = orders.order(order_id)
        if order is None:
            st.caption(f"Order {plain(order_id)}: not in the book yet.")
            continue
        words, tone = state_of(order)
        sign = {
            Tone.FILLED: ":green[:material/check_circle:]",
            Tone.REJECTED: ":red[:material/cancel:]",
            Tone.CANCELLED: ":gray[:material/do_not_disturb_on:]",
            Tone.PART: ":blue[:material/clock_loader_40:]",
        }.get(tone, ":blue[:material/schedule:]")
        st.markdown(f"{sign} **{plain(words)}**&ensp;:gray[:small[{plain(told_of(order, _instrument(order.key)))}]]")
        if order.quantity and order.filled_quantity:
            if order.filled_quantity < order.quantity:
                st.progress(order.filled_quantity / order.quantity)
            st.caption(
                f"{quantity(order.filled_quantity)} of {quantity(order.quantity)} filled at "
                f"{plain(rupees(order.average_price))} on average, {plain(rupees(filled_value(order)))} in all"
            )
        if order.message and order.terminal:
            st.caption(plain(order.message))


def _ways_on(draft: OrderDraft, ended: Told) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        alive = [one for id in ended.order_ids if (one := desk().orders.order(id)) is not None and may_change(one)]
        if draft.what is What.PLACE and len(alive) == 1:
            other = cancel_draft(alive[0], _instrument(alive[0].key))
            st.button("Cancel this order", key="confirm-cancel", on_click=ask_to_confirm, args=(other,))
        st.button("Close", key="confirm-close", type="primary", on_click=stop_asking)
    if confirming() != draft.intent_id:  # by the callback, which no run of another fragment can swallow
        st.rerun()


def _instrument(key: str) -> Instrument | None:
    return instruments_of(desk(), (key,)).get(key)


def _line_name(name: str) -> str:
    """What a line of a bulk call is about, which the broker names by an order's id or an instrument's key."""
    if (order := desk().orders.order(name)) is not None:
        return told_of(order, _instrument(order.key)).rstrip(".")
    instrument = _instrument(name)
    return name if instrument is None else instrument.symbol


def _terse(request: OrderRequest) -> str:
    return terse_order(request, _instrument(request.key))
