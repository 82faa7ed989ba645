"""What concerns all orders or positions at once: cancel all, exit all, the kill switch."""

from __future__ import annotations

import streamlit as st

from dashboard.components.kill_switch import turn_switch
from dashboard.order_drafts import cancel_all_draft, exit_all_draft, segment_name
from dashboard.order_rows import Group
from dashboard.order_session import ask_to_confirm
from dashboard.resources import desk
from services.domain.errors import StorageError
from services.orders.views import BookView

_CANCEL, _EXIT, _STOP = "cancel", "exit", "stop"


def _stopped() -> bool:
    """Is the kill switch on? Where nobody knows, pressing it does no harm, and it says what is wrong."""
    try:
        return desk().orders.kill_switch().on
    except StorageError:
        return False


def bulk_menu(view: BookView) -> None:
    """The menu; each item leads to its confirmation."""
    alive = [order for order in view.orders if Group.OPEN.holds(order)]
    segments = sorted({order.key.partition("|")[0] for order in alive})
    items: dict[str, tuple[str, str | None]] = {f"Cancel all open orders ({len(alive)})": (_CANCEL, None)}
    if len(segments) > 1:
        items |= {f"Cancel all in {segment_name(one)}": (_CANCEL, one) for one in segments}
    items["Exit all positions"] = (_EXIT, None)
    if not _stopped():
        items["Kill switch: stop all new orders now"] = (_STOP, None)
    chosen = st.menu_button("All at once", list(items), key="orders-bulk", icon=":material/playlist_remove:")
    if chosen is None:
        return
    what, segment = items[chosen]
    if what == _STOP:
        turn_switch(True)
    elif what == _EXIT:
        ask_to_confirm(exit_all_draft(None, segment))
    elif alive:
        of_it = [order for order in alive if segment is None or order.key.startswith(f"{segment}|")]
        ask_to_confirm(cancel_all_draft(of_it, segment))
    st.rerun()
