"""Health: can the desk be trusted right now, how did it do, what failed, and whom it tells."""

from __future__ import annotations

import streamlit as st

from dashboard.components.alert_tab import alert_tab
from dashboard.components.health_calls import calls_part
from dashboard.components.health_errors import errors_part, log_part
from dashboard.components.health_history import history_charts
from dashboard.components.health_latency import latency_part
from dashboard.components.health_now import checks_row
from dashboard.components.health_processes import is_shared, processes_part
from dashboard.components.health_system import process_part, system_part

checks_row()
history_charts()
names = [
    ":material/notifications: Alerts",
    ":material/swap_horiz: Calls",
    ":material/timer: Latency",
    ":material/bug_report: Errors and log",
    ":material/memory: System",
]
alerts, calls, latency, errors, system, *processes = st.tabs(
    [*names, ":material/hub: Processes"] if is_shared() else names,
    key="health-tabs",
    on_change="rerun",
)
if alerts.open:
    with alerts:
        alert_tab()
if calls.open:
    with calls:
        calls_part()
if latency.open:
    with latency:
        latency_part()
if errors.open:
    with errors:
        errors_part()
        log_part()
if system.open:
    with system:
        process_part()
        system_part()
for tab in processes:
    if tab.open:
        with tab:
            processes_part()
