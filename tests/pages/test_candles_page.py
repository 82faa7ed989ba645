"""The candles page, through the entry script, over a real runtime and a real paper broker."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.formatting import number
from dashboard.reading import read
from services.domain.actors import Actor, Role
from services.domain.errors import LoginRequired
from services.domain.orders import OrderRequest, OrderType, Product, Side
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.screens import open_page, pages_over, sent_to_browser, words_on

RELIANCE, INFY, NIFTY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"


def by_link(**words):
    return open_page("candles", **words)


def chart(app, place=0):
    return sent_to_browser(app, "chart")[place]


def test_without_a_word_it_shows_a_year_of_days_of_the_first_instrument(desk):
    app = open_page("candles")
    data = chart(app)

    assert not app.exception
    assert (data["symbol"], data["interval"]) == ("RELIANCE", "1 day")
    assert data["total"] > 200
    assert len(data["bars"]["close"]) == data["total"]
    assert data["note"] is None
    assert data["asset"].startswith("/assets/plotly-")
    assert app.query_params["key"] == RELIANCE


def test_a_link_brings_everything_back(desk):
    app = by_link(key=INFY, interval="5m", range="1D", **{"with": "sma20,rsi14,macd12-26-9,vwap"}, log="1")
    data = chart(app)

    assert not app.exception
    assert (data["symbol"], data["interval"], data["log"]) == ("INFY", "5 minutes", True)
    assert [area["id"] for area in data["areas"]] == ["rsi14", "macd12-26-9"]
    assert {line["group"] for line in data["lines"]} == {"SMA 20", "RSI 14", "MACD 12 26 9", "VWAP"}
    for line in data["lines"]:
        assert len(line["values"]) == len(data["bars"]["close"]) + (data["forming"] is not None)
    assert data["lines"][0]["values"][0] is not None, "averages are warm at the first bar shown"


def test_without_a_login_the_last_price_of_a_chart_is_not_current(desk, monkeypatch):
    def refused(runtime, holder, keys):
        return replace(read(runtime, holder, keys), problem=LoginRequired("log in"))

    monkeypatch.setattr("dashboard.components.candle_pane.first_read", refused)
    data = chart(open_page("candles"))

    assert data["troubled"] is True
    assert data["total"] > 200


def test_what_of_a_link_makes_no_sense_is_said(desk):
    app = by_link(key=RELIANCE, interval="7parsec", **{"with": "wizardry"})

    assert not app.exception
    assert "7parsec" in words_on(app)
    assert "wizardry" in words_on(app)
    assert chart(app)["interval"] == "1 day"


def test_a_link_without_an_instrument_is_about_the_first_one(desk):
    app = by_link(interval="15m", range="1M")
    data = chart(app)

    assert not app.exception
    assert (data["symbol"], data["interval"]) == ("RELIANCE", "15 minutes")
    assert (app.query_params["key"], app.query_params["range"]) == (RELIANCE, "1M")


def test_an_instrument_that_nobody_knows_is_told_in_plain_words(desk):
    app = by_link(key="NSE_EQ|INE000000000")
    data = chart(app)

    assert not app.exception
    assert data["total"] == 0
    assert "delisted" in data["note"] or "does not know" in data["note"]


def test_every_offered_interval_can_be_drawn(desk):
    app = open_page("candles")
    for word in app.selectbox(key="candles-interval-0").options:
        app.selectbox(key="candles-interval-0").set_value(word).run()
        data = chart(app)

        assert not app.exception, word
        assert data["total"] > 0 or data["forming"], word
        assert app.query_params["interval"] == word


@pytest.mark.parametrize(("word", "label"), [("7m", "7 minutes"), ("5h", "5 hours"), ("300m", "300 minutes")])
def test_every_interval_of_the_broker_can_be_linked(desk, word, label):
    app = by_link(key=RELIANCE, interval=word)

    assert not app.exception
    assert chart(app)["interval"] == label
    assert app.selectbox(key="candles-interval-0").value == word


def test_an_indicator_is_added_with_its_numbers_and_taken_off_again(desk):
    app = open_page("candles")
    app.selectbox(key="candles-kind-0").set_value("ema").run()
    app.number_input(key="candles-ema-Bars-0").set_value(50).run()
    app.button(key="candles-add-0").click().run()
    assert app.query_params["with"] == "ema50"
    assert chart(app)["lines"][0]["group"] == "EMA 50"

    app.button(key="candles-off-ema50-0").click().run()
    assert "with" not in app.query_params
    assert chart(app)["lines"] == []


def test_others_stand_beside_in_one_line_each(desk):
    app = by_link(key=RELIANCE, compare=f"{INFY},{NIFTY}")
    data = chart(app)

    assert [one["symbol"] for one in data["compared"]] == ["INFY", "NIFTY"]
    for one in data["compared"]:
        assert len(one["close"]) == len(data["bars"]["close"]) + (data["forming"] is not None)
        assert one["close"][-2] > 0


def test_a_second_chart_stands_beside_the_first_and_goes_again(desk):
    app = open_page("candles")
    app.button(key="candles-two-0").click().run()

    first, second = sent_to_browser(app, "chart")
    assert (first["symbol"], second["symbol"]) == ("RELIANCE", "RELIANCE")
    assert first["interval"] != second["interval"]
    assert app.query_params["key2"] == RELIANCE

    app.button(key="candles-two-1").click().run()
    assert len(sent_to_browser(app, "chart")) == 1
    assert "key2" not in app.query_params


def test_sources_and_what_may_change_are_told(desk):
    app = by_link(key=RELIANCE, interval="5m", range="5D")

    told = words_on(app)
    assert "history" in told or "stored" in told
    assert "provisional" in told


def test_the_audit_is_there_when_it_is_opened(desk):
    app = by_link(key=RELIANCE, interval="1D", range="3M")
    app.session_state["candles-audit-0"] = True
    app.run()

    assert not app.exception
    assert "Bars" in [metric.label for metric in app.metric]


def test_with_the_broker_gone_stored_bars_are_shown_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("dashboard.components.candle_pane.PATIENCE", 30.0)
    with ExitStack() as closing:
        broker = PaperServer(PaperOptions(folder=tmp_path / "broker")).start()
        closing.callback(broker.stop)
        settings = load_settings(
            data_dir=tmp_path / "desk", api_base=broker.base_url, order_base=broker.base_url,
            assets_base=broker.base_url, access_token=broker.access_token(),
        )  # fmt: skip
        with Runtime(settings) as rt, pages_over(rt):
            rt.instruments.refresh_if_due()
            before = chart(by_link(key=RELIANCE, interval="1D", range="3M"))["total"]
            broker.stop()
            again = by_link(key=RELIANCE, interval="1D", range="6M")

            assert not again.exception
            assert chart(again)["total"] >= before - 1
            assert "Missing" in words_on(again)
            assert "cannot be reached" in words_on(again)


@pytest.mark.parametrize("view", [("2026-01-01T09:15", "2026-01-05T15:30"), ("1999-01-01T00:00", "1999-01-02T00:00")])
def test_a_stretch_of_time_in_a_link_is_where_the_chart_begins(desk, view):
    app = by_link(key=RELIANCE, interval="1D", range="1Y", **{"from": view[0], "to": view[1]})

    assert not app.exception
    start, end = chart(app)["view"]
    assert start < end


def test_own_trades_and_open_orders_are_on_the_chart(desk):
    desk.quotes.get([INFY])
    last = Decimal(str(desk.quotes.get([INFY]).quotes[INFY]["ltp"]))
    low = (last * Decimal("0.97")).quantize(Decimal(1))
    me = Actor("asha", Role.OPERATOR, "tab-1")
    common = {"key": INFY, "side": Side.BUY, "quantity": 1, "product": Product.DELIVERY}
    bought = desk.orders.place(
        OrderRequest(order_type=OrderType.MARKET, **common), intent_id=str(uuid.uuid4()), actor=me
    )
    waiting = desk.orders.place(
        OrderRequest(order_type=OrderType.LIMIT, price=low, **common), intent_id=str(uuid.uuid4()), actor=me
    )
    desk.orders.refresh()

    data = chart(by_link(key=INFY, interval="1m", range="1D"))
    other = chart(by_link(key=RELIANCE, interval="1m", range="1D"))

    assert bought.accepted
    line, *trades = sorted(data["marks"], key=lambda mark: mark["at"] is not None)
    assert (line["at"], line["price"], line["side"]) == (None, float(low), "BUY")
    assert line["text"] == f"Buy 1 at {number(low)}"
    assert trades
    assert all(mark["text"].startswith("Bought 1 at ") for mark in trades)
    assert other["marks"] == []
    assert waiting.accepted
    desk.paper_account.reset("PAPER1", actor=me)  # the desk is shared with other tests
    assert chart(by_link(key=INFY, interval="1m", range="1D"))["marks"] == []
