"""What decides on the account page whether orders may leave: the registered address, and both kill switches."""

from __future__ import annotations

import streamlit as st

from dashboard.components.cards import card_title, fact_table
from dashboard.components.notices import caution, live_part, told_at
from dashboard.formatting import duration, ist_when
from dashboard.navigation import ORDERS
from dashboard.order_drafts import segment_name
from dashboard.resources import addresses_keeper, desk
from dashboard.words import in_words
from services.domain.order_facts import StaticIp
from services.settings import Mode

EVERY = 5.0
_ORDERS = {
    StaticIp.NOT_NEEDED: "",
    StaticIp.ACCEPTED: "the last order was taken from this address",
    StaticIp.UNTRIED: "no order has gone out from this address yet",
    StaticIp.REFUSED: "refused from this address: it is not the registered one",
}


def static_ip_card() -> None:
    """From where the broker takes orders. A paper broker takes them from this machine and needs no registration."""
    with st.container(border=True, height="stretch"):
        card_title("Static IP", "from where the broker takes orders")
        if desk().settings.mode is Mode.PAPER:
            st.markdown("Not needed: the paper broker takes orders from this machine alone, whatever its address is.")
        else:
            live_part(EVERY, "account-ip")(_addresses)()


def _addresses() -> None:
    runtime = desk()
    look = addresses_keeper().look(runtime.login.state().user)
    if look.value is not None:
        told = look.value
        fact_table(
            {
                "Primary": _address(told.primary, told.primary_since),
                "Secondary": _address(told.secondary, told.secondary_since),
                "Orders": _ORDERS[runtime.orders.static_ip()] or "not needed",
            }
        )
        if look.at is not None:
            st.caption(f"As the broker said {ist_when(look.at, runtime.clock.now())}.")
    else:
        fact_table({"Orders": _ORDERS[runtime.orders.static_ip()] or "not needed"})
    if look.problem is not None:
        caution(f"{in_words(look.problem).title}: the registered addresses", icon="info")
    st.caption("Registered in the broker's developer apps, changed once a week at most; a change ends every token.")


def _address(address: str, since: str) -> str:
    return f"{address}, since {since}" if address and since else address or "none"


def switches_card() -> None:
    """Both kill switches as they are; they are turned on the orders page."""
    with st.container(border=True, height="stretch"):
        card_title("Kill switches")
        live_part(EVERY, "account-switches")(_switches)()
        st.page_link(ORDERS, label="Turn them on the orders page, under Safety", icon=":material/emergency_home:")


def _switches() -> None:
    orders, now = desk().orders, desk().clock.now()
    own, theirs = orders.kill_switch(), orders.broker_kill_switch()
    who = f" by {own.by.name}" if own.by is not None else ""
    when = f", {ist_when(own.at, now)}" if own.at is not None else ""
    facts = {"Of this desk": f"ON: no new order leaves{who}{when}" if own.on else "off: orders may leave"}
    killed = [segment_name(one.segment) for one in theirs.segments if one.active and one.killed]
    if theirs.segments:
        facts["Of the broker"] = f"stopped: {', '.join(killed)}" if killed else "off in every active segment"
    else:
        facts["Of the broker"] = f"not known: {theirs.error}" if theirs.error else "not asked yet"
    fact_table(facts, old=() if theirs.error is None else ("Of the broker",))
    if theirs.as_of is not None:
        said = f"The broker said so at {ist_when(theirs.as_of, now)}"
        if theirs.error is not None:
            said += f", {duration((now - theirs.as_of).total_seconds())} ago, not current: {theirs.error}"
        told_at(f"{said}.", current=theirs.error is None)
