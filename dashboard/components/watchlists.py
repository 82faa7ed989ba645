"""Watchlists with live prices: search-and-add, columns, depth of the chosen instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.columns import Layout, Sort
from dashboard.components.alert_dialog import want_alert
from dashboard.components.depth import instrument_panel
from dashboard.components.index_strip import index_strip
from dashboard.components.notices import live_part, problems_said, show_problem
from dashboard.components.quote_table import quote_table
from dashboard.components.search import search_and_add
from dashboard.components.trade_link import go_to_ticket, ticket_wanted
from dashboard.components.watchlist_bar import (
    columns_popover,
    csv_button,
    depth_toggle,
    pick_watchlist,
    watchlist_menu,
)
from dashboard.components.watchlist_dialogs import Watchlist
from dashboard.first_start import INDEX_KEYS
from dashboard.over_page import is_wanted
from dashboard.reading import first_read, read
from dashboard.resources import desk
from dashboard.state import first_time, pick, picked, say
from dashboard.uses import QUOTES, seen
from dashboard.watchlist_text import as_csv
from services.domain.instruments import is_instrument_key

EVERY, EVERY_FOR_MANY, MANY = 2.0, 4.0, 150
# Prices come by the push channel; this renews what does not: paths of the day, troubles, lists changed elsewhere.


def watchlists_tab() -> None:
    """The indices, the bar over the table, and the table of the chosen list."""
    strip = st.container()
    bar, search = st.columns([2.15, 1], gap="small", vertical_alignment="top")
    with bar, st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        watchlist = pick_watchlist(desk().watchlists.all())
        watchlist_menu(watchlist)
        if watchlist is not None:
            columns_popover(watchlist, Layout.from_words(watchlist.columns), partial(_choose_columns, watchlist))
            csv_button(watchlist, partial(_as_file, watchlist.id))
            depth = depth_toggle()
    if watchlist is None:
        st.info("Make one with the menu above, or import one.", title="There is no watchlist", icon=":material/list:")
        return
    with search:
        search_and_add(watchlist.keys, partial(desk().watchlists.add, watchlist.id))
    live_part(EVERY if len(watchlist.keys) <= MANY else EVERY_FOR_MANY, "quotes")(_live)(watchlist, strip, depth=depth)


def _named(id: int) -> Watchlist:
    """The list as it is now; a full run if another tab has deleted it."""
    found = desk().watchlists.find(id)
    if found is None:
        st.rerun()
    return found


def _save(id: int, layout: Layout) -> None:
    with problems_said():
        desk().watchlists.set_columns(id, layout.words())


def _live(drawn: Watchlist, strip: DeltaGenerator, *, depth: bool) -> None:
    """The one live part: indices, table, depth. Reads what is known; the refresher behind it asks the broker."""
    say()
    ticket_wanted()
    if is_wanted():
        st.rerun()  # a dialog is opened by a whole run
    rt, id = desk(), drawn.id
    watchlist = _named(id)
    if watchlist != drawn:  # changed here or in another tab: the bar above shows it too
        st.rerun()
    layout = Layout.from_words(watchlist.columns)
    look = first_read if first_time(f"quotes-{id}") else read
    reading = look(rt, f"quotes-{id}", (*INDEX_KEYS, *watchlist.keys))
    seen(rt, QUOTES, watchlist.keys)
    with strip:
        index_strip(reading.of(INDEX_KEYS), rt.tracks.track, key="quotes-indices")
    if reading.problem is not None:
        show_problem(reading.problem)
    chosen = picked(watchlist.keys) if depth else None
    table, side = st.columns([2.15, 1], gap="small") if chosen else (st.container(), st.container())
    with table:
        quote_table(
            reading.of(watchlist.keys),
            layout,
            key=f"quotes-table-{id}",
            label=f"Prices of {watchlist.name}",
            tracks=rt.tracks.track,
            empty="Nothing in this list yet. Search above by symbol, name or ISIN and add what you want to watch.",
            picked=chosen,
            on_pick=pick if depth else None,
            on_remove=lambda key: rt.watchlists.remove(id, str(key)),
            on_order=lambda ids: _save(id, replace(layout, ids=Layout.from_words(ids).ids)),
            on_shift=lambda keys: rt.watchlists.reorder(id, keys),
            on_sort=lambda sent: _save(id, replace(layout, sort=Sort.from_browser(sent))),
            on_trade=_trade,
            on_alert=lambda sent: want_alert(str(sent)),
        )
    if chosen is not None:
        with side:
            instrument_panel(reading, chosen, key="quotes-depth")


def _trade(sent: object) -> None:
    """Buy or sell was pressed in a row."""
    if isinstance(sent, Mapping) and is_instrument_key(str(sent.get("k"))):
        go_to_ticket(str(sent["k"]), str(sent.get("side")))


def _choose_columns(chosen: Watchlist, ids: tuple[str, ...]) -> None:
    _save(chosen.id, replace(Layout.from_words(chosen.columns), ids=ids))


def _as_file(id: int) -> str:
    now = _named(id)
    return as_csv(read(desk(), "csv", now.keys), Layout.from_words(now.columns).columns)
