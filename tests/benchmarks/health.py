"""What measuring costs the feed, and how quickly the health page stands with a week of history.

The feed's thread does its part for each frame (counts, two histograms, the clock's offset), other threads read it all:
alert rules every two seconds, a page every two, history every ten, Prometheus every fifteen. Both are told as shares of
a feed that takes as much as one core gives: the counting of a frame beside the whole frame, in turns, and the processor
time of all that looking in a second.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from services.feed.board import Board
from services.feed.health import HealthBook
from services.feed.latency import Latency, Step
from services.feed.subscriptions import Subscriptions
from services.live_feed.market import MarketTalk
from services.measures.exposition import Exposition
from services.runtime import Runtime
from services.settings import load_settings
from services.wire.feed.decoder import decode
from tests.benchmarks.surroundings import as_the_desk_runs
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians_ms
from tests.support.chromium import LAUNCH_ARGUMENTS, find_chromium
from tests.support.clocks import FakeClock
from tests.support.desk import Desk
from tests.support.feed_frames import full_frame, keys, ltpc_frame
from tests.support.health_history import fill_week

MOST_PERCENT, MOST_MS, MOST_TITLE_MS = 2.0, 1_000.0, 700.0
A_FRAME, COUNTED_AT_ONCE = 50, 50
TURNS, EACH = 9, 60
LOOKS = 40
SNAPSHOTS_A_SECOND = 1.0
"""More than there are: rules and an open page ask every two seconds each, and share a snapshot that is a second old."""
SCRAPES_A_SECOND, ROWS_A_SECOND = 1 / 15, 1 / 10
TIMES = 3
READY = """() => {
  const found = name => { let count = 0; const look = root => { for (const node of root.querySelectorAll('*')) {
    if (node.matches(name)) count += 1
    if (node.shadowRoot) look(node.shadowRoot)
  } }; look(document); return count }
  return found('li.check .reason') === 6 && found('li.chart svg.plot path') > 8
}"""
SCRIPT = """
globalThis.deskBench = {
  press(name) {
    const links = [...document.querySelectorAll("[data-testid=stSidebarNavLink]")]
    links.find(one => one.textContent.includes(name)).click()
    return performance.now()
  },
  async drawn(seen, began = 0) {
    const end = performance.now() + 60000
    let title = null // when Streamlit itself stands: what any page of it takes here and now
    while (!seen()) {
      if (title === null && document.querySelector("h1")) title = performance.now()
      if (performance.now() > end) throw new Error("nothing was drawn within a minute")
      await new Promise(done => setTimeout(done, 5))
    }
    return new Promise(done => requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => {
        channel.port1.close()
        const now = performance.now()
        done([now - began, (title ?? now) - began])
      }
      channel.port2.postMessage(null)
    }))
  },
}
"""


def run() -> list[Row]:
    """One minute."""
    with tempfile.TemporaryDirectory() as folder, as_the_desk_runs():
        looking = _looking(Path(folder) / "desk")
        rows = _feed(looking)
    return rows + _first_paint()


# -- the feed ----------------------------------------------------------------------------------------------------------


def _feed(looking: dict[str, float]) -> list[Row]:
    busy = (
        looking["snapshot"] * SNAPSHOTS_A_SECOND
        + looking["scrape"] * SCRAPES_A_SECOND
        + looking["row of history"] * ROWS_A_SECOND
    )
    rows = []
    for mode, frame in (("ltpc", ltpc_frame(A_FRAME)), ("full", full_frame(A_FRAME))):
        whole, counting = _frame(frame)
        took = medians_ms({"whole": whole, "counting": counting}, turns=TURNS, each=EACH)
        each = took["counting"] / COUNTED_AT_ONCE
        path = 100 * each / took["whole"]
        share = path + busy / 10  # ms of a second, in percent
        rows.append(
            Row(f"measuring, of the feed's throughput ({mode})", share, None, None, f"<= {MOST_PERCENT:g} %",
                share <= MOST_PERCENT, "%",
                f"on its thread {path:.2f} % ({each * 1000:.2f} of {took['whole'] * 1000:.0f} us, {A_FRAME} a frame), "
                f"beside it {busy / 10:.2f} % of a core")
        )  # fmt: skip
    told = ", ".join(f"{name} {milliseconds:.2f} ms" for name, milliseconds in looking.items())
    return [*rows, Row("one look", looking["snapshot"], None, None, "", None, "ms", f"processor time: {told}")]


def _frame(frame: bytes) -> tuple[Callable[[], object], Callable[[], object]]:
    """One frame through all that the feed's thread does with it; and what it counts for a frame, alone, many times."""
    clock, latency = FakeClock(datetime(2026, 11, 20, 5, 0, tzinfo=UTC)), Latency()
    health = HealthBook(clock, name="market", monotonic=time.monotonic)
    board = Board()
    board.hold(keys(A_FRAME))
    talk = MarketTalk(
        authorise=str,
        decode=decode,
        board=board,
        subscriptions=Subscriptions(),
        lock=Lock(),
        health=health,
        latency=latency,
        clock=clock,
        phase=lambda segment, listing: None,  # type: ignore[arg-type,return-value]  # nobody asks for it here
        practice=lambda: True,
        speed=lambda: 1.0,
        settled=lambda: None,
    )
    talk.add_tick_sink(lambda at_ms, ticks: None)
    talk.opened(0.0)
    talk.received(frame, 0.0)  # the sample that is searched for news
    offset, message = talk.clock_offset.record, health.message
    to_board, to_desk = latency[Step.RECEIVED_TO_BOARD].record, latency[Step.EXCHANGE_TO_RECEIVED].record

    def counting() -> None:
        for _ in range(COUNTED_AT_ONCE):
            began = time.monotonic_ns()
            message(1.0, A_FRAME)
            offset(20.0, 1.0)
            to_board((time.monotonic_ns() - began) / 1e6, A_FRAME)
            to_desk(20.0, A_FRAME)

    return lambda: talk.received(frame, 1.0), counting


def _looking(folder: Path) -> dict[str, float]:
    """Milliseconds of processor time of each look, over a desk with all its parts."""
    with Runtime(load_settings(data_dir=folder)) as rt:
        rt.instruments.refresh_if_due()
        rt.feed_in().connect("benchmark", timeout=5)
        rt.feed.hold("benchmark", ["NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021"])
        rt.orders.start()
        for operation in range(40):
            rt.api.caller.reports.attempted(f"operation {operation}", "v3", "2xx", 0.02)
        measures = rt.measures
        exposition = Exposition(measures.snapshot, measures.checks, mode="paper", version="0")
        stale = measures._look  # past the second for which a snapshot is shared
        measures.keep()

        def row_of_history() -> None:
            measures._last = None
            measures.keep()

        looks: dict[str, Callable[[], object]] = {
            "snapshot": lambda: stale(time.monotonic()),
            "scrape": exposition.text,
            "row of history": row_of_history,
        }
        return {name: _processor_ms(look) for name, look in looks.items()}


def _processor_ms(look: Callable[[], object]) -> float:
    look()
    times = []
    for _ in range(LOOKS):
        began = time.thread_time()
        look()
        times.append((time.thread_time() - began) * 1000)
    return statistics.median(times)


# -- the page ----------------------------------------------------------------------------------------------------------


def _first_paint() -> list[Row]:
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium here: the health page is not measured", file=sys.stderr)
        return []
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "desk"
        with Runtime(load_settings(data_dir=data)) as rt:
            count = fill_week(rt.market_pool, rt.clock.now() - timedelta(seconds=30))
        with Desk(data, timeout=120) as desk, sync_playwright() as playwright:
            desk.opened()
            browser = playwright.chromium.launch(executable_path=chromium, args=list(LAUNCH_ARGUMENTS))
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_init_script(SCRIPT)
            _opened(context, desk.url, "/health")
            hour = [_opened(context, desk.url, "/health") for _ in range(TIMES)]
            link = _by_link(context, desk.url)
            week = [_opened(context, desk.url, "/health?health-range=7+days") for _ in range(TIMES)]
            browser.close()
    note = f"from its address to the frame with checks and charts; {count:,} rows of history; median of {TIMES}"
    by_link = statistics.median(link)
    return [
        Row("health page by the link, to painted", by_link, None, None, f"<= {MOST_MS:,.0f} ms", by_link <= MOST_MS,
            "ms", f"from another page of the desk; {count:,} rows of history; median of {TIMES}"),
        _paint("health page by its address, to painted", hour, note),
        _paint("  the same with seven days shown", week, ""),
    ]  # fmt: skip


def _by_link(context: Any, url: str) -> list[float]:
    page = context.new_page()
    page.set_default_timeout(60_000)
    times = []
    page.goto(f"{url}/account", wait_until="commit")
    for _ in range(TIMES + 1):
        page.locator("h1", has_text="Account").wait_for()
        page.wait_for_function(f"() => !({READY})()")
        painted, _ = page.evaluate(f"() => deskBench.drawn({READY}, deskBench.press('Health'))")
        times.append(float(painted))
        page.get_by_role("link", name="Account", exact=True).click()
    page.close()
    return times[1:]


def _paint(name: str, times: list[tuple[float, float]], note: str) -> Row:
    ours, title = (statistics.median(one[place] for one in times) for place in (0, 1))
    met = ours <= MOST_MS
    told = f"peer: Streamlit's own title of the same page; {note}".rstrip("; ")
    if not met and title > MOST_TITLE_MS:
        told = f"{told}; what any page of Streamlit takes here and now is most of it"
    return Row(name, ours, title, ours / title, f"<= {MOST_MS:,.0f} ms", met, "ms", told)


def _opened(context: Any, url: str, path: str) -> tuple[float, float]:
    """Milliseconds until the page was painted, and until its title stood."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{url}{path}", wait_until="commit")
    painted, title = page.evaluate(f"() => deskBench.drawn({READY})")
    page.close()
    return float(painted), float(title)
