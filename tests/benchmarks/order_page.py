"""The orders page in a real browser over a day of 5,000 orders and as many fills: how long until it is painted.

From the opening of the address (the desk's whole page with it), or from the click, to the frame in which the rows are
on the screen. Without a Chromium there are no rows.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from dashboard.components.trade_table import PAGE
from services.domain.actors import Actor
from services.domain.orders import OrderRequest, OrderType, Side, Status, Trade
from services.runtime import Runtime
from services.settings import load_settings
from tests.benchmarks.table import Row
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk
from tests.support.orders import RELIANCE, told

ORDERS, OPEN = 5_000, 20
BATCH = 500
TIMES = 3
MOST_MS = 1_500.0
ENDS = (Status.COMPLETE, Status.REJECTED, Status.CANCELLED)

# Waits until `seen()` holds, then for the frame after it; milliseconds since `began` of performance.now().
SCRIPT = """
globalThis.deskBench = {
  rows(label) {
    let found = 0
    const look = root => { for (const node of root.querySelectorAll('*')) {
      if (node.matches(`table[aria-label="${label}"]`)) found = node.querySelectorAll('tbody tr').length
      if (node.shadowRoot) look(node.shadowRoot)
    } }
    look(document)
    return found
  },
  painted() { return new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel()
    channel.port1.onmessage = () => { channel.port1.close(); done(performance.now()) }
    channel.port2.postMessage(null)
  })) },
  title: 0, // when Streamlit itself stands: what any page of it takes here and now
  async drawn(began, seen) {
    const end = performance.now() + 60000
    while (!seen()) {
      if (!this.title && document.querySelector("h1")) this.title = performance.now()
      if (performance.now() > end) throw new Error("nothing was drawn within a minute")
      await new Promise(done => setTimeout(done, 5))
    }
    return (await this.painted()) - began
  },
  book(began, label, count) { return this.drawn(began, () => this.rows(label) === count) },
  fills(began, count) { return this.drawn(began, () => this.rows('Fills of the day, the newest first') === count) },
  press(words) {
    const buttons = [...document.querySelectorAll('button, [role=radio], [role=tab], [data-testid=stSidebarNavLink]')]
    buttons.find(one => new RegExp(words).test(one.textContent)).click()
    return performance.now()
  },
}
"""


def run() -> list[Row]:
    """Measure in Chromium."""
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium here: the orders page is not measured", file=sys.stderr)
        return []
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "desk"
        _fill(data)
        with Desk(data, timeout=120) as desk, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(LAUNCH_ARGUMENTS))
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script(SCRIPT)
            rows = _measured(context, desk.url)
            browser.close()
    return rows


def _fill(data: Path) -> None:
    """A day that is nearly over: some orders still open at the broker, the others done, each with its fill."""
    with Runtime(load_settings(data_dir=data)) as rt:
        rt.feed_in().connect("benchmark", timeout=5)
        rt.orders.start()
        while rt.orders.ready():
            time.sleep(0.02)
        price = Decimal(repr(rt.quotes.get([RELIANCE]).quotes[RELIANCE]["ltp"]))
        limit = (price * Decimal("0.97")).quantize(Decimal(1))
        for number in range(OPEN):
            rt.quotes.watch("benchmark", [RELIANCE])
            request = OrderRequest(RELIANCE, Side.BUY, 1, OrderType.LIMIT, price=limit)
            outcome = rt.orders.place(request, intent_id=f"benchmark-{number}", actor=Actor("benchmark"))
            assert outcome.accepted, outcome
            time.sleep(0.15)  # the limits of the desk and of the broker hold here too
        now = datetime.now(UTC)
        done = [
            replace(
                told(ENDS[number % 3]),
                order_id=f"0000{number:011d}",
                placed_at=now - timedelta(milliseconds=2 * (ORDERS - number)),
            )
            for number in range(ORDERS - OPEN)
        ]
        fills = [
            Trade(f"T{number}", one.order_id, one.key, one.side, 10, price, "D", "NSE", "RELIANCE", traded_at=now)
            for number, one in enumerate(done)
        ]
        for first in range(0, len(done), BATCH):
            rt.order_records.apply_many(done[first : first + BATCH], source="book")
            rt.trade_records.add(fills[first : first + BATCH], source="book")


def _measured(context: Any, url: str) -> list[Row]:
    titles: list[float] = []

    def opened(query: str = "") -> Any:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{url}/orders{query}", wait_until="commit")
        return page

    def by_address() -> float:
        page = opened()
        took = float(page.evaluate("n => deskBench.book(0, 'Open orders', n)", OPEN))
        titles.append(float(page.evaluate("deskBench.title")))
        page.close()
        return took

    def by_ticket() -> float:
        page = opened(f"?key={RELIANCE.replace('|', '%7C')}")
        took = float(page.evaluate("n => deskBench.book(0, 'Open orders', n)", OPEN))
        titles.append(float(page.evaluate("deskBench.title")))
        page.close()
        return took

    def fills_by_address() -> float:
        page = opened("?view=Fills")
        took = float(page.evaluate("n => deskBench.fills(0, n)", PAGE))
        titles.append(float(page.evaluate("deskBench.title")))
        page.close()
        return took

    page = opened()
    page.evaluate("n => deskBench.book(0, 'Open orders', n)", OPEN)

    def by_link() -> float:
        page.get_by_role("link", name="Account", exact=True).click()
        page.locator("h1", has_text="Account").wait_for()
        page.wait_for_function("deskBench.rows('Open orders') === 0")
        return float(page.evaluate("n => deskBench.book(deskBench.press('Orders$'), 'Open orders', n)", OPEN))

    def all_of_them() -> float:
        took = float(page.evaluate("() => deskBench.book(deskBench.press('^All [0-9]'), 'All orders', 100)"))
        page.evaluate("n => deskBench.book(deskBench.press('^Open [0-9]'), 'Open orders', n)", OPEN)
        return took

    def from_address(name: str, measure: Callable[[], float], note: str, *, warm: bool = False) -> Row:
        titles.clear()
        ours = _median(measure, warm=warm)
        title = statistics.median(titles)
        row = _row(name, ours, MOST_MS, f"{note}; floor: Streamlit's own title of the same page")
        return replace(row, floor=title)

    rows = [
        from_address("orders page by its address, to painted", by_address, "with the desk's whole page", warm=True),
        from_address("the same with a ticket", by_ticket, "quote and depth beside it"),
        _row("orders page by the link, to painted", _median(by_link), MOST_MS, "from another page of the desk"),
        _row("all orders by a click, to painted", _median(all_of_them), MOST_MS, "the first 100 of them"),
    ]
    page.close()
    return [*rows, from_address("the fills by their address, to painted", fills_by_address, f"{PAGE} of them")]


def _median(measure: Callable[[], float], *, warm: bool = False) -> float:
    """`warm`: the desk and the browser have done it already."""
    if not warm:
        measure()
    return statistics.median(measure() for _ in range(TIMES))


def _row(name: str, ours: float, most: float, note: str) -> Row:
    told_of = f"{ORDERS:,} orders and fills, {OPEN} open; {note}; median of {TIMES}"
    return Row(name, ours, None, None, f"<= {most:,.0f} ms", ours <= most, "ms", told_of)
