"""A real desk, a real browser, and paper brokers that can be stopped and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker_process import Broker
from tests.support.browsers import LATE_PART, Browsers, Scheme
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.components import put, without_errors
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


@pytest.fixture(scope="session")
def bench(chromium: Any) -> Iterator[Any]:
    """A page without a desk, for components and scripts by themselves."""
    page = chromium.new_page()
    yield page
    page.close()


@pytest.fixture
def blank(bench: Any) -> Any:
    """That page with a new document: a script that runs twice in one document fails at its own constants."""
    bench.goto("about:blank")
    return bench


@pytest.fixture
def alone(blank: Any) -> Iterator[Callable[..., Any]]:
    """`alone(name, data)` draws that component by itself; see `put`. No script of it may fail."""
    with without_errors(blank):
        yield partial(put, blank)


@pytest.fixture(scope="session")
def browsers(chromium: Any) -> Iterator[Browsers]:
    browsers = Browsers(chromium)
    yield browsers
    browsers.close()


_TABS = pytest.StashKey[list[Any]]()
_MOST_SHOWN = 4_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure is told with what its pages showed at that moment."""
    report = yield
    if report.when == "call" and report.failed and (tabs := item.stash.get(_TABS, [])):
        from playwright.sync_api import Error

        for tab in tabs:
            with suppress(Error):  # its process may have ended; the failure itself is told anyway
                report.sections.append((tab.page.url, tab.page.inner_text("body", timeout=2_000)[:_MOST_SHOWN]))
    return report


@pytest.fixture
def open_page(browsers: Browsers, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`open_page(url)` opens a tab of a browser that has never been here; at the end it must have seen no script error
    and no error on the console."""
    errors: list[str] = []
    tabs = request.node.stash.setdefault(_TABS, [])

    def note(message: Any) -> None:
        place = (message.location or {}).get("url", "")
        if message.type == "error" and not place.endswith(HARMLESS):
            errors.append(f"{message.text} ({place})")

    def start(url: str, *, width: int = 1440, height: int = 900, scheme: Scheme = "light", strict: bool = True) -> Any:
        tab = browsers.take(width, height, scheme)
        tabs.append(tab)
        if strict:
            tab.hear("pageerror", lambda error: errors.append(str(error)) if LATE_PART not in str(error) else None)
            tab.hear("console", note)
        return tab.open(url)

    yield start
    for tab in tabs:
        browsers.give_back(tab)
    assert errors == []
