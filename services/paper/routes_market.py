"""Market status, holidays and timings; the guide's three paths answer the same with everything in the query."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import ist_date
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.parameters import one_date
from services.paper.sessions import EXCHANGES


async def status(broker: Broker, request: Request) -> Response:
    return success(request, _status(broker, request.path_params["exchange"]))


async def status_guide(broker: Broker, request: Request) -> Response:
    """`?exchange=NSE` answers as the published call, none with a list of all exchanges."""
    exchange = request.query_params.get("exchange")
    if exchange:
        return success(request, _status(broker, exchange))
    return success(request, [_status(broker, name) for name in EXCHANGES])


async def holidays(broker: Broker, request: Request) -> Response:
    return success(request, broker.sessions.holidays(_year(broker)))


async def holiday(broker: Broker, request: Request) -> Response:
    return success(request, broker.sessions.holiday(one_date(request.path_params["date"], "date"), _year(broker)))


async def holidays_guide(broker: Broker, request: Request) -> Response:
    """`?date=` tells one day."""
    wanted = request.query_params.get("date")
    if wanted:
        return success(request, broker.sessions.holiday(one_date(wanted, "date"), _year(broker)))
    return await holidays(broker, request)


async def timings(broker: Broker, request: Request) -> Response:
    return success(request, broker.sessions.timings(one_date(request.path_params["date"], "date")))


async def timings_guide(broker: Broker, request: Request) -> Response:
    """`?date=`, else today."""
    wanted = request.query_params.get("date")
    day = one_date(wanted, "date") if wanted else ist_date(broker.clock.now())
    return success(request, broker.sessions.timings(day))


HANDLERS: Handlers = {
    ("market_status", "v2"): status,
    ("market_status", "guide"): status_guide,
    ("market_holidays", "v2"): holidays,
    ("market_holidays", "guide"): holidays_guide,
    ("market_holiday", "v2"): holiday,
    ("market_timings", "v2"): timings,
    ("market_timings", "guide"): timings_guide,
}


def _year(broker: Broker) -> int:
    """The one whose holidays are told."""
    return ist_date(broker.clock.now()).year


def _status(broker: Broker, exchange: str) -> dict[str, object]:
    if exchange not in EXCHANGES:
        raise refusal("UDAPI1089", property_path="exchange", invalid_value=exchange)
    return broker.sessions.status(exchange, broker.clock.now())
