"""The gateway: one route for each row of the route table; in front of each the token check and the rate limit.

Built from the table, so that a new row without a handler stops the broker at its start, not a client in the field.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from services.domain.errors import BrokerError
from services.paper import (
    routes_account,
    routes_bulk,
    routes_candles,
    routes_charges,
    routes_feed,
    routes_gtt,
    routes_instruments,
    routes_kill_switch,
    routes_login,
    routes_market,
    routes_options,
    routes_orders,
    routes_pnl,
    routes_portfolio,
    routes_quotes,
)
from services.paper.broker import Broker, Handler, Handlers
from services.paper.envelope import failure, refusal
from services.paper.faults import Faulty
from services.paper.routes_account import bearer
from services.paper.routes_paper import extra_routes
from services.paper.routes_practice import practice_routes
from services.paper.routes_relay import relay_handlers
from services.wire.endpoints import HISTORY_BARS, HISTORY_BARS_TO, OPERATIONS, ORDER_OPERATIONS, Operation

HANDLERS: Handlers = {
    **routes_account.HANDLERS,
    **routes_bulk.HANDLERS,
    **routes_candles.HANDLERS,
    **routes_charges.HANDLERS,
    **routes_feed.HANDLERS,
    **routes_gtt.HANDLERS,
    **routes_instruments.HANDLERS,
    **routes_kill_switch.HANDLERS,
    **routes_login.HANDLERS,
    **routes_market.HANDLERS,
    **routes_options.HANDLERS,
    **routes_orders.HANDLERS,
    **routes_pnl.HANDLERS,
    **routes_portfolio.HANDLERS,
    **routes_quotes.HANDLERS,
}
_PUBLIC = {"intraday_bars", "history_bars"}
"""Declared without token by the official SDK, although our own client sends one."""
_OTHER_WAYS = {HISTORY_BARS.name: HISTORY_BARS_TO}
"""Routes of an operation that our own client has no need of."""
_OUR_HOSTS = {"127.0.0.1", "localhost"}


def build_app(broker: Broker) -> ASGIApp:
    """The broker as an ASGI application."""
    handlers = HANDLERS if broker.upstream is None else {**HANDLERS, **relay_handlers(broker.upstream)}
    routes: list[BaseRoute] = [
        Route(path, _Endpoint(broker, handler, operation=None), methods=methods)
        for path, methods, handler in (
            *extra_routes(broker),
            *practice_routes(broker),
            *routes_feed.extra_routes(broker),
        )
    ]
    routes += routes_feed.socket_routes(broker)
    for operation in (*OPERATIONS, *ORDER_OPERATIONS):
        for row in (*operation.published, *operation.guide, *_OTHER_WAYS.get(operation.name, ())):
            endpoint: ASGIApp = _Endpoint(broker, handlers[operation.name, row.version], operation=operation)
            if broker.faults is not None:
                endpoint = Faulty(
                    endpoint,
                    operation=operation.name,
                    version=row.version,
                    faults=broker.faults,
                    stopping=broker.stopping,
                )
            routes.append(Route(row.path, endpoint, methods=[row.method]))
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _no_route, Exception: _unexpected},
    )
    app.router.redirect_slashes = False  # the gateway does not guess
    return _OurHostOnly(app)


class _Endpoint:
    """One route as an ASGI application. `operation=None`: not in the route table, neither token nor limit."""

    def __init__(self, broker: Broker, handler: Handler, *, operation: Operation | None) -> None:
        self._broker = broker
        self._handler = handler
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            if self._operation is not None:
                self._admit(self._operation, request)
            response = await self._handler(self._broker, request)
        except BrokerError as refused:
            response = failure(request, refused)
        except ClientDisconnect:  # in the middle of its body: nothing was done, and nobody waits for an answer
            return
        await response(scope, receive, send)

    def _admit(self, operation: Operation, request: Request) -> None:
        """Refuse who has no living token, may only read, or has spent the rate limit."""
        broker = self._broker
        who = ""
        if operation.needs_token and operation.name not in _PUBLIC:
            claims = broker.tokens.check(bearer(request))
            if operation.writes and claims.read_only:
                raise refusal("UDAPI100067")
            who = claims.token_id
        if broker.limits is not None and not broker.limits.allows(operation, who):
            raise refusal("UDAPI10005")


class _OurHostOnly:
    """Refuse requests that name another host: a web page whose name was made to point at this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "")
        if host.rpartition(":")[0] in _OUR_HOSTS or host in _OUR_HOSTS:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            refused = refusal("UDAPI10000", message="This broker is reached as 127.0.0.1 or localhost only")
            await failure(Request(scope, receive), refused)(scope, receive, send)


async def _no_route(request: Request, error: Exception) -> Response:
    """The gateway's answer to a path or method that it does not route."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    response = failure(request, refusal("UDAPI100060", status=status))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


async def _unexpected(request: Request, error: Exception) -> Response:
    """A fault of our own: Starlette raises it again behind this answer, so the server logs it with its traceback."""
    return failure(request, refusal("UDAPI100500"))
