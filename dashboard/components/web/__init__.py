"""Browser components drawn by our own script: what Streamlit has no element for. Data in, events out.

Each is three files of this folder (`name.html .css .js`) after the shared ones. Texts reach the page by `textContent`
only, so a name from outside is never taken for markup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from dashboard.push.fields import PLACE

_FOLDER = Path(__file__).parent


def browser_component(name: str, *, live: bool = False, parts: Sequence[str] = ()) -> ComponentRenderer:
    """The mounting command of the component `name`; call it once per module, at import. `live`: it listens to the push
    channel, and its script knows the places of a row's members as `FIELD`. `parts`: scripts that stand before it."""
    channel = f"const FIELD = {json.dumps(dict(PLACE))}\n{_text('live.js')}" if live else ""
    return st.components.v2.component(
        f"desk_{name}",
        html=_text(f"{name}.html"),
        css=_text("shared.css") + _text(f"{name}.css"),
        js=_text("shared.js") + channel + "".join(_text(f"{part}.js") for part in parts) + _text(f"{name}.js"),
    )


def _text(file: str) -> str:
    return (_FOLDER / file).read_text("utf-8")
