"""Browser components drawn by our own script: what Streamlit has no element for. Data in, events out.

The data travels as JSON that is made here: what Streamlit would do with a mapping (look for tables in it, write it
twice, by Python's own encoder) took a tenth of the work of a part that renews itself.

Each is three files of this folder (`name.html .css .js`) after the shared ones. Texts reach the page by `textContent`
only, so a name from outside is never taken for markup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import streamlit as st
from streamlit.components.v2.bidi_component import ComponentResult

from dashboard.push.fields import PLACE

_FOLDER = Path(__file__).parent


Data = Mapping[str, Any]  # Any: plain values, lists and mappings of them
Mount = Callable[..., ComponentResult]
"""`mount(*, key, data, on_x_change=…)`."""


def browser_component(name: str, *, live: bool = False, parts: Sequence[str] = ()) -> Mount:
    """The mounting command of the component `name`; call it once per module, at import. `live`: it listens to the push
    channel, and its script knows the places of a row's members as `FIELD`. `parts`: scripts that stand before it."""
    channel = f"const FIELD = {json.dumps(dict(PLACE))}\n{_text('live.js')}" if live else ""
    mounted = st.components.v2.component(
        f"desk_{name}",
        html=_text(f"{name}.html"),
        css=_text("shared.css") + _text(f"{name}.css"),
        js=_text("shared.js") + channel + "".join(_text(f"{part}.js") for part in parts) + _text(f"{name}.js"),
    )

    # Any: callbacks without arguments
    def mount(*, key: str, data: Data, **handlers: Any) -> ComponentResult:
        return mounted(key=key, data=orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS), **handlers)

    return mount


def _text(file: str) -> str:
    return (_FOLDER / file).read_text("utf-8")
