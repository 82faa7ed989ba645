"""Every page in both themes before axe-core: nothing serious or critical may be wrong with it. And the ways that a
keyboard has on every page."""

from __future__ import annotations

from decimal import Decimal
from importlib import resources

import pytest

from services.acting import local_user
from services.domain.orders import OrderRequest, OrderType, Product, Side
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

RELIANCE, TCS = "NSE_EQ|INE002A01018", "NSE_EQ|INE467B01029"
PLACES = {
    "": ".st-key-tour a.tile",
    "quotes": 'table[aria-label^="Market depth of"]',
    "quotes?tab=Option+chain": 'table[aria-label^="Option chain"], [class*="st-key-chain"]',
    "quotes?tab=Movers": 'table[aria-label^="Gainers"]',
    "candles": '[class*="st-key-candles-chart-0"] canvas, [class*="st-key-candles-chart-0"] svg',
    "calendar": ".st-key-cal-year-view",
    f"orders?key={RELIANCE.replace('|', '%7C')}": 'table[aria-label="Open orders"] tbody tr',
    "orders?view=Fills": 'table[aria-label^="Fills of the day"] tbody tr',
    "orders?view=Safety": ".st-key-kill-on",
    "portfolio": 'table[aria-label="Positions"] tr[data-id]',
    "pnl": ".tile",
    "pnl?part=Trades": 'table[aria-label="Closed trades"] tbody tr',
    "pnl?part=Contract+notes": "table",
    "pnl?part=Reconciliation": "table",
    "pnl?part=Tax": "table",
    "pnl?part=Records": "text=None yet",
    "pnl_print": "table",
    "health": ".check",
    "account": ".st-key-going-live",
}
"""What to open, and what has come when it is there."""

STREAMLITS_OWN = {
    ("list", "sidebar"): "heads of sections stand between a list and its items in the menu of `st.navigation`",
    ("listitem", "sidebar"): "the same, seen from the items",
    ("color-contrast", "shortcut"): "the sign of a button's shortcut is drawn at 60 % of the button's own letters",
}
"""What no page can mend from outside."""

RUN = """async colours => {
  const only = colours ? { runOnly: ["color-contrast"] } : {}
  const { violations } = await axe.run(document, { resultTypes: ["violations"], elementRef: true, ...only })
  const place = node => node.element?.closest('[data-testid="stSidebarNav"]') ? "sidebar"
    : node.element?.closest("button kbd") ? "shortcut" : "page"
  return violations.filter(one => ["serious", "critical"].includes(one.impact)).flatMap(one => one.nodes.map(node => ({
    rule: one.id, place: place(node), html: node.html.slice(0, 160),
    why: (node.any[0] ?? node.all[0] ?? node.none[0])?.message?.slice(0, 200) ?? one.help,
  })))
}"""


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """A paper desk with a little of everything: days before this one, positions, an open order, fills."""
    folder = tmp_path_factory.mktemp("look") / "data"
    with Desk(folder) as desk:
        desk.opened()
        with Runtime(load_settings(data_dir=folder)) as runtime:
            runtime.instruments.refresh_if_due()
            runtime.paper_account.reset("PAPER1", past_days=5, actor=local_user())
            last = runtime.quotes.get([RELIANCE]).quotes[RELIANCE]["ltp"]
            wanted = (
                OrderRequest(RELIANCE, Side.BUY, 5, OrderType.MARKET),
                OrderRequest(TCS, Side.BUY, 5, OrderType.MARKET, Product.INTRADAY),
                OrderRequest(TCS, Side.SELL, 5, OrderType.MARKET, Product.INTRADAY),
                OrderRequest(RELIANCE, Side.BUY, 5, OrderType.LIMIT, price=Decimal(round(last * 0.97))),
            )
            for number, request in enumerate(wanted):
                runtime.orders.place(request, intent_id=f"look-{number}", actor=local_user())
        yield desk


def settled(page):
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def themed(page, scheme):
    """Streamlit follows the machine; wait until it has."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "dark => (getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        ".match(/[0-9]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) < 384) === dark",
        arg=scheme == "dark",
    )


def test_nothing_serious_is_wrong_with_any_page_in_either_theme(traded, open_page):
    axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    page = open_page(traded.url)
    wrong = {}
    for place, there in PLACES.items():
        page.goto(f"{traded.url}/{place}")
        page.locator(there).first.wait_for()
        page.locator('.age[data-state="fresh"]').first.wait_for()
        settled(page)
        page.evaluate(axe)
        for scheme in ("light", "dark"):
            themed(page, scheme)
            for one in page.evaluate(RUN, scheme == "dark"):  # what is no colour is the same in both
                if (one["rule"], one["place"]) not in STREAMLITS_OWN:
                    wrong.setdefault((place, scheme, one["rule"]), []).append((one["why"], one["html"]))
    assert wrong == {}


def test_slash_finds_an_instrument_on_any_page_and_leads_to_its_chart_and_ticket(traded, open_page):
    page = open_page(f"{traded.url}/account")
    page.locator(".st-key-going-live").wait_for()
    page.locator('.age[data-state="fresh"]').wait_for()  # the frame is there, which hears the keys
    page.keyboard.press("/")
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_placeholder("Symbol, name, ISIN")
    field.wait_for()
    page.wait_for_function("document.activeElement?.tagName === 'INPUT'")
    page.keyboard.type("tata steel")
    dialog.get_by_role("button", name="Open: TATASTEEL").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog.locator('table[aria-label="Market depth of TATASTEEL"]').wait_for()
    dialog.get_by_role("link", name="Chart").click()
    page.locator("h1", has_text="Candles").wait_for()

    page.keyboard.press("t")
    page.locator("h1", has_text="Orders").wait_for()


def test_a_symbol_opens_its_instrument_and_a_tile_the_page_behind_it(traded, open_page):
    page = open_page(f"{traded.url}/orders")
    page.get_by_role("button", name="RELIANCE: depth, chart and ticket").first.click()
    page.get_by_role("dialog").locator('table[aria-label="Market depth of RELIANCE"]').wait_for()

    page.goto(traded.url)
    page.locator("a.tile", has_text="Charges today").click()
    page.locator("h1", has_text="P&L").wait_for()
    page.get_by_text("Charges by kind").wait_for()
    assert "period=today" in page.url


def test_the_tour_is_put_away_for_good(traded, open_page):
    page = open_page(traded.url)
    tour = page.locator(".st-key-tour")
    tour.locator("a.tile").nth(4).wait_for()
    page.get_by_role("button", name="Put away").click()
    tour.wait_for(state="detached")

    again = open_page(f"{traded.url}/account")
    again.get_by_role("button", name="Show the tour again").click()
    again.get_by_role("link", name="The tour is on the overview").click()
    again.locator(".st-key-tour").wait_for()
