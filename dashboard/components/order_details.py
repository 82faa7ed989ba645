"""One order beside the page: what it is, what happened to it step by step, its fills, and the fields of a change."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.components.cards import card_title, fact_table
from dashboard.components.chart_link import chart_link
from dashboard.components.notices import live_part, problems_in_words
from dashboard.formatting import MISSING, ist_time, number, price_decimals, quantity, rupees
from dashboard.markup import plain
from dashboard.order_change import change_of, types_for
from dashboard.order_drafts import cancel_draft, modify_draft, told_of
from dashboard.order_rows import filled_value, may_change, state_of, when
from dashboard.order_session import ask_to_confirm, look_at, look_away, looked_at
from dashboard.resources import desk, instruments_of
from dashboard.ticket_form import (
    SIDE_NAMES,
    TYPE_NAMES,
    VALIDITY_NAMES,
    exact,
    like,
    price_step,
    product_name,
    units_of_lot,
)
from dashboard.ticket_state import load
from services.domain.errors import InvalidRequest
from services.domain.instruments import Instrument
from services.domain.order_records import OrderEvent, StoredTrade
from services.domain.order_words import status_in_words
from services.domain.orders import BookOrder, OrderType, Side, Validity

_SOURCES = {
    "answer": "the broker's answer",
    "book": "the order book",
    "desk": "this desk",
    "details": "the order's details",
    "history": "the order's history",
    "stream": "the order stream",
}

_MOST_FILLS = 50
_HISTORY = "details-history-told"
"""Of which order the broker told its history, when, and how many steps were new."""


def details() -> None:
    """Draw the order that is open, if there is one. Not in a run that draws another dialog."""
    looked = looked_at()
    if looked is None:
        return
    order = desk().orders.order(looked[0])
    if order is None:
        look_away()
        return
    instrument = instruments_of(desk(), (order.key,)).get(order.key)
    symbol = instrument.symbol if instrument is not None else order.symbol or order.key
    title = f"{SIDE_NAMES[order.side]} {quantity(order.quantity)} {symbol}"
    st.dialog(plain(title), width="medium", position="right", on_dismiss=look_away)(_draw)(*looked)


def _draw(order_id: str, change: bool) -> None:
    order = desk().orders.order(order_id)
    if order is None:
        return
    instrument = instruments_of(desk(), (order.key,)).get(order.key)
    live_part(1.0)(_live)(order_id)
    with st.container(horizontal=True, gap="small"):
        if may_change(order):
            if st.button("Modify", key="details-modify", icon=":material/edit:"):
                look_at(order_id, change=True)
                st.rerun()
            if st.button("Cancel order", key="details-cancel", icon=":material/close:"):
                _leave_for(lambda: ask_to_confirm(cancel_draft(order, instrument)))
        if st.button("Repeat", key="details-repeat", icon=":material/redo:"):
            _leave_for(lambda: load(like(order)))
        chart_link(order.key)
    if change and may_change(order):
        with st.container(border=True):
            card_title("Change it")
            _change_fields(order, instrument)
    card_title("Step by step", "times in IST")
    _ask_for_history(order_id)
    live_part(1.0)(_steps)(order_id)


def _ask_for_history(order_id: str) -> None:
    """What the broker itself tells of its steps, for those that nobody here heard of: asked once, when it is wanted."""
    asked = st.button(
        "Ask the broker for its history",
        key="details-history",
        icon=":material/manage_search:",
        type="tertiary",
        help="Adds the steps that only the broker knows",
    )
    if asked:
        orders = desk().orders
        known = len(orders.timeline(order_id))
        st.session_state.pop(_HISTORY, None)
        with problems_in_words(), st.spinner("The broker is being asked"):
            new = len(orders.load_history(order_id)) - known
            st.session_state[_HISTORY] = (order_id, desk().clock.now(), new)
    told = st.session_state.get(_HISTORY)
    if told is not None and told[0] == order_id:
        _, at, new = told
        news = {0: "nothing new", 1: "one step that was not known here"}.get(new, f"{new} steps not known here")
        st.caption(f"The broker told its history at {ist_time(at)} IST: {news}.")


def _leave_for(then: Callable[[], object]) -> None:
    """Put this away and do that instead, with the whole page."""
    look_away()
    then()
    st.rerun()


def _live(order_id: str) -> None:
    order = desk().orders.order(order_id)
    if order is None:
        return
    instrument = instruments_of(desk(), (order.key,)).get(order.key)
    decimals = price_decimals(instrument.tick_size if instrument is not None else None)
    segment = order.key.partition("|")[0]
    words, _ = state_of(order)
    st.markdown(f"**{plain(words)}**")
    if order.message:
        st.markdown(plain(order.message))
    st.caption(plain(told_of(order, instrument)))
    facts = {
        "Filled": f"{quantity(order.filled_quantity)} of {quantity(order.quantity)}",
        "Average price": number(order.average_price, decimals) if order.average_price > 0 else MISSING,
        "Value filled": rupees(filled_value(order)) if order.filled_quantity else MISSING,
        "Type": TYPE_NAMES.get(order.order_type, order.order_type),
        "Product": product_name(order.product, segment),
        "Validity": VALIDITY_NAMES.get(order.validity, order.validity),
        "Placed": f"{when(order.placed_at, desk().clock.now())} IST" if order.placed_at else MISSING,
        "Tag": order.tag or MISSING,
        "Exchange's number": order.exchange_order_id or MISSING,
        "The broker's own text": order.raw_message or "",
    }
    fact_table({name: text for name, text in facts.items() if text})


def _steps(order_id: str) -> None:
    """Every change that was heard of, the newest first, and the fills among them."""
    runtime = desk()
    order = runtime.orders.order(order_id)
    instrument = instruments_of(runtime, (order.key,)).get(order.key) if order is not None else None
    decimals = price_decimals(instrument.tick_size if instrument is not None else None)
    events = runtime.orders.timeline(order_id)
    fills = [trade for trade in runtime.orders.trades().trades if trade.order_id == order_id]
    if not events and not fills:
        st.caption("Nothing was heard of it yet.")
    if events:
        st.markdown("  \n".join(step_words(event, decimals) for event in reversed(events)))
    if fills:
        st.markdown("**Fills**")
        st.markdown("  \n".join(_fill_words(fill, decimals) for fill in fills[:_MOST_FILLS]))
        if len(fills) > _MOST_FILLS:
            st.caption(f"And {quantity(len(fills) - _MOST_FILLS)} before these: see the tab “Fills”.")


def _fill_words(fill: StoredTrade, decimals: int) -> str:
    return (
        f":gray[{ist_time(fill.traded_at)}] {quantity(fill.quantity)} at {plain(number(fill.price, decimals))}"
        f"&ensp;:gray[:small[trade {plain(fill.trade_id)}]]"
    )


def step_words(event: OrderEvent, decimals: int) -> str:
    """One step as a line: its time, what it says, who told."""
    told = status_in_words(
        BookOrder(
            event.order_id, "", Side.BUY, event.quantity, order_type="", product="", validity="",
            price=event.price, trigger_price=event.trigger_price, status=event.status,
        )
    )  # fmt: skip
    parts = [f"{told[:1].upper()}{told[1:]}"]
    if event.filled_quantity:
        average = f" at {number(event.average_price, decimals)}" if event.average_price > 0 else ""
        parts.append(f"{quantity(event.filled_quantity)} of {quantity(event.quantity)} filled{average}")
    if event.price > 0:
        parts.append(f"limit {number(event.price, decimals)}")
    if event.trigger_price > 0:
        parts.append(f"trigger {number(event.trigger_price, decimals)}")
    if event.message:
        parts.append(event.message)
    by = plain(_SOURCES.get(event.source, event.source))
    return f":gray[{ist_time(event.at)}] **{plain(parts[0])}** {plain(', '.join(parts[1:]))} :gray[:small[by {by}]]"


def _change_fields(order: BookOrder, instrument: Instrument | None) -> None:
    key, decimals = f"change-{order.order_id}", price_decimals(instrument.tick_size if instrument else None)
    kinds = types_for(order)
    with st.grid(2, gap="small", min_column_width=140):
        units = st.number_input(
            "Quantity, the whole of it",
            min_value=1,
            max_value=10**9,
            value=order.quantity,
            step=units_of_lot(instrument) if instrument is not None else 1,
            key=f"{key}-units",
        )
        kind = st.selectbox("Type", kinds, format_func=TYPE_NAMES.__getitem__, key=f"{key}-type") or kinds[0]
        price = trigger = None
        if kind.needs_price:
            price = exact(_price("Price", f"{key}-price", float(order.price), instrument, decimals), decimals)
        if kind.needs_trigger:
            trigger = exact(
                _price("Trigger", f"{key}-trigger", float(order.trigger_price), instrument, decimals), decimals
            )
        validity = Validity.DAY
        if not kind.needs_trigger:
            known = list(Validity)
            at = known.index(Validity(order.validity)) if order.validity in known else 0
            validity = (
                st.selectbox("Validity", known, at, format_func=VALIDITY_NAMES.__getitem__, key=f"{key}-validity")
                or Validity.DAY
            )
        disclosed = st.number_input("Disclosed", min_value=0, value=order.disclosed_quantity, key=f"{key}-disclosed")
    try:
        change = change_of(
            order,
            quantity=int(units),
            order_type=OrderType(kind),
            price=price,
            trigger=trigger,
            validity=validity,
            disclosed=int(disclosed),
        )
    except InvalidRequest as error:
        st.markdown(f":red[:material/block:] {plain(str(error)[:1].upper() + str(error)[1:])}.")
        change = None
    else:
        if change is None:
            st.caption("Nothing is different yet.")
    if st.button("Review the change", key=f"{key}-review", type="primary", disabled=change is None):
        assert change is not None  # the button is disabled without
        draft = modify_draft(order, change, instrument)
        _leave_for(lambda: ask_to_confirm(draft))


def _price(label: str, key: str, first: float, instrument: Instrument | None, decimals: int) -> float | None:
    return st.number_input(
        label,
        min_value=0.0,
        max_value=1e9,
        value=first if first > 0 else None,
        step=float(price_step(instrument)),
        format=f"%.{decimals}f",
        key=key,
    )
