"""The basket: up to ten orders that are looked at together, with the margin of all of them, and confirmed once."""

from __future__ import annotations

import streamlit as st

from dashboard.components.ticket_figures import show_figures, show_findings
from dashboard.markup import plain
from dashboard.order_drafts import MOST_LEGS, basket_draft
from dashboard.order_session import ask_to_confirm
from dashboard.resources import desk
from dashboard.ticket_form import of_request
from dashboard.ticket_state import basket, load, set_basket

EVERY = 2.0
_EDITED = "orders-basket-edited"


def basket_part() -> None:
    """Draw the legs, what they would cost together, and the way to the confirmation."""
    if st.session_state.pop(_EDITED, False):
        st.rerun()  # the ticket is another part of the page
    legs = basket()
    if not legs:
        st.caption(f"Empty. “Add to basket” in the ticket gathers up to {MOST_LEGS} orders here.")
        return
    preview = desk().orders.preview_basket(legs)
    for place, leg in enumerate(preview.legs):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{place + 1}. {plain(leg.sentence)}", width="stretch")
            st.button("Edit", key=f"basket-edit-{place}", type="tertiary", on_click=_edit, args=(place,))
            st.button("Remove", key=f"basket-off-{place}", type="tertiary", on_click=_remove, args=(place,))
        show_findings(leg.findings)
    show_figures(preview)
    with st.container(horizontal=True, gap="small"):
        if st.button(
            f"Review {len(legs)} order{'' if len(legs) == 1 else 's'}",
            key="basket-review",
            type="primary",
            disabled=preview.blocked,
        ):
            ask_to_confirm(basket_draft(legs, [f"{leg.sentence}." for leg in preview.legs]))
            st.rerun()
        st.button("Empty it", key="basket-empty", on_click=set_basket, args=((),))
    if preview.blocked:
        st.caption("What is marked in red has to be put right, or taken out, first.")


def _remove(place: int) -> None:
    legs = basket()
    set_basket((*legs[:place], *legs[place + 1 :]))


def _edit(place: int) -> None:
    """Back into the ticket; it comes back by "Add to basket"."""
    legs = basket()
    if place < len(legs):
        load(of_request(legs[place]))
        _remove(place)
        st.session_state[_EDITED] = True
