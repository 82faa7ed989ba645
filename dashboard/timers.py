"""What a timer asks for carries no choice of anybody.

Parts of pages renew themselves: the browser asks, and sends along what stands in all fields, as far as it has heard.
Where a press has just had the desk set a field (a click on a day sets the period, units set the lots), a timer that
asked before the browser was told still says what stood there before. Streamlit takes that for something a person
entered, calls the field's callback, and the press is undone. What a person did is always sent for itself, so of what
a timer says only that is heard which is known already; so with the link, which may be an older one as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests, ScriptRequestType
from streamlit.runtime.state.session_state import SessionState, WStates

_MARK = "_desk_hears_no_timers"
_PLAIN = frozenset({
    "bool_value", "int_value", "int_array_value", "double_value", "double_array_value", "string_value",
    "string_array_value", "json_value",
})  # fmt: skip
"""Kinds of values that can be read twice; presses, messages and files are none of them."""


def is_a_timers(rerun_data: Any) -> bool:
    """Did timers ask for this run (Streamlit's own data), and nobody else? Without `hear_no_timers` a
    press that Streamlit joined with a timer's run looks like the timer's."""
    return bool(rerun_data.is_auto_rerun and rerun_data.fragment_id_queue)


def hear_no_timers(requests: Any = ScriptRequests, runner: Any = ScriptRunner) -> None:
    """Have Streamlit hear no choices from timers. A second call changes nothing."""
    if getattr(runner, _MARK, False):
        return
    join, run = requests._request_rerun_locked, runner._run_script

    def join_apart(self: Any, new: Any) -> bool:
        if self._state is ScriptRequestType.RERUN:
            self._rerun_data, new = _without_the_timers(self._rerun_data, new)
        return bool(join(self, new))

    def run_script(self: Any, rerun_data: Any) -> None:
        if is_a_timers(rerun_data) and rerun_data.widget_states is not None:
            state = self._session_state._state
            fields, link = known_only(rerun_data.widget_states, state), known_link(state)
            rerun_data = replace(rerun_data, widget_states=fields, query_string=link)
        run(self, rerun_data)

    requests._request_rerun_locked = join_apart
    runner._run_script = run_script
    setattr(runner, _MARK, True)


def known_only(said: WidgetStates, state: SessionState) -> WidgetStates:
    """Of the fields that `said` tells of those that stand so in `state`, or that it does not know."""
    return WidgetStates(widgets=[one for one in said.widgets if _is_known(one, state)])


def known_link(state: SessionState) -> str:
    """What the address line says, as far as the desk knows or has had it changed."""
    return urlencode(state.query_params._query_params, doseq=True)


def _is_known(said: WidgetState, state: SessionState) -> bool:
    metadata = state._new_widget_state.widget_metadata.get(said.id)
    if metadata is None or said.WhichOneof("value") not in _PLAIN or said.id not in state:
        return True
    words = WStates(widget_metadata={said.id: metadata})
    words.set_widget_from_proto(said)
    return bool(words[said.id] == state[said.id])


def _without_the_timers(pending: Any, new: Any) -> tuple[Any, Any]:
    """Two requests that are about to become one: where one is a timer's and the other is not, the timer's lends it the
    part that is to be renewed and nothing else. A run that the desk itself asked for knows the link better, too."""
    if pending.is_auto_rerun == new.is_auto_rerun:
        return pending, new
    if pending.is_auto_rerun:
        return replace(pending, widget_states=None), new
    link = pending.query_string if pending.widget_states is None else new.query_string
    return pending, replace(
        new,
        widget_states=None,
        query_string=link,
        is_auto_rerun=False,
        is_history_navigation=pending.is_history_navigation,
    )
