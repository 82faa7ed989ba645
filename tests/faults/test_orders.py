"""Every fault on placing, changing and cancelling: never two orders, never a lost one, and the state told truly.

The broker is a real one on loopback with `--faults`; the client is the real one, which waits 0.3 s for an answer that
does not come, and long for every other one. The desk's own time is moved by the test.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from services.domain.errors import InvalidRequest
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.intents import IntentState
from services.domain.orders import BookOrder, OrderChange, OrderRequest, OrderType, Product, Side, Status
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.transport.http import Answer, HttpClient
from services.transport.order_api import OrderApi
from services.transport.rate_gate import RateGate
from services.transport.retry import RetryPolicy
from services.transport.upstox_api import UpstoxApi
from services.wire.endpoints import Base, Profile
from tests.support.order_desk import ASHA, Bench, eventually
from tests.support.orders import RELIANCE, a_request

ANSWER_SECONDS = 0.3
STILL = "2026-11-20T11:15:00+05:30x0.001"
SLOW_MS = 600
LONG_ENOUGH = 40.0
"""Seconds of the desk's: several looks, and later than anything can still be on its way."""
HELD = {"no_answer_before", "no_answer_after", "slow"}
"""Kinds of fault whose answer nobody waits for."""
POLICY = RetryPolicy(total_seconds=20.0, first_pause=0.01, longest_pause=0.02, limited_first=0.05, limited_longest=0.2)

FAULTS: dict[str, dict[str, Any]] = {
    "no answer, not done": {"kind": "no_answer_before"},
    "no answer, done": {"kind": "no_answer_after"},
    "status 500": {"kind": "status", "status": 500},
    "status 503": {"kind": "status", "status": 503},
    "status 500, done": {"kind": "status_after", "status": 500},
    "status 400, something went wrong": {"kind": "status_after", "status": 400, "code": "UDAPI100500"},
    "status 400": {"kind": "status", "status": 400, "code": "UDAPI1052"},
    "status 403, address": {"kind": "status", "status": 403, "code": "UDAPI1154"},
    "status 429": {"kind": "status", "status": 429},
    "garbage": {"kind": "garbage"},
    "truncated": {"kind": "truncated"},
    "dropped": {"kind": "drop"},
    "dropped, done": {"kind": "drop_after"},
    "slow": {"kind": "slow", "ms": SLOW_MS},
    "HTML 403": {"kind": "html_403"},
    "v3 unrouted": {"kind": "status", "status": 404, "code": "UDAPI100060", "version": "v3"},
}
REFUSED_FOR_SURE = {"status 400", "status 403, address", "status 429", "HTML 403"}
UNKNOWN_AT_FIRST = {
    "no answer, not done", "no answer, done", "status 500", "status 503", "status 500, done",
    "status 400, something went wrong", "garbage", "truncated", "dropped", "dropped, done", "slow",
}  # fmt: skip


class Listening(HttpClient):
    """Notes which order calls leave, and waits for no answer that is held back."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.hasty = False

    def send(self, method: str, url: str, **given: Any) -> Answer:
        if self.hasty and method != "GET":
            given["seconds"] = ANSWER_SECONDS
        if "/order/" in url and method != "GET":
            self.writes.append(f"{method} {url.partition('://')[2].partition('/')[2]}")
        return super().send(method, url, **given)


class Rig(Bench):
    """A desk over the real client and the real paper broker."""

    def __init__(self, server: PaperServer, folder: Path) -> None:
        self.server = server
        self.http = Listening()
        self.gate = RateGate()
        self.api = UpstoxApi(
            http=self.http,
            gate=self.gate,
            bases=dict.fromkeys(Base, server.base_url),
            profile=Profile.UPSTOX,
            token=lambda writes: server.access_token(),
            token_rejected=lambda secret: None,
            error_sink=lambda *told, **more: None,
            policy=POLICY,
        )
        self.order_api = OrderApi(self.api.caller)
        super().__init__(folder, broker=self.order_api, first_tag=secrets.randbelow(10**15) * 1000)
        self.price = Decimal(repr(self.api.full_quotes([RELIANCE]).value[RELIANCE].ltp))
        self.quotes.prices[RELIANCE] = float(self.price)
        told = self.api.search_instruments("RELIANCE")
        self.instruments[RELIANCE] = replace(
            self.instruments[RELIANCE], tick_size=next(one.tick_size for one in told if one.key == RELIANCE)
        )
        self.open()

    def request(self, **changes: Any) -> OrderRequest:
        """A limit order that rests in the book: 2 % below the market."""
        resting = (self.price * Decimal("0.98")).quantize(Decimal(1))
        return a_request(**{"price": resting} | changes)

    def place(self, **changes: Any) -> BookOrder:
        """An order that lies at the broker."""
        told = self.desk.place(self.request(**changes), intent_id=secrets.token_hex(4), actor=ASHA)
        assert told.accepted, told
        return self.order_api.details(told.order_ids[0])

    def fault(self, **fault: object) -> None:
        self.http.hasty = fault["kind"] in HELD
        self._faults("POST", fault)

    def no_faults(self) -> None:
        self.http.hasty = False
        self._faults("DELETE", None)

    def tagged(self, tag: str) -> list[BookOrder]:
        """What the broker itself holds of that tag."""
        return [order for order in self.order_api.book() if order.tag == tag]

    def _faults(self, method: str, fault: object) -> None:
        answer = requests.request(
            method,
            f"{self.server.base_url}/_paper/faults",
            json=fault,
            headers={"Authorization": f"Bearer {self.server.access_token()}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self.no_faults()
        super().close()
        self.http.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperServer]:
    folder: Path = tmp_path_factory.mktemp("order-faults")
    made = PaperServer(PaperOptions(folder=folder, clock=STILL, faults=True, limits=False))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def rig(server: PaperServer, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(server, tmp_path)
    yield made
    made.close()


def _broker_ends(rig: Rig, name: str, is_done: Callable[[], bool]) -> None:
    """The desk's time flies, the broker's does not: what it will do although nobody waits has to come to its end."""
    rig.http.hasty = False
    if name in {"slow", "no answer, done"}:
        eventually(is_done)


@pytest.mark.parametrize("name", FAULTS)
def test_placing(rig: Rig, name: str) -> None:
    rig.fault(operation="order_place", times=1, **FAULTS[name])
    before = len(rig.order_api.book())

    told = rig.desk.place(rig.request(), intent_id="one", actor=ASHA)
    at_once = rig.intent("one").state
    again = rig.desk.place(rig.request(), intent_id="one", actor=ASHA)
    _broker_ends(rig, name, lambda: bool(rig.tagged(told.tag)))
    rig.pass_time(LONG_ENOUGH)

    there, end = rig.tagged(told.tag), rig.intent("one")
    assert len(there) <= 1
    assert len(rig.order_api.book()) - before == len(there)
    assert (end.state is IntentState.ACCEPTED) == bool(there), "the ledger knows the truth"
    assert not end.state.is_open, "it was found out"
    assert again.repeated
    assert at_once is told.state
    assert (told.state is IntentState.UNKNOWN) == (name in UNKNOWN_AT_FIRST)
    if name == "v3 unrouted":
        assert rig.http.writes == ["POST v3/order/place", "POST v2/order/place"]
        assert end.state is IntentState.ACCEPTED
    else:
        assert rig.http.writes == ["POST v3/order/place"]
    if name in REFUSED_FOR_SURE:
        assert end.state is IntentState.REFUSED
        assert end.reason


@pytest.mark.parametrize("name", FAULTS)
def test_changing(rig: Rig, name: str) -> None:
    order = rig.place()
    rig.http.writes.clear()
    rig.fault(operation="order_modify", times=1, **FAULTS[name])

    told = rig.desk.modify(order.order_id, OrderChange(quantity=20), intent_id="two", actor=ASHA)
    _broker_ends(rig, name, lambda: rig.order_api.details(order.order_id).quantity == 20)
    rig.pass_time(LONG_ENOUGH)

    there, end = rig.order_api.details(order.order_id), rig.intent("two")
    assert (end.state is IntentState.ACCEPTED) == (there.quantity == 20)
    assert not end.state.is_open
    assert (told.state is IntentState.UNKNOWN) == (name in UNKNOWN_AT_FIRST)
    assert len(rig.http.writes) == (2 if name == "v3 unrouted" else 1)
    known = rig.desk.order(order.order_id)
    assert known is not None
    assert known.quantity == there.quantity


@pytest.mark.parametrize("name", FAULTS)
def test_cancelling(rig: Rig, name: str) -> None:
    order = rig.place()
    rig.http.writes.clear()
    rig.fault(operation="order_cancel", times=1, **FAULTS[name])

    told = rig.desk.cancel(order.order_id, intent_id="two", actor=ASHA)
    _broker_ends(rig, name, lambda: rig.order_api.details(order.order_id).terminal)
    rig.pass_time(LONG_ENOUGH)

    there, end = rig.order_api.details(order.order_id), rig.intent("two")
    assert (end.state is IntentState.ACCEPTED) == (there.status == Status.CANCELLED)
    assert not end.state.is_open
    assert (told.state is IntentState.UNKNOWN) == (name in UNKNOWN_AT_FIRST)
    assert len(rig.http.writes) == (2 if name == "v3 unrouted" else 1)
    known = rig.desk.order(order.order_id)
    assert known is not None
    assert known.status == there.status


OTHERS = ("cancel all", "exit", "convert", "the broker's switch")
OPERATIONS = {
    "cancel all": "order_multi_cancel", "exit": "positions_exit", "convert": "position_convert",
    "the broker's switch": "kill_switch_set", "change of a GTT": "gtt_modify", "end of a GTT": "gtt_cancel",
}  # fmt: skip


def _held(rig: Rig) -> dict[str, int]:
    return {one.product: one.quantity for one in rig.order_api.positions() if one.quantity}


def _trade(rig: Rig, side: Side, product: Product) -> None:
    """Five at the market, and filled."""
    before = _held(rig).get(product, 0)
    request = OrderRequest(RELIANCE, side, 5, OrderType.MARKET, product)
    rig.order_api.place(request, tag=secrets.token_hex(8))
    eventually(lambda: _held(rig).get(product, 0) == before + 5 * side.sign)


def _prepared(rig: Rig, what: str) -> None:
    if what == "cancel all":
        rig.place()
    elif what in {"exit", "convert"}:
        _trade(rig, Side.BUY, Product.INTRADAY)
        rig.desk.refresh()


def _segment(rig: Rig) -> str:
    """One whose switch is off; the broker lets nobody lift it for twelve hours."""
    return next(one.segment for one in rig.order_api.kill_switch() if one.segment != "NSE_EQ" and not one.killed)


def _write(rig: Rig, what: str, intent_id: str, segment: str) -> Any:
    desk = rig.desk
    if what == "cancel all":
        return desk.cancel_all(intent_id=intent_id, actor=ASHA)
    if what == "exit":
        return desk.exit_all(intent_id=intent_id, actor=ASHA)
    if what == "convert":
        return desk.convert(RELIANCE, Side.BUY, 5, "I", "D", intent_id=intent_id, actor=ASHA)
    return desk.set_broker_kill_switch({segment: True}, intent_id=intent_id, actor=ASHA)


def _is_done(rig: Rig, what: str, segment: str) -> bool:
    if what == "cancel all":
        return all(order.terminal for order in rig.order_api.book())
    if what == "exit":
        return _held(rig) == {}
    if what == "convert":
        return _held(rig) == {"D": 5}
    return next(one.killed for one in rig.order_api.kill_switch() if one.segment == segment)


def _put_back(rig: Rig) -> None:
    """As the next test expects to find it."""
    rig.no_faults()
    for order in rig.order_api.book():
        if not order.terminal:
            rig.order_api.cancel(order.order_id)
    for product in _held(rig):
        _trade(rig, Side.SELL, Product(product))


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("name", ["no answer, done", "no answer, not done", "status 500, done", "status 429"])
def test_what_is_about_many_orders_a_position_or_the_switch(rig: Rig, what: str, name: str) -> None:
    _put_back(rig)
    _prepared(rig, what)
    segment = _segment(rig)
    rig.fault(operation=OPERATIONS[what], times=1, **FAULTS[name])

    told = _write(rig, what, "one", segment)
    again = _write(rig, what, "one", segment)
    _broker_ends(rig, name, lambda: _is_done(rig, what, segment))
    rig.pass_time(LONG_ENOUGH)
    end = rig.intent("one")

    assert (told.state is IntentState.UNKNOWN) == (name in UNKNOWN_AT_FIRST)
    assert again.repeated
    assert not end.state.is_open, "it was found out"
    assert (end.state is IntentState.ACCEPTED) == _is_done(rig, what, segment), "the ledger knows the truth"
    _put_back(rig)


@pytest.mark.parametrize("name", ["no answer, done", "no answer, not done"])
@pytest.mark.parametrize("what", ["change of a GTT", "end of a GTT"])
def test_a_lost_answer_about_a_waiting_order_is_shown_to_a_person(rig: Rig, what: str, name: str) -> None:
    leg = GttLeg(Strategy.ENTRY, TriggerType.BELOW, (rig.price * Decimal("0.95")).quantize(Decimal(1)))
    request = GttRequest(RELIANCE, Side.BUY, 1, Product.DELIVERY, (leg,))
    gtt_id = rig.desk.gtt_place(request, intent_id="first", actor=ASHA).order_ids[0]
    rig.fault(operation=OPERATIONS[what], times=1, **FAULTS[name])

    def listed() -> int:
        return sum(one.quantity for one in rig.order_api.gtts() if one.gtt_id == gtt_id and one.alive)

    def is_done() -> bool:
        return listed() == (0 if what == "end of a GTT" else 3)

    def write(intent_id: str) -> Any:
        if what == "end of a GTT":
            return rig.desk.gtt_cancel(gtt_id, intent_id=intent_id, actor=ASHA)
        return rig.desk.gtt_modify(gtt_id, replace(request, quantity=3), intent_id=intent_id, actor=ASHA)

    told = write("one")
    _broker_ends(rig, name, is_done)
    rig.pass_time(LONG_ENOUGH)
    [unknown] = rig.desk.open_intents()
    with pytest.raises(InvalidRequest, match="not known yet"):
        write("two")
    quantity, done = listed(), is_done()
    alive = quantity > 0

    assert told.state is IntentState.UNKNOWN
    assert done == (name != "no answer, not done")
    assert f"{quantity} in D" in unknown.evidence or not alive
    assert rig.desk.resolve("one", done, actor=ASHA).accepted == done
    assert write("three").state is (IntentState.ACCEPTED if alive else IntentState.REFUSED)


@pytest.mark.parametrize("name", ["no answer, done", "no answer, not done", "status 500", "garbage"])
def test_a_basket(rig: Rig, name: str) -> None:
    rig.fault(operation="order_multi_place", times=1, **FAULTS[name])

    told = rig.desk.place_basket([rig.request(), rig.request(quantity=11)], intent_id="both", actor=ASHA)
    _broker_ends(rig, name, lambda: all(rig.tagged(leg.outcome.tag) for leg in told.legs))
    rig.pass_time(LONG_ENOUGH)

    assert [leg.outcome.state for leg in told.legs] == [IntentState.UNKNOWN] * 2
    for leg in told.legs:
        there = rig.tagged(leg.outcome.tag)
        assert len(there) <= 1
        assert (rig.intent(leg.outcome.intent_id).state is IntentState.ACCEPTED) == bool(there)
        assert not rig.intent(leg.outcome.intent_id).state.is_open


@pytest.mark.parametrize("order_type", [OrderType.MARKET, OrderType.STOP_MARKET])
def test_an_order_at_the_market_never_goes_over_v2(rig: Rig, order_type: OrderType) -> None:
    rig.fault(operation="order_place", times=None, **FAULTS["v3 unrouted"])
    trigger = {} if order_type is OrderType.MARKET else {"trigger_price": (rig.price * Decimal("1.02")).quantize(1)}
    request = OrderRequest(RELIANCE, Side.BUY, 1, order_type, **trigger)

    told = rig.desk.place(request, intent_id="one", actor=ASHA)

    assert told.state is IntentState.REFUSED
    assert rig.http.writes == ["POST v3/order/place"]
    assert rig.tagged(told.tag) == []


def test_after_429_nothing_leaves_before_the_window(rig: Rig) -> None:
    rig.fault(operation="order_place", times=1, **FAULTS["status 429"])
    rig.api.caller._strikes = type(rig.api.caller._strikes)(RetryPolicy(limited_first=30.0, limited_longest=30.0))

    first = rig.desk.place(rig.request(), intent_id="one", actor=ASHA)
    second = rig.desk.place(rig.request(), intent_id="two", actor=ASHA)

    assert first.state is IntentState.REFUSED
    assert second.state is IntentState.NOT_SENT
    assert "limit" in second.reason
    assert rig.http.writes == ["POST v3/order/place"]


def test_a_book_that_answers_500_stays_with_its_age(rig: Rig) -> None:
    order = rig.place()
    rig.desk.refresh()
    before = rig.desk.book()
    rig.fault(operation="order_book", times=None, **FAULTS["status 500"])
    rig.pass_time(60)

    view = rig.desk.book()

    assert view.as_of == before.as_of
    assert view.error is not None
    assert order.order_id in {one.order_id for one in view.orders}


def test_a_waiting_order_with_a_lost_answer_waits_for_a_person(rig: Rig) -> None:
    leg = GttLeg(Strategy.ENTRY, TriggerType.BELOW, (rig.price * Decimal("0.95")).quantize(Decimal(1)))
    request = GttRequest(RELIANCE, Side.BUY, 1, Product.DELIVERY, (leg,))
    rig.fault(operation="gtt_place", times=1, **FAULTS["no answer, done"])

    before = len(rig.order_api.gtts())
    told = rig.desk.gtt_place(request, intent_id="one", actor=ASHA)
    _broker_ends(rig, "no answer, done", lambda: len(rig.order_api.gtts()) > before)
    rig.pass_time(LONG_ENOUGH)
    [unknown] = rig.desk.open_intents()
    with pytest.raises(InvalidRequest, match="not known yet"):
        rig.desk.gtt_place(request, intent_id="two", actor=ASHA)
    decided = rig.desk.resolve("one", True, order_ids=unknown.candidates, actor=ASHA)

    assert told.state is IntentState.UNKNOWN
    assert len(unknown.candidates) == 1
    assert decided.order_ids == unknown.candidates
    assert rig.desk.gtt_cancel(unknown.candidates[0], intent_id="three", actor=ASHA).accepted
