"""Who acts in this session, and which confirmation it looks at.

The confirmation is named in the address: a page that is loaded again, or opened in a second tab, shows the very same
one, and pressing its button again sends nothing again.
"""

from __future__ import annotations

import getpass
import uuid

import streamlit as st

from dashboard.order_drafts import OrderDraft
from dashboard.resources import order_sender
from services.domain.actors import Actor

_NAME = "confirm"
_SESSION = "desk-session"
_LOOKED_AT = "orders-looked-at"
_LONGEST_ID = 80


def actor() -> Actor:
    """The person at this screen. There is no sign-in yet: it is whoever runs the desk."""
    session = st.session_state.setdefault(_SESSION, f"page {uuid.uuid4().hex[:12]}")
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        name = "desk user"
    return Actor(name[:80], session=session)


def confirming() -> str | None:
    """The id of the decision that is put to the person now."""
    named = st.query_params.get(_NAME)
    return named if named and len(named) <= _LONGEST_ID and named.isprintable() else None


def ask_to_confirm(draft: OrderDraft) -> None:
    """Put `draft` to the person with the next run."""
    st.query_params[_NAME] = order_sender().offer(draft)


def stop_asking() -> None:
    """The confirmation is put away."""
    st.query_params.pop(_NAME, None)


def look_at(order_id: str, *, change: bool = False) -> None:
    """Open one order beside the page with the next run; `change`: to modify it."""
    st.session_state[_LOOKED_AT] = (order_id, change)


def looked_at() -> tuple[str, bool] | None:
    """The order that is open beside the page, and whether it is to be modified."""
    one: tuple[str, bool] | None = st.session_state.get(_LOOKED_AT)
    return one


def look_away() -> None:
    """Put the order away."""
    st.session_state.pop(_LOOKED_AT, None)
