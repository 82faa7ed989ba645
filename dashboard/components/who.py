"""Who is signed in, below the list of pages, and the way out. At this machine, where nobody signs in, nothing."""

from __future__ import annotations

import streamlit as st

from dashboard.components.notices import problems_said
from dashboard.formatting import ist_moment
from dashboard.locks.person import person
from dashboard.markup import plain
from dashboard.resources import desk


def who_is_here() -> None:
    """Draw it into the sidebar."""
    signed_in = person().signed_in
    if signed_in is None:
        return
    with st.sidebar.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            plain(f"{signed_in.user}, {signed_in.role.value}"),
            help=f"Signed in until {ist_moment(signed_in.ends_at)}, on this browser.",
            width="content",
        )
        st.button("Sign out", icon=":material/logout:", type="tertiary", key="who-sign-out", on_click=sign_out)


def sign_out() -> None:
    """End this sign-in: every tab of this browser goes back to the gate."""
    with problems_said():
        here = person()
        if here.signed_in is not None:
            desk().sign_ins.end(here.signed_in.number, actor=here.actor)
