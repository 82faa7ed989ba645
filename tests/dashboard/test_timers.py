"""What a timer says of the fields is not heard; what a person did is, though Streamlit joins it with a timer's run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState

from dashboard.timers import hear_no_timers, is_a_timers

TIMER = RerunData(is_auto_rerun=True, fragment_id_queue=["frame"])


class Requests(ScriptRequests):
    """Streamlit's own, but for tests alone."""


class Runner:
    """Keeps what it is to run."""

    def __init__(self, state: SessionState) -> None:
        self._session_state = SafeSessionState(state, lambda: None)
        self.ran: list[RerunData] = []

    def _run_script(self, rerun_data: RerunData) -> None:
        self.ran.append(rerun_data)


hear_no_timers(Requests, Runner)
hear_no_timers(Requests, Runner)


def said(**fields: str) -> WidgetStates:
    return WidgetStates(widgets=[WidgetState(id=name, string_value=value) for name, value in fields.items()])


def words(states: WidgetStates | None) -> dict[str, str]:
    return {} if states is None else {one.id: one.string_value for one in states.widgets}


def joined(*asked: RerunData) -> RerunData:
    requests = Requests()
    for one in asked:
        assert requests.request_rerun(one)
    data = requests.on_scriptrunner_ready().rerun_data
    assert data is not None
    return data


@pytest.fixture
def drawn() -> tuple[Runner, SessionState]:
    """A session whose page has a field `period`, in which a press on a day has put "dates"."""
    state = SessionState()
    state._set_widget_metadata(
        WidgetMetadata(
            id="period",
            deserializer=lambda text: text or "year",
            serializer=lambda text: text,
            value_type="string_value",
            fragment_id=None,
        )
    )
    state._new_widget_state.set_from_value("period", "dates")
    return Runner(state), state


def test_what_a_timer_says_that_asked_before_the_browser_was_told_is_not_heard(drawn: Any) -> None:
    runner, state = drawn

    for _ in range(2):
        runner._run_script(replace(TIMER, widget_states=said(period="all", unknown="kept")))
        state._compact_state()

    assert [words(one.widget_states) for one in runner.ran] == [{"unknown": "kept"}] * 2
    assert state["period"] == "dates"


def test_what_a_timer_says_as_it_is_known_is_left_as_it_is(drawn: Any) -> None:
    runner, _ = drawn

    runner._run_script(replace(TIMER, widget_states=said(period="dates")))

    assert words(runner.ran[0].widget_states) == {"period": "dates"}


def test_an_older_link_of_a_timer_is_not_followed(drawn: Any) -> None:
    runner, state = drawn
    state.query_params.populate_from_query_string("from=2026-11-20&kind=a&kind=b")

    runner._run_script(replace(TIMER, query_string="period=all", widget_states=said()))

    assert runner.ran[0].query_string == "from=2026-11-20&kind=a&kind=b"


def test_what_a_person_chose_is_heard_and_so_is_the_link(drawn: Any) -> None:
    runner, _ = drawn

    runner._run_script(RerunData(query_string="period=week", widget_states=said(period="week")))

    assert words(runner.ran[0].widget_states) == {"period": "week"}
    assert runner.ran[0].query_string == "period=week"


@pytest.mark.parametrize("person_first", [True, False])
def test_a_choice_that_is_joined_with_a_timers_run_is_a_persons(*, person_first: bool) -> None:
    person = RerunData(fragment_id_queue=["ticket"], widget_states=said(units="150", lots="1"))
    timer = replace(TIMER, widget_states=said(units="75", lots="1"))

    data = joined(person, timer) if person_first else joined(timer, person)

    assert words(data.widget_states) == {"units": "150", "lots": "1"}
    assert sorted(data.fragment_id_queue) == ["frame", "ticket"]
    assert not is_a_timers(data)


@pytest.mark.parametrize("desk_first", [True, False])
def test_a_run_that_the_desk_asked_for_hears_no_fields_and_no_older_link_from_a_timer(*, desk_first: bool) -> None:
    desk = RerunData(query_string="from=2026-11-20&to=2026-11-20")
    timer = replace(TIMER, query_string="period=all", widget_states=said(period="all"))

    data = joined(desk, timer) if desk_first else joined(timer, desk)

    assert data.widget_states is None
    assert data.query_string == desk.query_string
    assert data.fragment_id_queue == []


def test_a_timer_does_not_make_a_way_back_a_common_run() -> None:
    back = RerunData(query_string="period=all", widget_states=said(), is_history_navigation=True)

    assert joined(back, replace(TIMER, query_string="period=all", widget_states=said())).is_history_navigation


def test_several_timers_are_still_timers() -> None:
    data = joined(
        replace(TIMER, widget_states=said(period="all")),
        RerunData(is_auto_rerun=True, fragment_id_queue=["table"], widget_states=said(period="dates")),
    )

    assert is_a_timers(data)
    assert data.fragment_id_queue == ["frame", "table"]
    assert words(data.widget_states) == {"period": "dates"}


@pytest.mark.parametrize(
    "asked",
    [RerunData(fragment_id_queue=["ticket"]), RerunData(is_auto_rerun=True)],
    ids=["a part that a person asked for", "a whole page"],
)
def test_nothing_else_is_a_timers(asked: RerunData) -> None:
    assert not is_a_timers(asked)
    assert is_a_timers(TIMER)


def test_streamlit_still_has_what_this_goes_by() -> None:
    assert callable(ScriptRequests._request_rerun_locked)
    assert callable(ScriptRunner._run_script)
    assert RerunData().is_auto_rerun is False
    requests = ScriptRequests()
    requests.request_rerun(TIMER)
    assert (requests._state.value, requests._rerun_data) == ("RERUN", TIMER)
