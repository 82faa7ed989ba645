"""What is asked for a page that has been left is left unanswered, and nothing else is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from dashboard.left_pages import is_of_left_page, leave_out_left_pages


@pytest.fixture
def runner():
    class Runner:
        def __init__(self, drawn):
            self.drawn, self.ran = drawn, []

        def _get_script_run_ctx(self):
            return SimpleNamespace(page_script_hash=self.drawn)

        def _run_script(self, rerun_data):
            self.ran.append(rerun_data)

    leave_out_left_pages(Runner)
    leave_out_left_pages(Runner)
    return Runner("orders")


def test_a_part_of_a_page_that_was_left_is_not_drawn_over_the_next(runner):
    runner._run_script(RerunData(page_script_hash="quotes", fragment_id_queue=["frame"]))

    assert runner.ran == []


@pytest.mark.parametrize(
    "asked",
    [
        RerunData(page_script_hash="orders", fragment_id_queue=["frame"]),
        RerunData(page_script_hash="quotes"),
        RerunData(page_script_hash="", fragment_id_queue=["frame"]),
    ],
)
def test_parts_of_this_page_and_whole_pages_are_drawn(runner, asked):
    runner._run_script(asked)

    assert runner.ran == [asked]


def test_the_first_page_of_a_session_is_drawn():
    assert not is_of_left_page(RerunData(page_script_hash="quotes", fragment_id_queue=["frame"]), "")


def test_streamlit_still_has_what_this_goes_by():
    assert callable(ScriptRunner._run_script)
    assert callable(ScriptRunner._get_script_run_ctx)
