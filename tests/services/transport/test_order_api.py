from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from services.domain.errors import (
    AccessDenied,
    BrokerFault,
    InvalidRequest,
    LoginRequired,
    MalformedPayload,
    NoAnswer,
    NotSent,
    RateBudgetSpent,
    RateLimited,
    RequestRefused,
    RouteMissing,
    ServiceClosed,
    StorageError,
    TokenRejected,
    UpstoxError,
)
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.margins import MarginLine
from services.domain.orders import OrderChange, OrderRequest, OrderType, Product, Side
from services.transport.call import Call
from services.transport.caller import Caller, Served
from services.transport.http import HttpClient
from services.transport.order_api import OrderApi
from services.transport.rate_gate import RateGate
from services.transport.retry import ReadRetry, RetryPolicy
from services.transport.writing import WRITE_GATE_SECONDS, leaving_within
from services.wire.endpoints import ORDER_OPERATIONS, RATE_LIMITS, Base, Limit, Profile
from tests.support.clocks import SkippingMonotonic
from tests.support.fake_upstox import (
    JSON,
    Asked,
    FakeUpstox,
    Fault,
    dropped,
    fake_upstox,
    garbage,
    html_403,
    silence,
    status,
    truncated,
)
from tests.support.orders import RELIANCE, a_request, told
from tests.support.payloads import data
from tests.support.sockets import answer, refusing

READ_TIMEOUT = 10.0
ORDER_ID = "261120000000042"
GTT_ID = "GTT-CU26112000000007"
MARKET = a_request(order_type=OrderType.MARKET)
STOP_MARKET = a_request(order_type=OrderType.STOP_MARKET, trigger_price=Decimal(1475))
STOP_LIMIT = a_request(order_type=OrderType.STOP_LIMIT, price=Decimal(1476), trigger_price=Decimal(1475))
OPEN_ORDER = told(order_id=ORDER_ID)
WAITING = GttRequest(
    RELIANCE, Side.BUY, 2, Product.DELIVERY, (GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1440)),)
)

WRITES: dict[str, Callable[[OrderApi], Any]] = {
    "order_place": lambda api: api.place(a_request(), tag="dk-1"),
    "order_modify": lambda api: api.modify(ORDER_ID, OrderChange(quantity=12), current=OPEN_ORDER),
    "order_cancel": lambda api: api.cancel(ORDER_ID),
    "order_multi_place": lambda api: api.place_many([("a", a_request(), "dk-1"), ("b", a_request(), "dk-2")]),
    "order_multi_cancel": lambda api: api.cancel_many(),
    "positions_exit": lambda api: api.exit_positions(),
    "gtt_place": lambda api: api.gtt_place(WAITING),
    "gtt_modify": lambda api: api.gtt_modify(GTT_ID, WAITING),
    "gtt_cancel": lambda api: api.gtt_cancel(GTT_ID),
    "position_convert": lambda api: api.convert(RELIANCE, Side.BUY, 5, Product.INTRADAY, Product.DELIVERY),
    "kill_switch_set": lambda api: api.set_kill_switch({"NSE_FO": False}),
}
READS: dict[str, Callable[[OrderApi], Any]] = {
    "order_book": lambda api: len(api.book()),
    "order_details": lambda api: api.details(ORDER_ID).order_id,
    "order_history": lambda api: len(api.history(tag="dk-0001")),
    "trades": lambda api: len(api.trades()),
    "order_trades": lambda api: len(api.trades_of(ORDER_ID)),
    "past_trades": lambda api: len(api.past_trades(date(2026, 11, 1), date(2026, 11, 19))),
    "gtt_details": lambda api: len(api.gtts()),
    "positions": lambda api: len(api.positions()),
    "mtf_positions": lambda api: len(api.mtf_positions()),
    "holdings": lambda api: len(api.holdings()),
    "brokerage": lambda api: (
        api.brokerage(RELIANCE, side=Side.BUY, quantity=10, product=Product.DELIVERY, price=Decimal("1470.50")).total
    ),
    "margin": lambda api: api.margin([MarginLine(RELIANCE, Side.BUY, 10, "D")]).final,
    "kill_switch": lambda api: [switch.segment for switch in api.kill_switch() if switch.killed],
}
VALUES = {
    "order_book": 3, "order_details": ORDER_ID, "order_history": 5, "trades": 2, "order_trades": 2, "past_trades": 2,
    "gtt_details": 2, "positions": 3, "mtf_positions": 3, "holdings": 1, "brokerage": Decimal("47.93"),
    "margin": Decimal("151404.7525"), "kill_switch": ["NSE_FO"],
}  # fmt: skip
TWO_VERSIONS = {"order_place", "order_modify", "order_cancel"}


@dataclass
class Desk:
    """The api in front of a fake broker, with everything that it was handed written down."""

    api: OrderApi
    caller: Caller
    broker: FakeUpstox
    gate: RateGate
    tokens: list[str]
    rejected: list[str] = field(default_factory=list)
    sunk: list[dict[str, Any]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    asked_for: list[bool] = field(default_factory=list)


@contextmanager
def a_desk(
    *,
    profile: Profile = Profile.UPSTOX,
    base: str | None = None,
    order_base: str | None = None,
    limits: dict[str, tuple[Limit, ...]] = RATE_LIMITS,
    rejecting: Callable[[str], None] = lambda secret: None,
    read_timeout: float = READ_TIMEOUT,
) -> Iterator[Desk]:
    http = HttpClient(connect_timeout=5, read_timeout=read_timeout)
    skipping = SkippingMonotonic()
    with fake_upstox() as broker:
        gate = RateGate(limits, clock=skipping, sleep=skipping.sleep)

        def token(writes: bool) -> str:
            desk.asked_for.append(writes)
            if not desk.tokens:
                raise LoginRequired("log in", login_url="http://login.test/")
            return desk.tokens[0]

        def token_rejected(secret: str) -> None:
            desk.rejected.append(secret)
            desk.tokens.remove(secret)
            rejecting(secret)

        def sink(error_type: str, message: str, **more: Any) -> None:
            desk.sunk.append({"type": error_type, "message": message, **more})
            raise StorageError("the disk is full")  # must never come between an order and its outcome

        bases = dict.fromkeys(Base, base or broker.base)
        if order_base is not None:
            bases[Base.ORDER] = order_base
        caller = Caller(
            http=http,
            gate=gate,
            bases=bases,
            profile=profile,
            token=token,
            token_rejected=token_rejected,
            error_sink=sink,
            retry=ReadRetry(RetryPolicy(), sleep=skipping.sleep, monotonic=skipping),
            monotonic=skipping,
        )
        desk = Desk(OrderApi(caller), caller, broker, gate, ["token-1", "token-2"], slept=skipping.slept)
        yield desk
    http.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with a_desk() as made:
        yield made


def _json(asked: Asked) -> Any:
    return orjson.loads(asked.body)


def _no_route(asked: Asked) -> Fault | None:
    """v3 is not routed."""
    return status(404, "error_404") if asked.path.startswith("/v3/") else None


def _always(fault: Fault) -> Callable[[Asked], Fault | None]:
    return lambda asked: fault


# -- what is sent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READS)
def test_every_read_gives_its_value(desk: Desk, name: str) -> None:
    assert READS[name](desk.api) == VALUES[name]
    assert desk.asked_for == [False]


def test_every_operation_of_the_route_table_has_its_method() -> None:
    of_pnl = {operation.name for operation in ORDER_OPERATIONS if operation.name.startswith("pnl_")}  # of `PnlApi`
    assert READS.keys() | WRITES.keys() | of_pnl == {operation.name for operation in ORDER_OPERATIONS}
    assert WRITES.keys() == {operation.name for operation in ORDER_OPERATIONS if operation.writes}


@pytest.mark.parametrize("name", WRITES)
def test_every_write_is_one_request_with_a_token_that_may_write(desk: Desk, name: str) -> None:
    WRITES[name](desk.api)

    assert len(desk.broker.asked) == 1
    assert desk.broker.asked[0].token == "Bearer token-1"
    assert desk.asked_for == [True]
    assert desk.sunk == []


def test_an_order_goes_out_as_documented_and_its_ids_come_back(desk: Desk) -> None:
    served = desk.api.place(MARKET, tag="dk-1")

    assert (served.value, served.api_version) == ((ORDER_ID,), "v3")
    (asked,) = desk.broker.asked
    assert (asked.method, asked.path) == ("POST", "/v3/order/place")
    assert _json(asked)["market_protection"] == -1


def test_only_placing_changing_and_cancelling_go_to_the_order_host() -> None:
    with fake_upstox() as fast, a_desk(order_base=fast.base) as desk:
        for write in WRITES.values():
            write(desk.api)

        assert [asked.path for asked in fast.asked] == ["/v3/order/place", "/v3/order/modify", "/v3/order/cancel"]
        assert len(desk.broker.asked) == len(WRITES) - 3


def test_a_cancellation_names_the_order_in_the_query(desk: Desk) -> None:
    desk.api.cancel(ORDER_ID)

    (asked,) = desk.broker.asked
    assert (asked.method, asked.target, asked.body) == ("DELETE", f"/v3/order/cancel?order_id={ORDER_ID}", b"")


def test_the_guides_cancellation_names_it_in_the_path_and_nowhere_else() -> None:
    with a_desk(profile=Profile.GUIDE) as desk:
        desk.api.cancel(ORDER_ID)

        assert desk.broker.asked[0].target == f"/orders/v3/regular/cancel/{ORDER_ID}"


def test_a_waiting_order_is_cancelled_with_a_body(desk: Desk) -> None:
    desk.api.gtt_cancel(GTT_ID)

    (asked,) = desk.broker.asked
    assert (asked.method, asked.path, _json(asked)) == ("DELETE", "/v3/order/gtt/cancel", {"gtt_order_id": GTT_ID})


def test_bulk_calls_carry_their_filter_and_the_stricter_limit(desk: Desk) -> None:
    desk.api.cancel_many(segment="NSE_FO", tag="dk-1")
    desk.api.exit_positions()

    cancelled, closed = desk.broker.asked
    assert (cancelled.method, cancelled.query) == ("DELETE", {"segment": "NSE_FO", "tag": "dk-1"})
    assert (closed.method, closed.target) == ("POST", "/v2/order/positions/exit")
    operation = next(one for one in ORDER_OPERATIONS if one.name == "order_multi_cancel")
    assert [window.limit.calls for window in desk.gate.budget(operation)] == [4, 40, 160]


def test_several_orders_in_one_call_are_told_line_by_line(desk: Desk) -> None:
    result = desk.api.place_many([("a", a_request(), "dk-1"), ("b", a_request(slice=True), "dk-2")])

    assert result.placed == {"a": ("261120000000060",), "b": ("261120000000061", "261120000000062")}
    assert [line["tag"] for line in _json(desk.broker.asked[0])] == ["dk-1", "dk-2"]


def test_a_bulk_call_whose_lines_were_all_refused_is_told_line_by_line_too(desk: Desk) -> None:
    desk.broker.faults.append(status(400, "multi_refused"))

    result = desk.api.place_many([("a", a_request(), "dk-1"), ("b", a_request(), "dk-2")])

    assert [line.correlation_id for line in result.errors] == ["a", "b"]


def test_a_modification_sends_the_whole_order_as_it_shall_be(desk: Desk) -> None:
    desk.api.modify(ORDER_ID, OrderChange(price=Decimal("1480.10")), current=OPEN_ORDER)

    assert _json(desk.broker.asked[0]) == {
        "order_id": ORDER_ID, "quantity": 10, "validity": "DAY", "price": 1480.1, "order_type": "LIMIT",
        "disclosed_quantity": 0, "trigger_price": 0.0,
    }  # fmt: skip


def test_the_margin_call_is_a_question_and_may_be_repeated(desk: Desk) -> None:
    desk.broker.faults += [dropped, status(500, "error_500")]

    assert desk.api.margin([MarginLine(RELIANCE, Side.BUY, 10, "D")]).final == Decimal("151404.7525")
    assert len({asked.body for asked in desk.broker.asked}) == 1
    assert len(desk.broker.asked) == 3


def test_nonsense_never_leaves(desk: Desk) -> None:
    for write in (
        lambda: desk.api.place(a_request(), tag=""),
        lambda: desk.api.cancel("../user"),
        lambda: desk.api.gtt_cancel("1"),
        lambda: desk.api.modify(ORDER_ID, OrderChange(quantity=4), current=told("complete", order_id=ORDER_ID)),
        lambda: desk.api.history(),
        lambda: desk.api.past_trades(date(2026, 11, 2), date(2026, 11, 1)),
        lambda: desk.api.past_trades(date(2026, 11, 1), date(2026, 11, 2), "MF"),
        lambda: desk.api.set_kill_switch({}),
    ):
        with pytest.raises(InvalidRequest):
            write()

    assert desk.broker.asked == []


def test_past_trades_are_read_page_after_page() -> None:
    def page(asked: Asked) -> Fault:
        number = int(asked.query["page_number"])
        rows = [row | {"trade_id": f"{number}-{place}"} for place, row in enumerate(data("past_trades")[:2])]
        told_of = {"status": "success", "data": rows, "meta_data": {"page": {"total_pages": 3}}}
        return lambda broker, connection: connection.sendall(answer(orjson.dumps(told_of), headers=JSON))

    with a_desk() as desk:
        desk.broker.standing = page

        found = desk.api.past_trades(date(2026, 11, 1), date(2026, 11, 19), "EQ")

        assert [trade.trade_id for trade in found] == ["1-0", "1-1", "2-0", "2-1", "3-0", "3-1"]
        assert {asked.query["segment"] for asked in desk.broker.asked} == {"EQ"}


def test_a_page_that_fails_fails_the_whole_and_no_part_is_taken_for_it(desk: Desk) -> None:
    desk.broker.standing = _always(status(500, "error_500"))

    with pytest.raises(BrokerFault):
        desk.api.past_trades(date(2026, 11, 1), date(2026, 11, 19))


# -- what became of it ---------------------------------------------------------------------------------------------

UNKNOWN: dict[str, tuple[Fault, type[UpstoxError]]] = {
    "silence": (silence, NoAnswer),
    "dropped": (dropped, NoAnswer),
    "truncated": (truncated, NoAnswer),
    "garbage": (garbage, MalformedPayload),
    "500": (status(500, "error_500"), BrokerFault),
    "503": (status(503, "error_500"), BrokerFault),
    "502 page": (status(502, "blocked.html"), BrokerFault),
    "500 with another code": (status(500, "error_refused"), BrokerFault),
    "500 that says no route": (status(500, "error_404"), RouteMissing),
    "500 that says dead token": (status(500, "error_401"), TokenRejected),
    "400 that says something went wrong": (status(400, "error_500"), BrokerFault),
    "408": (status(408, "blocked.html"), RequestRefused),
    "redirect": (status(302, "error_404"), MalformedPayload),
    "empty success": (
        lambda broker, connection: connection.sendall(answer(b"", headers=JSON)),
        MalformedPayload,
    ),
    "success of another shape": (
        lambda broker, connection: connection.sendall(answer(b'{"status":"success","data":{"x":1}}', headers=JSON)),
        MalformedPayload,
    ),
}
CERTAIN: dict[str, tuple[Fault, type[UpstoxError]]] = {
    "400": (status(400, "error_refused"), RequestRefused),
    "401": (status(401, "error_401"), TokenRejected),
    "403 page": (html_403, AccessDenied),
    "423": (status(423, "error_refused"), ServiceClosed),
    "429": (status(429, "error_429"), RateLimited),
    "404 of an order": (status(404, "error_refused"), RequestRefused),
    "bare 404": (status(404, "blocked.html"), RouteMissing),
    "400 that says no route": (status(400, "error_404"), RouteMissing),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("fault", UNKNOWN)
def test_after_no_answer_a_5xx_or_garbage_nothing_is_sent_again_and_the_outcome_is_unknown(
    name: str, fault: str
) -> None:
    happens, kind = UNKNOWN[fault]
    with a_desk(read_timeout=0.1 if happens is silence else READ_TIMEOUT) as desk:
        desk.broker.standing = _always(happens)

        with pytest.raises(kind) as caught:
            WRITES[name](desk.api)

        assert caught.value.outcome_unknown
        assert len(desk.broker.asked) == 1
        assert len(desk.sunk) == 1


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("fault", CERTAIN)
def test_after_a_refusal_nothing_is_sent_again_and_the_outcome_is_certain(desk: Desk, name: str, fault: str) -> None:
    happens, kind = CERTAIN[fault]
    desk.broker.standing = _always(happens)

    with pytest.raises(kind) as caught:
        WRITES[name](desk.api)

    assert len(desk.broker.asked) == 1
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("name", WRITES)
def test_what_was_never_carried_is_certain(name: str) -> None:
    with refusing() as base, a_desk(base=base) as desk:
        with pytest.raises(NotSent) as caught:
            WRITES[name](desk.api)

        assert not caught.value.outcome_unknown


def test_a_dead_token_is_dropped_and_the_order_is_not_sent_with_another(desk: Desk) -> None:
    desk.broker.faults.append(status(401, "error_401"))

    with pytest.raises(TokenRejected):
        desk.api.place(a_request(), tag="dk-1")

    assert (desk.rejected, len(desk.broker.asked)) == (["token-1"], 1)


def test_trouble_with_dropping_the_token_does_not_hide_the_brokers_answer() -> None:
    def trouble(secret: str) -> None:
        raise NotSent("the paper broker is gone")

    with a_desk(rejecting=trouble) as desk:
        desk.broker.faults.append(status(401, "error_401"))

        with pytest.raises(TokenRejected):
            desk.api.place(a_request(), tag="dk-1")

        assert len(desk.broker.asked) == 1


@pytest.mark.parametrize("name", WRITES)
def test_what_was_held_up_for_too_long_does_not_leave_by_any_route(desk: Desk, name: str) -> None:
    with leaving_within(-1), pytest.raises(NotSent, match="held up"):
        WRITES[name](desk.api)

    assert desk.broker.asked == []
    with leaving_within(60):
        WRITES[name](desk.api)


def test_without_a_token_nothing_is_sent(desk: Desk) -> None:
    desk.tokens.clear()

    with pytest.raises(LoginRequired):
        desk.api.place(a_request(), tag="dk-1")

    assert desk.broker.asked == []


def test_after_a_429_no_order_leaves_before_the_window_is_over(desk: Desk) -> None:
    desk.broker.faults.append(status(429, "error_429", headers="Retry-After: 30\r\n"))
    with pytest.raises(RateLimited):
        desk.api.place(a_request(), tag="dk-1")

    for write in (lambda: desk.api.place(a_request(), tag="dk-2"), lambda: desk.api.gtt_cancel(GTT_ID)):
        with pytest.raises(RateBudgetSpent) as caught:
            write()
        assert caught.value.wait_seconds > 25
        assert not caught.value.outcome_unknown

    assert len(desk.broker.asked) == 1
    assert desk.api.book()


def test_an_order_waits_for_its_turn_a_moment_but_not_for_long() -> None:
    limits = RATE_LIMITS | {"orders": (Limit(2, 1), Limit(3, 60))}
    with a_desk(limits=limits) as desk:
        for number in range(3):
            desk.api.place(a_request(), tag=f"dk-{number}")
        assert 0 < sum(desk.slept) <= WRITE_GATE_SECONDS

        with pytest.raises(RateBudgetSpent):
            desk.api.place(a_request(), tag="dk-4")

        assert len(desk.broker.asked) == 3


# -- the second way ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [a_request(), STOP_LIMIT])
def test_a_limit_order_goes_over_v2_where_v3_is_not_routed(desk: Desk, request_: OrderRequest) -> None:
    desk.broker.standing = _no_route

    served = desk.api.place(request_, tag="dk-1")

    assert (served.api_version, desk.broker.paths()) == ("v2", ["/v3/order/place", "/v2/order/place"])
    first, second = map(_json, desk.broker.asked)
    assert "slice" in first
    assert "slice" not in second
    assert second["tag"] == first["tag"]
    assert [(one.version, one.fallbacks) for one in desk.caller.reports.versions()] == [("v3", 1), ("v2", 0)]


def test_the_way_that_was_missing_is_not_tried_again_at_once(desk: Desk) -> None:
    desk.broker.standing = _no_route
    desk.api.place(a_request(), tag="dk-1")

    desk.api.place(a_request(), tag="dk-2")

    assert desk.broker.paths() == ["/v3/order/place", "/v2/order/place", "/v2/order/place"]


@pytest.mark.parametrize("request_", [MARKET, STOP_MARKET, a_request(slice=True)])
def test_what_v2_does_not_know_never_goes_over_it(desk: Desk, request_: OrderRequest) -> None:
    desk.broker.standing = _no_route
    desk.api.place(a_request(), tag="dk-1")  # now v3 is known to be missing
    desk.broker.asked.clear()

    with pytest.raises(RouteMissing) as caught:
        desk.api.place(request_, tag="dk-2")

    assert desk.broker.paths() == ["/v3/order/place"]
    assert not caught.value.outcome_unknown


def test_a_modification_to_a_market_order_does_not_go_over_v2(desk: Desk) -> None:
    desk.broker.standing = _no_route

    with pytest.raises(RouteMissing):
        desk.api.modify(ORDER_ID, OrderChange(order_type=OrderType.MARKET), current=OPEN_ORDER)
    assert desk.broker.paths() == ["/v3/order/modify"]

    desk.broker.asked.clear()
    served = desk.api.modify(ORDER_ID, OrderChange(quantity=12), current=OPEN_ORDER)
    assert served.api_version == "v2"


def test_a_cancellation_goes_over_v2_where_v3_is_not_routed(desk: Desk) -> None:
    desk.broker.standing = _no_route

    assert desk.api.cancel(ORDER_ID).api_version == "v2"
    assert [asked.target for asked in desk.broker.asked] == [
        f"/v3/order/cancel?order_id={ORDER_ID}", f"/v2/order/cancel?order_id={ORDER_ID}",
    ]  # fmt: skip


@pytest.mark.parametrize("code", [405, 410])
def test_other_words_of_the_gateway_for_no_such_path(desk: Desk, code: int) -> None:
    desk.broker.faults.append(status(code, "error_404"))

    assert desk.api.place(a_request(), tag="dk-1").api_version == "v2"


def test_an_outcome_that_is_unknown_on_v2_is_told_as_such_after_v3_was_missing(desk: Desk) -> None:
    desk.broker.faults += [status(404, "error_404"), dropped]

    with pytest.raises(NoAnswer) as caught:
        desk.api.place(a_request(), tag="dk-1")

    assert caught.value.outcome_unknown
    assert len(desk.broker.asked) == 2


def test_the_guides_way_is_followed_by_the_published_ones() -> None:
    with a_desk(profile=Profile.GUIDE) as desk:
        desk.broker.standing = lambda asked: None if asked.path.startswith("/v") else status(404, "error_404")

        assert desk.api.place(MARKET, tag="dk-1").api_version == "v3"
        assert desk.api.convert(RELIANCE, Side.BUY, 5, Product.INTRADAY, Product.DELIVERY).api_version == "v2"
        assert len(desk.api.book()) == 3

        assert desk.broker.paths() == [
            "/orders/v3/regular/create", "/v3/order/place",
            "/portfolio/positions/convert", "/v2/portfolio/convert-position",
            "/orders", "/v2/order/retrieve-all",
        ]  # fmt: skip


def test_a_connection_that_nobody_took_may_go_the_other_way_once_and_the_order_is_placed_once() -> None:
    with refusing() as gone, a_desk(order_base=gone) as desk:
        with pytest.raises(NotSent):
            desk.api.place(a_request(), tag="dk-1")

        assert [row["context"]["then"] for row in desk.sunk] == ["asking v2", "given up"]
        assert desk.broker.asked == []


def test_a_read_is_no_write_and_a_write_no_read(desk: Desk) -> None:
    place = next(one for one in ORDER_OPERATIONS if one.name == "order_place")
    book = next(one for one in ORDER_OPERATIONS if one.name == "order_book")
    with pytest.raises(ValueError, match="never repeated"):
        desk.caller.read(Call(place), lambda data: data)
    with pytest.raises(ValueError, match="writes nothing"):
        desk.caller.write(Call(book), lambda answer, endpoint: None)


def test_the_answer_says_how_long_it_took(desk: Desk) -> None:
    served: Served[str] = desk.api.cancel(ORDER_ID)

    assert served.value == ORDER_ID
    assert served.elapsed_ms > 0


def test_a_write_s_time_and_its_attempt_are_counted(desk: Desk) -> None:
    desk.api.place(a_request(), tag="dk-1")

    [report] = desk.caller.reports.versions()
    assert (report.operation, report.version, dict(report.answers), sum(report.buckets)) == (
        "order_place", "v3", {"2xx": 1}, 1,
    )  # fmt: skip
    told = {part: sum(counts) for part, (counts, _) in desk.caller.order_times.all().items()}
    assert told["network"] == 1
    assert told["own"] == 0  # nobody said when the decision was taken up
