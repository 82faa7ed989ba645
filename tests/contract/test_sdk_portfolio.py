"""The official SDK reads positions, holdings and funds, converts, asks for charges and margin, works GTT orders and the
kill switch, and hears of all that happens to the account on the portfolio stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import websocket

from services.paper.clock import PaperClock
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.contract.conftest import upstox_client
from tests.contract.test_sdk_feed import FIXED_HOST, Listener
from tests.support.feed_paper import FEEDS, eventually
from tests.support.paper import FUTURE, RELIANCE, Hands
from tests.support.paper_trading import USER, BookMarket, Trader, limit, trading
from tests.support.samples import same_shape, sample

ENTRY = {"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 1440.0}
TARGET = {"strategy": "TARGET", "trigger_type": "IMMEDIATE", "trigger_price": 1510.0}
STOP = {"strategy": "STOPLOSS", "trigger_type": "IMMEDIATE", "trigger_price": 1405.0, "trailing_gap": 7.0}


@pytest.fixture
def market() -> BookMarket:
    return BookMarket()


@pytest.fixture
def trader(tmp_path: Path, market: BookMarket) -> Iterator[Trader]:
    with trading(tmp_path, market=market, faults=True) as made:
        yield made


@pytest.fixture
def api(trader: Trader) -> Any:
    return client_of(trader)


def client_of(trader: Trader) -> Any:
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = trader.base
    configuration.access_token = str(trader.session.headers["Authorization"]).removeprefix("Bearer ")
    return upstox_client.ApiClient(configuration)


def listening(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> Listener:
    """A portfolio stream of the SDK that has begun; its fixed host replaced by the paper broker's."""
    usual, host = websocket.WebSocketApp, trader.base.replace("http", "ws", 1)
    monkeypatch.setattr(websocket, "WebSocketApp", lambda url, **given: usual(url.replace(FIXED_HOST, host), **given))
    streamer = upstox_client.PortfolioDataStreamer(
        client_of(trader), order_update=True, position_update=True, holding_update=True, gtt_update=True
    )
    made = Listener(streamer)
    streamer.connect()
    made.wait_for("open")
    eventually(lambda: len(trader.data(FEEDS)["portfolio"]) == 1)
    return made


@pytest.fixture
def listener(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    made = listening(trader, monkeypatch)
    yield made
    made.end()


def heard(listener: Listener, fits: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Updates up to the first that fits."""
    found: list[dict[str, Any]] = []
    while not found or not fits(found[-1]):
        [text] = listener.wait_for("message")
        found.append(json.loads(text))
    return found


def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(upstox_client.rest.ApiException) as caught:
        call()
    return caught.value.status, json.loads(caught.value.body)["errors"][0]["errorCode"]


def test_positions_are_read_and_converted(trader: Trader, api: Any) -> None:
    portfolio = upstox_client.PortfolioApi(api)
    trader.order(product="D")

    [row] = portfolio.get_positions("2.0").data
    assert (row.quantity, row.average_price, row.product, row.instrument_token) == (10, 1472.6, "D", RELIANCE)
    body = upstox_client.ConvertPositionRequest(
        instrument_token=RELIANCE, new_product="I", old_product="D", transaction_type="BUY", quantity=10
    )
    assert portfolio.convert_positions(body, "2.0").data.status == "complete"

    rows = portfolio.get_positions("2.0").data
    assert {one.product: one.quantity for one in rows if one.quantity} == {"I": 10}
    assert refused(lambda: portfolio.convert_positions(body, "2.0"))[0] == 400


def test_margin_funded_positions(trader: Trader, api: Any) -> None:
    trader.order(product="MTF")

    [row] = upstox_client.PortfolioApi(api).get_mtf_positions().data

    assert (row.product, row.quantity) == ("MTF", 10)


def test_shares_arrive_in_the_holdings_on_the_next_day(tmp_path: Path, market: BookMarket) -> None:
    hands = Hands("2026-11-19T15:00:00+05:30")
    options = PaperOptions(folder=tmp_path, limits=False)
    server = PaperServer(options, market=market, clock=PaperClock(hands, "simulated")).start()  # type: ignore[arg-type]
    trader = Trader(server)
    try:
        trader.order(product="D")
        hands.instant = datetime.fromisoformat("2026-11-20T11:00:00+05:30")
        trader.session.headers["Authorization"] = f"Bearer {server.access_token()}"
        answer = trader.get("/v2/portfolio/long-term-holdings").json()
        same_shape(answer, sample("holdings"))
        [held] = upstox_client.PortfolioApi(client_of(trader)).get_holdings("2.0").data
        assert (held.isin, held.quantity, held.average_price) == ("INE002A01018", 10, 1472.6)
        past = upstox_client.PostTradeApi(client_of(trader)).get_trades_by_date_range(
            "2026-11-19", "2026-11-20", 1, 100, segment="EQ"
        )
        assert [(one.quantity, one.price, one.amount) for one in past.data] == [(10, 1472.6, 14726.0)]
        told = trader.get(
            "/v2/charges/historical-trades?start_date=2026-11-01&end_date=2026-11-20&page_number=1&page_size=50"
        )
        same_shape(told.json(), sample("trades_historical"))
        assert told.json()["meta_data"]["page"]["total_records"] == 1
    finally:
        trader.session.close()
        server.stop()


def test_funds_in_both_shapes(trader: Trader, api: Any) -> None:
    user = upstox_client.UserApi(api)
    trader.order(**limit(1400.0))

    assert user.get_user_fund_margin_v3().data.available_to_trade.total == 986_000.0
    assert user.get_user_fund_margin("2.0").data["equity"].used_margin == 14_000.0
    same_shape(trader.get("/v3/user/get-funds-and-margin").json(), sample("funds_v3"))
    same_shape(trader.get("/v2/user/get-funds-and-margin").json(), sample("funds_v2"))


def test_charges_and_margin(api: Any) -> None:
    charges = upstox_client.ChargeApi(api)

    told = charges.get_brokerage(RELIANCE, 10, "D", "BUY", 1470.0, "2.0").data.charges
    margin = charges.post_margin(
        upstox_client.MarginRequest(
            instruments=[
                upstox_client.Instrument(
                    instrument_key=RELIANCE, quantity=10, product="D", transaction_type="BUY", price=1472.5
                ),
                upstox_client.Instrument(instrument_key=FUTURE, quantity=65, product="D", transaction_type="BUY"),
            ]
        )
    ).data

    assert (told.total, told.brokerage, told.taxes.stt) == (41.35, 20.0, 15.0)
    assert [line.total_margin for line in margin.margins] == [14725.0, 780.0]
    assert margin.required_margin == 15505.0


def test_gtt_orders(trader: Trader, api: Any) -> None:
    v3 = upstox_client.OrderApiV3(api)
    rules = [upstox_client.GttRule(**rule) for rule in (ENTRY, TARGET, STOP)]
    body = upstox_client.GttPlaceOrderRequest(
        type="MULTIPLE", quantity=2, product="D", rules=rules, instrument_token=RELIANCE, transaction_type="BUY"
    )

    [gtt_id] = v3.place_gtt_order(body).data.gtt_order_ids
    [told] = v3.get_gtt_order_details(gtt_order_id=gtt_id).data
    assert [(rule.strategy, rule.status) for rule in told.rules] == [
        ("ENTRY", "SCHEDULED"),
        ("TARGET", "INACTIVE"),
        ("STOPLOSS", "INACTIVE"),
    ]
    change = upstox_client.GttModifyOrderRequest(type="MULTIPLE", quantity=3, rules=rules, gtt_order_id=gtt_id)
    assert v3.modify_gtt_order(change).data.gtt_order_ids == [gtt_id]
    same_shape(trader.get("/v3/order/gtt").json(), sample("gtt_details"))
    cancel = upstox_client.GttCancelOrderRequest(gtt_order_id=gtt_id)
    assert v3.cancel_gtt_order(cancel).data.gtt_order_ids == [gtt_id]
    assert refused(lambda: v3.cancel_gtt_order(cancel)) == (400, "UDAPI1140")


def test_gtt_answers_have_the_documented_members(trader: Trader) -> None:
    placed = trader.send("POST", "/v3/order/gtt/place", json=sample("request_gtt_place_single")).json()
    same_shape(placed, sample("gtt_place"))
    change = sample("request_gtt_modify") | {"gtt_order_id": placed["data"]["gtt_order_ids"][0]}
    same_shape(trader.send("PUT", "/v3/order/gtt/modify", json=change).json(), sample("gtt_modify"))
    body = {"gtt_order_id": change["gtt_order_id"]}
    same_shape(trader.send("DELETE", "/v3/order/gtt/cancel", json=body).json(), sample("gtt_cancel"))


def test_the_kill_switch(trader: Trader, api: Any) -> None:
    user = upstox_client.UserApi(api)
    request = upstox_client.KillSwitchSegmentUpdateRequest

    user.update_kill_switch([request(segment="NSE_FO", action="DISABLE")])

    enabled = {row["segment"] for row in user.get_kill_switch().data if row["kill_switch_enabled"]}
    assert enabled == {"NSE_FO"}
    same_shape(trader.get("/v2/user/kill-switch").json(), sample("kill_switch"))
    answer = trader.send("POST", "/v2/user/kill-switch", json=[{"segment": "BSE_EQ", "action": "DISABLE"}])
    same_shape(answer.json(), sample("kill_switch"))
    assert answer.json()["data"][1]["kill_switch_enabled"] is False
    with pytest.raises(upstox_client.rest.ApiException):  # not before twelve hours have passed
        user.update_kill_switch([request(segment="NSE_FO", action="ENABLE")])


def test_conversion_brokerage_and_margin_have_the_documented_members(trader: Trader) -> None:
    trader.order(product="D")
    converted = trader.send("PUT", "/v2/portfolio/convert-position", json=sample("request_convert_position"))
    assert converted.json() == sample("convert_position")
    asked = {"instrument_token": RELIANCE, "quantity": 10, "product": "D", "transaction_type": "BUY", "price": 1470}
    same_shape(trader.get("/v2/charges/brokerage", params=asked).json(), sample("brokerage"))
    told = trader.send("POST", "/v2/charges/margin", json=sample("request_margin")).json()
    same_shape(told, sample("margin"))
    for line in told["data"]["margins"]:
        assert round(sum(value for name, value in line.items() if name != "total_margin"), 2) == line["total_margin"]


def test_a_gtt_order_goes_from_its_entry_to_its_end(trader: Trader, api: Any, market: BookMarket) -> None:
    v3 = upstox_client.OrderApiV3(api)
    entry = {"strategy": "ENTRY", "trigger_type": "IMMEDIATE", "trigger_price": 1480.0}
    body = upstox_client.GttPlaceOrderRequest(
        type="MULTIPLE", quantity=2, product="D", instrument_token=RELIANCE, transaction_type="BUY",
        rules=[upstox_client.GttRule(**rule) for rule in (entry, TARGET | {"trigger_price": 1500.0}, STOP)],
    )  # fmt: skip

    [gtt_id] = v3.place_gtt_order(body).data.gtt_order_ids

    [told] = v3.get_gtt_order_details(gtt_order_id=gtt_id).data
    assert [rule.status for rule in told.rules] == ["COMPLETED", "SCHEDULED", "SCHEDULED"]
    [child] = upstox_client.OrderApi(api).get_order_book("2.0").data
    assert (child.order_id, child.order_ref_id, child.order_type) == (told.rules[0].order_id, gtt_id, "LIMIT")
    assert refused(
        lambda: v3.modify_gtt_order(
            upstox_client.GttModifyOrderRequest(type="MULTIPLE", quantity=3, rules=body.rules, gtt_order_id=gtt_id)
        )
    ) == (400, "UDAPI1145")


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v2/portfolio/short-term-positions", "positions"), ("/v3/portfolio/mtf-positions", "mtf_positions")],
)
def test_positions_have_the_documented_members_and_types(trader: Trader, path: str, name: str) -> None:
    trader.order(product="D")
    trader.order(product="MTF")

    told = trader.get(path).json()

    assert told["data"]
    same_shape(told, sample(name))


def test_the_stream_tells_an_order_from_its_beginning_to_its_end(trader: Trader, listener: Listener) -> None:
    order_id = trader.order(tag="seen")

    updates = heard(listener, lambda told: told["update_type"] == "position")

    orders = [told for told in updates if told["update_type"] == "order"]
    assert {told["order_id"] for told in orders} == {order_id}
    assert (orders[0]["status"], orders[-1]["status"]) == ("put order req received", "complete")
    assert (orders[-1]["filled_quantity"], orders[-1]["user_id"], orders[-1]["tag"]) == (10, USER, "seen")
    for told in orders:
        written = sample("ws_portfolio_order")
        same_shape(told | {"trigger_price": 0}, written)
    same_shape(updates[-1] | {"average_price": 0}, sample("ws_portfolio_position"))
    assert (updates[-1]["quantity"], updates[-1]["buy_price"]) == (10, 1472.6)


def test_the_stream_tells_modifications_cancellations_and_gtt_orders(trader: Trader, listener: Listener) -> None:
    order_id = trader.order(**limit(1400.0))
    change = {"order_id": order_id, "validity": "DAY", "price": 1410.0, "order_type": "LIMIT", "trigger_price": 0}
    trader.send("PUT", "/v3/order/modify", json=change)
    trader.send("DELETE", "/v3/order/cancel", params={"order_id": order_id})
    updates = heard(listener, lambda told: told.get("status") == "cancelled")

    words = [told["status"] for told in updates]
    assert words.index("modified") < words.index("cancel pending")
    assert updates[-1]["price"] == 1410.0

    trader.send("POST", "/v3/order/gtt/place", json=sample("request_gtt_place_multiple") | {"rules": [ENTRY, TARGET]})
    [told] = heard(listener, lambda told: told["update_type"] == "gtt_order")
    same_shape(told, sample("ws_portfolio_gtt_order"))


def test_updates_can_be_lost_repeated_and_turned_round(trader: Trader, listener: Listener) -> None:
    def fault(**wanted: object) -> None:
        answer = trader.send("POST", "/_paper/update-faults", json={"update_type": "order", **wanted})
        assert answer.status_code == 200, answer.text

    plain = trader.order(**limit(1400.0))
    usual = [told["status"] for told in heard(listener, lambda told: told.get("status") == "open")]
    assert len(usual) > 2

    fault(kind="duplicate", times=1)
    trader.order(**limit(1400.0))
    assert [told["status"] for told in heard(listener, lambda told: told.get("status") == "open")] == [usual[0], *usual]
    fault(kind="missing", times=len(usual) - 1)
    trader.order(**limit(1400.0))
    assert [told["status"] for told in heard(listener, lambda told: told.get("status") == "open")] == usual[-1:]
    fault(kind="out_of_order", times=len(usual))
    trader.order(**limit(1400.0))
    turned = heard(listener, lambda told: told.get("status") == usual[0])
    assert [told["status"] for told in turned] == usual[::-1]
    assert trader.details(plain)["status"] == "open"


def test_the_stream_tells_what_the_market_does_while_nobody_asks(
    tmp_path: Path, market: BookMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trading(tmp_path, market=market, clock="2026-11-20T11:15:00+05:30") as trader:
        listener = listening(trader, monkeypatch)
        try:
            rests = trader.order(**limit(1450.0))
            trader.send("POST", "/v3/order/gtt/place", json=sample("request_gtt_place_single"))
            heard(listener, lambda told: told["update_type"] == "gtt_order")

            market.move(RELIANCE, 1439.0)

            filled = heard(listener, lambda told: told.get("order_id") == rests and told["status"] == "complete")[-1]
            assert filled["average_price"] <= 1450.0
            heard(
                listener,
                lambda told: told["update_type"] == "gtt_order" and told["rules"][0]["status"] == "COMPLETED",
            )
        finally:
            listener.end()
