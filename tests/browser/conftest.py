"""A real desk, a real browser, and paper brokers that can be stopped and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checks import stage_environment
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk
from tests.support.shared_data import ROOT

HARMLESS = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit's own page asks for these below the page's path first, gets a 404, and then asks at the root."""


class Broker:
    """A paper broker in a process of its own, always on the same folder and port."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = 0
        self.token = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "services.paper", "--port", str(self.port), "--data-dir", str(self._folder)]
        environment = stage_environment({"PYTHONPATH": str(ROOT), "PATH": ""})
        self._process = subprocess.Popen(
            [*command, "--faults", *self._options],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        self.port = int(told["base_url"].rpartition(":")[2])
        self.token = told["access_token"]

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=15)
            self._process = None


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
        yield desk


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
        page.set_default_timeout(20_000)
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
