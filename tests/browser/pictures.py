"""Takes the README's pictures from a running desk: `.venv/bin/python -m tests.browser.pictures`.

The desk runs on a simulated clock in the middle of a trading day, so that the pictures show the same market each time.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk
from tests.support.shared_data import ROOT

FOLDER = ROOT / "docs" / "pictures"
CLOCK = "2026-11-20T13:40:00+05:30x1"
PICTURES = (
    ("quotes", "/quotes", "dark"),
    ("calendar", "/calendar", "light"),
    ("overview", "/", "light"),
    ("account", "/account", "light"),
)
SETTLED_MS = 6000
"""By then the sparklines of the default watchlist are there."""


def main() -> int:
    """Write one PNG a picture; 1 if there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        print("There is no Chromium on this machine.")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Desk(Path(folder) / "desk", environment={"DESK_PAPER_CLOCK": CLOCK}) as desk,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=list(LAUNCH_ARGUMENTS))
        for name, path, scheme in PICTURES:
            context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.goto(desk.url + path)
            page.wait_for_selector("h1")
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=str(FOLDER / f"{name}-{scheme}.png"))
            context.close()
            print(f"docs/pictures/{name}-{scheme}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
