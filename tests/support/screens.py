"""Pages in a test: the entry script run by Streamlit's own test class, over a real runtime and a real paper broker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

from services.runtime import Runtime, use_runtime
from tests.support.shared_data import ROOT

ENTRY = str(ROOT / "dashboard" / "app.py")
DEFAULT = "overview"
"""The page of an address that names none."""
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@contextmanager
def pages_over(runtime: Runtime) -> Iterator[None]:
    """Inside the block every page of this process shows `runtime`."""
    from dashboard.resources import asker, opening

    st.cache_resource.clear()
    with use_runtime(runtime):
        try:
            yield
        finally:
            opening().stop()
            asker().close()
            st.cache_resource.clear()


def open_page(name: str, **link: str) -> AppTest:
    """The page `name`, opened by way of the entry script as a browser does; `link`: members of its address."""
    app = AppTest.from_file(ENTRY, default_timeout=30)
    if name != DEFAULT:
        app.switch_page(str(ROOT / "pages" / f"{name}.py"))
    for member, value in link.items():
        app.query_params[member] = value
    return app.run()


def sent_to_browser(app: AppTest, component: str) -> list[dict[str, Any]]:
    """The data of each mounted component of that name, as the browser would get it."""
    found = [element.proto for element in app.get("bidi_component")]
    return [json.loads(proto.bytes) for proto in found if proto.component_name.endswith(f"desk_{component}")]


def words_on(app: AppTest) -> str:
    """Everything that a person can read in boxes, texts and captions, for a look at what is said and what is not."""
    elements = (*app.title, *app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success)
    cells = [f"{name} {value}" for table in app.table for name, value in table.value.iloc[:, 0].items()]
    return "\n".join([*(str(element.value) for element in elements), *cells, markup_words(app)]).replace("\\", "")


def markup_words(app: AppTest) -> str:
    """What can be read in tables that are drawn as markup, a line a cell."""
    bodies = [re.sub(r"<style>.*?</style>", "", one.proto.body, flags=re.DOTALL) for one in app.get("html")]
    return unescape(re.sub(r"\s*<[^>]+>\s*", "\n", "\n".join(bodies)))
