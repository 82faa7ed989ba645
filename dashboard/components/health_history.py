"""The charts of the health page: how the desk did over the last hour, day or week."""

from __future__ import annotations

import sqlite3

import streamlit as st

from dashboard.components.notices import live_part
from dashboard.components.web import browser_component
from dashboard.health_series import Range, chart_data
from dashboard.resources import desk
from services.domain.errors import StorageError

_mount = browser_component("health_charts")

EVERY = 10.0
KEY = "health-range"


@live_part(EVERY, "health-charts")
def history_charts() -> None:
    """The lines, and how far back they go."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header("Over time", anchor=False, width="content")
        st.space("stretch")
        label = st.segmented_control(
            "Range", [one.label for one in Range], default=Range.HOUR.label, key=KEY, label_visibility="collapsed",
            required=True, bind="query-params",
        )  # fmt: skip
    chosen = next((one for one in Range if one.label == label), Range.HOUR)
    rt = desk()
    try:
        rows = rt.measures.history(chosen.length, width_ms=chosen.width_ms)
    except sqlite3.Error as error:
        raise StorageError(f"the history cannot be read ({type(error).__name__})") from error
    limits = {state.rule.kind: state.rule.opens_at for state in rt.alert_desk.rules() if state.rule.active}
    drawn = chart_data(rows, chosen, rt.clock.now(), limits)
    _mount(key="health-history", data={**drawn, "speed": rt.speed, "label": f"The desk over {chosen.label}"})
