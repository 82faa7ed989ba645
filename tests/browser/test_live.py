"""Live prices as a person sees them: they move by themselves, nothing dead is shown as live, and all comes back."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request

import pytest

from services.runtime import Runtime
from services.settings import load_settings
from tests.support.broker_process import Broker
from tests.support.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

RELIANCE, TCS, INFY, SBIN, LT = (
    "NSE_EQ|INE002A01018", "NSE_EQ|INE467B01029", "NSE_EQ|INE009A01021", "NSE_EQ|INE062A01020", "NSE_EQ|INE018A01030",
)  # fmt: skip
INDICES = 5
PATIENCE_MS = 60_000
LISTS = {"Two": (RELIANCE, TCS), "Three": (INFY, SBIN, LT)}

ON_THE_WIRE = """
// Counts what Streamlit's own connection carries, and can hold back what the page wants to say on it.
window.streamlit = { held: false, came: 0 }
const Plain = window.WebSocket
window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given)
    this.scripts = this.url.includes("/_stcore/")
    if (this.scripts) this.addEventListener("message", () => { window.streamlit.came += 1 })
  }
  send(data) { if (!(this.scripts && window.streamlit.held)) super.send(data) }
}
"""
MOVES = """
() => {
  // Counts every change of what is shown live, by its class.
  window.moves = { ltp: 0, value: 0, bid: 0 }
  const shown = { ltp: "td.k-ltp", value: "li.card .value", bid: "td.bid" }
  const roots = [document]
  for (const root of roots) {
    for (const node of root.querySelectorAll("*")) if (node.shadowRoot) roots.push(node.shadowRoot)
  }
  for (const [name, selector] of Object.entries(shown)) {
    const watch = new MutationObserver(() => { window.moves[name] += 1 })
    for (const node of roots.flatMap(root => [...root.querySelectorAll(selector)])) {
      watch.observe(node, { childList: true, characterData: true, subtree: true })
    }
  }
}
"""


class Beside:
    """A desk and the broker beside it, each in a process of its own."""

    def __init__(self, folder) -> None:
        self.broker = Broker(folder / "broker")
        self.broker.start()
        address = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), self.broker.url)
        self.desk = Desk(folder / "data", environment=address | {"DESK_ACCESS_TOKEN": self.broker.token})
        self._folder = folder

    def make_lists(self) -> None:
        with Runtime(load_settings(data_dir=self._folder / "data", api_base=self.broker.url)) as runtime:
            for name, keys in LISTS.items():
                runtime.watchlists.create(name, keys)

    def ask(self, path, **fault):
        request = urllib.request.Request(
            self.broker.url + path,
            data=json.dumps(fault).encode() if fault else None,
            headers={"Authorization": f"Bearer {self.broker.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]

    def upstream(self):
        """How many instruments each connection to the broker carries."""
        return [sum(feed["keys"].values()) for feed in self.ask("/_paper/feeds")["market"]]

    def upstream_becomes(self, wanted, seconds=45):
        end = time.monotonic() + seconds
        while (found := self.upstream()) != wanted:
            assert time.monotonic() < end, f"{found} instead of {wanted}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    both = Beside(tmp_path_factory.mktemp("live"))
    try:
        both.make_lists()
        with both.desk:
            yield both
    finally:
        both.broker.stop()


@pytest.fixture
def quotes(beside, open_page):
    """The quotes page, live."""
    page = open_page(beside.desk.url + "/quotes", strict=False)
    is_live(page)
    page.evaluate("window.marker = 'this page'")
    return page


def is_live(page):
    page.locator('.feed[data-state="live"]').wait_for(timeout=PATIENCE_MS)
    page.locator('.status[data-priced="2"][data-stale="0"]').first.wait_for(timeout=PATIENCE_MS)
    page.locator("li.card:not(.stale)").nth(INDICES - 1).wait_for(timeout=PATIENCE_MS)
    page.locator('.root:not(.stale) table[aria-label^="Market depth of"]').wait_for(timeout=PATIENCE_MS)
    page.locator('.age[data-state="fresh"]').first.wait_for(timeout=PATIENCE_MS)


def is_grey(page):
    page.locator('.status[data-stale="2"]').first.wait_for(timeout=PATIENCE_MS)
    page.locator("li.card.stale").nth(INDICES - 1).wait_for(timeout=PATIENCE_MS)
    page.locator('.root.stale table[aria-label^="Market depth of"]').wait_for(timeout=PATIENCE_MS)
    page.locator('.age[data-state="old"]').or_(page.locator('.age[data-state="lost"]')).first.wait_for()


def moved(page, least, seconds=30):
    """Wait until everything that is shown live has changed so often."""
    for _ in range(seconds * 10):
        moves = page.evaluate("window.moves")
        if min(moves.values()) >= least:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"moved only so often: {moves}")


def same_page(page):
    return page.evaluate("window.marker") == "this page"


def test_prices_indices_and_depth_move_without_any_script_run(beside, chromium):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(ON_THE_WIRE)
    page.goto(beside.desk.url + "/quotes")
    is_live(page)
    page.evaluate("window.streamlit.held = true")  # from now on the page cannot ask for a run
    page.wait_for_timeout(1500)
    came = page.evaluate("window.streamlit.came")
    page.evaluate(MOVES)

    moved(page, 3)

    assert page.evaluate("window.streamlit.came") == came > 0, "no script has run"
    is_live(page)
    context.close()


def test_two_sessions_share_one_connection_and_closing_them_lets_their_instruments_go(beside, open_page):
    first = open_page(beside.desk.url + "/quotes", strict=False)
    is_live(first)
    second = open_page(beside.desk.url + "/quotes", strict=False)
    second.get_by_role("radio", name="Three").or_(second.get_by_text("Three", exact=True)).first.click()
    second.locator('.status[data-priced="3"][data-stale="0"]').first.wait_for()
    beside.upstream_becomes([INDICES + 2 + 3])

    second.context.close()
    beside.upstream_becomes([INDICES + 2])
    is_live(first)

    first.context.close()
    beside.upstream_becomes([0])


LINKS = {"Overview": "", "Account": "account", "Quotes": "quotes"}


def test_pages_leave_nobody_behind_who_listens(beside, quotes):
    listeners = quotes.evaluate("deskLive.viewers.size")
    for _ in range(3):
        for title in ("Overview", "Account", "Quotes"):
            quotes.locator(f'a[data-testid="stSidebarNavLink"][href$="/{LINKS[title]}"]').click()
            quotes.locator("h1", has_text=title).wait_for()
    is_live(quotes)

    assert listeners == 4
    quotes.wait_for_function(f"deskLive.viewers.size === 4 && deskLive.rows.size === {INDICES + 2}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_broker_that_stops_greys_all_with_the_reason_and_is_live_again_without_a_click(beside, quotes, number):
    prices = quotes.locator("tbody .k-ltp").all_inner_texts()

    beside.broker.stop(number)
    try:
        is_grey(quotes)
        quotes.locator('.feed[data-state="away"]', has_text="Feed: ").wait_for()
        quotes.locator(".status", has_text="2 not current: ").first.wait_for()
        assert quotes.locator(".problem").inner_text(), "the frame tells why"
        assert len(quotes.locator("tbody .k-ltp").all_inner_texts()) == len(prices), "the last values stay"
    finally:
        beside.broker.start()

    is_live(quotes)
    assert same_page(quotes)


def test_a_feed_that_is_open_and_mute_is_not_shown_as_live_and_is_replaced(beside, quotes):
    beside.ask("/_paper/feed-faults", kind="mute", now=True)

    is_grey(quotes)
    quotes.locator(".feed", has_text="Feed: mute").wait_for()
    quotes.locator(".status", has_text="2 not current: no price for more than 3 s").first.wait_for()

    is_live(quotes)
    assert same_page(quotes)


def test_a_page_goes_on_by_itself_when_the_desk_is_started_again(beside, quotes):
    code, _ = beside.desk.stop()
    try:
        assert code in (0, -signal.SIGTERM)
        is_grey(quotes)
        quotes.get_by_text("No word from the desk for").first.wait_for()
    finally:
        beside.desk.start()

    is_live(quotes)
    quotes.wait_for_function("deskLive.alive && deskLive.socket?.readyState === 1", timeout=PATIENCE_MS)
    assert same_page(quotes)


def test_a_desk_that_hangs_is_not_shown_as_live_and_its_dead_connection_is_given_up(beside, quotes):
    quotes.evaluate("window.before = deskLive.socket")
    os.kill(beside.desk.pid, signal.SIGSTOP)
    try:
        is_grey(quotes)
        quotes.wait_for_function("deskLive.socket !== window.before", timeout=PATIENCE_MS)
    finally:
        os.kill(beside.desk.pid, signal.SIGCONT)

    is_live(quotes)
    quotes.wait_for_function("deskLive.alive && deskLive.socket?.readyState === 1", timeout=PATIENCE_MS)
    assert same_page(quotes)


def test_a_page_whose_token_has_ended_gets_another_without_a_click(beside, quotes):
    quotes.evaluate(
        "deskLive.push = { ...deskLive.push, token: 'from before the last restart' }; deskLive.socket.close()"
    )

    quotes.wait_for_function("deskLive.push.token !== 'from before the last restart'")
    quotes.wait_for_function("deskLive.alive && deskLive.socket?.readyState === 1", timeout=PATIENCE_MS)
    is_live(quotes)
