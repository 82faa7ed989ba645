"""A page reaches the browser whole before one of its parts is renewed.

When a part of a page begins to be renewed, Streamlit throws away what has not been sent yet of that part: it is drawn
anew, after all. But what lies in the part, or beside it, is still sent, and first: the browser is told to put something
where there is no place for it, and its whole page ends. Where the computer is busy a timer's turn comes right after a
whole run, before its last messages have gone. So nothing is thrown away then; the part is merely drawn twice.
"""

from __future__ import annotations

from typing import Any

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_MARK = "_desk_keeps_pages_whole"


def keep_pages_whole(queue: Any = ForwardMsgQueue) -> None:
    """Have `queue` (a class) keep what was drawn when a part's run begins. A second call changes nothing."""
    if getattr(queue, _MARK, False):
        return
    clear = queue.clear

    def keep(self: Any, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None) -> None:
        if retain_lifecycle_msgs and fragment_ids_this_run is not None:
            self._delta_index_map = {}  # what comes now stands behind what is there, and is not put into it
        else:
            clear(self, retain_lifecycle_msgs, fragment_ids_this_run)

    queue.clear = keep
    setattr(queue, _MARK, True)
