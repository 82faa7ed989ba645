"""What somebody writes about one closed trade: a note and tags."""

from __future__ import annotations

import streamlit as st

from dashboard.components.pnl_entries import finish
from dashboard.formatting import ist_when
from dashboard.markup import plain
from dashboard.order_session import actor
from services.pnl.book import PnlBook
from services.pnl.journal import MAX_TAGS, MAX_TEXT
from services.pnl.views import PnlView


def journal_card(view: PnlView, book: PnlBook, trade_id: str) -> None:
    """The note and the tags of the trade, to be changed where they stand."""
    note = book.journal.note(trade_id)
    tags = list(note.tags) if note else []
    known = list(book.journal.tags())
    with st.form(f"pnl-journal-{trade_id}", border=False, enter_to_submit=False):
        text = st.text_area(
            "Note",
            note.text if note else "",
            max_chars=MAX_TEXT,
            key=f"pnl-note-{trade_id}",
            placeholder="Why this trade, and what came of it",
            height=110,
        )
        chosen = st.multiselect(
            "Tags",
            [*known, *(tag for tag in tags if tag not in known)],
            tags,
            accept_new_options=True,
            max_selections=MAX_TAGS,
            key=f"pnl-tags-{trade_id}",
            placeholder="Choose, or type a new one and press Enter",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            saved = st.form_submit_button("Save the note", icon=":material/edit_note:")
            if note is not None:
                st.caption(plain(f"Written {ist_when(note.written_at, view.now)} by {note.actor.name}"))
    if saved:
        emptied = not text.strip() and not chosen
        finish(
            lambda: book.journal.write(trade_id, text, chosen, actor()),
            "The note was taken away" if emptied else "The note is saved",
        )
