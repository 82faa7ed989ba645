"""The broker goes away and comes back, and somebody logs in: the desk never lies and needs no click to recover."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.support.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def readyz(url):
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=15) as answer:
            return answer.status, json.load(answer)["reasons"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["reasons"]


@pytest.fixture
def desk_beside(broker, tmp_path):
    environment = {
        "DESK_API_BASE": broker.url,
        "DESK_ORDER_BASE": broker.url,
        "DESK_ASSETS_BASE": broker.url,
        "DESK_ACCESS_TOKEN": broker.token,
    }
    with Desk(tmp_path / "data", environment=environment) as desk:
        yield desk


def test_stale_values_are_greyed_with_the_reason_and_live_again_without_a_click(broker, desk_beside, open_page):
    page = open_page(desk_beside.url + "/quotes")
    page.locator('.status[data-priced="16"][data-stale="0"]').first.wait_for()
    page.locator('.age[data-state="fresh"]').first.wait_for()
    assert readyz(desk_beside.url) == (200, {})

    broker.stop()
    page.locator('.status[data-priced="16"][data-stale="16"]').first.wait_for(timeout=60_000)
    page.get_by_text("The broker cannot be reached").first.wait_for()
    page.locator('.age[data-state="old"]').first.wait_for()
    prices = page.locator("tbody .k-ltp").all_inner_texts()
    assert len(prices) >= 16
    assert all(float(price.replace(",", "")) > 0 for price in prices[:16])
    status, reasons = readyz(desk_beside.url)
    assert status == 503
    assert "cannot be reached" in reasons["broker"]

    for path in ("/", "/account"):
        other = open_page(desk_beside.url + path)
        other.get_by_text("The broker cannot be reached").first.wait_for()
        assert other.locator('[data-testid="stException"]').count() == 0

    health = open_page(desk_beside.url + "/health")
    health.locator("li.check.fail", has_text="Broker calls").get_by_text("takes no connection").wait_for()
    health.locator("li.check.fail", has_text="Live feed").wait_for()

    broker.start()
    page.locator('.status[data-priced="16"][data-stale="0"]').first.wait_for(timeout=90_000)
    page.locator('.age[data-state="fresh"]').first.wait_for()
    page.get_by_text("The last values stay on screen").wait_for(state="detached")


def test_a_desk_that_starts_before_its_broker_waits_for_it(broker, tmp_path, open_page):
    broker.stop()
    environment = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
    with Desk(tmp_path / "data", environment=environment | {"DESK_ACCESS_TOKEN": broker.token}) as desk:
        page = open_page(desk.url + "/quotes", strict=False)
        page.get_by_text("The broker cannot be reached").first.wait_for()

        broker.start()
        page.locator('.status[data-priced="16"][data-stale="0"]').first.wait_for(timeout=60_000)


def test_when_the_desk_itself_is_gone_the_page_says_that_prices_are_not_current(tmp_path, open_page):
    with Desk(tmp_path / "data") as desk:
        page = open_page(desk.url + "/quotes", strict=False)
        page.locator('.status[data-priced="16"][data-stale="0"]').first.wait_for()
        desk.stop()

        page.locator('.age[data-state="lost"]').first.wait_for(timeout=40_000)
        page.locator('.status[data-stale="16"]').first.wait_for()
        page.get_by_text("No word from the desk for").first.wait_for()


def test_login_goes_through_the_brokers_dialog_and_leads_back(tmp_path, open_page):
    with Desk(tmp_path / "data") as desk:
        page = open_page(desk.url + "/account", strict=False)
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("Not logged in").wait_for()
        page.get_by_role("link", name="Quotes").click()
        page.locator("h1", has_text="Quotes").wait_for()
        page.get_by_role("link", name="Log in", exact=True).click()
        page.locator("h1", has_text="Account").wait_for()

        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Log in at the paper broker").click()
        dialog = opened.value
        dialog.get_by_role("button", name="Log in as").click()
        dialog.get_by_role("heading", name="Logged in").wait_for()
        assert dialog.url == f"{desk.url}/login/done", "the code must not stay in the address line"

        dialog.get_by_role("link", name="Back to the desk").click()
        dialog.locator("h1", has_text="Account").wait_for()
        dialog.get_by_text("Logged in", exact=False).first.wait_for()
        dialog.get_by_role("button", name="Sign out").wait_for()
        page.get_by_role("button", name="Sign out").wait_for(timeout=30_000)
