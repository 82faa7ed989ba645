"""Who acts in this session, and which confirmation it looks at.

The confirmation is named in the address: a page that is loaded again, or opened in a second tab, shows the very same
one, and pressing its button again sends nothing again.
"""

from __future__ import annotations

import logging

import streamlit as st

from dashboard.locks.person import person
from dashboard.order_drafts import OrderDraft
from dashboard.resources import order_sender
from dashboard.state import say_later
from services.domain.actors import Actor, require_trader
from services.domain.errors import Forbidden

_NAME = "confirm"
_LOOKED_AT = "orders-looked-at"
_LONGEST_ID = 80

log = logging.getLogger(__name__)


def actor() -> Actor:
    """The person at this screen. Raises `Forbidden` if their sign-in is over."""
    return person().actor


def confirming() -> str | None:
    """The id of the decision that is put to the person now."""
    named = st.query_params.get(_NAME)
    return named if named and len(named) <= _LONGEST_ID and named.isprintable() else None


def ask_to_confirm(draft: OrderDraft) -> None:
    """Put `draft` to the person with the next run; to one who may only look, that they may."""
    try:
        require_trader(actor())
    except Forbidden as error:
        log.warning("not put to whoever asked: %s", error)
        say_later(f"{error}", trouble=True)
        return
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
