"""The browser components of the results page: pictures, tables, figures. Data in, what was clicked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from dashboard.components.notices import problems_said
from dashboard.components.web import browser_component
from dashboard.pnl_pictures import Scene
from dashboard.pnl_tables import Table

_chart = browser_component("pnl_chart", parts=("pnl_text", "pnl_plot"))
_days = browser_component("pnl_days", parts=("pnl_text",))
_table = browser_component("pnl_table")
_headline = browser_component("pnl_headline")

_LONGEST = 200
Event = Callable[[str], object]


def picture(scene: Scene, *, key: str, on_day: Callable[[date], object] | None = None) -> None:
    """One of `dashboard.pnl_pictures`. `on_day`: a day of the curve was clicked."""
    _chart(key=key, data=scene, on_day_change=_handler(key, "day", _of_day(on_day)))


def day_calendar(scene: Scene, *, key: str, on_day: Callable[[date], object]) -> None:
    """Days coloured by their result. Not for no day at all."""
    _days(key=key, data=scene, on_day_change=_handler(key, "day", _of_day(on_day)))


def figure_table(table: Table, *, key: str, on_pick: Event | None = None, on_sort: Event | None = None) -> None:
    """One of `dashboard.pnl_tables`. `on_pick`: the id of a row; `on_sort`: the id of a column."""
    _table(
        key=key,
        data=table,
        on_picked_change=_handler(key, "picked", on_pick),
        on_sort_change=_handler(key, "sort", on_sort),
    )


def headline_tiles(tiles: Sequence[Mapping[str, Any]], open: str, *, key: str, on_open: Event) -> None:  # Any: texts
    """Four figures, of which each opens what it is made of."""
    _headline(key=key, data={"tiles": list(tiles), "open": open}, on_open_change=_handler(key, "open", on_open))


def _handler(key: str, event: str, handle: Event | None) -> Callable[[], None]:
    """Hand what the browser sent to `handle`, if it is a short text."""

    def run() -> None:
        sent = getattr(st.session_state.get(key), event, None)
        if handle is not None and isinstance(sent, str) and len(sent) <= _LONGEST:
            with problems_said():
                handle(sent)

    return run


def _of_day(handle: Callable[[date], object] | None) -> Event | None:
    def run(sent: str) -> None:
        try:
            day = date.fromisoformat(sent)
        except ValueError:
            return
        if handle is not None:
            handle(day)

    return None if handle is None else run
