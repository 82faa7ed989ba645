"""The printed samples of the API documents, where they lie beside the project: every one is read, and every body that
is sent has exactly the documented members."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.errors import MalformedPayload, UpstoxError
from services.domain.gtt import GttLeg, GttRequest, Strategy, TriggerType
from services.domain.margins import MarginLine
from services.domain.orders import OrderType, Product, Side
from services.wire import gtt, kill_switch, margins, order_bodies, orders, positions, trades
from services.wire.order_bulk import read_bulk
from services.wire.order_stream import OtherUpdate, parse_update
from tests.support.orders import RELIANCE, a_request
from tests.support.payloads import data
from tests.support.shared_data import shared

PARSERS: dict[str, Callable[[Any], Any]] = {
    "order_book": orders.parse_orders,
    "order_details": orders.parse_details,
    "order_history": orders.parse_orders,
    "order_place_v2": orders.parse_placed,
    "order_place_v3": orders.parse_placed,
    "order_place_v3_sliced": orders.parse_placed,
    "order_modify_v2": orders.parse_order_id,
    "order_modify_v3": orders.parse_order_id,
    "order_cancel_v2": orders.parse_order_id,
    "order_cancel_v3": orders.parse_order_id,
    "trades_for_day": trades.parse_trades,
    "trades_by_order": trades.parse_trades,
    "positions": positions.parse_positions,
    "mtf_positions": positions.parse_positions,
    "holdings": positions.parse_holdings,
    "convert_position": positions.parse_conversion,
    "gtt_place": gtt.parse_gtt_ids,
    "gtt_modify": gtt.parse_gtt_ids,
    "gtt_cancel": gtt.parse_gtt_ids,
    "gtt_details": gtt.parse_gtts,
    "margin": margins.parse_margin,
    "brokerage": margins.parse_charges,
    "kill_switch": kill_switch.parse_kill_switch,
}
PRINTED: dict[str, Callable[[Any], Any]] = {
    "get-order-details": orders.parse_details,
    "get-order-history": orders.parse_orders,
    "place-order": orders.parse_placed,
    "v3_place-order": orders.parse_placed,
    "modify-order": orders.parse_order_id,
    "v3_modify-order": orders.parse_order_id,
    "cancel-order": orders.parse_order_id,
    "v3_cancel-order": orders.parse_order_id,
    "get-trade-history": trades.parse_trades,
    "get-trades-by-order": trades.parse_trades,
    "get-positions": positions.parse_positions,
    "get-mtf-positions": positions.parse_positions,
    "get-holdings": positions.parse_holdings,
    "convert-positions": positions.parse_conversion,
    "place-gtt-order": gtt.parse_gtt_ids,
    "modify-gtt-order": gtt.parse_gtt_ids,
    "cancel-gtt-order": gtt.parse_gtt_ids,
    **{f"get-gtt-order-details_{number}": gtt.parse_gtts for number in (1, 2, 3)},
    **{f"margin_{number}": margins.parse_margin for number in (1, 2, 3, 4, 5)},
}


def _example(name: str) -> Any:
    return orjson.loads(shared(f"upstox/examples/{name}.json").read_bytes())


def _sample(name: str) -> Any:
    return orjson.loads(shared(f"data/upstox_api_samples/{name}.json").read_bytes())


@pytest.mark.parametrize("name", PARSERS)
def test_every_example_is_read(name: str) -> None:
    value = PARSERS[name](_example(name)["data"])

    assert value
    if isinstance(value, list):
        assert len(value) == len(_example(name)["data"])


@pytest.mark.parametrize("name", PRINTED)
def test_every_printed_sample_is_read(name: str) -> None:
    assert PRINTED[name](_sample(name)["data"])


@pytest.mark.parametrize("name", ["order", "position", "holding", "gtt_order"])
def test_every_example_of_the_stream_is_read(name: str) -> None:
    assert not isinstance(parse_update(_example(f"ws_portfolio_{name}")), OtherUpdate)


@pytest.mark.parametrize(
    "name", [f"get-portfolio-stream-feed_{number}" for number in (1, 2, 6, 7)] + ["webhook_1", "webhook_2"]
)
def test_every_printed_update_is_read(name: str) -> None:
    assert not isinstance(parse_update(_sample(name)), OtherUpdate)


def test_fills_of_earlier_days_are_read() -> None:
    for whole in (
        _example("trades_historical"),
        *(_sample(f"get-historical-trades_{number}") for number in (1, 2, 3, 4, 5)),
    ):
        page = trades.parse_past_trades(whole["data"], whole["meta_data"])
        assert page.pages == 1
        assert page.rows == len(whole["data"])


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("upstox/examples/order_multi_place", 200),
        ("upstox/examples/order_multi_place_partial", 207),
        ("upstox/examples/order_multi_cancel", 200),
        ("upstox/examples/order_multi_cancel_partial", 207),
        ("upstox/examples/order_exit_positions", 200),
        *(
            (f"data/upstox_api_samples/cancel-multi-order_{number}", code)
            for number, code in ((1, 200), (2, 207), (3, 400))
        ),
        *(
            (f"data/upstox_api_samples/exit-all-positions_{number}", code)
            for number, code in ((1, 200), (2, 207), (4, 400))
        ),
        *(
            (f"data/upstox_api_samples/place-multi-order_{number}", code)
            for number, code in ((1, 200), (2, 207), (3, 400))
        ),
    ],
)
def test_every_bulk_answer_tells_of_its_lines(name: str, status: int) -> None:
    raw = shared(f"{name}.json").read_bytes()
    result = read_bulk(status, raw, endpoint="x", request_id=None, content_type="application/json")

    told = orjson.loads(raw)
    assert result.total == told["summary"]["total"]
    assert len(result.errors) == len(told.get("errors") or [])
    assert len(result.order_ids) == told["summary"]["success"]


def test_a_refusal_of_all_positions_at_once_is_raised() -> None:
    raw = shared("data/upstox_api_samples/exit-all-positions_3.json").read_bytes()

    with pytest.raises(UpstoxError, match="No open position"):
        read_bulk(400, raw, endpoint="x", request_id=None, content_type="application/json")


def test_order_bodies_have_the_documented_members() -> None:
    limit = order_bodies.place_body(a_request(), "dashboard")
    market = order_bodies.place_body(a_request(order_type=OrderType.MARKET), "dashboard")

    assert orjson.loads(orjson.dumps(limit)) == _example("request_order_place_v3")
    assert orjson.loads(orjson.dumps(market)) == _example("request_order_place_v3_market")
    lines = [("rel-1", a_request(), "dashboard"), ("infy-1", a_request(), "dashboard")]
    for ours, theirs in zip(order_bodies.multi_place_body(lines), _example("request_order_multi_place"), strict=True):
        assert ours.keys() == theirs.keys()
    changed = order_bodies.modify_body("261120010123457", a_request(quantity=5, price=Decimal("1548")))
    assert orjson.loads(orjson.dumps(changed)) == _example("request_order_modify_v3")


def test_portfolio_and_waiting_bodies_are_the_documented_ones() -> None:
    convert = order_bodies.convert_body(RELIANCE, Side.BUY, 10, Product.DELIVERY, Product.INTRADAY)
    assert convert == _example("request_convert_position")
    entry = GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1440))
    single = GttRequest(RELIANCE, Side.BUY, 2, Product.DELIVERY, (entry,))
    assert order_bodies.gtt_place_body(single) == _example("request_gtt_place_single")
    target = GttLeg(Strategy.TARGET, TriggerType.IMMEDIATE, Decimal(1510))
    stop = GttLeg(Strategy.STOPLOSS, TriggerType.IMMEDIATE, Decimal(1405), trailing_gap=Decimal(5))
    bracket = GttRequest(RELIANCE, Side.BUY, 2, Product.DELIVERY, (entry, target, stop))
    assert order_bodies.gtt_place_body(bracket) == _example("request_gtt_place_multiple")
    lower = GttLeg(Strategy.ENTRY, TriggerType.BELOW, Decimal(1435))
    changed = GttRequest(RELIANCE, Side.BUY, 3, Product.DELIVERY, (lower,))
    assert order_bodies.gtt_modify_body("GTT-CU26112000021013", changed) == _example("request_gtt_modify")
    assert order_bodies.gtt_cancel_body("GTT-CU26112000021013") == _example("request_gtt_cancel")
    lines = [MarginLine(RELIANCE, Side.BUY, 10, "D", Decimal("1472.5")), MarginLine("NSE_FO|54012", Side.BUY, 65, "D")]
    assert order_bodies.margin_body(lines) == _example("request_margin")
    assert kill_switch.kill_switch_body({"NSE_FO": False, "NSE_EQ": True}) == _example("request_kill_switch")


# -- whatever comes ------------------------------------------------------------------------------------------------

_VALUE = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        ["2026-11-20 09:31:12", "31-Feb-2026 09:00:00", "NA", "1e99", "NaN", "Infinity", "1795146605000000"]
    )
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
_ROWS: dict[str, Callable[[Any], Any]] = {
    "order_book": orders.parse_orders,
    "trades": trades.parse_trades,
    "past_trades": lambda rows: trades.parse_past_trades(rows, {"page": {"total_pages": 1}}),
    "positions": positions.parse_positions,
    "holdings": positions.parse_holdings,
    "gtts": gtt.parse_gtts,
    "kill_switch": kill_switch.parse_kill_switch,
}


@pytest.mark.parametrize("name", _ROWS)
@given(draw=st.data())
@settings(deadline=None, max_examples=150)
def test_a_member_that_is_something_else_is_a_value_or_malformed(name: str, draw: st.DataObject) -> None:
    rows = data(name)
    row = draw.draw(st.sampled_from(rows))
    member = draw.draw(st.sampled_from(sorted(row)))
    row[member] = draw.draw(_VALUE)
    if name == "gtts" and member != "rules":
        rule = row["rules"][0]
        rule[draw.draw(st.sampled_from(sorted(rule)))] = draw.draw(_VALUE)

    with suppress(MalformedPayload):
        _ROWS[name](rows)
