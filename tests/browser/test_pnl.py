"""The results page in a real browser: an account without trades, one with ten, one with five thousand."""

from __future__ import annotations

import re

import pytest

from tests.support.components import run
from tests.support.desk import Desk
from tests.support.pnl_account import fill_account
from tests.support.widths import sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

A_DAY_ALONE = re.compile(r"from=([\d-]+)&to=\1")


def with_trades(folder, count):
    """A desk whose paper account has traded on days before."""
    return fill_account(folder / "paper", count), Desk(folder, timeout=120)


@pytest.fixture(scope="module")
def thousands(tmp_path_factory):
    filled, desk = with_trades(tmp_path_factory.mktemp("thousands") / "data", 5_000)
    with desk:
        desk.opened()
        yield desk.url, filled
        assert "set via the Session State API" not in desk.log


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    filled, desk = with_trades(tmp_path_factory.mktemp("ten") / "data", 10)
    with desk:
        desk.opened()
        yield desk.url, filled


def opened(open_page, url, query="period=all", **more):
    """The page, when all trades of the broker's history are counted in."""
    page = open_page(f"{url}/pnl?{query}", **more)
    page.locator('.tile[data-id="gross"]').wait_for()
    return page


def whole(open_page, told, query="period=all", **more):
    url, filled = told
    page = opened(open_page, url, query, **more)
    page.wait_for_function(  # the broker adds what he squared off and settled himself
        """count => Number(/([\\d,]+) fills from/.exec(document.body.innerText)?.[1].replaceAll(",", "")) >= count""",
        arg=filled.fills,
        timeout=90_000,
    )
    return page


def drawn(page, count):
    """Wait until so many pictures are painted."""
    page.locator(".stage[data-drawn]").nth(count - 1).wait_for()


def figure(page, name):
    return page.locator(f'.tile[data-id="{name}"] .figure').inner_text()


def fits(page):
    return sideways(page) <= 0


def the_curve_is_looked_at(page):
    """By mouse and by keys: told, closer, whole again, a day alone, all days again."""
    curve = page.locator(".stage").first
    plot, tip = curve.locator(".plot"), curve.locator(".tip")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    across = [box["x"] + box["width"] * share for share in (0.3, 0.6)]
    page.mouse.move(across[0], box["y"] + 120)
    tip.get_by_text("Net so far").wait_for()
    page.mouse.down()
    page.mouse.move(across[1], box["y"] + 120, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Whole period").click()
    page.get_by_role("button", name="Whole period").wait_for(state="hidden")

    curve.press("End")
    tip.get_by_text("Net so far").wait_for()
    curve.press("Enter")
    page.wait_for_function(
        """() => [...document.querySelectorAll('*')].some(node =>
          node.shadowRoot?.querySelector('.stage')?.ariaLabel.includes('over 1 days'))"""
    )
    page.get_by_test_id("stMain").get_by_role("radio", name="All", exact=True).first.click()
    page.locator(".day[data-way]").nth(1).wait_for()


def text_is_readable(page, selector):
    """Is the contrast of its text to the page's ground at least 4.5, as the theme draws it?"""
    return page.locator(selector).first.evaluate(
        """node => {
          const pen = new OffscreenCanvas(1, 1).getContext("2d")
          const seen = (...colours) => { // one laid over the other, as they may be half transparent
            for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1) }
            return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3)
          }
          const light = rgb => rgb.map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
          const ground = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor
          const [a, b] = [light(seen(ground)), light(seen(ground, getComputedStyle(node).color))]
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) >= 4.5
        }"""
    )


def test_an_account_without_trades_says_so(desk, open_page):
    page = opened(open_page, desk.url)

    page.get_by_text("No closed trades yet").wait_for()
    assert figure(page, "gross") == "₹0.00"
    assert page.locator(".stage").count() == 0
    page.get_by_role("tab", name="Contract notes").click()
    page.get_by_text("Nothing was traded today").wait_for()


def test_ten_trades_are_figures_pictures_and_rows(ten, open_page):
    page = whole(open_page, ten, "period=all&behind=charges")

    drawn(page, 3)
    page.locator('table[aria-label="Charges by kind"]').wait_for()
    assert page.locator(".day[data-way]").count() >= 1
    page.get_by_role("tab", name="Trades", exact=True).click()
    rows = page.locator('table[aria-label="Closed trades"] tbody tr')
    rows.first.wait_for()
    assert 1 <= rows.count() <= 10


def test_timers_that_asked_before_the_page_was_told_do_not_undo_a_choice(ten, chromium):
    """What the desk tells is held up, so that several timers say what stood in the fields before the day was chosen."""
    url, _ = ten
    sides, held, asked, holding = [], [], [], []

    def between(page_side):
        desk_side = page_side.connect_to_server()
        page_side.on_message(lambda message: (asked.append(message), desk_side.send(message)))
        desk_side.on_message(lambda message: held.append(message) if holding else page_side.send(message))
        sides.append(page_side)

    def asked_more(count):
        before = len(asked)
        while len(asked) < before + count:
            page.wait_for_timeout(100)

    page = chromium.new_page()
    page.route_web_socket(re.compile("_stcore/stream"), between)
    page.goto(f"{url}/pnl?period=all")
    drawn(page, 3)
    days = page.locator(".day[data-way]")
    assert days.count() > 1

    holding.append(True)
    days.last.click()
    asked_more(8)
    holding.clear()
    for message in held:
        sides[-1].send(message)

    page.wait_for_url(A_DAY_ALONE)
    asked_more(6)
    assert A_DAY_ALONE.search(page.url)
    assert days.count() == 1
    page.close()


def test_five_thousand_are_looked_at_by_day_by_group_and_one_by_one(thousands, open_page):
    page = whole(open_page, thousands)
    drawn(page, 3)
    all_of_them = figure(page, "net")
    the_curve_is_looked_at(page)

    page.locator('.tile[data-id="net"]').click()
    page.locator('table[aria-label="Net by segment"]').wait_for()
    assert "behind=net" in page.url
    assert page.locator('table[aria-label="Net by segment"] tfoot td').nth(2).inner_text() == all_of_them

    row = page.locator('table[aria-label="Results by symbol"] tbody tr.can').first
    symbol, net = row.locator("th").inner_text(), row.locator("td").last.inner_text()
    row.click()
    page.wait_for_function(
        """net => [...document.querySelectorAll('*')].some(node =>
          node.shadowRoot?.querySelector('.tile[data-id=net] .figure')?.textContent === net)""",
        arg=net,
    )
    assert f"symbol={symbol.split()[0]}" in page.url
    page.get_by_role("button", name=symbol, exact=True).click()  # the filter is taken off again
    page.locator('.tile[data-id="net"] .figure', has_text=all_of_them).wait_for()

    page.locator(".day[data-way]").last.click()  # which day is told by the link: the calendar may just be drawn anew
    page.wait_for_url(A_DAY_ALONE)
    iso = re.search(r"from=([\d-]+)", page.url)[1]
    page.get_by_role("tab", name="Trades", exact=True).click()
    closed = page.locator('table[aria-label="Closed trades"] tbody tr')
    closed.first.wait_for()
    assert f"{int(iso[8:]):02d} " in closed.first.locator("td").first.inner_text()


def test_the_table_sorts_over_all_and_a_row_opens_its_lots_and_charges(thousands, open_page):
    page = whole(open_page, thousands, "period=all&part=Trades")
    table = page.locator('table[aria-label="Closed trades"]')
    pager = page.get_by_role("navigation", name="Pagination")
    pager.get_by_role("button", name="Page 2", exact=True).click()
    page.get_by_text(re.compile(r"^51 to 100 of")).wait_for()
    head = table.locator("thead button", has_text=re.compile("^Net$"))
    head.click()
    table.locator('th[aria-sort="descending"]', has_text="Net").wait_for()
    best = table.locator("tbody tr").first.locator("td").last.inner_text()
    head.click()
    table.locator('th[aria-sort="ascending"]', has_text="Net").wait_for()
    page.get_by_text(re.compile(r"^1 to 50 of [\d,]+ closed trades$")).wait_for()
    assert pager.locator("[aria-current=page]").inner_text() == "1"
    first = table.locator("tbody tr").first
    assert first.locator("td").last.inner_text() != best

    net = first.locator("td").last.inner_text()
    first.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.locator('table[aria-label="Lots"]').wait_for()
    dialog.get_by_text(net).first.wait_for()
    dialog.locator('table[aria-label="Charges"] tfoot').wait_for()
    dialog.get_by_label("Note").wait_for()
    assert "trade=" in page.url
    page.reload()
    page.get_by_role("dialog").locator('table[aria-label="Lots"]').wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_everything_fits_and_is_readable(thousands, open_page, scheme):
    page = whole(open_page, thousands, width=390, height=844, scheme=scheme)
    drawn(page, 3)

    assert fits(page)
    table = page.locator('table[aria-label="Results by symbol"]')
    assert table.evaluate("table => table.offsetWidth <= table.parentElement.clientWidth + 1")
    assert page.locator(".stage").evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth + 1)")
    assert page.locator(".months").evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    for selector in ('.tile[data-id="charges"] .figure', '.tile[data-id="gross"] .note', ".strip h2 span"):
        assert text_is_readable(page, selector), selector
    page.get_by_role("tab", name="Trades", exact=True).click()
    row = page.locator('table[aria-label="Closed trades"] tbody tr').first
    row.wait_for()
    assert fits(page)
    row.click()
    page.get_by_role("dialog").locator('table[aria-label="Lots"]').wait_for()
    assert fits(page)


def test_an_axis_of_bars_marks_zero_and_its_ends_as_far_as_they_have_room(blank):
    run(blank, ("shared.js", "pnl_text.js", "pnl_plot.js"), "Object.assign(globalThis, { outerTicks, scaleOf })")

    def marked(*values):
        return blank.evaluate(
            "values => outerTicks(values, scaleOf([-6000, 6000], 80, 0)).map(([, text]) => text)", values
        )

    assert marked(4933.2, -5133.4, 12) == ["₹0", "−₹5,133", "₹4,933"]
    assert marked(4933.2, -600) == ["₹0", "₹4,933"]
    assert marked(-5133.4, -20) == ["₹0", "−₹5,133"]
