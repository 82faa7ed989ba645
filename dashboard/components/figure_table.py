"""The table in which most pages show words and figures. What a person sorts and searches freely is a data frame."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.components.notices import problems_said
from dashboard.components.web import browser_component
from dashboard.tables import Table

_table = browser_component("figure_table")

_LONGEST = 200
Event = Callable[[str], object]


def figure_table(table: Table, *, key: str, on_pick: Event | None = None, on_sort: Event | None = None) -> None:
    """One of `dashboard.tables`. `on_pick`: the id of a row; `on_sort`: the id of a column."""
    _table(
        key=key,
        data=table,
        on_picked_change=handler(key, "picked", on_pick),
        on_sort_change=handler(key, "sort", on_sort),
    )


def handler(key: str, event: str, handle: Event | None) -> Callable[[], None]:
    """Hand what the component `key` sent as `event` to `handle`, if it is a short text."""

    def run() -> None:
        sent = getattr(st.session_state.get(key), event, None)
        if handle is not None and isinstance(sent, str) and len(sent) <= _LONGEST:
            with problems_said():
                handle(sent)

    return run
