"""The market's routes, relayed: path and query go to Upstox as they came, its answer comes back as it is."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal
from services.paper.relay.upstream import Upstream
from services.wire import endpoints as table
from services.wire.endpoints import Base, Operation

RELAYED: tuple[Operation, ...] = (
    table.QUOTES, table.LTP, table.OHLC, table.OPTION_GREEKS, table.OPTION_CHAIN, table.OPTION_CONTRACTS,
    table.INTRADAY_BARS, table.HISTORY_BARS,
    table.MARKET_STATUS, table.MARKET_HOLIDAYS, table.MARKET_HOLIDAY, table.MARKET_TIMINGS,
    table.INSTRUMENT_SEARCH, table.INSTRUMENT_FILE,
)  # fmt: skip
"""Reads of the market. Nothing that knows an account is among them."""
_ASKED = ("if-none-match",)


def relay_handlers(upstream: Upstream) -> Handlers:
    """Handlers that ask Upstox, by operation and version, to go over those of the simulated market. The guide's own
    paths are not served there."""

    async def relay(broker: Broker, request: Request, *, assets: bool = False) -> Response:
        path = request.scope["raw_path"].decode("ascii")
        if request.url.query:
            path = f"{path}?{request.url.query}"
        headers = {name: request.headers[name] for name in _ASKED if name in request.headers}
        reply = await asyncio.to_thread(upstream.get, path, assets=assets, headers=headers)
        if reply.status == 401:
            raise refusal("UDAPI100500", status=503, message="Upstox refuses the read-only token behind these prices")
        return Response(reply.body, status_code=reply.status, headers=dict(reply.headers))

    async def relay_file(broker: Broker, request: Request) -> Response:
        return await relay(broker, request, assets=True)

    async def not_there(broker: Broker, request: Request) -> Response:
        raise refusal("UDAPI100060")

    return {
        (operation.name, row.version): (
            not_there if row.version == "guide" else relay_file if row.base is Base.ASSETS else relay
        )
        for operation in RELAYED
        for row in (*operation.published, *operation.guide)
    }
