"""Orders: place, modify, cancel; book, details, history; trades. Guide paths answer as the published ones do."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response

from services.domain.orders import MAX_TAG
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.members import read_json, shown
from services.paper.order_bodies import check_order_id, read_modify, read_place
from services.paper.order_told import tell_order, tell_step, tell_trade


async def place_v3(broker: Broker, request: Request) -> Response:
    """Several ids where the order was sliced."""
    started = time.perf_counter()
    wanted = read_place(await read_json(request), broker.listings(), version="v3")
    orders = broker.desk.place(wanted)
    return success(request, {"order_ids": [order.order_id for order in orders]}, metadata=latency(started))


async def place_v2(broker: Broker, request: Request) -> Response:
    """Neither slicing nor market protection."""
    [order] = broker.desk.place(read_place(await read_json(request), broker.listings(), version="v2"))
    return success(request, {"order_id": order.order_id})


async def modify_v3(broker: Broker, request: Request) -> Response:
    started = time.perf_counter()
    order_id = await _modified(broker, request)
    return success(request, {"order_id": order_id}, metadata=latency(started))


async def modify_v2(broker: Broker, request: Request) -> Response:
    return success(request, {"order_id": await _modified(broker, request)})


async def cancel_v3(broker: Broker, request: Request) -> Response:
    started = time.perf_counter()
    order_id = broker.desk.cancel(_order_id(request)).order_id
    return success(request, {"order_id": order_id}, metadata=latency(started))


async def cancel_v2(broker: Broker, request: Request) -> Response:
    return success(request, {"order_id": broker.desk.cancel(_order_id(request)).order_id})


async def cancel_guide(broker: Broker, request: Request) -> Response:
    """The id stands in the path."""
    started = time.perf_counter()
    order_id = broker.desk.cancel(check_order_id(request.path_params["order_id"])).order_id
    return success(request, {"order_id": order_id}, metadata=latency(started))


async def book(broker: Broker, request: Request) -> Response:
    """Today's orders, the oldest first."""
    user, listings = broker.user_id, broker.listings()
    return success(request, [tell_order(order, user, listings) for order in broker.desk.orders()])


async def details(broker: Broker, request: Request) -> Response:
    order = broker.desk.order(_order_id(request))
    return success(request, tell_order(order, broker.user_id, broker.listings()))


async def history(broker: Broker, request: Request) -> Response:
    """By id, by tag, or by both."""
    order_id, tag = request.query_params.get("order_id", ""), request.query_params.get("tag", "")
    if not order_id and not tag:
        raise refusal("UDAPI100059")
    if order_id:
        check_order_id(order_id)
    if len(tag) > MAX_TAG:
        raise refusal("UDAPI1119", property_path="tag", invalid_value=shown(tag))
    steps = broker.desk.history(order_id=order_id, tag=tag)
    user, listings = broker.user_id, broker.listings()
    return success(request, [tell_step(step, user, listings) for step in steps])


async def trades(broker: Broker, request: Request) -> Response:
    listings = broker.listings()
    return success(request, [tell_trade(fill, listings) for fill in broker.desk.trades()])


async def trades_of_order(broker: Broker, request: Request) -> Response:
    listings = broker.listings()
    return success(request, [tell_trade(fill, listings) for fill in broker.desk.trades_of(_order_id(request))])


HANDLERS: Handlers = {
    ("order_place", "v3"): place_v3,
    ("order_place", "v2"): place_v2,
    ("order_place", "guide"): place_v3,
    ("order_modify", "v3"): modify_v3,
    ("order_modify", "v2"): modify_v2,
    ("order_modify", "guide"): modify_v3,
    ("order_cancel", "v3"): cancel_v3,
    ("order_cancel", "v2"): cancel_v2,
    ("order_cancel", "guide"): cancel_guide,
    ("order_book", "v2"): book,
    ("order_book", "guide"): book,
    ("order_details", "v2"): details,
    ("order_history", "v2"): history,
    ("trades", "v2"): trades,
    ("trades", "guide"): trades,
    ("order_trades", "v2"): trades_of_order,
}


def latency(started: float) -> dict[str, int]:
    """The block beside the data of v3 answers: whole milliseconds since `started` (`time.perf_counter`)."""
    return {"latency": round((time.perf_counter() - started) * 1000)}


def _order_id(request: Request) -> str:
    return check_order_id(request.query_params.get("order_id"))


async def _modified(broker: Broker, request: Request) -> str:
    order_id, changes = read_modify(await read_json(request))
    return broker.desk.modify(order_id, changes).order_id
