"""Contract notes: the running day's, order by order, and those of days before."""

from __future__ import annotations

from datetime import date

import streamlit as st

from dashboard.components.cards import card_title, fact_groups
from dashboard.components.figure_table import figure_table
from dashboard.formatting import day, quantity
from dashboard.markup import plain
from dashboard.pnl_note_tables import note_facts, note_table
from dashboard.pnl_words import as_of_words
from services.pnl.views import PnlView
from services.portfolio.charges.engine import NoteOf
from services.portfolio.day_notes import DayNote

_DAY, _PAGE = "note", "pnl-note-page"
ORDERS = 100
"""On a page."""
_NAMES = {NoteOf.SECURITIES: "Shares, F&O and currency", NoteOf.COMMODITIES: "Commodities"}


def notes_tab(view: PnlView, today: date) -> None:
    """The notes of one day, the running one unless another is chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = st.date_input(
            "Day of the note",
            value=today,
            min_value=date(2000, 1, 1),
            max_value=today,
            format="DD/MM/YYYY",
            key=_DAY,
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
        st.caption("Notes are of all that was traded on a day: only the account filter holds here.")
    on = chosen if isinstance(chosen, date) else today
    notes = view.today if on == today else tuple(view.notes(on, on))
    if not notes:
        when = "today" if on == today else f"on {day(on)}"
        troubled = bool(view.missing) and on == today
        told = as_of_words(view.as_of, view.now, troubled=view.old)
        st.info(
            f"{told}. The note appears with the first fill." if on == today else "Choose another day.",
            title=f"Nothing was traded {when}" if not troubled else f"No trade of {when} is known",
            icon=":material/receipt_long:",
        )
        return
    for note in notes:
        with st.container(border=True):
            _note(view, note, running=on == today)


def _note(view: PnlView, note: DayNote, *, running: bool) -> None:
    id = f"{note.account}-{note.of.value}"
    what = f"{_NAMES[note.of]}, {quantity(len(note.orders))} order{'' if len(note.orders) == 1 else 's'}"
    as_of = as_of_words(view.as_of, view.now, troubled=view.old)
    told = f"; running, {as_of[:1].lower()}{as_of[1:]}" if running else ""
    card_title(f"Contract note of {day(note.day)}", f"{what}{told}")
    if view.wanted_account is None:
        st.caption(plain(f"Account {note.account}"))
    fact_groups(note_facts(note), key=f"pnl-note-facts-{id}")
    pages = max(1, -(-len(note.orders) // ORDERS))
    page = min(pages, int(st.session_state.get(f"{_PAGE}-{id}", 1)))
    figure_table(note_table(note, note.orders[(page - 1) * ORDERS : page * ORDERS]), key=f"pnl-note-{id}")
    if pages > 1:
        st.pagination(pages, key=f"{_PAGE}-{id}")
    words = (
        "A row opens its fills. STT and stamp duty are rounded to the rupee on the note; each order bears its share, "
    )
    words += (
        "so that the orders add up to it to the paisa. The depository's charge is on no note and stands here beside."
    )
    if note.unpriced:
        words = f"{quantity(note.unpriced)} fills have no charges here: rates of that day are not known. {words}"
    st.caption(words)
