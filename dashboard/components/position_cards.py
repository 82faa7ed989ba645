"""Positions on the portfolio page: how old they are, the table with its sums, and what may be done with them."""

from __future__ import annotations

import streamlit as st

from dashboard.components.notices import show_problem, told_at
from dashboard.components.position_table import Asked, Offer, position_table
from dashboard.markup import plain
from dashboard.portfolio_columns import POSITION_COLUMNS, columns_of
from dashboard.portfolio_rows import CONVERT, EXIT, EXIT_ALL, EXIT_PART, TICKET, TODAY, position_row
from dashboard.portfolio_words import as_of_words
from dashboard.reading import Reading
from dashboard.words import in_words
from services.domain.clock import IST, ist_date
from services.domain.errors import UpstoxError
from services.portfolio_book.views import HoldingsView, PositionsView

ASKED = "portfolio-asked"


def remember(asked: Asked) -> None:
    """Keep what was asked for until the page is drawn again, which answers it."""
    st.session_state[ASKED] = asked


def what_was_asked() -> Asked | None:
    """It, once."""
    asked: Asked | None = st.session_state.pop(ASKED, None)
    return asked


def positions_part(view: PositionsView, reading: Reading) -> None:
    """Draw the positions that are known, or say why none are."""
    part_head("Positions", view, reading)
    if view.as_of is None:
        not_known_yet(view.error, "positions")
        return
    if view.without is not None:
        st.caption(f":material/info: Without positions under margin trading: {plain(in_words(view.without).title)}.")
    over = ist_date(view.as_of) < ist_date(reading.now)
    day = f"{view.as_of.astimezone(IST):%a %d %b}" if over else TODAY
    rows = [position_row(marked, reading, day=day) for marked in view.rows]
    position_table(
        rows,
        columns_of(day) if over else POSITION_COLUMNS,
        reading,
        key="portfolio-positions",
        label="Positions",
        noun="position",
        empty=f"No positions on {day}. Those of today are not known."
        if over
        else "No positions today. What is bought or sold today, and contracts that are carried, stand here.",
        actions={EXIT: "Exit", CONVERT: "Convert"},
        offers=(
            Offer(EXIT, "Exit", "Close the chosen positions at the market; a confirmation comes first"),
            Offer(EXIT_PART, "Exit a part", "Close some units of the chosen position, or at a limit", of="one"),
            Offer(TICKET, "Order ticket", "The ticket filled in to close it: a stop-loss, another price", of="one"),
            Offer(CONVERT, "Convert", "Hold the chosen position as another product", of="one"),
            Offer(EXIT_ALL, "Exit all", "Close every position; a confirmation comes first", of="all",
                  on=any(marked.is_open for marked in view.rows)),
        ),
        on_ask=remember,
    )  # fmt: skip


def part_head(title: str, view: PositionsView | HoldingsView, reading: Reading) -> None:
    """The heading, and how old what is below it is."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(title, anchor=False, width="content")
        if view.as_of is None:
            return
        told_at(as_of_words(view.as_of, reading.now, view.error), current=view.error is None)


def not_known_yet(error: UpstoxError | None, what: str, *, told: UpstoxError | None = None) -> None:
    """Nothing was ever told: say so, and never "none"; and why, unless the page has `told` that."""
    if error is not None:
        if told is None or in_words(told) != in_words(error):
            show_problem(error)
        st.caption(f"The {what} are not known; the desk keeps asking.")
    else:
        st.info("", title=f"The broker is being asked for the {what}", icon="spinner")
