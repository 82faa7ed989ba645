"""The results page in a real browser over a hundred thousand closed trades: how long until it is painted.

From the opening of the address (the desk's whole page with it), or from a click, to the frame in which the figures and
the pictures of these trades are on the screen. Without a Chromium there are no rows.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.domain.clock import ist_date
from services.domain.orders import PastTrade, Trade
from services.portfolio.lots.fills import Asset, Fill
from services.runtime import Runtime
from services.settings import load_settings
from tests.benchmarks.table import Row
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.desk import Desk
from tests.support.pnl_page import many_fills

FILLS, DAYS = 200_000, 500
BATCH = 20_000
TIMES = 3
WAY = ("^FY 2\\d-2\\d$", "^Equity$", "^Month$", "^F&O$", "^All$", "^Equity$")
"""Buttons, each of which leads to trades that were not looked at before. The first "All" is of the period."""
FIRST_NOTE = "figures, curve and calendar, with the desk's whole page"
FIRST_MS, CHANGE_MS = 1_500.0, 500.0
BUILD_SECONDS = 180.0

# Waits until `seen()` holds, then for the frame after it; milliseconds since `began` of performance.now().
SCRIPT = """
globalThis.pnlBench = {
  all(selector) {
    const found = []
    const look = root => { for (const node of root.querySelectorAll('*')) {
      if (node.matches(selector)) found.push(node)
      if (node.shadowRoot) look(node.shadowRoot)
    } }
    look(document)
    return found
  },
  one(selector) { return this.all(selector)[0] },
  net() { return this.one('.tile[data-id=net] .figure')?.textContent ?? '' },
  drawn() { return this.one('.stage[role=img]')?.getAttribute('aria-label') ?? '' },
  days() { return this.all('.day[data-way]').length },
  pictures() { return this.all('.stage[data-drawn]').length },
  rows(label) { return this.all(`table[aria-label="${label}"] tbody tr`).length },
  painted() { return new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel()
    channel.port1.onmessage = () => { channel.port1.close(); done(performance.now()) }
    channel.port2.postMessage(null)
  })) },
  async until(began, seen) {
    const end = performance.now() + 60000
    while (!seen()) {
      if (performance.now() > end) throw new Error("nothing was drawn within a minute")
      await new Promise(done => setTimeout(done, 5))
    }
    return (await this.painted()) - began
  },
  first() { return this.until(0, () => this.net() && this.pictures() > 0 && this.days() > 0) },
  whole() { return this.until(0, () => this.pictures() === 3 && this.rows('Results by symbol')) },
  async settled() { // as a person who looks first: nothing is pressed before the run that was asked for is over
    const app = () => this.one('[data-testid=stApp]')?.dataset.testScriptState
    await this.until(0, () => app() === 'notRunning')
  },
  async press(words) {
    await this.settled()
    const buttons = [...document.querySelectorAll('button, [role=radio], [role=tab]')]
    buttons.find(one => new RegExp(words).test(one.textContent)).click()
    return performance.now()
  },
  async change(words) {
    await this.settled()
    const [net, curve] = [this.net(), this.drawn()]
    const stage = this.one('.stage[role=img]')
    const revision = stage.dataset.drawn
    const anew = now => now && (now !== stage || now.dataset.drawn !== revision) // the page may have put another there
    const began = await this.press(words)
    return this.until(began, () => this.net() !== net && this.drawn() !== curve && anew(this.one('.stage[data-drawn]')))
  },
  async trades(words) { return this.until(await this.press(words), () => this.rows('Closed trades') === 50) },
  async sorted() {
    await this.settled()
    const first = () => this.one('table[aria-label="Closed trades"] tbody tr')?.dataset.id
    const before = first()
    const heads = this.all('table[aria-label="Closed trades"] thead button')
    const began = performance.now()
    heads.find(one => one.textContent === 'Net').click()
    return this.until(began, () => first() && first() !== before)
  },
}
"""


def run() -> list[Row]:
    """Measure in Chromium."""
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium here: the results page is not measured", file=sys.stderr)
        return []
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        data = Path(folder) / "desk"
        _fill(data)
        desk = Desk(data, timeout=120).start()
        closing.callback(desk.stop)  # not as a context: that would look through all these trades for secrets
        desk.opened()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(LAUNCH_ARGUMENTS))
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script(SCRIPT)
            rows = _measured(context, desk.url)
            browser.close()
    return rows


def _fill(data: Path) -> None:
    """Trades of two years in the ledger."""
    with Runtime(load_settings(data_dir=data)) as rt:
        rt.instruments.refresh_if_due()
        rt.orders.start()
        account, now = rt.account_name(), rt.clock.now()
        fills = many_fills(FILLS, days=DAYS, last=ist_date(now))
        told = [_told(fill) for fill in fills]
        for first in range(0, len(told), BATCH):
            rt.trade_records.add(told[first : first + BATCH], source="book", account=account)


def _told(fill: Fill) -> Trade | PastTrade:
    price = Decimal(fill.price).scaleb(-4)
    if fill.asset is Asset.SHARE:
        at = None if fill.at_ms is None else datetime.fromtimestamp(fill.at_ms / 1000, UTC)
        return Trade(
            fill.trade_id, fill.order_id, f"NSE_EQ|{fill.instrument}", fill.side, fill.quantity, price, fill.product,
            "NSE", fill.symbol, traded_at=at,
        )  # fmt: skip
    _, underlying, expiry, strike, kind = fill.instrument.split(":")
    return PastTrade(
        fill.trade_id, f"NSE_FO|{underlying}{expiry}{strike}{kind}", "FO", "NSE", fill.side, fill.quantity, price,
        price * fill.quantity, fill.day.isoformat(), underlying, fill.symbol, option_type=kind, strike=strike,
        expiry=expiry,
    )  # fmt: skip


def _measured(context: Any, url: str) -> list[Row]:
    def opened(query: str) -> Any:
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{url}/pnl?{query}", wait_until="commit")
        return page

    def by_address() -> float:
        page = opened("period=all")
        took = float(page.evaluate("() => pnlBench.first()"))
        page.close()
        return took

    page = opened("period=all")  # the desk reads and charges the trades meanwhile, once
    end = time.monotonic() + BUILD_SECONDS
    told = "() => pnlBench.one('.tile[data-id=gross]')?.textContent ?? ''"
    while (closed := re.search(r"([\d,]+) closed trades", page.evaluate(told))) is None:
        assert time.monotonic() < end, "the book was not built"
        time.sleep(0.2)
    page.evaluate("() => pnlBench.first()")
    page.evaluate("() => pnlBench.whole()")
    way = iter(WAY)

    def by_filter() -> float:
        return float(page.evaluate("word => pnlBench.change(word)", next(way)))

    def by_tab() -> float:
        took = float(page.evaluate("() => pnlBench.trades('^Trades$')"))
        page.evaluate("() => pnlBench.press('^Overview$')")
        page.evaluate("() => pnlBench.until(0, () => pnlBench.pictures() === 3)")
        return took

    rows = [
        _row("results page by its address, to painted", _median(by_address), FIRST_MS, closed[1], FIRST_NOTE),
        _row("another filter, to painted", _median(by_filter), CHANGE_MS, closed[1], "not looked at before"),
        _row("the table of trades by its tab, to painted", _median(by_tab), CHANGE_MS, closed[1], "50 rows"),
    ]
    page.evaluate("() => pnlBench.trades('^Trades$')")
    by_head = _median(lambda: float(page.evaluate("() => pnlBench.sorted()")))
    page.close()
    return [*rows, _row("the table sorted by a head, to painted", by_head, CHANGE_MS, closed[1], "50 rows")]


def _median(measure: Callable[[], float]) -> float:
    measure()
    return statistics.median(measure() for _ in range(TIMES))


def _row(name: str, ours: float, most: float, closed: str, note: str) -> Row:
    told_of = f"{closed} closed trades of {FILLS:,} fills; {note}; median of {TIMES}"
    return Row(name, ours, None, None, f"<= {most:,.0f} ms", ours <= most, "ms", told_of)
