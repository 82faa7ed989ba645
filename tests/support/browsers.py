"""Browsers for tests: each as if it had never been anywhere, and most of them warm.

To open a page in a new browser costs two seconds of a core, half of it to start the page's process and to read and
compile Streamlit's script once more. So a tab is used again when it has forgotten everything: it keeps its process and
the files that it has fetched, and nothing that a page can know of: no cookie, no storage, no size, no place of the
mouse. Two browsers of one test never share anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

KEPT = 2
"""So many tabs wait for the next test; those that a test opened beyond that are closed."""
USES = 30
"""After so many tests a tab is given up: what has piled up in its process goes with it."""
LATE_PART = "Cannot set a node at a delta path"
"""An error of Streamlit's own script, not of ours: what a timed part of a page still tells while the page is drawn anew
finds its place gone, and is thrown away. Its next round has its place again."""
Scheme = Literal["light", "dark"]
Page = Any
"""Playwright's page: its package need not be there where no browser is."""


@dataclass
class Tab:
    """The one tab of a browser of its own."""

    page: Page
    uses: int = 0
    heard: list[tuple[str, Any]] = field(default_factory=list)

    def hear(self, event: str, handler: Any) -> None:
        self.page.on(event, handler)
        self.heard.append((event, handler))

    def open(self, url: str) -> Page:
        """The page there, when it has its heading; a tab that could not open one is not used again."""
        uses, self.uses = self.uses, USES
        self.page.goto(url)
        self.page.locator("h1").first.wait_for()
        self.uses = uses
        return self.page


class Browsers:
    """`take` and, at the end of the test, `give_back`; `close` at the end of all."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self._free: list[Tab] = []

    def take(self, width: int, height: int, scheme: Scheme) -> Tab:
        """A tab of that size that knows nothing."""
        if self._free:
            tab = self._free.pop()
            tab.page.set_viewport_size({"width": width, "height": height})
        else:
            context = self._chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            tab = Tab(context.new_page())
        tab.page.emulate_media(color_scheme=scheme, media="null")
        tab.page.set_default_timeout(45_000)
        tab.uses += 1
        return tab

    def give_back(self, tab: Tab) -> None:
        """Keep the tab for another test if it can forget what it has seen, else close its browser."""
        from playwright.sync_api import Error

        try:
            keep = not tab.page.is_closed() and len(self._free) < KEPT and tab.uses < USES
            if keep:
                _forget(tab)
                self._free.append(tab)
        except Error:  # its process has ended, or it cannot leave where it is
            keep = False
        if not keep:
            tab.page.context.close()

    def close(self) -> None:
        while self._free:
            self._free.pop().page.context.close()


def _forget(tab: Tab) -> None:
    page, context = tab.page, tab.page.context
    page.title()  # what it has said so far is heard
    for event, handler in tab.heard:
        page.remove_listener(event, handler)
    tab.heard.clear()
    seen = {one.url for opened in context.pages for one in opened.frames}
    for other in [one for one in context.pages if one is not page]:
        other.close()
    page.mouse.move(0, 0)
    page.unroute_all()
    context.unroute_all()
    page.route("**/*", lambda route: route.fulfill(body="<html></html>", content_type="text/html"))
    session = context.new_cdp_session(page)
    for origin in sorted({f"{at.scheme}://{at.netloc}" for at in map(urlsplit, seen) if at.scheme.startswith("http")}):
        page.goto(f"{origin}/")  # an empty page in its place, and no other process
        page.evaluate("sessionStorage.clear()")
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    session.detach()
    page.unroute_all()
    context.clear_cookies()
    context.clear_permissions()
