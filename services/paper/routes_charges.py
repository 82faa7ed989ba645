"""Estimates before an order: brokerage and taxes, margin."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from starlette.requests import Request
from starlette.responses import Response

from services.domain.clock import ist_date
from services.domain.instruments import is_instrument_key
from services.paper.broker import Broker, Handlers
from services.paper.envelope import refusal, success
from services.paper.members import INVALID, as_list, as_object, price, read_json, shown, whole, word
from services.paper.model import Listing
from services.paper.order_bodies import SIDES, listed_key
from services.paper.portfolio_told import Prices
from services.paper.trading.charges import charges_of, depository_plan
from services.paper.trading.margins import BasketLine, LineMargin, hedge_benefit, line_margin
from services.paper.trading.values import rupees

PRODUCTS = ("I", "D", "CO", "MTF")
MOST_LINES = 20
_MOST_QUANTITY = 10**9


async def brokerage(broker: Broker, request: Request) -> Response:
    """What one executed order would cost, by today's rates."""
    asked, listings = request.query_params, broker.listings()
    key = listed_key(
        asked.get("instrument_token"), listings, "instrument_token", missing="UDAPI1059", unknown="UDAPI100011"
    )
    quantity = _positive(asked.get("quantity"), "quantity", missing="UDAPI1060", zero="UDAPI1064")
    if quantity != int(quantity) or quantity > _MOST_QUANTITY:
        raise refusal("UDAPI1053", property_path="quantity", invalid_value=shown(asked.get("quantity")))
    product = word(asked, "product", PRODUCTS, missing="UDAPI1063")
    side = word(asked, "transaction_type", SIDES, missing="UDAPI1062")
    at = _positive(asked.get("price"), "price", missing="UDAPI1061", zero="UDAPI1065")
    today = ist_date(broker.clock.now())
    told = charges_of(
        listings[key].row, buys=side == "BUY", product=product, quantity=int(quantity), price=at, on=today
    )
    plan, least = depository_plan(today)
    charges = {
        "total": told.total_paise / 100,
        "brokerage": told.brokerage / 100,
        "taxes": {"gst": told.gst / 100, "stt": told.stt / 100, "stamp_duty": told.stamp_duty / 100},
        "other_charges": {
            "transaction": told.transaction / 100,
            "clearing": told.clearing / 100,
            "ipft": told.ipft / 100,
            "sebi_turnover": told.sebi_turnover / 100,
        },
        "dp_plan": {"name": plan, "min_expense": least / 100},
    }
    return success(request, {"charges": charges})


async def margin(broker: Broker, request: Request) -> Response:
    """What up to twenty lines would block, each by itself and all together. No price: the last one."""
    body = as_object(await read_json(request))
    lines = [as_object(line) for line in as_list(body.get("instruments"))]
    if not lines:
        raise refusal(INVALID, property_path="instruments", message="The request names no instrument")
    if len(lines) > MOST_LINES:
        raise refusal("UDAPI1102", property_path="instruments")
    now, listings = broker.clock.now(), broker.listings()
    keys = [_margin_key(line.get("instrument_key"), listings) for line in lines]
    named = [(key, line.get("transaction_type"), line.get("product")) for key, line in zip(keys, lines, strict=True)]
    if len(set(named)) != len(named):
        raise refusal("UDAPI1103", property_path="instrument_key")
    under = {str(listings[key].row.get("underlying_key", "")) for key in keys}
    prices = Prices(broker.market, {*keys, *under}, now)
    found = [_line(line, listings[key], prices) for key, line in zip(keys, lines, strict=True)]
    required = sum(line.margin.total_paise for line in found)
    return success(
        request,
        {
            "margins": [_margin_told(line.margin) for line in found],
            "required_margin": required / 100,
            "final_margin": (required - hedge_benefit(found)) / 100,
        },
    )


HANDLERS: Handlers = {
    ("brokerage", "v2"): brokerage,
    ("margin", "v2"): margin,
}


def _positive(text: str | None, name: str, *, missing: str, zero: str) -> Decimal:
    if not text:
        raise refusal(missing, property_path=name)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise refusal(INVALID, property_path=name, invalid_value=shown(text)) from None
    if not value.is_finite() or value < 0 or value > _MOST_QUANTITY:
        raise refusal(INVALID, property_path=name, invalid_value=shown(text))
    if not value:
        raise refusal(zero, property_path=name, invalid_value=text)
    return value


def _margin_key(value: object, listings: Mapping[str, Listing]) -> str:
    if isinstance(value, str) and value and not is_instrument_key(value):
        raise refusal("UDAPI1098", property_path="instrument_key", invalid_value=shown(value))
    return listed_key(value, listings, "instrument_key", missing="UDAPI1098", unknown="UDAPI1099")


def _line(body: Mapping[str, object], listing: Listing, prices: Prices) -> BasketLine:
    row = listing.row
    quantity = whole(body, "quantity", code="UDAPI1096")
    if not quantity:
        raise refusal("UDAPI1096", property_path="quantity", invalid_value="0")
    if listing.segment in {"NSE_FO", "BSE_FO"} and quantity % int(str(row.get("lot_size", 1))):
        raise refusal("UDAPI1097", property_path="quantity", invalid_value=str(quantity))
    product = word(body, "product", PRODUCTS, missing="UDAPI1054")
    buys = word(body, "transaction_type", SIDES, missing="UDAPI1057") == "BUY"
    at = rupees(price(body, "price", default=0)) or _last(prices, listing.key)
    spot = _last(prices, str(row.get("underlying_key", ""))) or Decimal(str(row.get("strike_price") or 0))
    made = line_margin(row, buys=buys, product=product, quantity=quantity, price=at, spot=spot)
    return BasketLine(row, buys, quantity, made)


def _last(prices: Prices, key: str) -> Decimal:
    """The last price; 0 of what is not listed."""
    snap = prices.snap(key)
    return Decimal(0) if snap is None else Decimal(str(snap.ltp))


def _margin_told(line: LineMargin) -> dict[str, float]:
    return {
        "span_margin": line.span / 100,
        "exposure_margin": line.exposure / 100,
        "equity_margin": line.equity / 100,
        "net_buy_premium": line.net_buy_premium / 100,
        "additional_margin": line.additional / 100,
        "total_margin": line.total_paise / 100,
        "tender_margin": line.tender / 100,
    }
