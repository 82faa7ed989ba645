"""A component of the pages by itself: its markup, styles and scripts in a document of its own, without a desk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dashboard.push.fields import PLACE
from tests.support.shared_data import ROOT

LIGHT = """:root { --st-text-color: rgb(20, 20, 20); --st-background-color: rgb(255, 255, 255); --st-border-color: gray;
  --st-base-radius: 4px; --st-font: sans-serif }"""
_WEB = ROOT / "dashboard" / "components" / "web"
_MOUNT = """data => {
  globalThis.asked ??= []
  globalThis.component ??= {
    parentElement: document.body, setStateValue() {}, setTriggerValue(name, value) { asked.push(value) },
  }
  component.data = new TextEncoder().encode(JSON.stringify(data))
  mount(component)
}"""


def web(name: str) -> str:
    """The text of a file that components are made of."""
    return (_WEB / name).read_text("utf-8")


def run(page: Any, parts: Sequence[str], more: str = "") -> None:
    """Run those scripts in the document of `page`, and `more` after them. The component that they may tell of is
    `mount` there."""
    text = "".join(web(part).replace("export default", "globalThis.mount =") for part in parts)
    page.add_script_tag(content=f"const FIELD = {json.dumps(dict(PLACE))}\n{text}\n{more}")


def put(page: Any, name: str, data: Any, *, parts: Sequence[str] = (), width: int = 1000) -> Any:
    """Draw that component in a new document of `page`; the page. What it asks its page for is `asked` there. `parts`
    are the scripts beside its own that it needs."""
    page.set_viewport_size({"width": width, "height": 800})
    page.mouse.move(0, 0)
    page.goto("about:blank")
    styles = f"{LIGHT} body {{ margin: 0 }} {web('shared.css')} {web(f'{name}.css')}"
    page.set_content(f"<!doctype html><style>{styles}</style>{web(f'{name}.html')}")
    run(page, ("shared.js", "live.js", *(f"{part}.js" for part in parts), f"{name}.js"))
    return again(page, data)


def again(page: Any, data: Any) -> Any:
    """Tell the component that is drawn there something newer; the page."""
    page.evaluate(_MOUNT, json.loads(json.dumps(data)))
    return page


@contextmanager
def without_errors(page: Any) -> Iterator[None]:
    """No script of `page` may fail in the block."""
    errors: list[str] = []

    def note(error: object) -> None:
        errors.append(str(error))

    page.on("pageerror", note)
    yield
    page.title()  # what it has said so far is heard
    page.remove_listener("pageerror", note)
    assert errors == []
