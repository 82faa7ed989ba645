"""The bar over the quotes table: which watchlist, what to do with it, which columns, prices as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.columns import CHOICE, DEFAULT, Layout, label
from dashboard.components.watchlist_dialogs import Watchlist, delete_dialog, import_dialog, new_dialog, rename_dialog
from dashboard.over_page import Over, dismiss, standing, want
from dashboard.state import LIST_KEY, chosen_list

_NEW, _RENAME, _DELETE, _IMPORT = "New watchlist", "Rename", "Delete", "Import"
_ICONS = {
    _NEW: ":material/playlist_add:",
    _RENAME: ":material/edit:",
    _DELETE: ":material/delete:",
    _IMPORT: ":material/upload:",
}
_MOST_PILLS = 6


def pick_watchlist(lists: Sequence[Watchlist]) -> Watchlist | None:
    """The chosen one of `lists`; `None` if there is none at all."""
    ids = [watchlist.id for watchlist in lists]
    chosen = chosen_list(ids)
    if chosen is None:
        return None
    st.session_state[LIST_KEY] = chosen
    names = {watchlist.id: watchlist.name for watchlist in lists}
    if len(ids) <= _MOST_PILLS:
        st.segmented_control(
            "Watchlist",
            ids,
            key=LIST_KEY,
            format_func=lambda id: names[id],
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
    else:
        st.selectbox(
            "Watchlist",
            ids,
            key=LIST_KEY,
            format_func=lambda id: names[id],
            label_visibility="collapsed",
            width=260,
            persist_state="session",
        )
    return next(watchlist for watchlist in lists if watchlist.id == st.session_state[LIST_KEY])


def watchlist_menu(watchlist: Watchlist | None) -> None:
    """What can be done with the lists, in one menu; each opens a dialog."""
    options = [_NEW, _IMPORT] if watchlist is None else [_NEW, _RENAME, _IMPORT, _DELETE]
    action = st.menu_button(
        "Lists",
        options,
        key="quotes-menu",
        icon=":material/list:",
        format_func=lambda option: f"{_ICONS[option]} {option}",
        help="New, rename, import, delete",
    )
    of = "" if watchlist is None else f" {watchlist.id}"
    if action is not None:
        want(Over.WATCHLIST, action if action in (_NEW, _IMPORT) else action + of)
        st.rerun()
    doing = standing(Over.WATCHLIST)
    if doing == _NEW:
        new_dialog()
    elif doing == _IMPORT:
        import_dialog(watchlist)
    elif watchlist is not None and doing == _RENAME + of:
        rename_dialog(watchlist)
    elif watchlist is not None and doing == _DELETE + of:
        delete_dialog(watchlist)
    elif doing is not None:  # that list was deleted elsewhere
        dismiss()


def columns_popover(watchlist: Watchlist, layout: Layout, on_change: Callable[[tuple[str, ...]], None]) -> None:
    """Choose columns and their order; `on_change` gets the ids. In the table itself a column is moved by dragging."""
    key = f"quotes-columns-{watchlist.id}"
    st.session_state[key] = list(layout.ids)

    def changed() -> None:
        on_change(tuple(st.session_state[key]) or DEFAULT)

    with st.popover("Columns", icon=":material/view_column:", help="Which columns, in which order"):
        st.multiselect(
            "Columns, in the order in which they are chosen",
            [column.id for column in CHOICE],
            key=key,
            format_func=label,
            on_change=changed,
            width=420,
        )
        st.caption(
            "In the table: a click on a head sorts; dragging it, or Alt with an arrow key, moves the column. "
            "Alt with up or down moves a row, Delete removes it."
        )
        st.button("Back to the usual columns", key=f"{key}-reset", on_click=lambda: on_change(DEFAULT))


def csv_button(watchlist: Watchlist, make: Callable[[], str]) -> None:
    """The table as a file, made when it is asked for."""
    name = "".join(letter if letter.isalnum() else "-" for letter in watchlist.name.lower()).strip("-") or "watchlist"
    st.download_button(
        "CSV",
        data=lambda: make().encode("utf-8-sig"),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"quotes-csv-{watchlist.id}",
        icon=":material/download:",
        on_click="ignore",
        help="Prices as they are now, as plain numbers; the file can be imported again",
    )


def depth_toggle() -> bool:
    """Show depth and figures of the chosen instrument beside the table?"""
    return st.toggle("Depth", value=True, key="quotes-depth-on", persist_state="session")
