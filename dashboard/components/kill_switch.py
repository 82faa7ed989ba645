"""The kill switches, the desk's own and the broker's, and the limits that every order is checked against."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import streamlit as st

from dashboard.components.cards import card_title, fact_table
from dashboard.components.notices import caution, live_part, problems_in_words, problems_said
from dashboard.formatting import ist_when, number, quantity, rupees
from dashboard.markup import plain
from dashboard.order_drafts import broker_switch_draft, segment_name
from dashboard.order_session import actor, ask_to_confirm
from dashboard.over_page import Over, dismiss, standing, want
from dashboard.resources import desk
from dashboard.state import say_later
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.domain.order_facts import OrderLimits

EVERY = 5.0


def kill_switch_bar() -> None:
    """While the desk's own switch is on: say so, and the way to turn it off. Draws nothing while it is off."""
    switch = desk().orders.kill_switch()
    if not switch.on:
        return
    who = f" by {switch.by.name}" if switch.by is not None else ""
    when = f", {ist_when(switch.at, desk().clock.now())}" if switch.at is not None else ""
    why = f" Reason: {switch.reason}." if switch.reason else ""
    st.error(
        plain(f"No new order leaves this desk. Cancelling and closing still work.{why} Turned on{who}{when}."),
        title="The kill switch is on",
        icon=":material/emergency_home:",
    )


def safety_tab() -> None:
    """Both switches and the limits, side by side."""
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height="stretch"):
        live_part(EVERY, "orders-switches")(_switches)()
    with right, st.container(border=True, height="stretch"), problems_in_words():
        _limits()
    if standing(Over.LIMITS) is not None:
        _limits_dialog(desk().orders.limits())


def _switches() -> None:
    orders = desk().orders
    switch = orders.kill_switch()
    card_title("Kill switch", "of this desk")
    st.markdown(
        ":red[:material/emergency_home: **On**: no new order leaves this desk, from whatever page or notebook.]"
        if switch.on
        else ":green[:material/check:] Off: orders may leave."
    )
    if switch.on:
        st.button("Allow orders again", key="kill-off", on_click=turn_switch, args=(False,))
    else:
        st.text_input("Reason (may be empty)", key="kill-reason", max_chars=120)
        st.button(
            "Stop all new orders now",
            key="kill-on",
            icon=":material/block:",
            type="primary",
            on_click=turn_switch,
            args=(True,),
        )
        st.caption("Works at once. Open orders stay open: cancel them in the book. Cancelling and closing still work.")
    st.space("small")
    card_title("Kill switch", "of the broker")
    view = orders.broker_kill_switch()
    if view.error is not None:
        caution(f"{'Not current' if view.segments else 'Not known'}: {view.error}", icon="cloud_off")
    if view.segments:
        killed = {one.segment: one for one in view.segments if one.active}
        fact_table(
            {segment_name(name): "stopped" if one.killed else "trading" for name, one in killed.items()}
            | {segment_name(one.segment): "not active in this account" for one in view.segments if not one.active}
        )
        free = [name for name, one in killed.items() if not one.killed]
        chosen = st.multiselect(
            "Stop trading at the broker in", free, format_func=segment_name, key="kill-segments", placeholder="Segments"
        )
        if st.button("Review", key="kill-review", disabled=not chosen):
            ask_to_confirm(broker_switch_draft(chosen))
            st.rerun()
    if view.as_of is not None:
        st.caption(f"The broker said so at {ist_when(view.as_of, desk().clock.now(), seconds=True)}.")


def turn_switch(on: bool) -> None:
    """Turn the desk's own switch, at once: who wants to stop has no time for a confirmation."""
    with problems_said():
        reason = str(st.session_state.get("kill-reason") or "").strip()
        desk().orders.set_kill_switch(on, reason=reason, actor=actor())
        say_later("No new order leaves this desk" if on else "Orders may leave again", trouble=on)


def limits_facts(limits: OrderLimits) -> dict[str, str]:
    """The limits in words."""
    return {
        "Value of an order": f"at most {rupees(limits.max_value, 0)}",
        "Quantity of an order": f"at most {quantity(limits.max_quantity)}",
        "Orders per second": f"at most {limits.max_orders_per_second}",
        "Orders per day": f"at most {quantity(limits.max_orders_per_day)}",
        "Price worse than the last": f"at most {number(limits.price_distance_percent, 1)} %, options "
        f"{number(limits.option_distance_percent, 1)} %",
        "Age of the quote": f"at most {limits.max_quote_age_seconds:g} s",
    }


def _limits() -> None:
    card_title("Limits", "of every order of this desk, and of notebooks that share its ledger")
    fact_table(limits_facts(desk().orders.limits()))
    if st.button("Change the limits", key="limits-change", icon=":material/tune:"):
        want(Over.LIMITS, "")
        st.rerun()


@st.dialog("Change the limits", icon=":material/tune:", on_dismiss=dismiss)
def _limits_dialog(now: OrderLimits) -> None:
    with st.form("limits", border=False, enter_to_submit=False):
        value = st.number_input("Value of an order, rupees", 1, 10**12, int(now.max_value), step=100_000)
        units = st.number_input("Quantity of an order", 1, 10**9, now.max_quantity, step=1000)
        second = st.number_input("Orders per second", 1, 10, now.max_orders_per_second)
        day = st.number_input("Orders per day", 1, 100_000, now.max_orders_per_day, step=50)
        price = st.number_input(
            "Percent worse than the last price", 0.1, 100.0, float(now.price_distance_percent), 0.5, "%.1f"
        )
        option = st.number_input("The same for options", 0.1, 1000.0, float(now.option_distance_percent), 5.0, "%.1f")
        age = st.number_input("Oldest quote, seconds", 1, 3600, int(now.max_quote_age_seconds))
        st.caption("They hold from now on for everybody who shares this ledger, and the change is kept in the audit.")
        if not st.form_submit_button("Use these limits", type="primary"):
            return
    try:
        desk().orders.set_limits(
            replace(
                now,
                max_value=Decimal(value),
                max_quantity=int(units),
                max_orders_per_second=int(second),
                max_orders_per_day=int(day),
                price_distance_percent=Decimal(f"{price:.1f}"),
                option_distance_percent=Decimal(f"{option:.1f}"),
                max_quote_age_seconds=float(age),
            ),
            actor=actor(),
        )
    except UpstoxError as error:
        st.error(in_words(error).text)
    else:
        say_later("The limits are changed")
        dismiss()
        st.rerun()
