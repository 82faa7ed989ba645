"""Every process of the desk, who holds the feed, how far behind the others are, Redis and PostgreSQL."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.cards import card_title, fact_table
from dashboard.components.notices import live_part
from dashboard.health_shared import member_rows, postgres_facts, redis_facts, stream_facts, summary
from dashboard.resources import desk

EVERY = 2.0
_TITLES = {"market": "Prices between the processes", "portfolio": "Order updates between the processes"}


def is_shared() -> bool:
    """Has this desk more than one process, or its ledger elsewhere?"""
    settings = desk().settings
    return settings.redis_url is not None or settings.ledger_url is not None


@live_part(EVERY, "health-processes")
def processes_part() -> None:
    """The table and the cards."""
    now = desk().measures.snapshot()
    shared = now.shared
    if shared is None:
        st.warning(now.problems.get("shared", "Nothing is known yet."), icon=":material/hub:")
        return
    if shared.members:
        with st.container(border=True):
            card_title("Processes", summary(shared, now.at))
            st.dataframe(
                pd.DataFrame(member_rows(shared, now.at)),
                hide_index=True,
                key="health-processes-table",
                column_config={"Process": st.column_config.TextColumn(pinned=True)},
                alt=f"{len(shared.members)} processes: {summary(shared, now.at)}",
            )
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height="stretch"):
        card_title("Redis")
        fact_table(redis_facts(shared.redis))
    with right, st.container(border=True, height="stretch"):
        card_title("PostgreSQL")
        fact_table(postgres_facts(shared.postgres))
    for column, one in zip(st.columns(2, gap="small"), shared.streams, strict=False):
        with column, st.container(border=True, height="stretch"):
            card_title(_TITLES.get(one.stream, one.stream))
            fact_table(stream_facts(one))
