"""The portfolio in a real browser, over a paper broker that other programs trade at as well."""

from __future__ import annotations

import re

import pytest
import requests

from tests.support.broker_process import Broker
from tests.support.desk import Desk
from tests.support.widths import sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

RELIANCE, INFY, HDFC = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_EQ|INE040A01034"


class Trading:
    """A paper broker, a desk beside it, and another program of the same account."""

    def __init__(self, broker, desk):
        self.broker, self.url = broker, desk.url + "/portfolio"
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method, path, **given):
        header = {"Authorization": f"Bearer {self.broker.token}"}
        answer = self._session.request(method, self.broker.url + path, headers=header, timeout=10, **given)
        assert answer.status_code == 200, answer.text
        return answer.json().get("data")

    def trade(self, key, side, quantity, product="D"):
        body = {
            "instrument_token": key, "quantity": quantity, "product": product, "validity": "DAY", "price": 0,
            "order_type": "MARKET", "transaction_type": side, "disclosed_quantity": 0, "trigger_price": 0,
            "is_amo": False, "market_protection": -1, "tag": "elsewhere",
        }  # fmt: skip
        self.ask("POST", "/v3/order/place", json=body)

    def positions(self):
        """Net units by key and product, at the broker."""
        told = self.ask("GET", "/v2/portfolio/short-term-positions")
        return {(row["instrument_token"], row["product"]): row["quantity"] for row in told}

    def orders(self):
        return [one for one in self.ask("GET", "/v2/order/retrieve-all") if one["tag"] != "elsewhere"]

    def fail(self, operation, kind="status", **more):
        self.ask("POST", "/_paper/faults", json={"operation": operation, "kind": kind, "times": None, **more})

    def heal(self):
        self.ask("DELETE", "/_paper/faults")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portfolio")
    with Broker(folder / "broker") as broker:
        environment = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
        with Desk(folder / "data", environment=environment | {"DESK_ACCESS_TOKEN": broker.token}) as desk:
            yield Trading(broker, desk)


@pytest.fixture
def trading(both):
    both.heal()
    both.ask("POST", "/_paper/reset", json={"confirm": "PAPER1", "opening": 1000000})
    return both


def row(page, key, product="D"):
    """The row of an open position: one that the test before has closed may be in sight for a moment."""
    return page.locator(f'tr[data-id="{key}/{product}"]:not(.closed)')


def cell(page, key, id, product="D"):
    """The text of one cell."""
    names = page.locator('table[aria-label="Positions"] thead th').evaluate_all("all => all.map(th => th.dataset.id)")
    return row(page, key, product).locator("> *").nth(names.index(id)).inner_text()


def number(text):
    return float(re.sub(r"[^0-9.\-]", "", text.replace("\N{MINUS SIGN}", "-")))


def dialog(page):
    return page.get_by_role("dialog")


def chosen(page, *rows):
    for key, product in rows:
        row(page, key, product).locator("input").check()


def doing(page, name):
    page.locator(f'.doings button[data-id="{name}"]').click()


def settled(read, wanted, page, seconds=15):
    """Wait until `read()` is `wanted`."""
    for _ in range(seconds * 10):
        if (found := read()) == wanted:
            return
        page.wait_for_timeout(100)
    assert found == wanted


def open_at(broker):
    return {name: units for name, units in broker.positions().items() if units}


def test_an_account_with_nothing_says_so(trading, open_page):
    page = open_page(trading.url)

    page.get_by_text("No positions today").wait_for()
    page.get_by_text("No holdings.").wait_for()
    page.get_by_text("₹10,00,000.00").wait_for()


def test_what_is_traded_elsewhere_appears_by_itself_and_moves_with_the_price(trading, open_page):
    page = open_page(trading.url)
    page.get_by_text("No positions today").wait_for()
    trading.trade(RELIANCE, "BUY", 100)
    row(page, RELIANCE).wait_for()

    seen = set()
    for _ in range(100):
        ltp, average, pnl = page.evaluate(
            """([id, names]) => {
              for (const node of document.querySelectorAll('*')) {
                const tr = node.shadowRoot?.querySelector(`tr[data-id="${id}"]`)
                if (!tr) continue
                const heads = [...tr.closest('table').querySelectorAll('thead th')].map(th => th.dataset.id)
                return names.map(name => tr.children[heads.indexOf(name)].textContent)
              }
            }""",
            [f"{RELIANCE}/D", ["ltp", "average", "pnl"]],
        )
        seen.add(ltp)
        assert number(pnl) == pytest.approx((number(ltp) - number(average)) * 100, abs=0.51)  # the average is rounded
        if len(seen) > 3:
            break
        page.wait_for_timeout(200)
    assert len(seen) > 1


def test_one_position_is_exited_by_one_order_however_often_the_button_is_pressed(trading, open_page):
    trading.trade(RELIANCE, "BUY", 10)
    trading.trade(INFY, "SELL", 5, "I")
    page = open_page(trading.url)
    row(page, RELIANCE).get_by_role("button", name="Exit RELIANCE").click()
    dialog(page).get_by_text("Sell 10 RELIANCE (NSE) at the market").wait_for()
    dialog(page).get_by_role("button", name="Sell 10 RELIANCE at the market").dblclick()
    dialog(page).get_by_text("The broker has the order").wait_for()

    settled(lambda: open_at(trading), {(INFY, "I"): -5}, page)
    assert len(trading.orders()) == 1
    page.reload()
    page.locator("h1").first.wait_for()
    page.wait_for_timeout(1500)
    assert len(trading.orders()) == 1


def test_several_are_exited_together_and_each_by_its_own_order(trading, open_page):
    trading.trade(RELIANCE, "BUY", 10)
    trading.trade(INFY, "SELL", 5, "I")
    trading.trade(HDFC, "BUY", 7, "I")
    page = open_page(trading.url)
    row(page, HDFC, "I").wait_for()
    chosen(page, (RELIANCE, "D"), (INFY, "I"))
    doing(page, "exit")
    dialog(page).get_by_text("Buy 5 INFY").wait_for()
    dialog(page).get_by_text("Sell 10 RELIANCE").wait_for()
    dialog(page).get_by_role("button", name="Exit 2 positions").click()

    settled(lambda: open_at(trading), {(HDFC, "I"): 7}, page)
    assert sorted(one["quantity"] for one in trading.orders()) == [5, 10]


def test_all_are_exited(trading, open_page):
    trading.trade(INFY, "SELL", 5, "I")
    trading.trade(HDFC, "BUY", 7, "I")
    page = open_page(trading.url)
    row(page, HDFC, "I").wait_for()
    doing(page, "exit_all")
    dialog(page).get_by_text("2 open positions will be closed").wait_for()
    dialog(page).get_by_role("button", name="Exit all positions").click()

    settled(lambda: open_at(trading), {}, page)


def test_a_part_leaves_at_a_limit_and_enter_in_a_field_sends_nothing(trading, open_page):
    trading.trade(RELIANCE, "BUY", 10)
    page = open_page(trading.url)
    row(page, RELIANCE).wait_for()
    chosen(page, (RELIANCE, "D"))
    doing(page, "exit_part")
    field = dialog(page).get_by_label("Quantity, of 10")
    field.fill("4")
    field.press("Enter")
    dialog(page).get_by_text("Limit", exact=True).click()
    limit = dialog(page).get_by_label("Limit", exact=True).and_(page.locator("input"))
    limit.press("Enter")
    page.wait_for_timeout(1000)
    assert trading.orders() == []

    dialog(page).get_by_role("button", name="Review the order").click()
    dialog(page).get_by_text(re.compile(r"Sell 4 RELIANCE \(NSE\) at a limit of")).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    assert trading.orders() == []

    dialog(page).get_by_role("button", name=re.compile("Sell 4 RELIANCE at")).click()
    settled(lambda: [(one["quantity"], one["order_type"]) for one in trading.orders()], [(4, "LIMIT")], page)


def test_a_part_of_a_position_is_converted(trading, open_page):
    trading.trade(INFY, "BUY", 10, "I")
    page = open_page(trading.url)
    row(page, INFY, "I").get_by_role("button", name="Convert INFY").click()
    field = dialog(page).get_by_label("Quantity, of 10")
    field.fill("4")
    field.press("Tab")
    dialog(page).get_by_role("button", name="Review the conversion").click()
    dialog(page).get_by_text("Convert 4 INFY (NSE), bought, from intraday to delivery").wait_for()
    dialog(page).get_by_role("button", name="Convert 4 to delivery").dblclick()
    dialog(page).get_by_text("The position was converted").wait_for()

    settled(lambda: open_at(trading), {(INFY, "I"): 6, (INFY, "D"): 4}, page)
    row(page, INFY, "D").wait_for()


def test_while_the_broker_fails_the_last_positions_stay_with_their_age(trading, open_page):
    trading.trade(RELIANCE, "BUY", 10)
    page = open_page(trading.url)
    row(page, RELIANCE).wait_for()
    for operation in ("positions", "holdings", "funds"):
        trading.fail(operation)
    page.get_by_text("not current. The broker has a fault.").first.wait_for(timeout=60_000)

    assert cell(page, RELIANCE, "net") == "+10"
    assert page.get_by_text("No positions today").count() == 0
    trading.heal()
    page.get_by_text("not current. The broker has a fault.").first.wait_for(state="detached", timeout=90_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_everything_fits_and_can_be_done(trading, open_page, scheme):
    trading.trade(RELIANCE, "BUY", 10)
    trading.trade(INFY, "SELL", 5, "I")
    page = open_page(trading.url, width=390, height=844, scheme=scheme)
    row(page, RELIANCE).wait_for()
    row(page, INFY, "I").wait_for()  # a row that comes later moves what is clicked

    assert sideways(page) <= 0
    assert row(page, RELIANCE).locator(".k-ltp").is_visible()
    table = page.locator('table[aria-label="Positions"]')
    assert table.evaluate("table => table.offsetWidth <= table.parentElement.clientWidth + 1")
    row(page, RELIANCE).locator(".k-ltp").click()
    page.get_by_text("1 chosen").wait_for()
    doing(page, "exit")
    dialog(page).get_by_role("button", name="Sell 10 RELIANCE at the market").wait_for()
    dialog(page).get_by_role("button", name="Back").click()


def test_the_overview_tells_the_day_and_what_is_open(trading, open_page):
    trading.trade(HDFC, "BUY", 20, "I")
    trading.trade(HDFC, "SELL", 20, "I")
    trading.trade(RELIANCE, "BUY", 10)
    page = open_page(trading.url.removesuffix("portfolio"))

    page.get_by_text(re.compile(r"unrealised, 1 closed today")).wait_for()
    page.get_by_text(re.compile(r"realised .*₹.*, before charges")).wait_for()
    page.get_by_text("Open orders").wait_for()
