"""The browser components of the results page: pictures and figures. Data in, what was clicked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from dashboard.components.figure_table import Event, handler
from dashboard.components.web import browser_component
from dashboard.pnl_pictures import Scene

_chart = browser_component("pnl_chart", parts=("pnl_text", "pnl_plot"))
_days = browser_component("pnl_days", parts=("pnl_text",))
_headline = browser_component("pnl_headline")


def picture(scene: Scene, *, key: str, on_day: Callable[[date], object] | None = None) -> None:
    """One of `dashboard.pnl_pictures`. `on_day`: a day of the curve was clicked."""
    _chart(key=key, data=scene, on_day_change=handler(key, "day", _of_day(on_day)))


def day_calendar(scene: Scene, *, key: str, on_day: Callable[[date], object]) -> None:
    """Days coloured by their result. Not for no day at all."""
    _days(key=key, data=scene, on_day_change=handler(key, "day", _of_day(on_day)))


def headline_tiles(tiles: Sequence[Mapping[str, Any]], open: str, *, key: str, on_open: Event) -> None:  # Any: texts
    """Four figures, of which each opens what it is made of."""
    _headline(key=key, data={"tiles": list(tiles), "open": open}, on_open_change=handler(key, "open", on_open))


def _of_day(handle: Callable[[date], object] | None) -> Event | None:
    def run(sent: str) -> None:
        try:
            day = date.fromisoformat(sent)
        except ValueError:
            return
        if handle is not None:
            handle(day)

    return None if handle is None else run
