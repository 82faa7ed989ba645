"""Dialogs over watchlists: new, rename, delete, import. Each ends with a full run that shows its effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import streamlit as st

from dashboard import watchlist_text
from dashboard.markup import plain
from dashboard.over_page import dismiss
from dashboard.resources import desk
from dashboard.state import choose_list, say_later
from dashboard.words import in_words
from services.domain.errors import UpstoxError


class Watchlist(Protocol):
    """A saved list, as the ledger hands it out."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def keys(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[str, ...] | None: ...


@st.dialog("New watchlist", icon=":material/playlist_add:", on_dismiss=dismiss)
def new_dialog() -> None:
    """Ask for a name, make the list, choose it."""
    with st.form("quotes-new", border=False):
        name = st.text_input("Name", key="quotes-new-name", max_chars=40, placeholder="for example Banks")
        if st.form_submit_button("Create", type="primary"):
            try:
                made = desk().watchlists.create(name)
            except UpstoxError as error:
                st.error(in_words(error).text)
            else:
                _finish(f"Watchlist “{made.name}” created", made.id)


@st.dialog("Rename watchlist", icon=":material/edit:", on_dismiss=dismiss)
def rename_dialog(watchlist: Watchlist) -> None:
    """Ask for another name."""
    with st.form("quotes-rename", border=False):
        name = st.text_input("Name", value=watchlist.name, key=f"quotes-rename-{watchlist.id}", max_chars=40)
        if st.form_submit_button("Rename", type="primary"):
            try:
                desk().watchlists.rename(watchlist.id, name)
            except UpstoxError as error:
                st.error(in_words(error).text)
            else:
                _finish(f"Renamed to “{name.strip()}”", watchlist.id)


@st.dialog("Delete watchlist", icon=":material/delete:", on_dismiss=dismiss)
def delete_dialog(watchlist: Watchlist) -> None:
    """Ask once more; there is no way back."""
    count = len(watchlist.keys)
    st.write(
        "**"
        + plain(watchlist.name)
        + "**"
        + f" and its {count} instrument{'' if count == 1 else 's'} will be gone. This cannot be undone."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="quotes-delete-no"):
            dismiss()
            st.rerun()
        if st.button(":red[Delete]", key="quotes-delete-yes", icon=":material/delete:"):
            try:
                desk().watchlists.delete(watchlist.id)
            except UpstoxError as error:
                st.error(in_words(error).text)
            else:
                _finish(f"Watchlist “{watchlist.name}” deleted", None)


@st.dialog("Import instruments", width="medium", icon=":material/upload:", on_dismiss=dismiss)
def import_dialog(watchlist: Watchlist | None) -> None:
    """Read keys, ISINs or symbols from a text or a file into a new list or the chosen one."""
    st.caption(
        "Instrument keys, ISINs, symbols or contracts, one a line or separated by commas; or a CSV with such a column."
    )
    pasted = st.text_area(
        "Paste them here",
        key="quotes-import-text",
        height=130,
        placeholder="RELIANCE\nINE009A01021\nNSE_INDEX|Nifty 50\nnifty 26000 ce nov",
    )
    file = st.file_uploader("or choose a file", type=["csv", "txt"], key="quotes-import-file", max_upload_size=1)
    text = file.getvalue().decode("utf-8", "replace") if file is not None else pasted
    into_new = "a new list"
    target = into_new
    if watchlist is not None:
        target = st.segmented_control(
            "Into", [into_new, watchlist.name], default=into_new, required=True, key="quotes-import-to"
        )
    name = st.text_input("Name of the new list", key="quotes-import-name", max_chars=40) if target == into_new else ""
    if not st.button("Import", type="primary", key="quotes-import-go", disabled=not text.strip()):
        return
    try:
        entries = watchlist_text.read_entries(text)
        master = desk().instruments
        imported = watchlist_text.resolve(entries, find=master.find, search=lambda t: master.search(t, limit=50))
        if not imported.found:
            examples = ", ".join(plain(entry[:30]) for entry in imported.unknown[:5])
            st.error(f"None of the {len(entries)} entries is known: {examples}.")
            return
        found = [instrument.key for instrument in imported.found]
        chosen = _store(name, found) if watchlist is None or target == into_new else _merge(watchlist, found)
    except UpstoxError as error:
        st.error(in_words(error).text)
        return
    left = f", {len(imported.unknown)} unknown left out: {', '.join(imported.unknown[:8])}" if imported.unknown else ""
    _finish(f"{len(found)} instruments imported{left}", chosen)


def _store(name: str, keys: Sequence[str]) -> int:
    made: Watchlist = desk().watchlists.create(name, tuple(keys))
    return made.id


def _merge(watchlist: Watchlist, keys: Sequence[str]) -> int:
    desk().watchlists.replace(watchlist.id, tuple(dict.fromkeys([*watchlist.keys, *keys])))
    return watchlist.id


def _finish(message: str, chosen: int | None) -> None:
    """Close the dialog by a full run that shows what was done."""
    if chosen is not None:
        choose_list(chosen)
    say_later(message)
    dismiss()
    st.rerun()
