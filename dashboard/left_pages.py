"""A part of a page that has been left does not come after the page that followed it.

A browser asks for the parts of its page by timers, and names the page with it. Where somebody goes to another page just
then, Streamlit draws the new page and afterwards still answers the request of the old one: it tells the browser the old
page's name, and the browser clears the page it has just got, which stays empty from there on. So a request that names
another page than the one that was drawn last is left unanswered.
"""

from __future__ import annotations

import logging
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

log = logging.getLogger(__name__)

_MARK = "_desk_leaves_out_left_pages"


def is_of_left_page(rerun_data: Any, page_drawn_last: str) -> bool:
    """Does `rerun_data` (Streamlit's own) ask for parts only, of another page than that one?"""
    asked = rerun_data.page_script_hash
    return bool(rerun_data.fragment_id_queue and asked and page_drawn_last and asked != page_drawn_last)


def leave_out_left_pages(runner: Any = ScriptRunner) -> None:
    """Have `runner` (a class) pass over such requests. A second call changes nothing."""
    if getattr(runner, _MARK, False):
        return
    run = runner._run_script

    def run_script(self: Any, rerun_data: Any) -> None:
        drawn = self._get_script_run_ctx().page_script_hash
        if is_of_left_page(rerun_data, drawn):
            log.debug("left out: parts of a page that has been left")
            return
        run(self, rerun_data)

    runner._run_script = run_script
    setattr(runner, _MARK, True)
