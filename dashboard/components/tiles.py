"""Figures of which each is a link to the page that explains it, with what is looked at there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from dashboard.components.web import browser_component

_mount = browser_component("tiles")


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure in words. `tone`: "up", "down" or "", beside the sign that the figure carries. `link`: members of the
    address of `page`. `old`: the figure is no longer current."""

    id: str
    name: str
    figure: str
    note: str
    page: Path
    link: Mapping[str, str] = field(default_factory=dict)
    tone: str = ""
    warn: bool = False
    old: bool = False

    @property
    def href(self) -> str:
        return f"/{self.page.stem}" + (f"?{urlencode(self.link)}" if self.link else "")


def tile_row(tiles: Sequence[Tile], *, key: str, label: str, every: float = 0) -> None:
    """Draw them side by side; in a part that renews itself `every` so many seconds, or (0) in a whole run."""
    sent = st.session_state.pop(f"{key}-go", None)
    wanted = next((tile for tile in tiles if tile.id == sent), None)
    if wanted is not None:
        st.switch_page(wanted.page, query_params=dict(wanted.link))
    told = [
        {
            "id": tile.id, "name": tile.name, "figure": tile.figure, "note": tile.note, "tone": tile.tone,
            "warn": tile.warn or tile.old, "old": tile.old, "href": tile.href,
        }
        for tile in tiles
    ]  # fmt: skip

    def pressed() -> None:
        st.session_state[f"{key}-go"] = getattr(st.session_state.get(key), "go", None)

    _mount(key=key, data={"tiles": told, "label": label, "every": every}, on_go_change=pressed)
