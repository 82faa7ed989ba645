"""What only a paper broker has: its clock, approvals of token requests and, if opened, faults."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import IST, epoch_ms
from services.domain.errors import InvalidRequest
from services.paper.broker import Broker, Handler
from services.paper.calendar_faults import CalendarFaults
from services.paper.envelope import read_object, refusal, send_json, success
from services.paper.faults import Faults
from services.paper.routes_account import bearer
from services.paper.routes_login import APPROVALS, approvals, dialog
from services.wire.endpoints import LOGIN_DIALOG

CLOCK = "/_paper/clock"
FAULTS = "/_paper/faults"
CALENDAR = "/_paper/calendar"


async def clock(broker: Broker, request: Request) -> Response:
    """The broker's instant, speed and source of prices, and which broker this is."""
    now = broker.clock.now()
    return send_json(
        request,
        {
            "now": now.astimezone(IST).isoformat(),
            "epoch_ms": epoch_ms(now),
            "speed": broker.clock.speed,
            "mode": broker.clock.mode,
            "source": broker.market.source,
            "instance": broker.instance,
        },
    )


async def faults(broker: Broker, request: Request) -> Response:
    """POST adds one fault, GET lists, DELETE clears. Needs a token, so that no web page can do it."""
    broker.tokens.check(bearer(request))
    held = broker.faults
    assert isinstance(held, Faults)  # the route exists only with them
    if request.method == "POST":
        try:
            return success(request, held.add(await read_object(request)).told())
        except InvalidRequest as problem:
            raise refusal("UDAPI100036", message=str(problem)) from None
    if request.method == "DELETE":
        held.clear()
    return success(request, held.waiting())


async def calendar_faults(broker: Broker, request: Request) -> Response:
    """POST declares a holiday, a special session or a wrong status (shapes in `calendar_faults`); the rest as above."""
    broker.tokens.check(bearer(request))
    held = broker.calendar_faults
    assert isinstance(held, CalendarFaults)  # the route exists only with them
    if request.method == "POST":
        wanted = await read_object(request)
        try:
            now = broker.clock.now()
            return success(request, held.declare(wanted, now, broker.sessions.today(now)).told())
        except InvalidRequest as problem:
            raise refusal("UDAPI100036", message=str(problem)) from None
    if request.method == "DELETE":
        held.clear()
    return success(request, held.told())


def extra_routes(broker: Broker) -> list[tuple[str, list[str], Handler]]:
    """Path, methods and handler of everything outside the route table."""
    routes: list[tuple[str, list[str], Handler]] = [
        (LOGIN_DIALOG.path, ["GET", "POST"], dialog),
        (CLOCK, ["GET"], clock),
        (APPROVALS, ["GET", "POST"], approvals),
    ]
    if broker.faults is not None:
        routes.append((FAULTS, ["GET", "POST", "DELETE"], faults))
    if broker.calendar_faults is not None:
        routes.append((CALENDAR, ["GET", "POST", "DELETE"], calendar_faults))
    return routes
