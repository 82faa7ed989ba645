"""The table of positions by itself: sums, order, search, choice, and thousands of rows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from dashboard.components.position_table import Offer
from dashboard.portfolio_columns import POSITION_COLUMNS
from dashboard.portfolio_rows import position_row, table_data
from dashboard.push.fields import FIELDS, PLACE
from services.portfolio_book.marks import mark_position
from tests.support.components import again
from tests.support.portfolio import HDFC, INFY, NOW, RELIANCE, bought_today, carried, closed_today, quote, sold_short
from tests.support.readings import reading, row

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

OFFERS = (
    Offer("exit", "Exit", ""),
    Offer("convert", "Convert", "", of="one"),
    Offer("exit_all", "Exit all", "", of="all"),
)


def told(*positions, ltp=None, **more):
    """What the desk tells of those positions, each at `ltp` (the broker's price if not said)."""
    at = reading(keys=tuple(one.key for one in positions))
    rows = [
        position_row(mark_position(one, None if ltp is None else quote(one.key, ltp, at=NOW), NOW), at)
        for one in positions
    ]
    return {
        **table_data(rows, POSITION_COLUMNS, at), "label": "Positions", "noun": "position", "empty": "Nothing here.",
        "choosable": True, "actions": [{"id": "exit", "label": "Exit"}, {"id": "convert", "label": "Convert"}],
        "offers": [{"id": o.id, "label": o.label, "help": o.help, "of": o.of, "on": o.on} for o in OFFERS],
        "push": None, **more,
    }  # fmt: skip


@pytest.fixture
def table(alone):
    """`table(data)` draws it by itself."""
    return partial(alone, "position_table", parts=("position_cells",), width=1500)


def sums(page):
    return dict(
        page.evaluate(
            "[...document.querySelectorAll('.sums > div')].map(box => [...box.children].map(one => one.textContent))"
        )
    )


def symbols(page):
    return page.locator("tbody .sym").all_inner_texts()


def cells(page, id):
    place = [column.id for column in POSITION_COLUMNS].index(id) + 1
    return [one.strip() for one in page.locator(f"tbody tr[data-id] > :nth-child({place + 1})").all_inner_texts()]


def press(page, key):
    page.keyboard.press(key)


def test_sums_are_those_of_what_is_shown_and_signed(table):
    page = table(told(bought_today(), closed_today(), sold_short()))

    assert cells(page, "pnl") == ["+25.50", "+70.00", "+24.00"]
    found = sums(page)
    assert found["P&L since entry"] == "+₹119.50"
    assert found["Realised"] == "+₹70.00"
    assert found["Unrealised"] == "+₹49.50"
    assert found["Difference"] == "₹0.00"


def test_a_figure_that_is_not_known_is_a_dash_and_the_sum_says_what_it_lacks(table):
    page = table(told(bought_today(), sold_short(last_price=None, pnl=None)))

    assert cells(page, "pnl") == ["+25.50", "–"]
    assert sums(page)["P&L since entry"] == "+₹25.50 without 1 of 2"


def test_a_price_from_the_push_channel_moves_row_and_sum(table):
    page = table(told(bought_today(), sold_short(), ltp=1480.0))
    values = [None] * len(FIELDS)
    values[PLACE["ltp"]], values[PLACE["received_ms"]], values[PLACE["from_feed"]] = 1500.0, 2_000_000_000_000, True
    page.evaluate(
        """([key, values]) => {
          live.rows.set(key, { values, at: performance.now(), now: values[FIELD.received_ms] })
          const view = deskViews.get(document.body)
          view.ticked = -Infinity
          view.live(new Set([key]))
        }""".replace("FIELD.received_ms", str(PLACE["received_ms"])),
        [RELIANCE, values],
    )

    assert cells(page, "pnl") == ["+300.50", "+900.00"]
    assert sums(page)["P&L since entry"] == "+₹1,200.50"


def test_a_difference_that_the_price_does_not_explain_is_marked_and_explained(table):
    odd = bought_today(pnl=bought_today().pnl - 5)
    page = table(told(odd, bought_today(INFY, symbol="INFY"), ltp=1480.0))

    marked = page.locator("tbody td.odd")
    assert marked.count() == 1
    assert "₹5.00 remains at the broker's own price" in marked.get_attribute("title")
    assert sums(page)["Difference"].endswith("counted differently")


def test_a_difference_of_a_price_that_moved_says_so_in_the_sum_too(table):
    page = table(told(bought_today(), ltp=1480.0))

    assert sums(page)["Difference"].endswith("price moved since")


def test_a_click_on_a_head_sorts_and_the_order_stays_while_prices_come(table):
    data = told(bought_today(), closed_today(), sold_short())
    page = table(data)
    page.get_by_role("button", name="P&L", exact=True).click()
    assert symbols(page) == ["HDFCBANK", "RELIANCE", "INFY"]
    page.get_by_role("button", name="P&L").click()
    assert symbols(page) == ["INFY", "RELIANCE", "HDFCBANK"]
    page.get_by_role("button", name="P&L").click()
    assert symbols(page) == ["RELIANCE", "HDFCBANK", "INFY"]


def test_only_open_ones_are_chosen_and_what_is_asked_for_names_them(table):
    page = table(told(bought_today(), closed_today(), sold_short()))
    page.locator("thead input").check()
    assert page.locator(".chosen").inner_text() == "2 chosen"
    page.get_by_role("button", name="Exit (2)").click()

    assert page.evaluate("asked") == [{"do": "exit", "ids": [f"{RELIANCE}/D", f"{INFY}/I"]}]
    assert page.get_by_role("button", name="Convert", exact=True).is_disabled()


def test_a_choice_outlives_new_prices_and_ends_with_its_row(table):
    page = table(told(bought_today(), sold_short()))
    page.locator("tbody input").first.check()
    again(page, told(bought_today(), sold_short(), ltp=1490.0))
    assert page.locator(".chosen").inner_text() == "1 chosen"

    again(page, told(closed_today(RELIANCE), sold_short()))
    assert page.locator(".chosen").inner_text() == ""


def test_all_gone_and_back_again(table):
    page = table(told(bought_today(), sold_short()))
    again(page, told())
    assert page.get_by_text("Nothing here.").is_visible()
    assert not page.locator("table").is_visible()

    again(page, told(bought_today(HDFC, symbol="HDFCBANK")))
    assert symbols(page) == ["HDFCBANK"]
    assert not page.locator(".empty").is_visible()


def test_the_keyboard_walks_chooses_and_enter_asks_for_nothing(table):
    page = table(told(bought_today(), sold_short(), closed_today()))
    page.locator("tbody tr[data-id]").first.focus()
    press(page, "ArrowDown")
    press(page, " ")
    press(page, "Enter")

    assert page.locator(".chosen").inner_text() == "1 chosen"
    assert page.locator('tbody tr[aria-selected="true"] .sym').inner_text() == "INFY"
    assert page.evaluate("asked") == []


def many(count):
    return [bought_today(f"NSE_EQ|INE{n:06d}A01", 1 + n, symbol=f"SHARE{n:04d}") for n in range(count)]


def test_of_thousands_only_a_screenful_is_in_the_page_and_all_are_in_the_sum(table):
    page = table(told(*many(5000)))

    assert page.locator("tbody tr[data-id]").count() < 100
    assert page.locator("table").get_attribute("aria-rowcount") == "5001"
    assert sums(page)["P&L since entry"] == f"+₹{31_881_375.0:,.2f}".replace("31,881,375.00", "3,18,81,375.00")
    page.locator(".scroll").evaluate("scroll => scroll.scrollTop = scroll.scrollHeight")
    page.get_by_text("SHARE4999").wait_for()
    assert page.locator("tbody tr[data-id]").count() < 100


def test_the_keyboard_reaches_the_last_of_thousands(table):
    page = table(told(*many(5000)))
    page.locator("tbody tr[data-id]").first.focus()
    press(page, "End")
    assert page.evaluate("document.activeElement.dataset.id") == "NSE_EQ|INE004999A01/D"
    press(page, "PageUp")
    press(page, "ArrowUp")
    assert page.evaluate("document.activeElement.dataset.id") == "NSE_EQ|INE004988A01/D"


def test_find_leaves_what_fits(table):
    page = table(told(*many(20)))
    page.locator(".find").fill("share001 deliv")
    assert symbols(page) == [f"SHARE001{n}" for n in range(10)]
    page.locator(".find").press("Enter")
    assert page.evaluate("asked") == []
    page.locator(".find").press("Escape")
    assert len(symbols(page)) == 20


def test_names_from_outside_are_text(table):
    page = table(told(bought_today("NSE_EQ|INE000001A01", symbol="<img src=x onerror=alert(1)>")))

    assert page.locator("img").count() == 0
    assert symbols(page) == ["<img src=x onerror=alert(1)>"]


@pytest.mark.parametrize("symbol", ["BANKNIFTY26NOV54000CE", "BANKNIFTY26N2454100PE", "NIFTY 25000 CE 24 NOV 26"])
@pytest.mark.parametrize("count", [3, 200])
def test_on_a_phone_contracts_are_told_apart_and_their_profit_is_in_sight(table, symbol, count):
    page = table(
        told(*(sold_short(f"NSE_FO|{n}", 1050, symbol=symbol, exchange="NFO") for n in range(count)), ltp=2_978.05)
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("tbody .piece").first.wait_for()

    pieces = page.locator("tbody tr[data-id]").first.locator(".piece")
    end = page.locator(".k-symbol").first.bounding_box()
    for place in range(2):
        box = pieces.nth(place).bounding_box()
        assert box["x"] + box["width"] <= end["x"] + end["width"] + 1
    assert page.locator("tbody .sym").first.evaluate("sym => sym.textContent") == symbol
    assert page.locator(".scroll").evaluate("scroll => scroll.scrollWidth - scroll.clientWidth") <= 0
    heights = page.locator("tbody tr[data-id]").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert len(set(heights)) == 1


def test_what_is_no_contract_keeps_its_symbol_in_one_piece(table):
    page = table(told(bought_today(symbol="NIFTY26NOV25000CE"), carried(symbol="an odd name"), carried("MCX_FO|7")))

    assert page.locator(".piece").all_inner_texts() == ["26NOV", "26000CE"]


def test_while_the_market_is_closed_the_age_is_when_the_price_was_made(table):
    sunday = NOW + timedelta(days=2)
    one, friday = bought_today(), NOW.replace(hour=10, minute=0, second=0)
    closed = replace(
        reading({**row(RELIANCE), "received_at": sunday, "last_trade_time": friday}, in_session=False),
        now=sunday + timedelta(seconds=6),
    )
    mark = mark_position(one, closed.rows[RELIANCE], closed.now)
    page = table(told(one) | table_data([position_row(mark, closed)], POSITION_COLUMNS, closed))

    assert cells(page, "age") == ["Fri 15:30"]
    assert page.locator(".status").inner_text() == "1 position, newest price as of Fri 15:30."

    opened = replace(closed, moving=frozenset({RELIANCE}))
    again(page, told(one) | table_data([position_row(mark, opened)], POSITION_COLUMNS, opened))
    assert re.fullmatch(r"\d+ s", cells(page, "age")[0])


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("2026-11-22T09:15:00+05:30", "09:15"),
        ("2026-11-20T15:30:00+05:30", "Fri 15:30"),
        ("2026-11-21T23:59:00+05:30", "Sat 23:59"),
        ("2026-11-13T15:30:00+05:30", "13 Nov 15:30"),
    ],
)
def test_a_price_of_another_day_says_of_which(table, made, words):
    page = table(told(bought_today()))

    assert page.evaluate("made => madeText(Date.parse(made), Date.parse('2026-11-22T11:00+05:30'))", made) == words
