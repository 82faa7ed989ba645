"""The charts as a person uses them, in a real browser."""

from __future__ import annotations

import csv
import io
import re
import urllib.request

import pytest

from tests.support.desk import Desk
from tests.support.downloads import downloaded
from tests.support.widths import sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RELIANCE, INFY = "NSE_EQ%7CINE002A01018", "NSE_EQ%7CINE009A01021"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
QUICK = "2026-11-20T11:00:10+05:30x20"
"""A minute takes three seconds."""


def stage(page, place=0):
    found = page.locator(".stage").nth(place)
    page.wait_for_function(
        "place => document.querySelectorAll('[data-testid]') && [...deskCharts()][place]?.dataset.total > 0", arg=place
    )
    return found


def facts(page, place=0):
    return stage(page, place).evaluate("stage => ({...stage.dataset})")


def view(page, place=0):
    return [float(edge) for edge in facts(page, place)["view"].split()]


def ticks(page):
    """How often a price has moved the last bar alone."""
    return int(facts(page)["draws"].split()[1])


def until(page, condition, seconds=20):
    """Wait until `condition()` holds."""
    for _ in range(seconds * 10):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"not within {seconds} s: {facts(page)}")


OLD = re.compile(r"^forming, \d+ (s|min) old, not current$")
LAST_LINE = """() => {
  const { plot, colours } = deskCharts()[0].deskChart
  const across = plot.layout.shapes.filter(one => one.xref === "paper" && one.yref === "y")
  return [across.find(one => one.line.dash === "dot").line.color, colours.muted]
}"""
FIND_CHARTS = """
globalThis.deskCharts = () => {
  const found = []
  const look = root => { for (const node of root.querySelectorAll('*')) {
    if (node.classList.contains('stage') && node.deskChart) found.push(node)
    if (node.shadowRoot) look(node.shadowRoot)
  } }
  look(document)
  return found
}
"""


@pytest.fixture
def candles(open_page):
    def go(url, query="", **options):
        page = open_page(f"{url}/candles{query}", **options)
        page.add_script_tag(content=FIND_CHARTS)
        stage(page)
        return page

    return go


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    with Desk(tmp_path_factory.mktemp("quick") / "data", environment={"DESK_PAPER_CLOCK": QUICK}) as desk:
        yield desk


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_opened_by_its_link_it_is_drawn_with_its_sources(desk, candles, scheme, size):
    width, height = SIZES[size]
    query = f"?key={RELIANCE}&interval=5m&range=5D&with=sma20,rsi14"
    page = candles(desk.url, query, width=width, height=height, scheme=scheme)

    assert page.locator(".readout .who").inner_text() == "RELIANCE"
    page.locator(".legend", has_text="RSI 14").wait_for()
    page.get_by_text("provisional").first.wait_for()
    assert page.locator(".main-svg").count() >= 2
    assert page.locator('[data-testid="stException"]').count() == 0
    assert sideways(page) <= 0
    tag = page.locator(".tag.last")
    tag.wait_for()
    assert float(tag.inner_text().replace(",", "")) > 0


def test_zoom_and_pan_survive_ten_ticks(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=5m&range=5D&with=ema20")
    chart = stage(page)
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 500, box["y"] + 120)
    for _ in range(4):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(120)
    before_drag = view(page)
    page.mouse.down()
    page.mouse.move(box["x"] + 640, box["y"] + 140, steps=6)
    page.mouse.up()
    until(page, lambda: view(page) != before_drag)
    page.wait_for_url(re.compile("from="))
    page.wait_for_timeout(1500)  # the desk has heard it and has told finer bars
    looked_at, whole = view(page), int(facts(page)["total"])
    assert looked_at[1] - looked_at[0] < whole * 0.8

    drawn = ticks(page)
    until(page, lambda: ticks(page) >= drawn + 10, seconds=60)

    assert view(page) == looked_at
    assert page.evaluate("deskCharts()[0].deskChart.plot.layout.xaxis.range.join()") == ",".join(
        map(repr, looked_at)
    ) or (page.evaluate("deskCharts()[0].deskChart.plot.layout.xaxis.range") == pytest.approx(looked_at, abs=0.01))
    assert "from=" in page.url


def test_a_tick_moves_the_last_bar_without_drawing_the_others_anew(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=15m&range=1M")
    full, drawn = int(facts(page)["draws"].split()[0]), ticks(page)

    until(page, lambda: ticks(page) >= drawn + 10, seconds=60)

    assert int(facts(page)["draws"].split()[0]) - full <= 3


def test_bars_close_on_the_desks_minute_and_the_view_goes_along(quick, candles):
    page = candles(quick.url, f"?key={RELIANCE}&interval=1m&range=1D")
    page.locator(".live", has_text="forming").wait_for()
    before, start = facts(page), view(page)
    first = int(before["forming"].split()[0])

    until(
        page,
        lambda: facts(page)["forming"] and int(facts(page)["forming"].split()[0]) >= first + 3 * 60_000,
        seconds=60,
    )

    assert (int(facts(page)["forming"].split()[0]) - first) % 60_000 == 0
    until(page, lambda: view(page)[1] - start[1] >= 2.9)
    after = view(page)
    assert after[1] - after[0] == pytest.approx(start[1] - start[0], abs=0.01)
    until(page, lambda: int(facts(page)["total"]) >= int(before["total"]) + 2)
    times = page.evaluate("deskCharts()[0].deskChart.bars.time")
    assert len(times) == len(set(times))
    assert times == sorted(times)


def test_a_bar_that_begins_where_none_formed_takes_the_view_along(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=5m&range=1D")
    until(page, lambda: facts(page)["forming"])

    moved, follows = stage(page).evaluate(
        """({ deskChart: chart }) => {
            chart.receive = () => {}
            const row = deskLive.rows.get(chart.data.key)
            chart.forming.bar = null // the bar before has ended, and nothing has traded since
            chart.layOut()
            chart.toEnd()
            const before = chart.view[1]
            chart.forming.edges = [row.now - 60_000, row.now + 60_000]
            chart.data.edges = chart.forming.edges
            const values = [...row.values]
            deskLive.rows.set(chart.data.key, { ...row, values })
            chart.takeOver()
            return [chart.view[1] - before, chart.isAtEnd()]
        }"""
    )

    assert (round(moved, 3), follows) == (1, True)


def test_a_closer_look_brings_every_bar(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1m&range=5D")
    assert int(facts(page)["step"]) > 1
    page.get_by_text("zoom in to see every one").wait_for()

    stage(page).focus()
    for _ in range(8):
        page.keyboard.press("+")
        page.wait_for_timeout(120)

    until(page, lambda: facts(page)["step"] == "1")
    start, end = view(page)
    assert end - start < 1_000
    assert int(facts(page)["bars"]) <= 2_000


def test_the_keyboard_reads_bar_by_bar(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D&range=3M")
    stage(page).focus()
    page.keyboard.press("ArrowLeft")
    first = page.locator(".tag.time").inner_text()
    page.keyboard.press("ArrowLeft")
    second = page.locator(".tag.time").inner_text()

    assert first != second
    assert re.fullmatch(r"\w{3} \d{2} \w{3} 2026", second)
    spoken = page.locator(".sr[aria-live]").last.inner_text()
    assert "close" in page.evaluate("deskCharts()[0].deskChart.spoken.textContent"), spoken
    page.keyboard.press("l")
    page.wait_for_url("**log=1**")
    page.keyboard.press("Escape")
    assert not page.locator(".tag.time").is_visible()


def test_a_tap_reads_a_bar_until_the_next_tap(desk, chromium):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{desk.url}/candles?key={RELIANCE}&interval=5m&range=5D")
    page.locator("h1").first.wait_for()
    page.add_script_tag(content=FIND_CHARTS)
    stage(page).scroll_into_view_if_needed()
    page.wait_for_function("deskCharts()[0].dataset.draws")
    box = stage(page).bounding_box()
    cursor = "deskCharts()[0].deskChart.cursor?.index ?? null"

    page.touchscreen.tap(box["x"] + 150, box["y"] + 60)
    until(page, lambda: page.evaluate(cursor) is not None)
    assert page.locator(".tag.time").is_visible()
    page.touchscreen.tap(box["x"] + 150, box["y"] + 60)
    until(page, lambda: page.evaluate(cursor) is None)
    context.close()


def test_what_is_chosen_is_in_the_link_and_a_link_brings_it_back(desk, candles):
    page = candles(desk.url)
    interval = page.get_by_role("combobox", name="Interval")
    interval.click()
    interval.fill("7m")
    interval.press("Enter")
    page.wait_for_url("**interval=7m**")
    page.get_by_role("button", name="Indicators").click()
    page.get_by_role("button", name="Add SMA").click()
    page.wait_for_url("**with=sma20**")
    page.keyboard.press("Escape")
    page.get_by_placeholder("Symbol, name or ISIN").press_sequentially("tata steel", delay=20)
    page.get_by_role("button", name="Show: TATASTEEL, ").first.click()
    until(page, lambda: page.locator(".readout .who").inner_text() == "TATASTEEL")

    again = candles(desk.url, "?" + page.url.partition("?")[2])
    assert again.locator(".readout .who").inner_text() == "TATASTEEL"
    again.locator(".readout", has_text="7 minutes").wait_for()
    again.locator(".legend", has_text="SMA 20").wait_for()


def test_an_interval_that_is_none_is_refused_in_words(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D")
    interval = page.get_by_role("combobox", name="Interval")
    interval.click()
    interval.fill("9 parsecs")
    interval.press("Enter")

    page.get_by_text("is not an interval").wait_for()
    page.locator(".readout", has_text="1 day").wait_for()


def test_others_are_compared_in_percent(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D&range=1Y&compare={INFY}")

    legend = page.locator(".legend").first
    legend.get_by_text("INFY").wait_for()
    assert legend.inner_text().count("%") == 2
    assert page.locator(".tag.last").inner_text().endswith("%")


def test_what_is_compared_reaches_to_the_bar_that_forms(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=5m&range=1D&compare={INFY}")
    until(page, lambda: facts(page)["forming"] and "," not in facts(page)["view"])
    ends = "[...deskCharts()[0].deskChart.plot.data].filter(one => one.mode === 'lines').map(one => one.x.at(-1))"

    until(page, lambda: page.evaluate(f"{ends}.every(end => end === deskCharts()[0].deskChart.formingPlace)"))


def test_how_far_the_reading_has_come_is_shown(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D&range=3M")
    bar = page.locator('[role="progressbar"]')
    assert bar.is_hidden()

    stage(page).evaluate(
        """({ deskChart }) => {
            deskChart.receive = () => {} // the desk has read everything, and would tell so
            deskChart.data.progress = [0.4, "candles of 1 day: June"]
            deskChart.showProgress()
        }"""
    )

    assert bar.is_visible()
    assert bar.get_attribute("aria-valuenow") == "40"
    assert "candles of 1 day: June" in bar.inner_text()


def test_two_charts_stand_side_by_side_each_with_its_own(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D&range=1Y&key2={INFY}&interval2=5m&range2=5D", width=1800)
    page.wait_for_function("deskCharts().length === 2 && deskCharts().every(one => one.dataset.total > 0)")

    left, right = (page.locator(".stage").nth(place).bounding_box() for place in (0, 1))
    assert left["x"] + left["width"] <= right["x"]
    assert abs(left["y"] - right["y"]) < 4
    assert page.locator(".readout .who").all_inner_texts() == ["RELIANCE", "INFY"]
    page.get_by_role("button", name="Close").click()
    page.wait_for_function("deskCharts().length === 1")
    page.wait_for_url(lambda url: "key2" not in url)


def test_files_and_a_picture_can_be_taken(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D&range=3M")
    page.get_by_role("button", name="File").click()
    page.get_by_role("button", name="Make the file").click()
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "Download", ".csv").path().read_text("utf-8-sig"))))
    assert len(rows) > 40
    assert rows[0]["symbol"] == "RELIANCE"

    page.get_by_role("button", name="Another file").click()
    page.get_by_text("Parquet", exact=True).click()
    page.get_by_role("button", name="Make the file").click()
    assert downloaded(page, "Download", ".parquet").path().read_bytes()[:4] == b"PAR1"

    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save a picture").click()
    assert download.value.path().read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert download.value.suggested_filename.startswith("RELIANCE_1-day_")


def test_the_chart_follows_the_theme_under_an_open_page(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D&range=3M", scheme="light")
    paper = "deskCharts()[0].deskChart.colours.paper"
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")

    until(page, lambda: page.evaluate(paper) != light)


def test_an_instrument_that_nobody_knows_is_told_in_words(desk, open_page):
    page = open_page(f"{desk.url}/candles?key=NSE_EQ%7CINE000000000")

    page.get_by_text("The instrument master does not know").wait_for()
    assert page.locator('[data-testid="stException"]').count() == 0


def test_from_a_quote_to_its_chart(desk, open_page):
    page = open_page(desk.url + "/quotes")
    page.locator('table[aria-label^="Market depth of"]').wait_for()
    page.get_by_role("link", name="Chart").first.click()

    page.locator("h1", has_text="Candles").wait_for()
    page.locator(".readout .who", has_text="RELIANCE").wait_for()


def test_a_restart_shows_the_chart_with_the_broker_stopped(broker, tmp_path, candles):
    environment = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
    environment |= {
        "DESK_READ_TOKEN": broker.token,
        "DESK_LIVE_REHEARSAL": "1",
    }  # on the host's clock: no broker needed
    query = f"?key={RELIANCE}&interval=1D&range=1Y"
    with Desk(tmp_path / "data", "--mode", "live", environment=environment) as desk:
        before = int(facts(candles(desk.url, query, strict=False))["total"])
        assert before > 200
    broker.stop()

    with Desk(tmp_path / "data", "--mode", "live", environment=environment) as desk:
        page = candles(desk.url, query, strict=False)
        assert int(facts(page)["total"]) >= before - 1
        page.get_by_text("stored here").first.wait_for()
        page.get_by_text(re.compile("told .* ago")).first.wait_for()
        page.get_by_text("The broker cannot be reached").first.wait_for(timeout=60_000)
        page.locator('.readout .live[data-state="old"]', has_text=re.compile("^not current$")).wait_for(timeout=60_000)
        assert page.locator(".tag.last[data-old]").count() == 1
        until(page, lambda: page.evaluate(LAST_LINE)[0] == page.evaluate(LAST_LINE)[1])


def test_a_price_that_nobody_renews_is_told_as_not_current(broker, tmp_path, candles):
    environment = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
    with Desk(tmp_path / "data", environment=environment | {"DESK_ACCESS_TOKEN": broker.token}) as desk:
        page = candles(desk.url, f"?key={RELIANCE}&interval=1m&range=1D", strict=False)
        page.locator('.readout .live[data-state="forming"]').wait_for()

        broker.stop()

        page.locator('.readout .live[data-state="old"]', has_text=OLD).wait_for(timeout=60_000)
        assert page.locator(".tag.last[data-old]").count() == 1
        until(page, lambda: page.evaluate(LAST_LINE)[0] == page.evaluate(LAST_LINE)[1])
        assert page.locator(".readout .fact.up, .readout .fact.down").count() == 0


def test_own_trades_and_orders_stand_at_their_bar_and_price(desk, candles):
    page = candles(desk.url, f"?key={RELIANCE}&interval=1D&range=6M")
    stage(page).evaluate(
        """stage => {
            const chart = stage.deskChart
            chart.data = { ...chart.data, marks: [
                { at: 30, price: chart.data.bars.low[30], side: "BUY", text: "Bought 50 at <b>1,500.00</b>" },
                { at: 30, price: chart.data.bars.high[30], side: "SELL", text: "Sold 50 at 1,510.00" },
                { at: null, price: chart.data.bars.close[40], side: "SELL", text: "Sell 5 at 1,520.00, limit" },
            ] }
            chart.receive()
            const shown = chart.data // the desk knows of none, and would tell so
            Object.defineProperty(chart, "data", { get: () => shown, set: () => {} })
            chart.receive = () => {}
        }"""
    )

    page.get_by_text("Sell 5 at 1,520.00, limit").wait_for()
    ground = page.locator(".annotation rect.bg")
    assert (ground.count(), ground.evaluate("node => getComputedStyle(node).fillOpacity")) == (1, "1")
    drawn = "[...deskCharts()[0].deskChart.plot.data].filter(one => one.mode === 'markers').map(one => one.x)"
    assert page.evaluate(drawn) == [[30], [30]]
    page.evaluate("deskCharts()[0].deskChart.walk(30)")
    assert page.locator(".notes span").all_inner_texts() == ["Bought 50 at <b>1,500.00</b>", "Sold 50 at 1,510.00"]
    assert "Sold 50 at 1,510.00" in page.locator(".sr").last.inner_text()


def test_the_drawing_library_comes_from_the_desk_and_is_kept_by_the_browser(desk, candles):
    page = candles(desk.url)
    address = page.evaluate("[...document.scripts].map(one => one.src).find(src => src.includes('plotly'))")
    assert address.startswith(desk.url)

    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        headers = dict(answer.headers)
        size = len(answer.read())
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["content-encoding"] == "gzip"
    assert size < 2_000_000
    loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert [name for name in loaded if not name.startswith((desk.url, "data:", "blob:"))] == []
