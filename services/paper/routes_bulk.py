"""Calls about many orders: multi place, multi cancel, exit all. 200 if all went well, 207 if some did, 400 if none."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from services.domain.errors import BrokerError
from services.domain.orders import MAX_TAG
from services.paper.broker import Broker, Handlers
from services.paper.envelope import entry, refusal, send_json
from services.paper.members import INVALID, as_list, as_object, read_json, shown
from services.paper.order_bodies import read_correlation, read_place
from services.paper.trading.order_values import Wanted
from services.paper.trading.values import LineResult

MOST_LINES = 10
SEGMENTS = frozenset({"NSE_EQ", "BSE_EQ", "NSE_FO", "BSE_FO", "NCD_FO", "BCD_FO", "MCX_FO", "NSE_COM"})
_MALFORMED = frozenset({INVALID, "UDAPI100038"})
"""What is counted as an error of the payload: a member of the wrong kind, as opposed to a wrong value."""


async def place_many(broker: Broker, request: Request) -> Response:
    """A list of orders with names of their own. Faults of the list refuse all of it before anything is sent."""
    bodies = [as_object(line) for line in as_list(await read_json(request))]
    if not bodies:
        raise refusal("UDAPI1114")
    if len(bodies) > MOST_LINES:
        raise refusal("UDAPI1118")
    names = [read_correlation(body) for body in bodies]
    if len(set(names)) != len(names):
        raise refusal("UDAPI1117", property_path="correlation_id")
    lines: list[tuple[str, Wanted | BrokerError]] = []
    for name, body in zip(names, bodies, strict=True):
        try:
            lines.append((name, read_place(body, broker.listings(), version="v3")))
        except BrokerError as refused:
            lines.append((name, refused))
    results = broker.desk.place_many(lines)
    placed = [
        {"correlation_id": name, "order_id": order_id}
        for result in results
        for name, order_id in zip(_names(result), result.order_ids, strict=True)
    ]
    errors = [
        entry(result.error) | {"correlation_id": result.correlation_id}
        for result in results
        if result.error is not None
    ]
    malformed = sum(1 for error in errors if error["error_code"] in _MALFORMED)
    summary = {
        "total": len(results),
        "payload_error": malformed,
        "success": len(results) - len(errors),
        "error": len(errors) - malformed,
    }
    return _bulk(request, placed, errors, summary)


async def cancel_many(broker: Broker, request: Request) -> Response:
    """All open orders, or those of a segment or a tag."""
    segment, tag = _filters(request)
    return _about_orders(request, broker.desk.cancel_many(segment=segment, tag=tag))


async def exit_all(broker: Broker, request: Request) -> Response:
    """All open positions, or those of a segment or a tag."""
    segment, tag = _filters(request)
    return _about_orders(request, broker.desk.exit_all(segment=segment, tag=tag))


HANDLERS: Handlers = {
    ("order_multi_place", "v2"): place_many,
    ("order_multi_cancel", "v2"): cancel_many,
    ("positions_exit", "v2"): exit_all,
}


def _names(result: LineResult) -> list[str]:
    """A sliced line comes back as `name_1`, `name_2` …"""
    name, count = result.correlation_id, len(result.order_ids)
    return [name] if count == 1 else [f"{name}_{n}" for n in range(1, count + 1)]


def _filters(request: Request) -> tuple[str, str]:
    segment, tag = request.query_params.get("segment", ""), request.query_params.get("tag", "")
    if segment and segment not in SEGMENTS:
        raise refusal("UDAPI1108", property_path="segment", invalid_value=shown(segment))
    if len(tag) > MAX_TAG:
        raise refusal("UDAPI1119", property_path="tag", invalid_value=shown(tag))
    return segment, tag


def _about_orders(request: Request, results: Sequence[LineResult]) -> Response:
    done = [order_id for result in results for order_id in result.order_ids]
    errors = [
        entry(result.error) | {"instrument_key": result.key or None, "order_id": result.order_id or None}
        for result in results
        if result.error is not None
    ]
    summary = {"total": len(results), "success": len(results) - len(errors), "error": len(errors)}
    return _bulk(request, {"order_ids": done}, errors, summary)


def _bulk(request: Request, data: object, errors: list[dict[str, object]], summary: dict[str, int]) -> Response:
    """The status word alone does not tell: `summary` and `errors` do. Nothing done at all is an error without data."""
    if not errors:
        return send_json(request, {"status": "success", "data": data, "errors": None, "summary": summary})
    if summary["success"]:
        body = {"status": "partial_success", "data": data, "errors": errors, "summary": summary}
        return send_json(request, body, status=207)
    return send_json(request, {"status": "error", "errors": errors, "summary": summary}, status=400)
