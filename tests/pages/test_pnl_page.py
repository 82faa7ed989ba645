"""The results page through the entry script: over a book that is given, and over a real paper broker."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

import pytest

from dashboard.pnl_words import money, signed_money
from services.domain.actors import Actor
from services.domain.clock import ist_date
from services.domain.orders import OrderRequest, OrderType, Product, Side
from services.pnl.values import Filter
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.pnl_page import ACCOUNT, FakeBook, many_fills
from tests.support.screens import open_page, pages_over, sent_to_browser, words_on

RELIANCE = "NSE_EQ|INE002A01018"
TABS = ("Overview", "Trades", "Contract notes", "Tax", "Records")
DOWN = "holdings and positions: the broker has a fault"


@pytest.fixture
def put(desk, monkeypatch):
    """`put(fills, **members)` gives the pages a book of these fills."""
    desk.pnl  # noqa: B018  # the real one is made first, so that it can be put back

    def give(fills, **members):
        parts = {"journal": desk.journal, "imports": desk.imports, "actions": desk.corporate_actions}
        book = FakeBook.of(fills, now=desk.clock.now, rates=desk.charge_rates, **(parts | members))
        monkeypatch.setitem(desk._made, "pnl", book)
        return book

    return give


@pytest.fixture(scope="module")
def fills(shared_desk):
    return many_fills(300, days=40, last=ist_date(shared_desk.clock.now()))


def visit(**words):
    """The page by a link that says `words`."""
    app = open_page("pnl", **words)
    assert not app.exception
    return app


def tiles(app):
    (headline,) = sent_to_browser(app, "pnl_headline")
    return {tile["id"]: tile for tile in headline["tiles"]}


def tables(app):
    return {table["label"]: table for table in sent_to_browser(app, "figure_table")}


def test_an_account_without_trades_says_so_and_shows_no_empty_pictures(put):
    put([])
    app = visit()

    assert "No closed trades yet" in [box.proto.title for box in app.info]
    assert sent_to_browser(app, "pnl_chart") == []
    assert tiles(app)["gross"]["note"] == "0 closed trades"


def test_the_figures_are_those_of_the_book_and_the_pictures_are_drawn(put, fills):
    view = put(fills).read()
    app = visit(period="all")
    found = tiles(app)

    assert found["gross"]["figure"] == signed_money(view.total.gross)
    assert found["charges"]["figure"] == money(view.total.charges.total)
    assert found["net"]["figure"] == signed_money(view.total.net)
    assert found["unrealised"]["figure"] == signed_money(view.unrealised_total.paise)
    assert {scene["kind"] for scene in sent_to_browser(app, "pnl_chart")} == {"curve", "way", "spread"}
    assert len(sent_to_browser(app, "pnl_days")[0]["days"]) == len(view.curve)
    assert "Results by symbol" in tables(app)
    assert sent_to_browser(app, "facts")


def test_the_link_says_what_is_looked_at_and_the_page_looks_at_what_a_link_says(put, fills):
    book = put(fills)
    app = visit(period="all", segment="FO", part="Trades", sort="net-up")
    trades = book.read(Filter(segment="FO")).trades

    shown = tables(app)["Closed trades"]["rows"]
    assert shown[0]["id"] == trades.id[trades.net.argmin()]
    assert tiles(app)["gross"]["note"] == f"{len(trades)} closed trades"
    app.segmented_control(key="pnl-segment").set_value("EQ").run()
    assert not app.exception
    assert "EQ" in app.query_params["segment"]
    assert "net-up" in app.query_params["sort"]
    assert tiles(app)["gross"]["note"] == f"{len(book.read(Filter(segment='EQ')).trades)} closed trades"


def test_the_breakdown_of_a_link_is_shown_and_its_rows_narrow_what_is_looked_at(put, fills):
    put(fills)
    table = tables(visit(period="all", by="Product"))["Results by product"]

    assert {row["id"] for row in table["rows"]} == {"I", "D"}
    assert all("id" not in row for row in tables(visit(period="all", by="Underlying"))["Results by underlying"]["rows"])


def test_a_link_that_makes_no_sense_is_told_and_shows_the_usual(put, fills):
    put(fills)

    assert "is no segment" in words_on(visit(period="all", segment="moon"))


@pytest.mark.parametrize("words", [{"from": "1995-01-01"}, {"from": "2031-01-01"}, {"to": "1999-12-31"}])
def test_a_link_may_name_any_day(put, fills, words):
    put(fills)

    assert not visit(**words).exception


@pytest.mark.parametrize(
    ("behind", "label"),
    [
        ("gross", "Gross by segment"),
        ("charges", "Charges by kind"),
        ("net", "Net by segment"),
        ("unrealised", "Open positions at the prices of now"),
    ],
)
def test_behind_each_figure_stands_what_it_is_made_of(put, fills, behind, label):
    put(fills)

    assert label in tables(visit(period="all", behind=behind))


def test_filters_that_leave_nothing_say_so_and_all_is_a_click_away(put, fills):
    put(fills)
    app = visit(period="all", symbol="NOSUCH")

    assert "Nothing was closed in this period and these filters" in [box.proto.title for box in app.info]
    app.button(key="pnl-show-all").click().run()
    assert sent_to_browser(app, "pnl_chart")


def test_a_control_that_says_it_has_no_value_changes_nothing(put, fills):
    put(fills)
    app = visit(period="all", part="Trades")
    before = tables(app)["Closed trades"]["rows"]
    for key in ("pnl-period", "pnl-segment", "pnl-outcome"):
        app.button_group(key=key).set_value(None).run()
        assert not app.exception

    assert tables(app)["Closed trades"]["rows"] == before
    assert app.button_group(key="pnl-period").value == "all"


def test_with_the_broker_down_the_last_figures_stay_with_their_age(put, fills, desk):
    put(fills, missing=(DOWN,), old=True, as_of=desk.clock.now() - timedelta(minutes=12), prices=False)
    app = visit(period="all")
    words = words_on(app)

    assert "Not everything could be had" in [box.proto.title for box in app.warning]
    assert "Holdings and positions: the broker has a fault." in words
    assert "12 min ago, not current" in words
    assert tiles(app)["net"]["figure"] != "–"
    assert all(tile["old"] and tile["note"].endswith(" IST, not current") for tile in tiles(app).values())
    assert sent_to_browser(app, "pnl_chart")


def test_what_is_missing_makes_figures_of_now_no_older(put, fills):
    put(fills, missing=("1 trade cannot be counted in",))
    app = visit(period="all")

    assert "not current" not in words_on(app) + str(tiles(app))
    assert not any(tile["old"] for tile in tiles(app).values())


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ({}, "No closed trade is known"),
        ({"part": "Tax"}, ""),
    ],
)
def test_what_is_not_known_to_have_been_closed_is_not_said_to_be_nothing(put, words, title):
    put([], missing=("the trades could not be read from the broker: no answer",), old=True)
    app = visit(**words)

    shown = words_on(app) + str([box.proto.title for box in app.info])
    assert (title or "No trade that is known was closed in this year.") in shown
    assert "No closed trades yet" not in shown
    assert "Nothing was closed" not in shown


def test_a_broker_that_never_answered_leaves_nothing_that_is_called_empty(put):
    put([], missing=("the trades could not be read from the broker: no answer",), as_of=None)
    app = visit()

    assert "No closed trades yet" not in [box.proto.title for box in app.info]
    assert "The broker has not told its trades yet" in words_on(app)


def test_a_book_that_is_being_read_shows_no_figures(put):
    put([], building=True, version=0)
    app = visit()

    assert "The results are being worked out" in [box.proto.title for box in app.info]
    assert sent_to_browser(app, "pnl_headline") == []


def test_figures_that_lack_the_trades_of_days_before_say_so_while_these_are_on_their_way(put):
    put(many_fills(4, days=1), past_asked=True)

    assert "The trades of days before are on their way. Until then the figures may lack some." in words_on(visit())


def test_open_positions_without_prices_have_no_sum(put, desk):
    today = ist_date(desk.clock.now())
    held = [one for one in many_fills(40, days=10, last=today) if one.side is Side.BUY]
    put(held, prices=False)
    tile = tiles(visit(period="all", behind="unrealised"))["unrealised"]

    assert tile["figure"] == "–"
    assert "no price is known" in tile["note"]


def test_a_trade_opens_with_its_lots_its_charges_and_its_note(put, fills):
    view = put(fills).read()
    id = str(view.trades.id[0])
    app = visit(period="all", part="Trades", trade=id)
    found = tables(app)

    assert len(found["Lots"]["rows"]) == len(view.lots(id))
    assert found["Charges"]["foot"][0][-1] == money(view.charges(id).total)
    assert any(area.label == "Note" for area in app.text_area)
    assert [row["id"] for row in found["Closed trades"]["rows"] if row["picked"]] == [id]


def test_the_note_of_the_day_stands_order_by_order(put, fills):
    note = put(fills).read().notes()[0]
    app = visit(period="all", part="Contract notes", note=note.day.isoformat())
    table = next(table for label, table in tables(app).items() if label.startswith("Orders of the note"))

    assert len(table["rows"]) == min(100, len(note.orders))
    assert table["foot"][0][-1]["t"] == money(note.lines.total)


def test_a_day_without_trades_has_no_note_and_says_so(put, fills):
    put(fills)

    app = visit(period="all", part="Contract notes", note="2020-01-02")
    assert "Nothing was traded on 02 Jan 2020" in [box.proto.title for box in app.info]


@pytest.mark.parametrize("part", TABS)
def test_every_tab_is_drawn_with_ten_trades_and_with_none(put, desk, part):
    put(many_fills(20, days=5, last=ist_date(desk.clock.now())))
    visit(period="all", part=part)
    put([])
    visit(period="all", part=part)


def test_the_accounts_are_a_filter_where_there_are_several(put, fills):
    book = put(fills, account="OTHER")

    assert "No closed trades yet" in [box.proto.title for box in visit(period="all").info]
    app = visit(period="all", account=ACCOUNT)
    assert tiles(app)["gross"]["note"] == f"{len(book.read(Filter(account=ACCOUNT)).trades)} closed trades"


@pytest.fixture
def own_desk(tmp_path):
    """A desk whose account may be traded in."""
    with Runtime(load_settings(data_dir=tmp_path)) as runtime, pages_over(runtime):
        runtime.instruments.refresh_if_due()
        yield runtime


def test_what_is_bought_and_sold_at_a_real_broker_is_a_closed_trade_with_charges_and_a_note(own_desk):
    open_page("pnl")
    for side in (Side.BUY, Side.SELL):
        own_desk.quotes.get([RELIANCE], use_cache=False)
        request = OrderRequest(RELIANCE, side, 5, OrderType.MARKET, Product.INTRADAY)
        assert own_desk.orders.place(request, intent_id=uuid.uuid4().hex, actor=Actor("tester")).accepted
    end = time.monotonic() + 30
    while len(own_desk.pnl.read_whole().trades) < 1 and time.monotonic() < end:
        own_desk.pnl.refresh()
    app = visit(period="today")
    view = own_desk.pnl.read_whole()

    assert tiles(app)["gross"]["note"] == "1 closed trade"
    assert tiles(app)["charges"]["figure"] == money(view.total.charges.total) != "₹0.00"
    (note,) = view.today
    assert len(note.orders) == 2
    assert note.lines.total == view.total.charges.total
    visit(period="all", part="Reconciliation")
