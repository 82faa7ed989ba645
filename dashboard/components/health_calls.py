"""Calls of the broker by operation and version, and what is left of its limits."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.notices import live_part
from dashboard.health_tables import budget_rows, call_rows
from dashboard.health_unseen import unseen
from dashboard.markup import plain
from dashboard.resources import desk

EVERY = 5.0
_COUNTS = ("Calls", "Failed", "Refused (4xx)", "Broker's fault (5xx)", "No answer", "Malformed", "Retries", "Fallbacks")


@live_part(EVERY, "health-calls")
def calls_part() -> None:
    """The two tables."""
    now = desk().measures.snapshot()
    rest = now.rest
    if rest is None and "rest" in now.problems:
        st.warning(plain(f"The calls are {unseen(now, 'rest', '')}"), icon=":material/visibility_off:")
        return
    if rest is None or not rest.operations:
        st.caption("No call was made yet.")
        return
    rows = call_rows(rest.operations)
    with st.container(border=True):
        total, failed = sum(one.attempts for one in rest.operations), sum(one.failed for one in rest.operations)
        card_title("Calls by operation", f"{total:,} attempts since the start, {failed:,} failed")
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            key="health-calls-table",
            column_config={
                "Operation": st.column_config.TextColumn(pinned=True),
                "Failed %": st.column_config.NumberColumn(format="%.1f"),
                **{name: st.column_config.NumberColumn(format="%.0f") for name in ("Median ms", "95 % ms", "99 % ms")},
                **{name: st.column_config.NumberColumn(format="localized") for name in _COUNTS},
            },
            alt=f"Calls by operation and version: {total} attempts, {failed} failed",
        )
        st.caption("Times are upper bounds of histogram buckets, of answered attempts only.")
    budgets = budget_rows(rest.budgets)
    left = [name for name in (budgets[0] if budgets else {}) if name.startswith("Left in")]
    with st.container(border=True):
        card_title("The broker's limits", "what is left of each window now, the tightest first")
        st.dataframe(
            pd.DataFrame(budgets),
            hide_index=True,
            key="health-budget-table",
            column_config={
                "Budget": st.column_config.TextColumn(pinned=True),
                **{name: st.column_config.ProgressColumn(format="%.0f%%", min_value=0, max_value=100) for name in left},
            },
            alt="What is left of the broker's limits",
        )
