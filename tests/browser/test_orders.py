"""Orders in a real browser: a desk as a person starts it, over a paper broker whose book and answers can be looked at
and spoiled."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
import requests

from tests.support.broker_process import Broker
from tests.support.desk import Desk
from tests.support.widths import sideways

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

RELIANCE = "NSE_EQ%7CINE002A01018"
PLENTY = {"DESK_MAX_ORDER_VALUE": "1000000000", "DESK_MAX_ORDER_QUANTITY": "1000000"}
OPENING = 1_000_000_000


class Trading:
    """A paper broker, a desk beside it, and what the broker says of both."""

    def __init__(self, broker, desk):
        self.broker, self.url = broker, desk.url
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method, path, **given):
        header = {"Authorization": f"Bearer {self.broker.token}"}
        answer = self._session.request(method, self.broker.url + path, headers=header, timeout=10, **given)
        assert answer.status_code == 200, answer.text
        return answer.json().get("data")

    def orders(self):
        """The broker's own book."""
        return self.ask("GET", "/v2/order/retrieve-all")

    def fail(self, operation, kind="status", **more):
        self.ask("POST", "/_paper/faults", json={"operation": operation, "kind": kind, "times": None, **more})

    def slow_once(self):
        """The next order takes the broker a while: time to do something to the page that sends it."""
        self.fail("order_place", "slow", ms=2500, times=1)

    def is_asked(self):
        """Has that order reached the broker?"""
        return self.ask("GET", "/_paper/faults") == []

    def heal(self):
        self.ask("DELETE", "/_paper/faults")
        self.ask("DELETE", "/_paper/update-faults")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("orders")
    with Broker(folder / "broker") as broker:
        environment = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
        environment |= PLENTY | {"DESK_ACCESS_TOKEN": broker.token}
        with Desk(folder / "data", environment=environment) as desk:
            yield Trading(broker, desk)


@pytest.fixture
def trading(both):
    both.heal()
    both.ask("POST", "/_paper/reset", json={"confirm": "PAPER1", "opening": OPENING})
    return both


@pytest.fixture
def ticket(trading, open_page):
    """The ticket of RELIANCE, ready."""

    def go(query="", **options):
        page = open_page(f"{trading.url}/orders?key={RELIANCE}{query}", **options)
        page.get_by_role("button", name="Review: ").wait_for()
        return page

    return go


def dialog(page):
    return page.get_by_role("dialog")


def fill(page, label, value):
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")


def price(page):
    return float(page.get_by_label("Price", exact=True).input_value())


def review(page, button):
    """To the confirmation whose button says that."""
    page.get_by_role("button", name=f"Review: {button}").click()
    return dialog(page).get_by_role("button", name=button)


def place(page, quantity, at=None):
    """Place an order to buy, and close what tells of it."""
    fill(page, "Quantity", quantity)
    if at is not None:
        fill(page, "Price", at)
    review(page, f"Buy {quantity:,} RELIANCE").click()
    dialog(page).get_by_text("The broker has the order").wait_for()


def close(page):
    dialog(page).get_by_role("button", name="Close", exact=True).last.click()
    dialog(page).wait_for(state="detached")


def rows(page):
    return page.locator('table[aria-label$="orders"] tbody tr')


def settled(read, wanted, page, seconds=15):
    """Wait until `read()` is `wanted`."""
    for _ in range(seconds * 10):
        if (found := read()) == wanted:
            return
        page.wait_for_timeout(100)
    assert found == wanted


def group(page, name):
    page.get_by_role("radio", name=re.compile(f"^{name} ")).or_(
        page.get_by_role("button", name=re.compile(f"^{name} [0-9]"))
    ).first.click()


def test_one_press_places_one_order_and_follows_it(trading, ticket):
    page = ticket()
    at = round(price(page) * 0.97)
    place(page, 25, at)

    dialog(page).get_by_text("Open", exact=True).first.wait_for()
    [order] = trading.orders()
    assert (order["quantity"], order["price"], order["status"]) == (25, at, "open")
    close(page)
    settled(lambda: ("confirm" in page.url, rows(page).count()), (False, 1), page)


def test_a_double_click_is_one_order(trading, ticket):
    page = ticket()
    fill(page, "Price", round(price(page) * 0.97))
    review(page, "Buy 1 RELIANCE").dblclick()
    dialog(page).get_by_text("The broker has the order").wait_for()
    page.wait_for_timeout(1500)

    assert len(trading.orders()) == 1


def test_two_tabs_and_a_reload_show_one_confirmation_and_make_one_order(trading, ticket, open_page):
    first = ticket()
    fill(first, "Price", round(price(first) * 0.97))
    review(first, "Buy 1 RELIANCE").wait_for()
    second = open_page(first.url)
    button = dialog(second).get_by_role("button", name="Buy 1 RELIANCE")
    button.wait_for()
    trading.slow_once()
    dialog(first).get_by_role("button", name="Buy 1 RELIANCE").click()
    settled(trading.is_asked, True, second)
    first.reload()
    dialog(first).get_by_text("The broker has the order").wait_for()
    with suppress(sync_api.Error):  # it may have gone by itself
        button.click(timeout=3000)
    dialog(second).get_by_text("The broker has the order").wait_for()

    assert len(trading.orders()) == 1


def test_a_page_that_is_closed_while_it_sends_has_sent_once(trading, ticket, open_page):
    trading.slow_once()
    page = ticket()
    fill(page, "Price", round(price(page) * 0.97))
    review(page, "Buy 1 RELIANCE").click()
    settled(trading.is_asked, True, page)
    page.close()

    other = open_page(f"{trading.url}/orders")
    settled(lambda: rows(other).count(), 1, other)
    assert len(trading.orders()) == 1


def test_enter_in_a_field_sends_nothing(trading, ticket):
    page = ticket()
    for label in ("Quantity", "Price"):
        page.get_by_label(label, exact=True).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
    page.wait_for_timeout(1000)

    assert dialog(page).count() == 0
    page.keyboard.press("Control+Enter")
    dialog(page).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    assert trading.orders() == []


def test_the_keyboard_alone_can_place_an_order(trading, ticket):
    page = ticket()
    fill(page, "Price", round(price(page) * 0.97))
    page.keyboard.press("Control+Enter")
    button = dialog(page).get_by_role("button", name="Buy 1 RELIANCE")
    button.wait_for()
    for _ in range(6):
        page.keyboard.press("Tab")
        if button.evaluate("node => node.contains(document.activeElement) || node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    dialog(page).get_by_text("The broker has the order").wait_for()

    assert len(trading.orders()) == 1


def test_what_the_book_cannot_fill_stays_open_in_part_and_the_fill_is_announced(trading, ticket, open_page):
    elsewhere = open_page(f"{trading.url}/calendar")
    elsewhere.locator(".bell").wait_for()
    page = ticket()
    fill(page, "Price", round(price(page) * 1.003))
    fill(page, "Quantity", 60000)
    review(page, "Buy 60,000 RELIANCE").click()
    dialog(page).get_by_text(re.compile("of 60,000 filled")).first.wait_for()
    close(page)

    rows(page).locator('.state[data-tone="part"]').first.wait_for()
    [order] = trading.orders()
    assert 0 < order["filled_quantity"] < 60000
    elsewhere.locator('#desk-notices [data-kind="fill"]').first.wait_for()
    elsewhere.locator('.bell[data-unread="yes"]').wait_for()
    elsewhere.locator(".bell").click()
    elsewhere.locator('.news p[data-kind="fill"]').first.wait_for()
    elsewhere.locator('.bell[data-unread="no"]').wait_for()
    page.get_by_role("tab", name="Fills").click()
    page.get_by_text(re.compile("bought .* for ₹")).wait_for()


def test_an_order_is_changed_and_then_cancelled_from_its_row(trading, ticket):
    page = ticket()
    at = round(price(page) * 0.97)
    place(page, 10, at)
    close(page)
    page.get_by_role("button", name="Modify: Buy 10 RELIANCE").click()
    units = dialog(page).get_by_label("Quantity, the whole of it")
    units.fill("15")
    units.press("Enter")
    dialog(page).get_by_role("button", name="Review the change").click()
    dialog(page).get_by_text("10 → 15").wait_for()
    dialog(page).get_by_role("button", name="Change the order").click()
    dialog(page).get_by_text("The change was accepted").wait_for()
    close(page)
    settled(lambda: trading.orders()[0]["quantity"], 15, page)

    page.get_by_role("button", name="Cancel: Buy 15 RELIANCE").click()
    dialog(page).get_by_role("button", name="Cancel this order").click()
    dialog(page).get_by_text("The cancellation was accepted").wait_for()
    close(page)
    settled(lambda: trading.orders()[0]["status"], "cancelled", page)
    page.locator('#desk-notices [data-kind="cancel"]').first.wait_for()
    settled(lambda: rows(page).count(), 0, page)
    group(page, "Done")
    rows(page).locator('.state[data-tone="cancelled"]').first.wait_for()


def test_a_rejection_is_told_in_words_with_its_code(trading, ticket):
    trading.fail("order_place", "status", status=400, code="UDAPI1158", message="Market order not allowed")
    page = ticket()
    review(page, "Buy 1 RELIANCE").click()

    dialog(page).get_by_text("The broker refused it").wait_for()
    dialog(page).get_by_text("UDAPI1158").wait_for()
    assert trading.orders() == []


def test_an_order_that_got_no_answer_is_unknown_until_it_is_found(trading, ticket):
    trading.fail("order_place", "drop_after")
    trading.fail("order_book", "status", status=500)
    trading.fail("order_history", "status", status=500)
    trading.ask("POST", "/_paper/update-faults", json={"kind": "missing", "times": 1000, "update_type": "order"})
    page = ticket()
    fill(page, "Price", round(price(page) * 0.97))
    review(page, "Buy 1 RELIANCE").click()

    dialog(page).get_by_text("No answer from the broker yet").wait_for()
    close(page)
    page.get_by_text(re.compile("Not known yet, for .*Buy 1 RELIANCE")).wait_for()
    page.locator('#desk-notices [data-kind="unknown"]').first.wait_for()
    trading.heal()
    page.get_by_text(re.compile("Not known yet, for")).wait_for(state="detached", timeout=60_000)
    settled(lambda: rows(page).count(), 1, page)

    assert len(trading.orders()) == 1


def test_a_book_that_the_broker_cannot_tell_stays_with_its_age(trading, ticket):
    page = ticket()
    place(page, 10, round(price(page) * 0.97))
    close(page)
    trading.fail("order_book", "status", status=500)
    page.get_by_role("button", name="Refresh").click()

    page.get_by_text(re.compile("Not current: ")).first.wait_for()
    settled(lambda: rows(page).count(), 1, page)


def test_the_kill_switch_stops_orders_and_is_seen_everywhere(trading, ticket):
    page = ticket()
    page.get_by_role("tab", name="Safety").click()
    page.get_by_role("button", name="Stop all new orders now").click()
    page.get_by_text("The kill switch is on", exact=True).wait_for()
    page.locator(".halted", has_text="Kill switch on").wait_for()
    page.get_by_role("button", name="Review: ").and_(page.locator(":disabled")).wait_for()
    page.get_by_role("button", name="Allow orders again").click()
    page.get_by_text("The kill switch is on", exact=True).wait_for(state="detached")
    page.get_by_role("button", name="Review: ").and_(page.locator(":enabled")).wait_for()

    assert trading.orders() == []


def test_all_open_orders_are_cancelled_after_one_confirmation(trading, ticket):
    page = ticket()
    at = round(price(page) * 0.97)
    for quantity in (1, 2):
        place(page, quantity, at)
        close(page)
    page.get_by_role("button", name="All at once").click()
    page.get_by_role("menuitem", name="Cancel all open orders").or_(
        page.get_by_role("option", name="Cancel all open orders")
    ).first.click()
    dialog(page).get_by_role("button", name="Cancel all open orders").click()
    dialog(page).get_by_text("All 2 orders cancelled").wait_for()
    dialog(page).get_by_text(re.compile("Buy 2 RELIANCE.*: accepted")).wait_for()

    settled(lambda: {one["status"] for one in trading.orders()}, {"cancelled"}, page)


def test_a_basket_is_confirmed_once(trading, ticket):
    page = ticket()
    fill(page, "Price", round(price(page) * 0.97))
    page.get_by_role("tab", name="Basket").click()
    page.get_by_text("Empty. ").wait_for()
    for count in (1, 2):
        page.get_by_role("button", name="Add to basket").click()
        page.get_by_role("button", name=f"Review {count} order").wait_for()
    page.get_by_role("button", name="Review 2 orders").click()
    dialog(page).get_by_role("button", name="Place 2 orders").click()
    dialog(page).get_by_text("All 2 orders accepted").wait_for()
    dialog(page).get_by_role("button", name="Place 2 orders").wait_for(state="detached")
    page.get_by_text("Empty. ").wait_for()

    assert len(trading.orders()) == 2


def test_a_gtt_is_left_and_cancelled(trading, ticket):
    page = ticket()
    at = round(price(page) * 0.9)
    page.get_by_text("GTT", exact=True).first.click()
    fill(page, "Entry price", at)
    page.get_by_role("button", name="Review this GTT").click()
    dialog(page).get_by_role("button", name="Leave this GTT").click()
    dialog(page).get_by_text("The broker keeps the GTT").wait_for()
    close(page)
    page.get_by_role("tab", name="GTT").click()
    page.get_by_text(re.compile("Entry at or below")).first.wait_for(timeout=30_000)
    page.get_by_role("button", name="Cancel", exact=True).first.click()
    dialog(page).get_by_role("button", name="Cancel this GTT").click()
    dialog(page).get_by_text("The GTT was cancelled").wait_for()


def test_a_click_on_a_price_of_the_depth_takes_it_over(ticket):
    page = ticket()
    level = page.locator("td.ask").nth(4)
    level.click()
    page.wait_for_timeout(1500)

    assert price(page) > 0
    assert level.get_attribute("role") == "button"


def test_one_order_is_looked_at_step_by_step(trading, ticket):
    page = ticket()
    place(page, 10, round(price(page) * 0.97))
    close(page)
    rows(page).first.focus()
    page.keyboard.press("Enter")
    dialog(page).get_by_text("Received by the broker").wait_for()
    dialog(page).get_by_text("by the order stream").first.wait_for()
    page.keyboard.press("Escape")
    dialog(page).wait_for(state="detached")


def test_on_a_phone_everything_is_in_reach(trading, ticket):
    page = ticket("&side=SELL", width=390, height=844, scheme="dark")
    page.get_by_role("button", name="Review: Sell 1 RELIANCE").wait_for()
    page.get_by_text("Practice money.").wait_for()
    page.get_by_text("Buy", exact=True).first.click()
    place(page, 10, round(price(page) * 0.97))
    close(page)
    rows(page).first.wait_for()

    assert sideways(page) <= 0
    for deed in ("Modify", "Cancel", "Repeat"):
        box = page.get_by_role("button", name=f"{deed}: Buy 10 RELIANCE").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("start", ["quotes", "candles"])
def test_the_ticket_is_one_click_from_the_price(trading, open_page, start):
    page = open_page(f"{trading.url}/{start}")
    if start == "quotes":
        page.get_by_role("button", name="Sell RELIANCE: to the order ticket").click()
        page.get_by_role("button", name="Review: Sell 1 RELIANCE").wait_for()
    else:
        page.get_by_role("link", name="Trade").first.click()
        page.get_by_role("button", name="Review: ").wait_for()
    page.locator("h1", has_text="Orders").wait_for()

    assert trading.orders() == []
