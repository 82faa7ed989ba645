"""The imported files: what each brought, and its removal."""

from __future__ import annotations

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.pnl_entries import ask_to_remove, entry, opened_form, shown_entries
from dashboard.components.pnl_import import import_button
from dashboard.formatting import ist_moment
from dashboard.order_session import actor
from dashboard.pnl_record_words import file_words, plural, size_words
from services.pnl.book import PnlBook
from services.portfolio.records import FileKind, ImportedFile

_REMOVE = "remove-file"


def files_card(book: PnlBook) -> None:
    """The card."""
    files = book.imports.files()
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            card_title("Imported files", plural(len(files), "file") if files else "")
            st.space("stretch")
            import_button(book, key="pnl-import")
        if not files:
            st.caption(
                "None yet. Import the tradebook of another broker, or of the time before this desk, so that every sale "
                "finds its purchase."
            )
        for file in shown_entries(files, key="pnl-files"):
            whose = f" · account {file.account}" if file.account else ""
            small = (
                f"{file.source}{whose} · {file_words(file)} · {size_words(file.size)} · imported "
                f"{ist_moment(file.imported_at)} by {file.actor.name}"
            )
            entry(file.name, small, key=f"pnl-file-{file.id}", form=(_REMOVE, str(file.id)))
    for file in files:
        if opened_form(_REMOVE) == str(file.id):
            _remove(book, file)


def _remove(book: PnlBook, file: ImportedFile) -> None:
    what = "trade" if file.kind is FileKind.TRADES else "contract note"
    ask_to_remove(
        file.name,
        f"Its {plural(file.taken, what)} no longer count, unless another file or the desk tells of them too. Results "
        "are worked out anew. The file can be imported again.",
        lambda: book.imports.remove(file.id, actor()),
        key="pnl-file-remove",
        done=f"{file.name} was removed",
    )
