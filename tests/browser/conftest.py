"""A real desk, a real browser, and paper brokers that can be stopped and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker_process import Broker
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk

HARMLESS = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit's own page asks for these below the page's path first, gets a 404, and then asks at the root."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """As a newcomer starts it: its own broker inside, nothing set."""
    with Desk(tmp_path_factory.mktemp("desk") / "data") as desk:
        yield desk.opened()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(LAUNCH_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """`open_page(url)` opens a tab of a browser that has never been here; at the end it must have seen no script error
    and no error on the console."""
    errors: list[str] = []
    contexts = []

    def note(message: Any) -> None:
        place = (message.location or {}).get("url", "")
        if message.type == "error" and not place.endswith(HARMLESS):
            errors.append(f"{message.text} ({place})")

    def start(url: str, *, width: int = 1440, height: int = 900, scheme: str = "light", strict: bool = True) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        if strict:
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", note)
        page.goto(url)
        page.locator("h1").first.wait_for()
        return page

    yield start
    for context in contexts:
        context.close()
    assert errors == []
