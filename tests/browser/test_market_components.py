"""The parts of the market pages by themselves: what is old is grey, what is cut fades, what tells nothing is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.columns import Layout
from dashboard.components.depth import depth_data
from dashboard.components.heat_map import heat_data
from dashboard.components.index_strip import strip_data
from dashboard.components.quote_table import table_data
from dashboard.option_columns import columns
from dashboard.option_data import Chain, chain_data
from services.domain.clock import IST
from services.domain.errors import NotSent
from services.domain.quote_row import QuoteRow
from tests.support.components import LIGHT, again, run
from tests.support.option_chains import EXPIRY, NIFTY_OPTIONS, chain_row, side
from tests.support.readings import FUTURE, INFY, NIFTY, NOW, RELIANCE, USDINR, reading, row

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

DARK = "--st-text-color: rgb(230, 230, 230); --st-background-color: rgb(10, 10, 10); --st-green-color: rgb(0, 99, 0)"
COLOURS = "node => { const is = getComputedStyle(node); return [is.color, is.backgroundColor, is.borderLeftColor] }"
QUIET = """nodes => nodes.map(node => getComputedStyle(node).color
  === getComputedStyle(document.querySelector('.muted')).color)"""
DOWN = NotSent("refused")


def depth(look, **more):
    return {**depth_data(look, RELIANCE), "push": None, "taking": False, **more}


def edges(page, selector):
    """Left and right edges of what is found there, in pixels."""
    found = page.locator(selector).evaluate_all("nodes => nodes.map(node => node.getBoundingClientRect().toJSON())")
    return [(round(box["left"]), round(box["right"])) for box in found]


def test_totals_of_the_depth_stand_under_the_quantities(alone):
    page = alone("depth", depth(reading(row(RELIANCE))), width=390)

    assert edges(page, "tfoot .buy") == edges(page, "tbody tr:first-child .bq")
    assert edges(page, "tfoot .sell") == edges(page, "tbody tr:first-child .aq")
    assert page.locator("tfoot").inner_text().split() == ["3,00,000", "Total", "1,00,000"]


def test_orders_are_left_out_of_the_depth_where_the_source_does_not_count_them(alone):
    counted = alone("depth", depth(reading(row(RELIANCE))))
    assert counted.get_by_text("Orders").first.is_visible()

    levels = [[1500.0, 10, None], [1499.9, 20, None]]
    page = alone("depth", depth(reading(row(RELIANCE)), bids=levels, asks=levels))
    assert page.locator(".orders:visible").count() == 0
    assert edges(page, "tfoot .buy") == edges(page, "tbody tr:first-child .bq")
    assert edges(page, "tfoot .sell") == edges(page, "tbody tr:first-child .aq")


def table(look, *ids):
    return {**table_data(look, Layout(ids), lambda key: ()), "label": "Prices", "push": None}


def test_only_the_column_that_is_cut_fades_and_it_is_whole_after_a_slide(alone):
    data = table(reading(row(RELIANCE)), "ltp", "change", "open", "high", "low", "prev_close", "volume")
    page = alone("quote_table", data, width=420)
    fade = page.locator(".fade")

    fade.wait_for()
    [(left, right)] = edges(page, ".fade")
    heads = edges(page, "thead th")
    assert right == 419
    assert any(abs(start - left) <= 1 and end > right for start, end in heads), (left, heads)
    page.locator(".scroll").evaluate("node => { node.scrollLeft = node.scrollWidth }")
    fade.wait_for(state="hidden")
    page.locator(".scroll").evaluate("node => { node.scrollLeft = 0 }")
    fade.wait_for()
    page.set_viewport_size({"width": 1400, "height": 800})
    fade.wait_for(state="hidden")


def test_a_path_that_is_not_there_is_told_apart_from_one_that_may_still_come(alone):
    waiting = reading(row(RELIANCE))
    page = alone("quote_table", table(waiting, "ltp", "day"))
    cell = page.locator("td.k-spark")
    assert (cell.inner_text(), "being read" in cell.get_attribute("title")) == ("…", True)

    again(page, table(replace(waiting, moving=frozenset()), "ltp", "day"))
    assert (cell.inner_text(), cell.get_attribute("title")) == ("–", "no path of the day")
    again(page, table(reading(row(RELIANCE), problem=DOWN), "ltp", "day"))
    assert cell.inner_text() == "–"

    again(
        page, {**table_data(waiting, Layout(("ltp", "day")), lambda key: (1.0, 2.0)), "label": "Prices", "push": None}
    )
    assert (cell.inner_text(), cell.locator("svg path").count() > 0, cell.get_attribute("title")) == ("", True, "")
    again(page, table(waiting, "ltp", "day"))
    assert (cell.inner_text(), cell.locator("svg").count()) == ("…", 0)


def test_on_a_phone_the_age_of_a_price_is_in_sight_instead_of_a_sliver_of_its_path(alone):
    look = reading(row(RELIANCE, 500.0, 499.0))
    data = {**table_data(look, Layout(), lambda key: (1.0, 2.0)), "label": "Prices", "push": None}
    page = alone("quote_table", data, width=425)  # the fonts here are wider

    assert page.locator(".k-spark:visible").count() == 0
    assert all(right <= 425 for _, right in edges(page, "thead .k-age"))
    page.set_viewport_size({"width": 800, "height": 800})
    assert page.locator("td.k-spark:visible").count() == 1


def test_on_a_phone_all_indices_are_in_sight(alone):
    keys = (NIFTY, RELIANCE, INFY, USDINR, FUTURE)
    data = strip_data(reading(*(row(key, 85_250.0, 84_000.0) for key in keys)), lambda key: (1.0, 2.0))
    page = alone("index_strip", {**data, "label": "Indices", "push": None}, width=360)

    assert page.locator(".card").count() == len(keys)
    assert page.locator(".strip").evaluate("node => node.scrollWidth - node.clientWidth") == 0
    cut = "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.textContent)"
    assert page.locator(".value, .change").evaluate_all(cut) == []
    assert all(right <= 360 for _, right in edges(page, ".card"))


def test_the_key_of_the_colours_goes_with_the_last_tile_that_has_one(alone):
    fresh, old = row(RELIANCE), row(INFY, age=600)
    data = {**heat_data(reading(fresh, old), by_value=False), "label": "Tiles", "picked": None, "push": None}
    page = alone("heat_map", data)
    assert page.locator(".legend").is_visible()

    again(page, {**data, **heat_data(reading(fresh, old, problem=DOWN), by_value=False)})
    page.locator('.status[data-stale="2"]').wait_for()
    assert page.locator(".legend").is_hidden()


CLOSED = {"now": NOW + timedelta(days=1), "moving": frozenset()}
AS_OF = "Fri 14:05"


def repeated(key, *, made=NOW):
    """A quote that came in now and was made on Friday: the broker repeats it."""
    return QuoteRow({**row(key, age=-86_398), "last_trade_time": made})


def test_prices_of_a_closed_market_tell_in_tiles_and_cards_when_they_were_made(alone):
    look = replace(reading(repeated(RELIANCE), repeated(INFY, made=None)), **CLOSED)
    more = {"label": "Tiles", "picked": None, "push": None}
    page = alone("heat_map", {**heat_data(look, by_value=False), **more})
    assert page.locator(".status").inner_text() == f"Newest price as of {AS_OF}."
    titles = page.locator(".tile").evaluate_all("nodes => nodes.map(node => node.title)")
    assert [title.split(", ")[-1] for title in sorted(titles)] == ["2 s old", f"as of {AS_OF}"]

    cards = alone("index_strip", {**strip_data(look, lambda key: (1.0, 2.0)), "label": "Indices", "push": None})
    assert cards.locator(".card").first.get_attribute("title") == f"as of {AS_OF}, simulated"
    assert cards.locator(".spark path, .spark polyline").count() > 0

    down = replace(look, problem=DOWN)
    page = alone("heat_map", {**heat_data(down, by_value=False), **more})
    assert page.locator(".tile").first.get_attribute("title").endswith("2 s old, not current")


def chain(look, *ids):
    rows = [
        chain_row(
            strike,
            call=side(f"{strike}1", ltp=8.9, oi=500.0, volume=5),
            put=side(f"{strike}2", ltp=310.9, oi=900.0, volume=7),
        )
        for strike in (24_400, 24_500, 24_600)
    ]
    told = Chain(NIFTY_OPTIONS, EXPIRY, rows, NOW.astimezone(IST))
    more = {"expiry": "24 Nov 2026", "until": "in 4 days", "picked": None, "push": None}
    return {**chain_data(told, columns(ids), told.strikes, look, {}), **more}


PARTS = ("option_paint", "option_figures")
FIGURES = ("At the money", "Max pain", "PCR, open interest", "PCR, volume")


def test_figures_totals_and_bars_of_a_chain_are_grey_when_every_contract_is_old(alone):
    now = row(NIFTY, 24_512.0)
    page = alone("option_chain", chain(reading(now), "volume", "oi"), parts=PARTS)
    bars = "nodes => nodes.map(node => getComputedStyle(node).backgroundImage)"
    fresh = page.locator("td.k-bar").evaluate_all(bars)
    grey = {name: page.locator(f'[data-fact="{name}"] dd') for name in (*FIGURES, "Expiry")}
    assert not any(found.evaluate_all(QUIET)[0] for found in grey.values())

    again(page, chain(reading(now, problem=DOWN), "volume", "oi"))
    page.locator('.status[data-stale="6"]').wait_for()
    assert {name: found.evaluate_all(QUIET)[0] for name, found in grey.items()} == {
        **dict.fromkeys(FIGURES, True), "Expiry": False,
    }  # fmt: skip
    assert all(page.locator("tfoot td").evaluate_all(QUIET))
    assert set(page.locator("td.k-bar").evaluate_all(bars)).isdisjoint(fresh)


def test_a_chain_of_a_closed_market_tells_when_its_newest_price_was_made(alone):
    keys = [f"NSE_FO|{strike}{side}" for strike in (24_400, 24_500, 24_600) for side in (1, 2)]
    never = repeated(keys.pop(), made=None)
    look = replace(reading(row(NIFTY, 24_512.0), *map(repeated, keys), never), **CLOSED)
    page = alone("option_chain", chain(look, "volume"), parts=PARTS)
    status = page.locator(".status")

    wanted = (
        f"3 of 3 strikes; newest price as of {AS_OF}. IV and greeks from the broker's chain. Hatched: in the money."
    )
    assert status.inner_text() == wanted
    again(page, chain(replace(look, moving=frozenset(look.keys)), "volume"))
    assert "newest price 2 s old. IV and greeks from the broker's chain, " in status.inner_text()


def test_totals_of_a_chain_are_there_as_long_as_a_column_that_has_one_is_in_sight(alone):
    look = reading(row(NIFTY, 24_512.0))
    page = alone("option_chain", chain(look, "bid_ask", "oi"), parts=PARTS, width=380)
    foot = page.locator("tfoot tr")

    foot.wait_for(state="hidden")
    page.locator(".scroll").evaluate("node => { node.scrollLeft = node.scrollWidth }")
    foot.wait_for()
    assert foot.locator("th").inner_text() == "All 3"
    page.locator(".scroll").evaluate("node => { node.scrollLeft = (node.scrollWidth - node.clientWidth) / 2 }")
    foot.wait_for(state="hidden")
    assert alone("option_chain", chain(look, "bid_ask", "oi"), parts=PARTS).locator("tfoot tr").is_visible()
    assert alone("option_chain", chain(look, "bid_ask"), parts=PARTS).locator("tfoot tr").is_hidden()


@pytest.mark.parametrize("width", [360, 380, 1000])
def test_price_bid_and_ask_of_both_sides_fit_on_a_phone(alone, width):
    page = alone("option_chain", chain(reading(row(NIFTY, 24_512.0)), "bid_ask"), parts=PARTS, width=width)

    cut = "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth).map(node => node.textContent)"
    assert page.locator("td, th").evaluate_all(cut) == []
    assert page.locator(".scroll").evaluate("node => node.scrollWidth - node.clientWidth") == 0


NEWS = {
    "run": "r",
    "n": 1,
    "ago": 0,
    "kind": "fill",
    "order": "1",
    "text": "Fill: Sold 1",
    "good": True,
    "time": "11:00",
}


def test_a_notice_takes_the_colours_of_a_theme_that_comes_after_it(blank):
    blank.goto("about:blank")
    blank.set_content(f"<style>{LIGHT}</style><button></button><div class='news' hidden></div>")
    run(blank, ("shared.js", "notices.js"), "globalThis.Notices = Notices; function keysSwitch() {}")
    blank.evaluate("news => new Notices(document.body, document.querySelector('button')).take([news])", NEWS)
    note = blank.locator('#desk-notices [data-kind="fill"]')
    assert note.evaluate(COLOURS)[:2] == ["rgb(20, 20, 20)", "rgb(255, 255, 255)"]

    blank.evaluate("style => { document.documentElement.style = style }", DARK)
    wanted = ["rgb(230, 230, 230)", "rgb(10, 10, 10)", "rgb(0, 99, 0)"]
    blank.wait_for_function(
        f"wanted => ({COLOURS})(document.querySelector('#desk-notices div')).join() === wanted.join()", arg=wanted
    )


SOCKETS = """() => {
  globalThis.sockets = []
  globalThis.WebSocket = class {
    static OPEN = 1
    constructor() { this.readyState = 0; this.sent = []; sockets.push(this) }
    send(text) { this.sent.push(JSON.parse(text)) }
    close() {}
    open() { this.readyState = 1; this.onopen() }
    refuse() { this.readyState = 3; this.onclose({ code: 4401 }) }
  }
}"""


@pytest.mark.parametrize("renewed", [True, False], ids=["with another secret at hand", "without"])
def test_a_page_whose_secret_was_refused_comes_back_at_once_with_the_next(alone, renewed):
    def told(token):
        return depth(reading(row(RELIANCE)), push={"path": "/push", "token": token})

    page = alone("depth", depth(reading(row(RELIANCE))))
    page.evaluate(SOCKETS)
    again(page, told("old"))
    page.evaluate("() => sockets[0].open()")
    assert page.evaluate("() => sockets[0].sent[0].token") == "old"
    if renewed:  # the page was drawn by another process before the first one's secret was refused there
        again(page, told("new"))
    page.evaluate("() => sockets[0].refuse()")

    if renewed:
        page.wait_for_function("() => sockets.length === 2", timeout=3_000)
        page.evaluate("() => sockets[1].open()")
        assert page.evaluate("() => sockets[1].sent[0].token") == "new"
    else:
        page.wait_for_timeout(1_500)
        assert page.evaluate("() => sockets.length") == 1
    page.evaluate("() => { deskLive.viewers.clear(); deskLive.end() }")
