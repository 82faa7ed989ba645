"""Browser components drawn by our own script: what Streamlit has no element for. Data in, events out.

Each is three files of this folder (`name.html .css .js`) after the shared ones. Texts reach the page by `textContent`
only, so a name from outside is never taken for markup.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent


def browser_component(name: str) -> ComponentRenderer:
    """The mounting command of the component `name`; call it once per module, at import."""
    return st.components.v2.component(
        f"desk_{name}",
        html=_text(f"{name}.html"),
        css=_text("shared.css") + _text(f"{name}.css"),
        js=_text("shared.js") + _text(f"{name}.js"),
    )


def _text(file: str) -> str:
    return (_FOLDER / file).read_text("utf-8")
