"""The official SDK places, modifies and cancels orders, one by one and many at once, and reads its books; the bodies
that it gets have the members and types of the published samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.contract.conftest import upstox_client
from tests.support.paper import CALL, CRUDE, INFY, RELIANCE
from tests.support.paper_trading import USER, BookMarket, Trader, trading
from tests.support.samples import same_shape, sample


@pytest.fixture
def market() -> BookMarket:
    return BookMarket()


@pytest.fixture
def trader(tmp_path: Path, market: BookMarket) -> Iterator[Trader]:
    with trading(tmp_path, market=market) as made:
        yield made


@pytest.fixture
def api(trader: Trader) -> Any:
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = trader.base
    configuration.access_token = str(trader.session.headers["Authorization"]).removeprefix("Bearer ")
    return upstox_client.ApiClient(configuration)


@pytest.fixture
def v3(api: Any) -> Any:
    return upstox_client.OrderApiV3(api)


@pytest.fixture
def v2(api: Any) -> Any:
    return upstox_client.OrderApi(api)


def wanted(**change: Any) -> Any:
    given = {
        "quantity": 10,
        "product": "D",
        "validity": "DAY",
        "price": 1470.0,
        "tag": "dashboard",
        "instrument_token": RELIANCE,
        "order_type": "LIMIT",
        "transaction_type": "BUY",
        "disclosed_quantity": 0,
        "trigger_price": 0.0,
        "is_amo": False,
        "slice": False,
    }
    return upstox_client.PlaceOrderV3Request(**given | change)


def line(name: str, **change: Any) -> Any:
    return upstox_client.MultiOrderRequest(**wanted(**change).to_dict(), correlation_id=name)


def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(upstox_client.rest.ApiException) as caught:
        call()
    body = orjson.loads(caught.value.body)
    assert body["status"] == "error"
    return caught.value.status, body["errors"][0]["errorCode"]


def test_v3_places_and_the_books_tell_it(v3: Any, v2: Any) -> None:
    placed = v3.place_order(wanted(price=1475.0))

    assert placed.status == "success"
    [order_id] = placed.data.order_ids
    assert isinstance(placed.metadata.latency, int)
    details = v2.get_order_status(order_id=order_id).data
    assert (details.status, details.filled_quantity, details.average_price) == ("complete", 10, 1472.6)
    assert (details.placed_by, details.tag, details.order_type) == (USER, "dashboard", "LIMIT")
    [row] = v2.get_order_book("2.0").data
    assert (row.order_id, row.pending_quantity, row.exchange) == (order_id, 0, "NSE")
    # The SDK calls the history "order details", and the details "order status".
    by_id = v2.get_order_details("2.0", order_id=order_id).data
    by_tag = v2.get_order_details("2.0", tag="dashboard").data
    assert [step.status for step in by_id] == [step.status for step in by_tag]
    assert by_id[0].status == "put order req received"
    [trade] = v2.get_trade_history("2.0").data
    assert (trade.order_id, trade.quantity, trade.average_price) == (order_id, 10, 1472.6)
    assert [one.trade_id for one in v2.get_trades_by_order(order_id, "2.0").data] == [trade.trade_id]


def test_v2_places_modifies_and_cancels(v2: Any) -> None:
    body = upstox_client.PlaceOrderRequest(
        **{
            name: value
            for name, value in wanted(price=1400.0).to_dict().items()
            if name not in {"slice", "market_protection"}
        }
    )
    order_id = v2.place_order(body, "2.0").data.order_id
    change = upstox_client.ModifyOrderRequest(
        order_id=order_id, quantity=4, validity="DAY", price=1405.0, order_type="LIMIT", disclosed_quantity=0,
        trigger_price=0.0,
    )  # fmt: skip

    assert v2.modify_order(change, "2.0").data.order_id == order_id
    told = v2.get_order_status(order_id=order_id).data
    assert (told.quantity, told.price, told.order_request_id) == (4, 1405.0, "2")
    assert v2.cancel_order(order_id, "2.0").data.order_id == order_id
    assert v2.get_order_status(order_id=order_id).data.status == "cancelled"


def test_v3_modifies_and_cancels(v3: Any, v2: Any) -> None:
    [order_id] = v3.place_order(wanted(price=1400.0)).data.order_ids
    change = upstox_client.ModifyOrderRequest(
        order_id=order_id, validity="DAY", price=0.0, order_type="MARKET", trigger_price=0.0, market_protection=-1
    )

    modified = v3.modify_order(change)

    assert (modified.data.order_id, modified.metadata.latency >= 0) == (order_id, True)
    assert v2.get_order_status(order_id=order_id).data.status == "complete"
    [other] = v3.place_order(wanted(price=1400.0)).data.order_ids
    assert v3.cancel_order(other).data.order_id == other
    assert refused(lambda: v3.cancel_order(other)) == (400, "UDAPI100040")
    assert refused(lambda: v3.modify_order(change)) == (400, "UDAPI100041")


def test_stop_orders_wait_for_their_trigger(v3: Any, v2: Any, market: BookMarket) -> None:
    [limited] = v3.place_order(wanted(order_type="SL", trigger_price=1480.0, price=1485.0)).data.order_ids
    at_market = wanted(order_type="SL-M", trigger_price=1480.0, price=0.0, market_protection=-1)
    [unlimited] = v3.place_order(at_market).data.order_ids
    for order_id in (limited, unlimited):
        assert v2.get_order_status(order_id=order_id).data.status == "trigger pending"

    market.move(RELIANCE, 1481.0)
    v3.place_order(wanted(price=1400.0))  # the same instrument: the exchange looks at its market again

    for order_id in (limited, unlimited):
        told = v2.get_order_status(order_id=order_id).data
        assert (told.status, told.filled_quantity, told.average_price) == ("complete", 10, 1481.1)
        steps = [step.status for step in v2.get_order_details("2.0", order_id=order_id).data]
        assert steps[-3:] == ["trigger pending", "open", "complete"]


def test_an_ioc_order_keeps_what_it_got_and_is_cancelled_for_the_rest(v3: Any, v2: Any) -> None:
    [order_id] = v3.place_order(wanted(quantity=150, price=1472.6, validity="IOC")).data.order_ids

    told = v2.get_order_status(order_id=order_id).data
    assert (told.status, told.filled_quantity, told.pending_quantity) == ("cancelled", 100, 0)


def test_a_market_order_may_end_unfilled_where_its_protection_does(v3: Any, v2: Any) -> None:
    big = wanted(quantity=1000, product="I", order_type="MARKET", price=0.0, market_protection=-1)
    [order_id] = v3.place_order(big).data.order_ids

    told = v2.get_order_status(order_id=order_id).data
    assert (told.status, told.filled_quantity, told.pending_quantity) == ("open", 510, 490)


def test_an_order_beyond_the_band_or_the_freeze_quantity_is_taken_and_rejected(v3: Any, v2: Any) -> None:
    [dear] = v3.place_order(wanted(price=5000.0)).data.order_ids
    [large] = v3.place_order(wanted(instrument_token=CALL, quantity=1755 + 65, price=180.0)).data.order_ids

    for order_id, said in ((dear, "circuit limit"), (large, "freeze")):
        told = v2.get_order_status(order_id=order_id).data
        assert (told.status, told.exchange_order_id, told.pending_quantity) == ("rejected", None, 0)
        assert said in told.status_message_raw


def test_slices_have_ids_of_their_own(v3: Any) -> None:
    sliced = wanted(instrument_token=CALL, quantity=1755 + 65, price=180.0, slice=True)

    assert len(v3.place_order(sliced).data.order_ids) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_type": "MARKET", "price": 0.0, "market_protection": 0}, "UDAPI1158"),
        ({"order_type": "MARKET", "price": 5.0}, "UDAPI1040"),
        ({"order_type": "MARKET", "price": 0.0, "market_protection": 26}, "UDAPI1159"),
        ({"quantity": 0}, "UDAPI1052"),
        ({"product": "CNC"}, "UDAPI1054"),
        ({"validity": "GTC"}, "UDAPI1055"),
        ({"order_type": "STOP"}, "UDAPI1056"),
        ({"transaction_type": "BUYS"}, "UDAPI1057"),
        ({"instrument_token": "NSE_EQ|INE000000000"}, "UDAPI100011"),
        ({"tag": "x" * 41}, "UDAPI1119"),
        ({"instrument_token": CRUDE, "quantity": 1, "price": 95.0}, "UDAPI1161"),
    ],
)
def test_refusals_carry_the_documented_codes(v3: Any, v2: Any, change: dict[str, Any], code: str) -> None:
    with_model_checks_off = wanted()
    for name, value in change.items():
        setattr(with_model_checks_off, f"_{name}", value)  # the SDK's own checks would not let it out

    assert refused(lambda: v3.place_order(with_model_checks_off)) == (400, code)
    assert v2.get_order_book("2.0").data == []


def test_many_at_once(v2: Any) -> None:
    placed = v2.place_multi_order([line("rel-1", price=1400.0), line("infy-1", instrument_token=INFY, price=95.0)])

    assert [row.correlation_id for row in placed.data] == ["rel-1", "infy-1"]
    assert (placed.summary.total, placed.summary.success, placed.summary.error) == (2, 2, 0)
    cancelled = v2.cancel_multi_order(tag="dashboard")
    assert set(cancelled.data.order_ids) == {row.order_id for row in placed.data}
    assert cancelled.summary.success == 2
    assert refused(v2.cancel_multi_order) == (400, "UDAPI1109")


def test_a_line_that_is_refused_leaves_the_others(v2: Any) -> None:
    bad = line("infy-1", instrument_token=INFY)
    bad._quantity = 0

    placed = v2.place_multi_order([line("rel-1", price=1400.0), bad])

    assert placed.status == "partial_success"
    assert [row.correlation_id for row in placed.data] == ["rel-1"]
    assert [(row.correlation_id, row.error_code) for row in placed.errors] == [("infy-1", "UDAPI1052")]
    assert (placed.summary.success, placed.summary.error) == (1, 1)


def test_all_positions_are_left_at_once(v3: Any, v2: Any, api: Any) -> None:
    v3.place_order(wanted(price=1475.0, product="I"))

    left = v2.exit_positions()

    assert (len(left.data.order_ids), left.summary.success) == (1, 1)
    [row] = upstox_client.PortfolioApi(api).get_positions("2.0").data
    assert row.quantity == 0


def test_past_trades_come_in_pages(api: Any) -> None:
    answer = upstox_client.PostTradeApi(api).get_trades_by_date_range("2026-11-01", "2026-11-19", 1, 100)

    assert answer.status == "success"
    assert answer.data == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v2/order/retrieve-all", "order_book"),
        ("/v2/order/details?order_id={}", "order_details"),
        ("/v2/order/history?order_id={}", "order_history"),
        ("/v2/order/trades/get-trades-for-day", "trades_for_day"),
        ("/v2/order/trades?order_id={}", "trades_by_order"),
    ],
)
def test_reads_have_the_documented_members_and_types(trader: Trader, path: str, name: str) -> None:
    order_id = trader.order(tag="dashboard")

    told = trader.get(path.format(order_id)).json()

    assert told["data"]
    same_shape(told, sample(name))


def test_writes_have_the_documented_members_and_types(trader: Trader) -> None:
    def sent(method: str, path: str, name: str, **given: Any) -> Any:
        answer = trader.send(method, path, **given)
        told = answer.json()
        same_shape(told, sample(name))
        return told["data"]

    body = wanted(price=1400.0).to_dict() | {"market_protection": None}
    v3_id = sent("POST", "/v3/order/place", "order_place_v3", json=body)["order_ids"][0]
    v2_id = sent("POST", "/v2/order/place", "order_place_v2", json=body)["order_id"]
    change = sample("request_order_modify_v3") | {"price": 1401.0}
    sent("PUT", "/v3/order/modify", "order_modify_v3", json=change | {"order_id": v3_id})
    sent("PUT", "/v2/order/modify", "order_modify_v2", json=change | {"order_id": v2_id})
    sent("DELETE", "/v3/order/cancel", "order_cancel_v3", params={"order_id": v3_id})
    sent("DELETE", "/v2/order/cancel", "order_cancel_v2", params={"order_id": v2_id})
    lines = [one | {"price": 1400.0, "instrument_token": RELIANCE} for one in sample("request_order_multi_place")]
    sent("POST", "/v2/order/multi/place", "order_multi_place", json=lines)
    sent("DELETE", "/v2/order/multi/cancel", "order_multi_cancel")
    lines[1]["quantity"] = 0
    sent("POST", "/v2/order/multi/place", "order_multi_place_partial", json=lines)
    trader.order(product="I")
    sent("POST", "/v2/order/positions/exit", "order_exit_positions")


@pytest.mark.parametrize(
    ("method", "path", "given", "name"),
    [
        ("POST", "/v3/order/place", {"json": "market"}, "error_400_market_order_blocked"),
        ("GET", "/v2/order/details", {"params": {"order_id": "261120010123457"}}, "error_400_order_not_found"),
    ],
)
def test_errors_are_the_documented_ones(
    trader: Trader, method: str, path: str, given: dict[str, Any], name: str
) -> None:
    if given.get("json") == "market":
        given = {"json": sample("request_order_place_v3_market") | {"market_protection": 0}}

    answer = trader.send(method, path, **given)

    written = sample(name)
    told = answer.json()
    told["errors"][0] |= {twin: written["errors"][0][twin] for twin in ("property_path", "propertyPath")}
    told["errors"][0] |= {twin: written["errors"][0][twin] for twin in ("invalid_value", "invalidValue")}
    assert (answer.status_code, told) == (400, written)
