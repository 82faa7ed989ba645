"""Positions, holdings, and changing a position's product."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from services.domain.orders import Product
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.members import as_object, read_json, shown, whole, word
from services.paper.order_bodies import SIDES
from services.paper.portfolio_told import Prices, tell_holding, tell_position
from services.paper.trading.position_values import Position


async def positions(broker: Broker, request: Request) -> Response:
    """Those that were closed today included, those under MTF not."""
    return _tell(broker, request, [one for one in broker.desk.positions() if one.product != Product.MTF])


async def mtf_positions(broker: Broker, request: Request) -> Response:
    return _tell(broker, request, [one for one in broker.desk.positions() if one.product == Product.MTF])


async def holdings(broker: Broker, request: Request) -> Response:
    found = broker.desk.holdings()
    prices = Prices(broker.market, {now.holding.key for now in found}, broker.clock.now())
    return success(request, [tell_holding(now, prices) for now in found])


async def convert(broker: Broker, request: Request) -> Response:
    """`transaction_type` is the side of the position."""
    body = as_object(await read_json(request))
    key = body.get("instrument_token")
    if not isinstance(key, str) or not key:
        raise refusal("UDAPI1026", property_path="instrument_token", invalid_value=shown(key))
    old, new = _product(body, "old_product"), _product(body, "new_product")
    if old == new:
        raise refusal("UDAPI1054", property_path="new_product", invalid_value=new)
    buys = word(body, "transaction_type", SIDES, missing="UDAPI1057") == "BUY"
    quantity = whole(body, "quantity", code="UDAPI1053")
    if not quantity:
        raise refusal("UDAPI1052", property_path="quantity", invalid_value="0")
    broker.desk.convert(key, buys=buys, quantity=quantity, old=old, new=new)
    return success(request, {"status": "complete"})


HANDLERS: Handlers = {
    ("positions", "v2"): positions,
    ("mtf_positions", "v3"): mtf_positions,
    ("holdings", "v2"): holdings,
    ("position_convert", "v2"): convert,
    ("position_convert", "guide"): convert,
}


def _tell(broker: Broker, request: Request, found: list[Position]) -> Response:
    prices = Prices(broker.market, {one.key for one in found}, broker.clock.now())
    return success(request, [tell_position(one, prices) for one in found])


def _product(body: Mapping[str, object], name: str) -> str:
    return word(body, name, ("I", "D", "MTF", "CO"), missing="UDAPI1054")
