"""The desk's own order calls over HTTP against the paper broker, which was built from the documents alone: what is sent
is understood, what is answered is understood, and prices come back to the paisa."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.errors import RequestRefused
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.margins import MarginLine
from services.domain.orders import (
    BookOrder,
    OrderChange,
    OrderRequest,
    OrderType,
    Product,
    Side,
    Status,
    Validity,
)
from services.transport.http import HttpClient
from services.transport.order_api import OrderApi
from services.transport.rate_gate import RateGate
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import Base, Profile
from tests.support.order_desk import eventually
from tests.support.paper import RELIANCE
from tests.support.paper_trading import BookMarket, Trader, trading

LTP = Decimal(1470)


@pytest.fixture
def market() -> BookMarket:
    made = BookMarket()
    made.move(RELIANCE, float(LTP))
    return made


@pytest.fixture
def trader(tmp_path: Path, market: BookMarket) -> Iterator[Trader]:
    with trading(tmp_path, market=market) as made:
        yield made


def _api(trader: Trader, http: HttpClient, profile: Profile) -> OrderApi:
    token = str(trader.session.headers["Authorization"]).removeprefix("Bearer ")
    made = UpstoxApi(
        http=http,
        gate=RateGate(),
        bases=dict.fromkeys(Base, trader.base),
        profile=profile,
        token=lambda writes: token,
        token_rejected=lambda secret: None,
        error_sink=lambda *told, **more: None,
    )
    return OrderApi(made.caller)


@pytest.fixture(params=[Profile.UPSTOX, Profile.GUIDE])
def api(trader: Trader, request: pytest.FixtureRequest) -> Iterator[OrderApi]:
    """By the published paths, and by the guide's."""
    http = HttpClient()
    yield _api(trader, http, request.param)
    http.close()


def _request(**changes: object) -> OrderRequest:
    given: dict[str, object] = {
        "key": RELIANCE,
        "side": Side.BUY,
        "quantity": 10,
        "order_type": OrderType.LIMIT,
        "price": Decimal("1450.10"),
    }
    return OrderRequest(**given | changes)  # type: ignore[arg-type]


def _placed(api: OrderApi, **changes: object) -> BookOrder:
    [order_id] = api.place(_request(**changes), tag="d-contract").value
    return api.details(order_id)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ({}, OrderChange(quantity=25), {"quantity": 25, "price": Decimal("1450.10")}),
        ({}, OrderChange(price=Decimal("1449.90")), {"price": Decimal("1449.90"), "quantity": 10}),
        (
            {"disclosed_quantity": 5},
            OrderChange(quantity=20, price=Decimal("1448.70")),
            {"quantity": 20, "price": Decimal("1448.70"), "disclosed_quantity": 5},
        ),
        (
            {"order_type": OrderType.STOP_LIMIT, "price": Decimal(1482), "trigger_price": Decimal(1480)},
            OrderChange(trigger_price=Decimal("1481.30")),
            {"trigger_price": Decimal("1481.30"), "price": Decimal(1482), "order_type": "SL"},
        ),
        (
            {"order_type": OrderType.STOP_MARKET, "price": None, "trigger_price": Decimal(1480)},
            OrderChange(quantity=11),
            {"trigger_price": Decimal(1480), "price": Decimal(0), "quantity": 11, "order_type": "SL-M"},
        ),
        (
            {"order_type": OrderType.STOP_LIMIT, "price": Decimal(1482), "trigger_price": Decimal(1480)},
            OrderChange(order_type=OrderType.LIMIT, price=Decimal(1450)),
            {"order_type": "LIMIT", "price": Decimal(1450), "trigger_price": Decimal(0)},
        ),
    ],
)
def test_an_order_is_changed_as_it_was_meant_and_the_rest_stays(
    api: OrderApi, before: dict[str, object], change: OrderChange, after: dict[str, object]
) -> None:
    order = _placed(api, **before)

    told = api.modify(order.order_id, change, current=order).value
    now = api.details(order.order_id)

    assert told == order.order_id
    assert {name: getattr(now, name) for name in after} == after
    assert int(now.request_id) > int(order.request_id)
    assert not now.terminal
    assert (now.key, now.side, now.product, now.tag) == (order.key, order.side, order.product, order.tag)
    assert Status.MODIFIED in {step.status for step in api.history(order_id=order.order_id)}


def test_an_order_that_is_changed_to_a_price_that_is_met_fills(api: OrderApi) -> None:
    order = _placed(api)

    api.modify(order.order_id, OrderChange(price=Decimal("1470.10")), current=order)
    eventually(lambda: api.details(order.order_id).terminal)

    now = api.details(order.order_id)
    assert (now.status, now.filled_quantity, now.average_price) == (Status.COMPLETE, 10, Decimal("1470.10"))
    assert [(one.quantity, one.price) for one in api.trades_of(order.order_id)] == [(10, Decimal("1470.10"))]


def test_an_order_is_cancelled_and_then_neither_cancelled_nor_changed(api: OrderApi) -> None:
    order = _placed(api)

    told = api.cancel(order.order_id).value
    now = api.details(order.order_id)
    with pytest.raises(RequestRefused) as cancelled:
        api.cancel(order.order_id)
    with pytest.raises(RequestRefused) as changed:
        api.modify(order.order_id, OrderChange(quantity=11), current=order)

    assert told == order.order_id
    assert (now.status, now.filled_quantity) == (Status.CANCELLED, 0)
    assert (cancelled.value.code, changed.value.code) == ("UDAPI100040", "UDAPI100041")
    assert not cancelled.value.outcome_unknown
    assert [step.status for step in api.history(order_id=order.order_id)][-1] == Status.CANCELLED


def test_what_is_filled_in_part_is_changed_and_cancelled_for_the_rest(api: OrderApi) -> None:
    order = _placed(api, quantity=150, price=Decimal("1470.10"))  # a hundred lie on that level
    eventually(lambda: api.details(order.order_id).filled_quantity == 100)
    part = api.details(order.order_id)

    api.modify(order.order_id, OrderChange(quantity=140), current=part)
    changed = api.details(order.order_id)
    api.cancel(order.order_id)
    ended = api.details(order.order_id)

    assert (part.status, part.pending_quantity) == (Status.OPEN, 50)
    assert (changed.quantity, changed.filled_quantity, changed.pending_quantity) == (140, 100, 40)
    assert (ended.status, ended.filled_quantity) == (Status.CANCELLED, 100)
    assert sum(one.quantity for one in api.trades_of(order.order_id)) == 100


@pytest.mark.parametrize("order_type", list(OrderType))
def test_every_type_of_order_is_taken_and_told_as_it_was_placed(api: OrderApi, order_type: OrderType) -> None:
    price = Decimal("1481.50") if order_type.needs_price else None
    trigger = Decimal("1480.30") if order_type.needs_trigger else None
    if order_type is OrderType.LIMIT:
        price = Decimal("1450.10")

    order = _placed(api, order_type=order_type, price=price, trigger_price=trigger, product=Product.INTRADAY)

    assert order.order_type == order_type
    assert (order.price, order.trigger_price) == (price or Decimal(0), trigger or Decimal(0))
    assert (order.product, order.validity, order.quantity, order.tag) == ("I", Validity.DAY, 10, "d-contract")
    assert order.order_id in {one.order_id for one in api.book()}
    assert {one.order_id for one in api.history(tag="d-contract")} == {order.order_id}


def test_bulk_calls_tell_each_line(api: OrderApi) -> None:
    told = api.place_many(
        [
            ("leg-1", _request(), "d-1"),
            ("leg-2", _request(key="NSE_EQ|INE000000000"), "d-2"),
            ("leg-3", _request(quantity=11), "d-3"),
        ]
    )
    gone = api.cancel_many()

    assert set(told.placed) == {"leg-1", "leg-3"}
    assert [error.correlation_id for error in told.errors] == ["leg-2"]
    assert (told.total, told.succeeded, told.failed) == (3, 2, 1)
    assert set(gone.order_ids) == set(told.order_ids)
    assert all(order.terminal for order in api.book())


def test_a_position_is_converted_and_closed(api: OrderApi) -> None:
    def held() -> dict[str, int]:
        return {one.product: one.quantity for one in api.positions() if one.is_open}

    _placed(api, order_type=OrderType.MARKET, price=None, product=Product.INTRADAY)
    eventually(lambda: held() == {"I": 10})

    assert api.convert(RELIANCE, Side.BUY, 4, Product.INTRADAY, Product.DELIVERY).value == "complete"
    assert held() == {"I": 6, "D": 4}
    api.exit_positions()
    eventually(lambda: "I" not in held())
    assert sum(one.quantity for one in api.trades()) >= 16
    assert api.past_trades(date(2026, 11, 1), date(2026, 11, 19)) == []


def test_an_order_that_waits_is_placed_changed_and_cancelled(api: OrderApi) -> None:
    leg = GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal("1400.10"))
    request = GttRequest(RELIANCE, Side.BUY, 10, Product.DELIVERY, (leg,))

    [gtt_id] = api.gtt_place(request).value
    [placed] = api.gtts()
    lower = GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal("1390.20"))
    api.gtt_modify(gtt_id, GttRequest(RELIANCE, Side.BUY, 12, Product.DELIVERY, (lower,)))
    [changed] = api.gtts(gtt_id)
    api.gtt_cancel(gtt_id)

    assert (placed.gtt_id, placed.quantity, placed.legs[0].trigger_price) == (gtt_id, 10, Decimal("1400.10"))
    assert (changed.kind, changed.quantity, changed.legs[0].trigger_price) == ("SINGLE", 12, Decimal("1390.20"))
    assert not any(one.alive for one in api.gtts())


def test_money_and_switches_are_told(api: OrderApi) -> None:
    charges = api.brokerage(RELIANCE, side=Side.BUY, quantity=10, product=Product.DELIVERY, price=LTP)
    margin = api.margin([MarginLine(RELIANCE, Side.BUY, 10, "D", LTP), MarginLine(RELIANCE, Side.SELL, 3, "I", None)])
    switches = {one.segment: one.killed for one in api.kill_switch()}
    after = {one.segment: one.killed for one in api.set_kill_switch({"BSE_FO": False})}

    assert charges.total > 0
    assert len(margin.lines) == 2
    assert margin.final >= 10 * LTP
    assert switches["BSE_FO"] is False
    assert after["BSE_FO"] is True
