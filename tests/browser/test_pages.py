"""The desk as a person sees it, in a real browser."""

from __future__ import annotations

import re

import pytest

from tests.support.widths import sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PATHS = {"Overview": "/", "Quotes": "/quotes", "Calendar": "/calendar", "Account": "/account"}
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


def title_is(page, title):
    page.locator("h1", has_text=title).wait_for()


def cell(page, symbol, kind="ltp"):
    return page.locator("tbody tr", has=page.locator(".sym", has_text=re.compile(f"^{re.escape(symbol)}$"))).locator(
        f".k-{kind}"
    )


def changed(page, locator, before, seconds=60):
    """Wait until the text of `locator` is another one."""
    for _ in range(seconds * 10):
        if locator.inner_text() != before:
            return locator.inner_text()
        page.wait_for_timeout(100)
    raise AssertionError(f"nothing but {before!r} for {seconds} s")


def kept(page, holds, times=10):
    """Open the page anew until the desk has kept what was done to it, which may take it a moment."""
    for _ in range(times):
        page.reload()
        page.locator('table[aria-label^="Prices of"] tbody .sym').first.wait_for()
        if holds():
            return
    raise AssertionError(f"not kept after {times} looks")


def healthy(page):
    assert page.locator('[data-testid="stException"]').count() == 0
    page.locator('.bar[data-tone="paper"] .mode', has_text="Paper").wait_for()
    page.locator(".source", has_text="Prices: simulated").wait_for()
    page.locator(".phase", has_text="Practice session, every market open").wait_for()
    page.locator('.age[data-state="fresh"]').first.wait_for()


@pytest.mark.parametrize("title", PATHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_each_page_opens_by_its_address_and_shows_where_prices_come_from(desk, open_page, title, scheme, size):
    width, height = SIZES[size]
    page = open_page(desk.url + PATHS[title], width=width, height=height, scheme=scheme)

    title_is(page, title)
    healthy(page)
    assert sideways(page) <= 0, "the page must not scroll sideways"


def test_prices_move_without_a_click(desk, open_page):
    page = open_page(desk.url + "/quotes")
    price = cell(page, "RELIANCE")
    price.wait_for()
    table = page.locator("tbody", has=page.locator(".sym"))  # the table of quotes: other parts have a tbody, too
    before = table.inner_text()

    changed(page, table, before)
    page.locator('.status[data-priced="16"][data-stale="0"]').first.wait_for()


def test_the_age_is_renewed_on_every_page(desk, open_page):
    page = open_page(desk.url + "/account")
    page.locator('.age[data-state="fresh"]').first.wait_for()

    for _ in range(4):  # told again and again, and never old in between
        heard = page.evaluate("deskLive.heard")
        page.wait_for_function("heard => deskLive.heard > heard", arg=heard, timeout=3000)
        assert page.locator(".age").get_attribute("data-state") == "fresh"


def test_search_and_add_and_remove(desk, open_page):
    page = open_page(desk.url + "/quotes")
    page.get_by_placeholder("Add: symbol").press_sequentially("tata steel", delay=20)
    page.get_by_role("button", name="Add: TATASTEEL, ").first.click()

    cell(page, "TATASTEEL").wait_for()
    page.get_by_role("button", name="Remove TATASTEEL from this watchlist").click()
    cell(page, "TATASTEEL").wait_for(state="detached")


def test_a_click_on_a_row_shows_its_depth_and_the_choice_stays(desk, open_page):
    page = open_page(desk.url + "/quotes")
    cell(page, "INFY").click()

    page.locator('table[aria-label="Market depth of INFY"]').wait_for()
    page.wait_for_timeout(2500)
    assert page.locator('tr[aria-selected="true"] .sym').inner_text() == "INFY"


def test_the_table_can_be_walked_by_keyboard(desk, open_page):
    page = open_page(desk.url + "/quotes")
    first = page.locator('table[aria-label^="Prices of"] tbody tr').first
    first.wait_for()
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.locator('table[aria-label="Market depth of HDFCBANK"]').wait_for()


def test_sorting_by_a_head_is_kept(desk, open_page):
    page = open_page(desk.url + "/quotes")
    page.get_by_role("columnheader", name="LTP").get_by_role("button").click()
    page.locator('th[aria-sort="descending"]', has_text="LTP").wait_for()
    page.mouse.move(5, 5)
    page.wait_for_timeout(1500)
    prices = [float(text.replace(",", "")) for text in page.locator("tbody .k-ltp").all_inner_texts()]
    assert prices == sorted(prices, reverse=True)

    again = open_page(desk.url + "/quotes")
    kept(again, lambda: again.locator('th[aria-sort="descending"]', has_text="LTP").count() == 1)
    head = again.get_by_role("columnheader", name="LTP").get_by_role("button")
    head.click()
    again.locator('th[aria-sort="ascending"]', has_text="LTP").wait_for()
    head.click()
    again.locator("th[aria-sort]").wait_for(state="detached")
    kept(page, lambda: page.locator("th[aria-sort]").count() == 0)


def test_rows_can_be_moved_by_keyboard(desk, open_page):
    page = open_page(desk.url + "/quotes")
    symbols = page.locator("tbody .sym")
    symbols.first.wait_for()
    first, second = symbols.nth(0).inner_text(), symbols.nth(1).inner_text()
    page.locator('table[aria-label^="Prices of"] tbody tr').first.focus()
    page.keyboard.press("Alt+ArrowDown")

    again = open_page(desk.url + "/quotes")
    kept(again, lambda: again.locator("tbody .sym").all_inner_texts()[:2] == [second, first])
    again.locator('table[aria-label^="Prices of"] tbody tr').nth(1).focus()
    again.keyboard.press("Alt+ArrowUp")
    kept(page, lambda: page.locator("tbody .sym").all_inner_texts()[:2] == [first, second])


def heads_become(page, wanted):
    for _ in range(100):
        heads = [text.strip() for text in page.locator("thead").first.locator("th").all_inner_texts()]
        if heads[1 : len(wanted) + 1] == wanted:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"columns are {heads}")


def test_columns_can_be_moved_by_keyboard_and_put_back(desk, open_page):
    page = open_page(desk.url + "/quotes")
    page.get_by_role("columnheader", name="Change %").get_by_role("button").focus()
    page.keyboard.press("Alt+ArrowLeft")
    heads_become(page, ["LTP", "Change %", "Change"])

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("button", name="Back to the usual columns").click()
    heads_become(page, ["LTP", "Change", "Change %"])


def menu(page, item):
    page.get_by_role("button", name="Lists").click()
    page.get_by_role("menuitem", name=item).or_(page.get_by_role("option", name=item)).first.click()


def test_a_watchlist_is_made_filled_renamed_and_deleted(desk, open_page):
    page = open_page(desk.url + "/quotes")
    cell(page, "RELIANCE").wait_for()
    menu(page, "New watchlist")
    page.get_by_role("dialog").get_by_label("Name").fill("Metals")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    page.get_by_text("Nothing in this list yet").wait_for()

    menu(page, "Import")
    page.get_by_role("dialog").get_by_label("Paste them here").fill("TATASTEEL\nINE009A01021, M&M\nNONSENSE1")
    page.get_by_role("dialog").get_by_label("Paste them here").press("Control+Enter")
    page.get_by_role("dialog").get_by_text("Metals", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Import").click()
    for symbol in ("TATASTEEL", "INFY", "M&M"):
        cell(page, symbol).wait_for()
    page.get_by_text("1 unknown left out: NONSENSE1").wait_for()

    menu(page, "Rename")
    page.get_by_role("dialog").get_by_label("Name").fill("Metals and more")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    page.get_by_role("radio", name="Metals and more").or_(
        page.get_by_text("Metals and more", exact=True)
    ).first.wait_for()

    menu(page, "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    cell(page, "RELIANCE").wait_for()
    assert page.get_by_text("Metals and more", exact=True).count() == 0


def test_prices_can_be_had_as_a_file(desk, open_page):
    page = open_page(desk.url + "/quotes")
    cell(page, "RELIANCE").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()

    text = download.value.path().read_text("utf-8-sig")
    assert text.splitlines()[0].startswith("instrument_key,symbol,name,ltp,change,change_percent,open")
    assert "RELIANCE" in text


def test_an_alert_is_set_from_a_row_and_one_of_a_rule_is_told_and_ends_by_itself(desk, open_page):
    page = open_page(desk.url + "/quotes")
    cell(page, "TCS").wait_for()
    page.get_by_role("button", name="Price alert on TCS").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Level").fill("99999")
    dialog.get_by_label("Level").press("Enter")
    dialog.get_by_text("You are told when it rises to that").wait_for()
    dialog.get_by_role("button", name="Set the alert").click()
    dialog.wait_for(state="detached")

    page.goto(desk.url + "/health")
    page.get_by_text("rises to 99,999.00").wait_for()
    page.locator(".st-key-alerts-rules-open").get_by_text("Rules").click()
    page.locator(".st-key-alerts-rules-disk_low button").click()
    dialog.get_by_label("Opens below").fill("90000000")
    dialog.get_by_label("Is over at").fill("90000000")
    dialog.get_by_role("button", name="Use these").click()
    page.locator("#desk-notices", has_text="Disk nearly full").wait_for()
    told = page.locator(".st-key-alerts-list-open").get_by_text("MB are free")
    told.wait_for()

    page.locator(".st-key-alerts-rules-disk_low button").click()
    dialog.get_by_role("button", name="Back to the usual").click()
    told.wait_for(state="detached")


def test_one_page_leads_to_another_without_losing_the_frame(desk, open_page):
    page = open_page(desk.url)
    for title in ("Quotes", "Account", "Overview"):
        page.get_by_test_id("stSidebarNavLink").and_(page.get_by_role("link", name=re.compile(rf"\b{title}$"))).click()
        title_is(page, title)
        healthy(page)


def test_probes_and_headers(desk):
    import json
    import urllib.request

    with urllib.request.urlopen(f"{desk.url}/readyz", timeout=10) as answer:
        told = json.load(answer)
        assert (told["ready"], told["reasons"]) == (True, {})
        assert {one["check"] for one in told["checks"]} == {"feed", "rest", "orders", "storage", "token", "market"}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors" in answer.headers["Content-Security-Policy"]


def test_nothing_is_drawn_twice_however_often_the_page_is_built(desk, open_page):
    page = open_page(desk.url + "/quotes")
    cell(page, "RELIANCE").wait_for()
    for _ in range(4):
        page.reload()
        cell(page, "RELIANCE").wait_for()
        page.get_by_text("Depth", exact=True).click()
        page.get_by_text("Depth", exact=True).click()
        page.locator('table[aria-label^="Market depth of"]').wait_for()
        page.wait_for_timeout(1200)

        assert page.locator('table[aria-label^="Market depth of"] tbody tr').count() == 5
        assert page.locator("li.card").count() == 5
        assert page.locator('table[aria-label^="Prices of"] thead tr').count() == 1
