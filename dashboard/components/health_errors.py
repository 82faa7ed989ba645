"""What failed lately, by cause, and the log to look further."""

from __future__ import annotations

import sqlite3

import pandas as pd
import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.notices import live_part
from dashboard.formatting import ist_time
from dashboard.health_log import LEVELS, MOST_LINES, search
from dashboard.health_tables import error_rows
from dashboard.health_unseen import unseen
from dashboard.resources import desk
from services.domain.errors import StorageError
from services.measures.snapshot import ErrorsNow

EVERY = 5.0
HOURS = {"1 h": 1.0, "24 h": 24.0, "7 days": 168.0}
WORDS, LEVEL = "health-log-words", "health-log-level"


@live_part(EVERY, "health-errors")
def errors_part() -> None:
    """Failed requests, one line for each cause."""
    rt = desk()
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            taken = rt.measures.snapshot()
            now = taken.errors
            rate = unseen(taken, "errors", "") if now is None else f"{now.per_minute:.1f} a minute now, over 5 minutes"
            card_title("Errors by cause", rate)
            st.space("stretch")
            chosen = st.segmented_control(
                "Window", list(HOURS), default="24 h", key="health-errors-window", label_visibility="collapsed",
                required=True,
            )  # fmt: skip
        try:
            causes = rt.errors.groups(HOURS.get(chosen or "24 h", 24.0))
        except sqlite3.Error as error:
            raise StorageError(f"the error log cannot be read ({type(error).__name__})") from error
        if (lost := 0 if taken.storage is None else taken.storage.lost_errors) > 0:
            st.caption(f":material/info: {lost:,} errors could not be kept; they are not counted here.")
        if not causes:
            st.markdown(_no_causes(now))
            return
        st.dataframe(
            pd.DataFrame(error_rows(causes, rt.clock.now())),
            hide_index=True,
            key="health-errors-table",
            column_config={
                "Times": st.column_config.NumberColumn(format="localized"),
                "Last message": st.column_config.TextColumn(width="large"),
            },
            alt=f"{len(causes)} causes of errors",
        )


def _no_causes(now: ErrorsNow | None) -> str:
    """Why there is no row: nothing failed, or the file does not have it yet, as when the disk takes nothing."""
    if now is None:
        return ":material/visibility_off: No cause is in the file; whether requests fail now is not known"
    if now.per_minute > 0:
        count, minutes = round(now.per_minute * now.minutes), f"{now.minutes:g}"
        what = "failed request" if count == 1 else "failed requests"
        return f":material/hourglass: {count:,} {what} of the last {minutes} minutes are not in the file yet"
    return ":material/check: No failed request in this time"


def log_part() -> None:
    """Search in the log. Runs when somebody searches, not by itself: lines must not move away while they are read."""
    with st.container(border=True):
        card_title("Log", "the newest first; secrets are removed; times in India, by this computer's clock")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            words = st.text_input("Words that stand in the line", key=WORDS, icon=":material/search:", max_chars=200)
            level = st.selectbox("At least", LEVELS[1:], index=1, key=LEVEL, width=150)
            st.button("Look again", icon=":material/refresh:", key="health-log-again")
        try:
            lines = search(desk().folder, words, level)
        except OSError as error:
            st.warning(f"The log cannot be read: {error.strerror or error}.", icon=":material/folder_off:")
            return
        if not lines:
            st.caption("No such line.")
            return
        st.dataframe(
            pd.DataFrame(
                [
                    {"Time": f"{one.at:%d %b} {ist_time(one.at)}", "Level": one.level.capitalize(), "Line": one.text}
                    for one in lines
                ]
            ),
            hide_index=True,
            height=420,
            key="health-log-table",
            column_config={
                "Time": st.column_config.TextColumn(width=130),
                "Level": st.column_config.TextColumn(width=80),
                "Line": st.column_config.TextColumn(width="large"),
            },
            alt=f"{len(lines)} lines of the log",
        )
        if len(lines) == MOST_LINES:
            st.caption(f"The newest {MOST_LINES} of them.")
