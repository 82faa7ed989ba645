"""The calendar as a person sees it, in a real browser."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from ical.calendar_stream import IcsCalendarStream

from dashboard.components.calendar_now import board_data
from services.domain.calendar.calendar import BUNDLED
from services.domain.clock import epoch_ms
from tests.browser.conftest import Broker
from tests.support.calendar_instants import at
from tests.support.desk import Desk
from tests.support.widths import sideways

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FRIDAY = "2026-11-20T15:22:30+05:30x0.01"
"""In the closing auction of the shares with derivatives; one second in a hundred, so that it stays so."""
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def friday(tmp_path_factory):
    with Desk(tmp_path_factory.mktemp("friday") / "data", environment={"DESK_PAPER_CLOCK": FRIDAY}) as desk:
        yield desk


def row(page, name):
    return page.locator(".board .row", has=page.locator(".name b", has_text=re.compile(f"^{re.escape(name)}")))


def day(page, iso):
    return page.locator(f'.year td[data-day="{iso}"]')


def drawn(page):
    page.locator("h1", has_text="Calendar").wait_for()
    page.locator(".board .row").nth(4).wait_for()
    page.locator(".year td").nth(300).wait_for()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_opened_by_its_address_it_shows_phases_year_list_and_sources(desk, open_page, scheme, size):
    width, height = SIZES[size]
    page = drawn(open_page(f"{desk.url}/calendar", width=width, height=height, scheme=scheme))

    page.get_by_text("Practice session: the paper broker trades around the clock").wait_for()
    assert page.locator(".year table").count() == 12
    page.locator(".scroll tbody tr").nth(10).wait_for()
    page.get_by_text("The desk's own table").wait_for()
    assert page.locator('[data-testid="stException"]').count() == 0
    assert sideways(page) <= 0


def test_the_countdown_moves_without_a_click(desk, open_page):
    page = drawn(open_page(f"{desk.url}/calendar"))
    left = page.locator(".board .left").first

    seen = set()
    for _ in range(14):
        seen.add(left.inner_text())
        page.wait_for_timeout(250)
    assert len(seen) >= 3
    assert all(re.fullmatch(r"(\d+ d )?(\d+:)?\d+:\d\d", text) for text in seen), seen


def test_each_market_is_in_its_own_phase_with_a_word_and_a_sign(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))

    auction = row(page, "Shares with F&O")
    assert auction.locator(".label").inner_text() == "Closing auction"
    assert auction.locator(".sign").inner_text() == "◆"
    assert "orders" in auction.locator(".phase").inner_text()
    assert "limit orders only at 15:25" in auction.locator(".next").inner_text()
    assert row(page, "Other shares").locator(".label").inner_text() == "Open"
    page.locator('.phase[data-state="closing auction"]', has_text="NSE closing auction").wait_for()
    assert page.get_by_text("Practice session").count() == 0


def test_the_day_bar_says_where_now_is_and_speaks_to_those_who_do_not_see_it(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))
    lane = row(page, "Shares with F&O").locator(".lane")

    place = lane.evaluate("lane => parseFloat(lane.querySelector('.now').style.left)")
    assert place == pytest.approx((15.375 - 8) / 16 * 100, abs=0.2)
    assert page.locator(".now[data-text='now 15:22']").count() == page.locator(".board .row").count()
    layers = lane.evaluate(
        "lane => ['.hours', '.now'].map(one => Number(getComputedStyle(lane.querySelector(one)).zIndex))"
    )
    assert layers[0] > layers[1], "the line of now must not run through the hours"
    spoken = lane.get_attribute("aria-label")
    assert "Closing auction: limit orders only 15:25–15:30" in spoken
    kinds = lane.locator(".block").evaluate_all("blocks => blocks.map(block => block.dataset.phase)")
    assert kinds == ["pre-open", "open", "closing auction", "post-close"]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
def test_a_viewer_elsewhere_gets_an_axis_in_the_own_zone(friday, chromium, zone):
    context = chromium.new_context(timezone_id=zone, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{friday.url}/calendar")
    drawn(page)

    india = page.locator(".scale").first.locator(".ticks span").all_inner_texts()
    own = page.locator(".scale.second")
    assert india[0] == "08:00 IST"
    assert india[-1] == "24:00"
    assert page.locator(".clock").inner_text().startswith("15:22:")
    if zone == "Asia/Kolkata":
        assert not own.is_visible()
    else:
        first = {"America/New_York": "Thu 21:30", "Pacific/Auckland": "15:30"}[zone]
        assert own.locator(".ticks span").first.inner_text() == first
        assert zone.replace("_", " ") in page.locator(".local").inner_text()
    context.close()


def test_when_a_phase_ends_the_next_one_appears_long_before_the_page_renews_itself(tmp_path, open_page):
    fast = {"DESK_PAPER_CLOCK": "2026-11-20T15:16:00+05:30x30"}  # a step of five minutes takes ten seconds
    with Desk(tmp_path / "data", environment=fast) as desk:
        page = drawn(open_page(f"{desk.url}/calendar", strict=False))  # the desk ends before its page
        phase = row(page, "Shares with F&O").locator(".phase")
        before = phase.inner_text()
        for _ in range(25 * 10):  # the page as a whole is renewed once a minute
            if phase.inner_text() != before:
                break
            page.wait_for_timeout(100)
        assert phase.inner_text() != before


def test_other_days_of_the_week_are_one_click_or_one_arrow_away(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))
    tabs = page.locator(".days .day")
    assert tabs.count() == 7
    assert tabs.nth(0).get_attribute("aria-selected") == "true"
    holiday = page.get_by_role("tab", name=re.compile("Tue 24 Nov"))
    assert "Guru Nanak Jayanti" in holiday.inner_text()

    holiday.click()
    assert row(page, "F&O").locator(".lane .words").inner_text() == "Closed: Guru Nanak Jayanti"
    assert row(page, "Commodities").first.locator(".block").last.inner_text() == "17:00–23:55"
    assert not page.locator(".board .now").first.is_visible()

    page.keyboard.press("ArrowLeft")
    page.locator('.day[aria-selected="true"]', has_text="Mon 23 Nov").wait_for()
    assert row(page, "F&O").locator(".block").inner_text() == "09:15–15:40"


def test_a_row_opens_to_its_steps_and_stays_open(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))
    name = row(page, "Shares with F&O").locator(".name")
    name.click()

    detail = row(page, "Shares with F&O").locator(".detail")
    assert name.get_attribute("aria-expanded") == "true"
    assert "15:25–15:30 IST" in detail.inner_text()
    assert "takes limit orders" in detail.inner_text()
    assert detail.locator(".here").inner_text().startswith("15:20–15:25 IST")
    assert "Source: " in detail.inner_text()


def test_a_filter_goes_into_the_link_and_comes_back_from_it(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))
    assert day(page, "2026-11-24").get_attribute("data-look") == "H"

    page.get_by_role("radio", name="MCX", exact=True).click()
    page.locator('td[data-day="2026-11-24"][data-look="P"]').wait_for()
    page.get_by_role("button", name="New hours").click()
    page.locator(".scroll tr", has_text="New hours").first.wait_for(state="detached")
    page.wait_for_url(lambda url: "cal-market=MCX" in url and "cal-kinds" in url)

    again = drawn(open_page(page.url))
    again.locator('td[data-day="2026-11-24"][data-look="P"]').wait_for()
    again.get_by_text("calendar.ics?market=MCX&kinds=").wait_for()
    assert again.locator(".scroll tr", has_text="New hours").count() == 0


def test_another_year_is_chosen_and_one_that_is_not_published_shows_nothing_as_open(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="2024").click()
    day(page, "2024-03-02").wait_for()
    assert "special session" in day(page, "2024-03-02").get_attribute("aria-label").lower()

    page.goto(f"{friday.url}/calendar?cal-year=2027")
    drawn(page)
    page.locator(".note", has_text="2027 is not published yet").wait_for()
    assert page.locator(".year td[data-look]").count() == 0
    assert page.locator(".year td.unknown").count() == 365
    assert "not published yet" in day(page, "2027-01-04").get_attribute("aria-label")


def test_a_day_tells_its_story_to_the_pointer_the_keyboard_and_the_ear(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))
    tip = page.locator(".tip")
    day(page, "2026-11-24").hover()
    tip.get_by_text("Guru Nanak Jayanti").first.wait_for()
    assert "NSE/FAOP/71777" in tip.inner_text()

    day(page, "2026-11-20").focus()
    tip.wait_for(state="hidden")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    tip.get_by_text("Tuesday, 24 November 2026").wait_for()
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    spoken = day(page, "2026-11-24").get_attribute("aria-label")
    assert spoken.startswith("Tuesday 24 November 2026, Holiday: Guru Nanak Jayanti, shares, F&O, currency closed")


def test_the_calendar_file_is_downloaded_and_read_by_a_calendar_program(friday, open_page):
    page = drawn(open_page(f"{friday.url}/calendar"))
    with page.expect_download() as begun:
        page.get_by_role("button", name="Calendar file").click()
    text = Path(begun.value.path()).read_text("utf-8")

    assert begun.value.suggested_filename == "market-calendar-all.ics"
    summaries = {event.summary for event in IcsCalendarStream.calendar_from_ics(text).events}
    assert "Guru Nanak Jayanti: shares, F&O, currency closed" in summaries
    link = page.get_by_role("link", name="Subscribe").get_attribute("href")
    assert link == f"webcal://127.0.0.1:{friday.port}/calendar.ics"


def test_with_the_broker_gone_the_table_answers_and_says_so(tmp_path, open_page):
    broker = Broker(tmp_path / "broker", "--clock", "2026-11-20T10:00:00+05:30x60")  # an hour in a minute
    broker.start()
    bases = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
    try:
        with Desk(tmp_path / "data", environment=bases | {"DESK_ACCESS_TOKEN": broker.token}) as desk:
            page = drawn(open_page(f"{desk.url}/calendar", strict=False))
            assert page.get_by_text("The broker was not heard").count() == 0

            broker.stop()
            page.get_by_text("The broker was not heard").wait_for(timeout=200_000)
            page.get_by_text("own table answers").wait_for()
            assert page.locator(".board .row").count() >= 5
            assert page.locator(".year td[data-look]").count() > 50
    finally:
        broker.stop()


def declare(broker, **fault):
    request = urllib.request.Request(
        f"{broker.url}/_paper/calendar",
        json.dumps(fault).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {broker.token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_a_holiday_declared_today_wins_and_both_sides_are_shown(tmp_path, open_page):
    broker = Broker(tmp_path / "broker", "--clock", "2026-11-20T10:00:00+05:30x1")
    broker.start()
    bases = dict.fromkeys(("DESK_API_BASE", "DESK_ORDER_BASE", "DESK_ASSETS_BASE"), broker.url)
    try:
        declare(broker, kind="holiday", exchanges=["NSE", "BSE", "NFO", "BFO"], description="Declared holiday")
        with Desk(tmp_path / "data", environment=bases | {"DESK_ACCESS_TOKEN": broker.token}) as desk:
            page = drawn(open_page(f"{desk.url}/calendar", strict=False))
            page.get_by_text("Broker and calendar disagree: shares, F&O, Fri 20 Nov 2026").wait_for(timeout=90_000)

            assert row(page, "F&O").locator(".label").inner_text() == "Closed"
            assert "Declared holiday" in row(page, "F&O").locator(".phase").inner_text()
            assert row(page, "Commodities").first.locator(".label").inner_text() == "Open"
            page.locator('.phase[data-doubt="disputed"]', has_text="NSE closed").wait_for()
            day(page, "2026-11-20").locator("b.H").wait_for()
            overview = open_page(desk.url, strict=False)
            overview.get_by_text("Declared holiday").first.wait_for()
    finally:
        broker.stop()


@pytest.mark.parametrize("until", [None, epoch_ms(at("2026-11-20T14:20"))])
def test_until_when_a_word_of_the_broker_is_believed_is_no_event_of_the_market(alone, until):
    now = at("2026-11-20T14:00")
    phases = SimpleNamespace(phase=lambda market, *, listing: BUNDLED.phase(market, now, listing=listing))
    data = board_data(BUNDLED, phases, now, speed=1.0, notes=lambda day: [])
    data["rows"][0] |= {"then": "Unknown", "until": until}

    page = alone("calendar_now", data)

    first = page.locator(f"text=/{re.escape(data['rows'][1]['name'])}/").first
    first.wait_for()
    shown = page.locator("body").inner_text()
    assert "what follows is not published" in shown
    assert "14:20" not in shown
    assert page.evaluate("asked") == []
