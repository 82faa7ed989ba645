"""The chart in a real browser: how long until it is painted when everything is stored, and what a price costs.

From the click (or the opening of the address) to the frame in which the bars are on the screen. The desk runs in the
middle of a trading day, on its own clock. Without a Chromium there are no rows.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.table import Row
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk

CLOCK = "2026-11-20T13:40:00+05:30x1"
KEY = "NSE_EQ%7CINE002A01018"
YEAR_OF_DAYS, FIVE_DAYS_OF_MINUTES = "interval=1D&range=1Y", "interval=1m&range=5D"
FIVE_HUNDRED = "interval=15m&range=1M"
TIMES, TICKS = 3, 25
MOST_PAINT_MS, MOST_TICK_MS = 1_000.0, 60.0

# Waits until a chart is drawn, then for the frame after it; milliseconds since `began` of performance.now().
SCRIPT = """
globalThis.deskBench = {
  stage() {
    let found = null
    const look = root => { for (const node of root.querySelectorAll('*')) {
      if (node.deskChart && node.dataset.total > 0 && node.dataset.draws) found = node
      if (node.shadowRoot && !found) look(node.shadowRoot)
    } }
    look(document)
    return found
  },
  painted() { return new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel()
    channel.port1.onmessage = () => { channel.port1.close(); done(performance.now()) }
    channel.port2.postMessage(null)
  })) },
  async drawn(began) {
    const end = performance.now() + 60000
    while (!this.stage()) {
      if (performance.now() > end) throw new Error("no chart was drawn within a minute")
      await new Promise(done => setTimeout(done, 5))
    }
    return (await this.painted()) - began
  },
  async follow(name) {
    const began = performance.now()
    const links = [...document.querySelectorAll('[data-testid=stSidebarNavLink]')]
    links.find(link => link.textContent.includes(name)).click()
    return this.drawn(began)
  },
  async tick(step) {
    const chart = this.stage().deskChart
    const key = chart.data.key
    const row = deskLive.rows.get(key)
    const values = [...row.values]
    const at = Math.round(row.now + (performance.now() - row.at))
    values[FIELD_LTP] = Number((values[FIELD_LTP] + step).toFixed(2))
    values[FIELD_TRADED] = values[FIELD_RECEIVED] = at
    const before = chart.draws.light + chart.draws.full
    const began = performance.now()
    deskLive.rows.set(key, { values, now: at, at: began })
    chart.live(new Set([key]))
    while (chart.draws.light + chart.draws.full === before) await new Promise(done => requestAnimationFrame(done))
    return (await this.painted()) - began
  },
}
"""


def run() -> list[Row]:
    """Measure in Chromium."""
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium here: the chart is not measured", file=sys.stderr)
        return []
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as folder,
        Desk(Path(folder) / "desk", environment={"DESK_PAPER_CLOCK": CLOCK}) as desk,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=list(LAUNCH_ARGUMENTS))
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(_script())
        rows = [
            _within(context, desk.url, "a year of daily bars", YEAR_OF_DAYS),
            _by_address(context, desk.url, "a year of daily bars", YEAR_OF_DAYS),
            _within(context, desk.url, "5 days of minutes", FIVE_DAYS_OF_MINUTES),
            _ticks(context, desk.url),
        ]
        browser.close()
    return rows


def _within(context: Any, url: str, name: str, query: str) -> Row:
    """From another page of the desk to the chart, with everything stored."""
    page = _opened(context, f"{url}/candles?key={KEY}&{query}")
    bars = page.evaluate("deskBench.stage().dataset.total")

    def by_link() -> float:
        page.get_by_role("link", name="Account", exact=True).click()
        page.locator("h1", has_text="Account").wait_for()
        page.wait_for_function("!deskBench.stage()")
        return float(page.evaluate("deskBench.follow('Candles')"))

    took = _median(by_link)
    page.close()
    return _row(f"{name}: opened in the desk, to painted", took, MOST_PAINT_MS, f"{bars} bars, median of {TIMES}")


def _by_address(context: Any, url: str, name: str, query: str) -> Row:
    """Straight to a chart that has been looked at already."""

    def by_address() -> float:
        page = _opened(context, f"{url}/candles?key={KEY}&{query}")
        took = float(page.evaluate("globalThis.deskDrawn"))
        page.close()
        return took

    took = _median(by_address, warm=True)
    return _row(f"{name}: opened by its address, to painted", took, None, "with the desk's whole page")


def _ticks(context: Any, url: str) -> Row:
    page = _opened(context, f"{url}/candles?key={KEY}&{FIVE_HUNDRED}")
    page.wait_for_function("deskLive.rows.size > 0 && deskBench.stage().dataset.forming")
    bars = page.evaluate("deskBench.stage().dataset.bars")
    took = [float(page.evaluate("step => deskBench.tick(step)", 0.05 * (-1) ** turn)) for turn in range(TICKS)]
    page.close()
    note = f"{bars} candles; most {max(took):.0f} ms; at most a frame of 16.7 ms is waiting"
    return _row("a price moves the forming bar, to painted", statistics.median(took), MOST_TICK_MS, note)


def _opened(context: Any, address: str) -> Any:
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address, wait_until="commit")
    page.evaluate("async () => { globalThis.deskDrawn = await deskBench.drawn(0) }")
    return page


def _median(measure: Callable[[], float], *, warm: bool = False) -> float:
    """`warm`: the desk and the browser have done it already."""
    if not warm:
        measure()
    return statistics.median(measure() for _ in range(TIMES))


def _row(name: str, ours: float, most: float | None, note: str) -> Row:
    goal = "" if most is None else f"<= {most:,.0f} ms"
    return Row(name, ours, None, None, goal, None if most is None else ours <= most, "ms", note)


def _script() -> str:
    from dashboard.push.fields import PLACE

    names = {"FIELD_LTP": "ltp", "FIELD_TRADED": "last_trade_ms", "FIELD_RECEIVED": "received_ms"}
    return "".join(f"const {name} = {PLACE[field]}\n" for name, field in names.items()) + SCRIPT
