"""GTT orders: place, modify, cancel, list. All answers but the list name ids only."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response

from services.paper.broker import Broker, Handlers
from services.paper.envelope import success
from services.paper.gtt_bodies import read_gtt_id, read_gtt_modify, read_gtt_place, tell_gtt
from services.paper.members import as_object, read_json
from services.paper.routes_orders import latency
from services.paper.trading.gtt_orders import Gtt


async def place(broker: Broker, request: Request) -> Response:
    started = time.perf_counter()
    wanted = read_gtt_place(await read_json(request), broker.listings())
    return _told(request, broker.gtt.place(wanted, broker.clock.now()), started)


async def modify(broker: Broker, request: Request) -> Response:
    started = time.perf_counter()
    gtt_id, kind, quantity, rules = read_gtt_modify(await read_json(request))
    return _told(request, broker.gtt.modify(gtt_id, kind, quantity, rules, broker.clock.now()), started)


async def cancel(broker: Broker, request: Request) -> Response:
    """The id travels in a JSON body, on a DELETE."""
    started = time.perf_counter()
    gtt_id = read_gtt_id(as_object(await read_json(request)))
    return _told(request, broker.gtt.cancel(gtt_id), started)


async def details(broker: Broker, request: Request) -> Response:
    """One, or all of them."""
    started = time.perf_counter()
    broker.desk.advance()
    asked = request.query_params.get("gtt_order_id")
    found = [broker.gtt.get(read_gtt_id({"gtt_order_id": asked}))] if asked else broker.gtt.all()
    listings = broker.listings()
    told = []
    for gtt in found:
        listing = listings.get(gtt.key)
        told.append(tell_gtt(gtt, listing.quote_symbol if listing is not None else ""))
    return success(request, told, metadata=latency(started))


HANDLERS: Handlers = {
    ("gtt_place", "v3"): place,
    ("gtt_modify", "v3"): modify,
    ("gtt_cancel", "v3"): cancel,
    ("gtt_details", "v3"): details,
}


def _told(request: Request, gtt: Gtt, started: float) -> Response:
    return success(request, {"gtt_order_ids": [gtt.gtt_id]}, metadata=latency(started))
