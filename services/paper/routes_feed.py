"""Opening the websockets: authorize calls, direct handshakes that are redirected, and the feeds themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from services.domain.errors import BrokerError, InvalidRequest
from services.paper.broker import Broker, Handler, Handlers
from services.paper.envelope import failure, read_object, refusal, success
from services.paper.feed.faults import FeedFaultKind, read_fault
from services.paper.feed.protocol import FeedProtocol
from services.paper.feed.stream import Stream
from services.paper.feed.tickets import AUTHORISED, FeedName, Ticket
from services.paper.feed.update_faults import UPDATE_TYPES
from services.paper.routes_account import bearer
from services.wire.endpoints import MARKET_FEED, PORTFOLIO_FEED

DIRECT = {FeedName.MARKET: MARKET_FEED.path, FeedName.PORTFOLIO: PORTFOLIO_FEED.path}
FEEDS = "/_paper/feeds"
FEED_FAULTS = "/_paper/feed-faults"

Socket = Callable[[WebSocket], Coroutine[Any, Any, None]]


async def authorize_market(broker: Broker, request: Request) -> Response:
    return _told(request, authorised_address(broker, request, FeedName.MARKET))


async def authorize_portfolio(broker: Broker, request: Request) -> Response:
    return _told(request, authorised_address(broker, request, FeedName.PORTFOLIO))


HANDLERS: Handlers = {
    ("feed_authorize", "v3"): authorize_market,
    ("feed_authorize", "guide"): authorize_market,
    ("portfolio_feed_authorize", "v2"): authorize_portfolio,
}


def authorised_address(broker: Broker, asked: HTTPConnection, feed: FeedName) -> str:
    """A fresh address, good for one handshake, for whose token is in `asked`."""
    claims = broker.tokens.check(bearer(asked))
    update_types = _update_types(asked) if feed is FeedName.PORTFOLIO else frozenset()
    feeds = broker.feeds
    address = feeds.tickets.address(asked.headers["host"], Ticket(feed, claims, update_types))
    if feeds.faults is not None and feeds.faults.at_authorize(feed) is not None:
        feeds.tickets.forget_last()
    return address


def socket_routes(broker: Broker) -> list[WebSocketRoute]:
    """The websockets: for each feed the direct address and the authorised one."""
    return [
        *(WebSocketRoute(path, _redirecting(broker, feed)) for feed, path in DIRECT.items()),
        *(WebSocketRoute(path, _serving(broker, feed)) for feed, path in AUTHORISED.items()),
    ]


def extra_routes(broker: Broker) -> list[tuple[str, list[str], Handler]]:
    """Path, methods and handler of what only a paper broker has, and of the direct addresses asked by plain HTTP."""
    routes: list[tuple[str, list[str], Handler]] = [
        (DIRECT[FeedName.MARKET], ["GET"], _direct_market),
        (DIRECT[FeedName.PORTFOLIO], ["GET"], _direct_portfolio),
        (FEEDS, ["GET"], open_feeds),
    ]
    if broker.feeds.faults is not None:
        routes.append((FEED_FAULTS, ["GET", "POST", "DELETE"], feed_faults))
    return routes


async def open_feeds(broker: Broker, request: Request) -> Response:
    """Who is connected, and to what. Needs a token."""
    broker.tokens.check(bearer(request))
    return success(request, _open(broker))


async def feed_faults(broker: Broker, request: Request) -> Response:
    """POST adds one fault or, with `now`, lets the open feeds meet it; GET lists those that wait; DELETE clears them
    and ends those that last. Needs a token, so that no web page can do it."""
    broker.tokens.check(bearer(request))
    feeds = broker.feeds
    assert feeds.faults is not None  # the route exists only with them
    if request.method == "POST":
        try:
            fault = read_fault(await read_object(request))
        except InvalidRequest as problem:
            raise refusal("UDAPI100036", message=str(problem)) from None
        if fault.now:
            return success(request, fault.told() | {"hit": await feeds.hit(fault)})
        feeds.faults.add(fault)
        return success(request, fault.told())
    if request.method == "DELETE":
        feeds.recover()
    return success(request, feeds.faults.waiting())


async def _direct_market(broker: Broker, request: Request) -> Response:
    return RedirectResponse(authorised_address(broker, request, FeedName.MARKET), 302)


async def _direct_portfolio(broker: Broker, request: Request) -> Response:
    return RedirectResponse(authorised_address(broker, request, FeedName.PORTFOLIO), 302)


def _redirecting(broker: Broker, feed: FeedName) -> Socket:
    async def redirect(websocket: WebSocket) -> None:
        """Answer the handshake with the authorised address."""
        if await _met_fault(broker, websocket, feed):
            return
        try:
            address = authorised_address(broker, websocket, feed)
        except BrokerError as refused:
            await _refuse(websocket, refused)
            return
        await websocket.send_denial_response(RedirectResponse(address, 302))

    return redirect


def _serving(broker: Broker, feed: FeedName) -> Socket:
    async def serve(websocket: WebSocket) -> None:
        """Stream to whoever brings a code that is still good."""
        if await _met_fault(broker, websocket, feed):
            return
        feeds, query = broker.feeds, websocket.query_params
        ticket = feeds.tickets.take(feed, query.get("requestId", ""), query.get("code", ""))
        if ticket is None or not broker.tokens.is_alive(ticket.claims):
            await _refuse(websocket, _forbidden("The code is used, expired or unknown"))
            return
        if feed is FeedName.MARKET and not feeds.market.has_room(ticket.claims.user_id):
            await _refuse(websocket, _forbidden("Too many connections of this user"))
            return
        stream = Stream(websocket, feed, ticket.claims, feeds.faults)
        feeds.opened(stream)
        try:
            if feed is FeedName.MARKET:
                await feeds.market.serve(websocket, stream)
            else:
                await feeds.portfolio.serve(websocket, stream, ticket.update_types)
        finally:
            feeds.streams.discard(stream)
            stream.ended()

    return serve


async def _met_fault(broker: Broker, websocket: WebSocket, feed: FeedName) -> bool:
    """Did a fault take this handshake?"""
    faults = broker.feeds.faults
    fault = faults.at_handshake(feed) if faults is not None else None
    if fault is None:
        return False
    if fault.kind is FeedFaultKind.REFUSE:
        code = "UDAPI100050" if fault.status == 401 else "UDAPI10000"
        await _refuse(websocket, refusal(code, status=fault.status))
        return True
    gone = asyncio.ensure_future(_gone(websocket))
    if fault.kind is FeedFaultKind.HANG:
        stopping = asyncio.ensure_future(broker.stopping.wait())
        await asyncio.wait({gone, stopping}, timeout=fault.ms / 1000 or None, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
    protocol: FeedProtocol = websocket.scope["state"]["websocket"]
    protocol.cut()
    await gone  # uvicorn reports an error if we return before it noticed
    return True


async def _gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _refuse(websocket: WebSocket, refused: BrokerError) -> None:
    """Answer the handshake with an error envelope."""
    await websocket.send_denial_response(failure(websocket, refused))


def _forbidden(why: str) -> BrokerError:
    return refusal("UDAPI10000", status=403, message=why)


def _told(request: Request, address: str) -> Response:
    return success(request, {"authorized_redirect_uri": address, "authorizedRedirectUri": address})


def _update_types(asked: HTTPConnection) -> frozenset[str]:
    given = asked.query_params.get("update_types", "")
    wanted = frozenset(word.strip() for word in given.split(",") if word.strip()) or frozenset({"order"})
    if wanted - UPDATE_TYPES:
        raise refusal("UDAPI100036", property_path="update_types", invalid_value=given)
    return wanted


def _open(broker: Broker) -> dict[str, object]:
    feeds = broker.feeds
    return {"market": feeds.market.report(), "portfolio": feeds.portfolio.report(), "most": feeds.most}
