"""The ticket of an order that waits at the broker for its price: an entry, with a target and a stop-loss behind it."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from dashboard.components.ticket_fields import product_field, quantity_fields, side_field
from dashboard.formatting import price_decimals
from dashboard.markup import plain
from dashboard.order_drafts import gtt_modify_draft, gtt_place_draft
from dashboard.order_session import ask_to_confirm
from dashboard.ticket_form import TicketForm, exact, price_step
from dashboard.ticket_state import field
from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttLegState, GttOrder, GttRequest, Strategy, TriggerType
from services.domain.instruments import Instrument
from services.domain.order_words import gtt_sentence
from services.domain.orders import Product

_WHEN = {
    TriggerType.BELOW: "At or below",
    TriggerType.ABOVE: "At or above",
    TriggerType.IMMEDIATE: "At once",
}


def gtt_fields(form: TicketForm, instrument: Instrument) -> None:
    """The fields of a new GTT, and the way to its confirmation. Side, product and quantity are the order's own."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        side = side_field(form)
        product = product_field(form, instrument)
    with st.grid(2, gap="small", min_column_width=140):
        units = quantity_fields(form, instrument)
    legs, problem = _legs(instrument, field("gtt"), first=form.price)
    if not problem and units:
        try:
            request = GttRequest(instrument.key, side, units, product, legs)
        except InvalidRequest as error:
            problem = _sentence(error)
        else:
            told = f"{gtt_sentence(request, instrument)}."
            st.markdown(plain(told))
            if st.button("Review this GTT", key="gtt-review", type="primary"):
                ask_to_confirm(gtt_place_draft(request, instrument, (told,)))
                st.rerun()
            return
    st.caption(f":material/edit: {plain(problem or 'Fill in the quantity.')}")
    st.button("Review this GTT", key="gtt-review", type="primary", disabled=True)


def gtt_change_fields(gtt: GttOrder, instrument: Instrument | None) -> None:
    """The same fields over a GTT that waits. Its quantity stays once its entry has opened."""
    entry = gtt.leg(Strategy.ENTRY)
    opened = entry is not None and entry.status not in {"SCHEDULED", "PENDING"}
    units = st.number_input(
        "Quantity", min_value=1, max_value=10**9, value=gtt.quantity, disabled=opened, key=f"gtt-units-{gtt.gtt_id}"
    )
    legs, problem = _legs(instrument, f"gtt-change-{gtt.gtt_id}", waiting=gtt)
    side, product = gtt.side, next((one for one in Product if one == gtt.product), None)
    if side is None or product is None:
        st.caption("The broker does not tell what this GTT buys or sells, so it cannot be changed here.")
        return
    if not problem:
        try:
            request = GttRequest(gtt.key, side, units, product, legs)
        except InvalidRequest as error:
            problem = _sentence(error)
        else:
            told = f"{gtt_sentence(request, instrument)}."
            st.markdown(plain(told))
            if st.button("Review the change", key=f"gtt-change-review-{gtt.gtt_id}", type="primary"):
                ask_to_confirm(gtt_modify_draft(gtt, request, instrument, (told,)))
                st.rerun()
            return
    st.caption(f":material/edit: {plain(problem)}")


def _legs(
    instrument: Instrument | None, key: str, *, first: Decimal | None = None, waiting: GttOrder | None = None
) -> tuple[tuple[GttLeg, ...], str]:
    """The legs as they are filled in, and what is missing or wrong with them."""
    known = {leg.strategy: leg for leg in waiting.legs} if waiting is not None else {}
    entry = known.get(Strategy.ENTRY)
    kinds = list(_WHEN)
    usual = next((one for one in kinds if entry is not None and one == entry.trigger_type), TriggerType.BELOW)
    with st.grid(2, gap="small", min_column_width=140):
        when = st.selectbox("Enter", kinds, index=kinds.index(usual), format_func=_WHEN.__getitem__, key=f"{key}-when")
        price = _price("Entry price", f"{key}-entry", entry.trigger_price if entry is not None else first, instrument)
        target = _exit("Target", Strategy.TARGET, f"{key}-target", known, instrument)
        stop = _exit("Stop-loss", Strategy.STOPLOSS, f"{key}-stop", known, instrument)
        gap = None
        if stop is not None:
            told = known.get(Strategy.STOPLOSS)
            gap = _price("Trailing gap", f"{key}-gap", told.trailing_gap if told is not None else None, instrument)
    if price is None:
        return (), "Fill in the entry price."
    try:
        legs = [GttLeg(Strategy.ENTRY, when or usual, price)]
        if target is not None:
            legs.append(GttLeg(Strategy.TARGET, TriggerType.IMMEDIATE, target))
        if stop is not None:
            legs.append(GttLeg(Strategy.STOPLOSS, TriggerType.IMMEDIATE, stop, trailing_gap=gap))
    except InvalidRequest as error:
        return (), _sentence(error)
    return tuple(legs), ""


def _exit(
    label: str, strategy: Strategy, key: str, known: dict[str, GttLegState], instrument: Instrument | None
) -> Decimal | None:
    told = known.get(strategy)
    return _price(f"{label} (may be empty)", key, told.trigger_price if told is not None else None, instrument)


def _price(label: str, key: str, first: Decimal | None, instrument: Instrument | None) -> Decimal | None:
    decimals = price_decimals(instrument.tick_size if instrument is not None else None)
    typed = st.number_input(
        label,
        min_value=0.0,
        max_value=1e9,
        value=None if first is None else float(first),
        step=float(price_step(instrument)),
        format=f"%.{decimals}f",
        key=key,
    )
    return exact(typed, decimals) if typed else None


def _sentence(error: InvalidRequest) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
