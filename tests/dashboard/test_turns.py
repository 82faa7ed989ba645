"""Of the runs that timers ask for a few go on at once; nothing that a person did waits for them."""

from __future__ import annotations

from threading import Barrier, Event, Lock, Thread

import pytest
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from dashboard.turns import take_turns

TIMER, PERSON = RerunData(is_auto_rerun=True, fragment_id_queue=["frame"]), RerunData()
LONG = 30.0


class Runs:
    """Runs that last until they are let go."""

    def __init__(self, *, at_once: int, most_wait: float = LONG) -> None:
        run = self._run

        class Runner:
            def _run_script(self, rerun_data):
                run(rerun_data)

        take_turns(Runner, at_once=at_once, most_wait=most_wait)
        take_turns(Runner, at_once=at_once, most_wait=most_wait)
        self._runner, self._lock = Runner(), Lock()
        self.go, self.started = Event(), Event()
        self.now = self.most = 0
        self.began: list[RerunData] = []

    def _run(self, rerun_data: RerunData) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.began.append(rerun_data)
        self.started.set()
        assert self.go.wait(LONG)
        with self._lock:
            self.now -= 1

    def start(self, *asked: RerunData) -> list[Thread]:
        threads = [Thread(target=self._runner._run_script, args=(one,)) for one in asked]
        for thread in threads:
            thread.start()
        return threads


def ended(threads: list[Thread]) -> bool:
    for thread in threads:
        thread.join(LONG)
    return not any(thread.is_alive() for thread in threads)


def test_no_more_than_a_few_timers_run_at_once_and_all_of_them_run() -> None:
    runs = Runs(at_once=2)
    threads = runs.start(*[TIMER] * 8)
    runs.started.wait(LONG)

    runs.go.set()

    assert ended(threads)
    assert runs.most <= 2
    assert len(runs.began) == 8


def test_what_a_person_did_does_not_wait_for_timers() -> None:
    runs = Runs(at_once=1)
    threads = runs.start(TIMER)
    assert runs.started.wait(LONG)
    runs.started.clear()

    threads += runs.start(PERSON)
    assert runs.started.wait(LONG), "it began beside the timer's"

    runs.go.set()
    assert ended(threads)


def test_a_timer_goes_on_after_a_while_where_the_others_do_not_end() -> None:
    runs = Runs(at_once=1, most_wait=0.05)
    threads = runs.start(TIMER)
    assert runs.started.wait(LONG)
    runs.started.clear()

    threads += runs.start(TIMER)
    assert runs.started.wait(LONG)

    runs.go.set()
    assert ended(threads)


def test_a_run_that_fails_gives_its_turn_back() -> None:
    class Runner:
        def _run_script(self, rerun_data):
            raise ValueError("as it should")

    take_turns(Runner, at_once=1, most_wait=LONG)
    both = Barrier(2, timeout=LONG)

    def run() -> None:
        with pytest.raises(ValueError, match="as it should"):
            Runner()._run_script(TIMER)
        both.wait()

    threads = [Thread(target=run), Thread(target=run)]
    for thread in threads:
        thread.start()
    assert ended(threads)


def test_streamlit_still_has_what_this_goes_by() -> None:
    assert callable(ScriptRunner._run_script)
    assert RerunData().is_auto_rerun is False
