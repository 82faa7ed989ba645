"""Five persons at the screen for a week: five sessions of one Chromium, a thing at a time, chosen by a seed.

A click that finds nothing to press (its order has ended, a page that waits for the broker) is counted and is no fault.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.support.browsers import LATE_PART
from tests.support.chromium import LAUNCH_ARGUMENTS

SESSIONS = 5
PATIENCE_MS = 6000
SHARES = ("NSE_EQ%7CINE002A01018", "NSE_EQ%7CINE009A01021", "NSE_EQ%7CINE467B01029")
PATHS = (
    "", "quotes", "candles?key=" + SHARES[0], "candles?key=" + SHARES[1], "portfolio", "pnl", "calendar", "health",
    "account", "orders",
)  # fmt: skip


class Pages:
    """The tabs. Used by one thread."""

    def __init__(self, browser: Any, url: str, luck: random.Random) -> None:
        self._browser = browser
        self._url = url
        self._luck = luck
        self._tabs: list[Any] = []
        self.done: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.script_errors: list[str] = []

    def open(self) -> None:
        """Everybody opens the desk (again)."""
        for tab in self._tabs:
            tab.context.close()
        self._tabs = []
        for number in range(SESSIONS):
            width = 390 if number == SESSIONS - 1 else 1440
            tab = self._browser.new_context(viewport={"width": width, "height": 900}).new_page()
            tab.set_default_timeout(PATIENCE_MS)
            tab.on("pageerror", self._note)
            self._tabs.append(tab)
            self._try("open", partial(self._go, tab, PATHS[number]))

    def _note(self, error: Any) -> None:
        if LATE_PART not in str(error):
            self.script_errors.append(str(error))

    def step(self) -> None:
        """One of them does one thing."""
        tab = self._luck.choice(self._tabs)
        acts: tuple[tuple[str, Callable[[Any], None], int], ...] = (
            ("page", lambda page: self._go(page, self._luck.choice(PATHS)), 8),
            ("order", self.order, 5),
            ("cancel", self._cancel, 3),
            ("modify", self._modify, 2),
            ("tab", self._tab, 3),
            ("watch", self._watch, 1),
        )
        name, act, _ = self._luck.choices(acts, [weight for *_, weight in acts])[0]
        self._try(name, lambda: act(tab))

    def pressed(self) -> bool:
        """Was an order sent on its way?"""
        before = self.done["order"]
        self._tabs[0].set_default_timeout(5 * PATIENCE_MS)
        self._try("order", self.order)
        self._tabs[0].set_default_timeout(PATIENCE_MS)
        return self.done["order"] > before

    def order(self, tab: Any = None) -> None:
        """Buy a few shares by the ticket, at a price that may be met. Returns when the button was pressed."""
        page = self._tabs[0] if tab is None else tab
        page.goto(f"{self._url}/orders?key={self._luck.choice(SHARES)}")
        page.get_by_role("button", name="Review: ").first.wait_for()
        field = page.get_by_label("Quantity", exact=True)
        field.fill(str(self._luck.randint(1, 4)))
        field.press("Enter")
        price = page.get_by_label("Price", exact=True)
        price.fill(str(round(float(price.input_value()) * self._luck.uniform(0.99, 1.004))))
        price.press("Enter")
        page.get_by_role("button", name="Review: ").first.click()
        page.get_by_role("dialog").get_by_role("button", name=re.compile(r"^(Buy|Sell) [\d,]+ ")).click()

    def _go(self, page: Any, path: str) -> None:
        page.goto(f"{self._url}/{path}")
        page.locator("h1").first.wait_for()

    def _cancel(self, page: Any) -> None:
        self._go(page, "orders")
        page.get_by_role("button", name=re.compile("^Cancel: ")).first.click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel this order").click()

    def _modify(self, page: Any) -> None:
        self._go(page, "orders")
        page.get_by_role("button", name=re.compile("^Modify: ")).first.click()
        dialog = page.get_by_role("dialog")
        units = dialog.get_by_label("Quantity, the whole of it")
        units.fill(str(self._luck.randint(5, 9)))
        units.press("Enter")
        dialog.get_by_role("button", name="Review the change").click()
        dialog.get_by_role("button", name="Change the order").click()

    def _tab(self, page: Any) -> None:
        self._go(page, self._luck.choice(("orders", "quotes", "portfolio", "pnl")))
        tabs = page.get_by_role("tab")
        tabs.first.wait_for()
        tabs.nth(self._luck.randrange(tabs.count())).click()

    def _watch(self, page: Any) -> None:
        """A search by its key, and a word that finds something."""
        self._go(page, "quotes")
        page.keyboard.press("/")
        page.keyboard.type(self._luck.choice(("INFY", "NIFTY", "SBIN")), delay=20)
        page.keyboard.press("Enter")

    def _try(self, name: str, act: Callable[[], None]) -> None:
        from playwright.sync_api import Error

        try:
            act()
        except (Error, ValueError):  # ValueError: the price's field is empty
            self.missed[name] += 1
        else:
            self.done[name] += 1


@contextmanager
def chromium(program: str) -> Iterator[Any]:
    """The browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(LAUNCH_ARGUMENTS))
        yield browser
        browser.close()
