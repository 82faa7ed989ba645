"""Parts of pages that renew themselves take turns, so that many open pages are slow in order and not all at once.

Streamlit gives each run a thread. Python runs one of them at a time, and each of the others wakes thousands of times a
second to ask for its turn: with some forty at once the asking took more of the core than the pages, and hardly one was
ever finished. So of the runs that a timer asked for, only a few go on at the same time; the others wait without asking.
What a person pressed is never held up, nor a whole page; and a timer's run that finds others waiting for something goes
on after a while.
"""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

from dashboard.timers import is_a_timers

AT_ONCE = 2
MOST_WAIT_SECONDS = 2.0

_MARK = "_desk_takes_turns"


def take_turns(runner: Any = ScriptRunner, *, at_once: int = AT_ONCE, most_wait: float = MOST_WAIT_SECONDS) -> None:
    """Have `runner` (a class) let so many timers' runs go on at once. A second call changes nothing."""
    if getattr(runner, _MARK, False):
        return
    run, turns = runner._run_script, BoundedSemaphore(at_once)

    def run_script(self: Any, rerun_data: Any) -> None:
        turn = is_a_timers(rerun_data) and turns.acquire(timeout=most_wait)
        try:
            run(self, rerun_data)
        finally:
            if turn:
                turns.release()

    runner._run_script = run_script
    setattr(runner, _MARK, True)
