"""Browsers before the balancer of a team, each put to a process by name, that keep note of when prices came."""

from __future__ import annotations

import re
from typing import Any

from tests.support.many import Team
from tests.support.many_parts import PASSWORD, USER

PATIENCE_MS = 90_000
TICKS = """
// When prices came that are new, not told again because a connection was opened.
window.ticks = []
const Plain = window.WebSocket
window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given)
    if (this.url.endsWith("/push")) this.addEventListener("message", event => {
      const told = JSON.parse(event.data)
      if (told.t !== "state" && Object.keys(told.rows).length > 0) window.ticks.push(performance.now())
    })
  }
}
"""
_TOLD = """() => {
  const hub = globalThis.deskLive, now = performance.now()
  return {
    ticks: window.ticks.length, last: now - window.ticks.at(-1), heard: now - hub?.heard, viewers: hub?.viewers.size,
    socket: hub?.socket?.readyState, pause: hub?.pause, feed: hub?.feed, sight: document.visibilityState,
  }
}"""
_GAP = "window.ticks.slice(1).reduce((most, at, place) => Math.max(most, at - window.ticks[place]), 0) / 1000"


class Tabs:
    """The browsers of one test."""

    def __init__(self, team: Team, chromium: Any) -> None:  # Any: Playwright's browser
        self._team = team
        self._chromium = chromium
        self._contexts: list[Any] = []

    def open(self, name: str, page_name: str) -> Any:  # Any: Playwright's page
        """Open a page of the desk through the balancer, as a browser that has been at process `name` before."""
        context = self._chromium.new_context(ignore_https_errors=True, viewport={"width": 1440, "height": 900})
        self._contexts.append(context)
        context.add_cookies([{"name": "desk-at", "value": name, "url": self._team.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(TICKS)
        page.goto(f"{self._team.url}/{page_name}")
        page.get_by_label("Name").fill(USER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile(page_name.partition("?")[0]))
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def place(page: Any) -> str:  # Any: Playwright's page
    """The process that the balancer has put this browser to."""
    return str(next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "desk-at"))


def longest_gap(page: Any) -> float:  # Any: Playwright's page
    """The longest time in seconds for which no price came."""
    return float(page.evaluate(_GAP))


def told_of(page: Any) -> dict[str, Any]:  # Any: Playwright's page; what its script tells
    """Where a page is, and how its push channel does."""
    told: dict[str, Any] = page.evaluate(_TOLD)
    return {"at": place(page), **told}
