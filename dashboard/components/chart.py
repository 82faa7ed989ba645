"""The chart: a browser component on plotly.js, fed by `dashboard.chart_data` and by the push channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.chart_data import Scene, chart_data
from dashboard.components.notices import problems_said
from dashboard.components.web import browser_component
from dashboard.resources import push_tokens
from dashboard.state import push_door

_PARTS = (
    "plotly", "chart_axis", "chart_colours", "chart_forming", "chart_marks", "chart_plot", "chart_read", "chart_tools",
    "chart_draw", "chart_look",
)  # fmt: skip
_mount = browser_component("chart", live=True, parts=_PARTS)

Event = Callable[[Any], object]
"""What a handler gets is as the browser sent it (Any: not trusted yet)."""


def chart(
    scene: Scene, view: tuple[int, int] | None, *, key: str, on_view: Event, on_log: Event, on_closed: Event
) -> None:
    """Draw the chart. `view`: the bars that are in sight, as the browser last told them."""
    data = chart_data(scene, view)
    _mount(
        key=key,
        data={**data, "push": push_door(push_tokens().renew)},
        on_view_change=_handler(key, "view", on_view),
        on_log_change=_handler(key, "log", on_log),
        on_closed_change=_handler(key, "closed", on_closed),
        on_again_change=lambda: None,
    )


def _handler(key: str, event: str, handle: Event) -> Callable[[], None]:
    """Hand what the browser sent to `handle`, if something was sent."""

    def run() -> None:
        sent = getattr(st.session_state.get(key), event, None)
        if sent is not None:
            with problems_said():
                handle(sent)

    return run
