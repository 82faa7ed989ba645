"""Movers: a heat map over a group of instruments, and who rose, fell and was traded most in it."""

from __future__ import annotations

import streamlit as st

from dashboard.columns import Layout
from dashboard.components.cards import card_title
from dashboard.components.heat_map import heat_map
from dashboard.components.movers import breadth, busiest, movers
from dashboard.components.notices import live_part, show_problem
from dashboard.components.quote_table import quote_table
from dashboard.components.side_panel import chosen_in, forget, remember, side_panel, times_closed
from dashboard.markup import plain
from dashboard.mover_groups import Group, groups
from dashboard.reading import Reading, first_read, read
from dashboard.resources import desk, opening
from dashboard.state import first_time, say

EVERY, EVERY_FOR_MANY, MANY = 2.5, 5.0, 150
MOST = 5
_PICKED = "movers"
_EQUAL, _TRADED = "Equal", "Traded value"
_MOVES, _VOLUMES = Layout(("ltp", "change_percent")), Layout(("change_percent", "volume"))


def movers_tab() -> None:
    """Choose a group; look at what moved in it."""
    rt = desk()
    offered = groups(rt.watchlists.all(), rt.instruments if opening().master_ready.is_set() else None)
    if not offered:
        st.info("Make a watchlist on the first tab.", title="There is nothing to look at", icon=":material/list:")
        return
    if st.session_state.get("among") not in (None, *offered):  # a watchlist that was deleted or renamed
        del st.session_state["among"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        name = st.selectbox(
            "Among",
            list(offered),
            key="among",
            bind="query-params",
            persist_state="session",
            label_visibility="collapsed",
            width=260,
        )
        size = st.segmented_control(
            "Size of a tile",
            [_EQUAL, _TRADED],
            default=_EQUAL,
            required=True,
            key="tiles",
            bind="query-params",
            persist_state="session",
            label_visibility="collapsed",
        )
    group = offered[name]
    every = EVERY if len(group.keys) <= MANY else EVERY_FOR_MANY
    live_part(every, "quotes-movers")(_live)(group, size == _TRADED)


def _live(group: Group, by_value: bool) -> None:
    say()
    rt, name = desk(), f"movers-{group.name}"
    look = first_read if first_time(name) else read
    reading = look(rt, name, group.keys)
    if reading.problem is not None:
        show_problem(reading.problem)
    if not group.keys:
        st.info(f"{plain(group.name)} has no instruments yet.", title="Nothing to show", icon=":material/list:")
        return
    st.caption(plain(f"{len(group.keys)} instruments: {group.note}.{_breadth(reading)}"))
    picked = chosen_in(_PICKED, group.keys)
    _lists(reading, group, picked)
    left, right = st.columns([2.15, 1], gap="small") if picked else (st.container(), st.container())
    with left:
        heat_map(
            reading,
            key="movers-heat",
            label=f"Heat map of {group.name}",
            by_value=by_value,
            picked=picked,
            on_pick=lambda key: remember(_PICKED, key),
        )
    if picked is not None:
        with right:
            side_panel(reading, picked, key="movers-depth", on_close=lambda: forget(_PICKED))


def _breadth(reading: Reading) -> str:
    up, down, level = breadth(reading)
    return f" {up} up ▲, {down} down ▼, {level} unchanged." if reading.rows else ""


def _lists(reading: Reading, group: Group, picked: str | None) -> None:
    gainers, losers = movers(reading, most=MOST)
    busy = busiest(reading, most=MOST)
    lists = [("Gainers", gainers, _MOVES), ("Losers", losers, _MOVES)]
    if busy:  # indices have no volume
        lists.append(("By volume", busy, _VOLUMES))
    for column, (title, keys, layout) in zip(st.columns(len(lists), gap="small"), lists, strict=True):
        with column, st.container(border=True, height="stretch"):
            card_title(title)
            quote_table(
                reading.of(keys),
                layout,
                key=f"movers-{title.lower().replace(' ', '-')}-{times_closed(_PICKED)}",
                label=f"{title} of {group.name}",
                tracks=lambda key: (),
                empty="None now." if reading.rows else "No prices yet.",
                picked=picked,
                on_pick=lambda key: remember(_PICKED, str(key)),
                quiet=True,
            )
