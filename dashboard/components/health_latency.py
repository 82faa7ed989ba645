"""How long a price and an order take, stretch by stretch."""

from __future__ import annotations

import streamlit as st

from dashboard.components.cards import card_title, fact_table
from dashboard.components.notices import live_part
from dashboard.components.web import browser_component
from dashboard.formatting import MISSING, quantity
from dashboard.health_tables import hop_data
from dashboard.health_unseen import unseen
from dashboard.markup import plain
from dashboard.resources import desk
from services.measures.calls_now import Spread
from services.measures.snapshot import Snapshot

_mount = browser_component("health_hops")

EVERY = 5.0


@live_part(EVERY, "health-latency")
def latency_part() -> None:
    """The hops of a price, and the parts of an order's time."""
    now = desk().measures.snapshot()
    with st.container(border=True):
        card_title("From the exchange to the screen", "all prices since the start; each bar is twice as slow")
        if now.feed is None and "feed" in now.problems:
            st.warning(plain(f"The feed's times are {unseen(now, 'feed', '')}"), icon=":material/visibility_off:")
        else:
            _mount(key="health-hops", data={"hops": hop_data(now.feed), "label": "A price's way, stretch by stretch"})
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height="stretch"):
        card_title("Orders", "since the start")
        fact_table(order_facts(now))
    with right, st.container(border=True, height="stretch"):
        card_title("Prices and browsers", "since the start")
        fact_table(price_facts(now))


def order_facts(now: Snapshot) -> dict[str, str]:
    """What is open, and how long writes took."""
    orders = now.orders
    if orders is None:
        return {"Orders": unseen(now, "orders", "the order desk is not open yet")}
    return {
        "Of unknown outcome": "not known yet" if orders.unknown is None else quantity(orders.unknown),
        "The desk's own time": _times(orders.own),
        "Network": _times(orders.network),
        "The broker's own time": _times(orders.broker),
    }


def price_facts(now: Snapshot) -> dict[str, str]:
    """Where quotes were found, who listens, and what was stored."""
    cache, push, writer = now.cache, now.push, None if now.storage is None else now.storage.writer
    share = None if cache is None else cache.hit_share
    facts = {
        "Quotes found without a call": unseen(now, "cache", "nothing asked yet") if share is None else f"{share:.1%}",
        "Of these by the feed, in memory, in the file": unseen(now, "cache", MISSING)
        if cache is None
        else f"{quantity(cache.live)} · {quantity(cache.memory)} · {quantity(cache.store)}",
        "Browsers that listen": unseen(now, "push", MISSING)
        if push is None
        else f"{push.clients}, {push.dropped} let go as too slow",
    }
    if now.storage is None and "storage" in now.problems:
        facts["Ticks stored"] = unseen(now, "storage", "")
    if writer is not None:
        facts["Ticks stored"] = f"{quantity(writer.written)}; {quantity(writer.dropped_in_all)} dropped"
        last = MISSING if writer.last_flush is None else f"{writer.last_flush * 1000:.0f} ms"
        facts["Time to store"] = f"{last} the last time, {writer.longest_flush * 1000:.0f} ms at most"
    return facts


def _times(spread: Spread) -> str:
    if not spread.count:
        return "none yet"
    half, most = (spread.quantile(share) for share in (0.5, 0.95))
    told = [MISSING if value is None else f"{value * 1000:.0f} ms" for value in (half, most)]
    return f"half within {told[0]}, 95 % within {told[1]} ({spread.count:,})"
